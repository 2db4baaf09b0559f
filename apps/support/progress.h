// The progress of a training run: a bar that redraws itself on a terminal, plain lines elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace imago::apps {

class Progress {
 public:
  // Steps first+1 .. total are to come. On a terminal every update redraws one line, several times
  // a second at most; elsewhere a line is printed every `line_every` steps and after the last.
  Progress(std::int64_t first, std::int64_t total, std::int64_t line_every);
  ~Progress() { finish(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // True when update(step, ...) would print: the caller need not compute figures otherwise.
  bool due(std::int64_t step) const;
  void update(std::int64_t step, double images_per_second, const std::string& figures);
  // Leaves the bar on screen and goes to a new line, so that other text can follow.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  std::int64_t first_, total_, line_every_;
  bool terminal_;
  bool open_line_ = false;
  Clock::time_point start_, last_;
};

// "42s", "3m05s", "1h02m".
std::string format_duration(double seconds);

}  // namespace imago::apps
