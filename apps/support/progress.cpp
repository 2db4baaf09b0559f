#include "apps/support/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace imago::apps {

Progress::Progress(std::int64_t first, std::int64_t total, std::int64_t line_every)
    : first_(first),
      total_(total),
      line_every_(std::max<std::int64_t>(line_every, 1)),
      terminal_(isatty(STDOUT_FILENO) != 0),
      start_(Clock::now()) {}

bool Progress::due(std::int64_t step) const {
  if (step == total_ || step == first_ + 1) return true;
  if (!terminal_) return step % line_every_ == 0;
  return Clock::now() - last_ > std::chrono::milliseconds(200);
}

void Progress::update(std::int64_t step, double images_per_second, const std::string& figures) {
  last_ = Clock::now();
  const double elapsed = std::chrono::duration<double>(last_ - start_).count();
  const double left = elapsed / static_cast<double>(std::max<std::int64_t>(step - first_, 1)) *
                      static_cast<double>(total_ - step);
  const std::string eta =
      step == total_ ? "took " + format_duration(elapsed) : "ETA " + format_duration(left);
  if (terminal_) {
    constexpr int width = 24;
    const auto filled = static_cast<int>(width * step / std::max<std::int64_t>(total_, 1));
    std::string bar(static_cast<std::size_t>(width), '.');
    std::fill_n(bar.begin(), filled, '#');
    std::printf("\r[%s] %lld/%lld  %s  %.0f img/s  %s\x1b[K", bar.c_str(),
                static_cast<long long>(step), static_cast<long long>(total_), eta.c_str(),
                images_per_second, figures.c_str());
    open_line_ = true;
  } else {
    std::printf("step %lld/%lld  %s  %.0f img/s  %s\n", static_cast<long long>(step),
                static_cast<long long>(total_), eta.c_str(), images_per_second, figures.c_str());
  }
  std::fflush(stdout);
}

void Progress::finish() {
  if (open_line_) std::printf("\n");
  open_line_ = false;
  std::fflush(stdout);
}

std::string format_duration(double seconds) {
  const auto s = static_cast<long long>(std::llround(std::max(seconds, 0.0)));
  char text[32];
  if (s < 60) {
    std::snprintf(text, sizeof text, "%llds", s);
  } else if (s < 3600) {
    std::snprintf(text, sizeof text, "%lldm%02llds", s / 60, s % 60);
  } else {
    std::snprintf(text, sizeof text, "%lldh%02lldm", s / 3600, s / 60 % 60);
  }
  return text;
}

}  // namespace imago::apps
