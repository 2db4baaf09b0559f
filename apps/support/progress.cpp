#include "apps/support/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace imago::apps {
namespace {

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 80;
  return size.ws_col;
}

}  // namespace

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
    const std::size_t width = terminal_width();
    char text[256];
    std::snprintf(text, sizeof text, "%lld/%lld  %s  %.0f img/s  %s", static_cast<long long>(step),
                  static_cast<long long>(total_), eta.c_str(), images_per_second, figures.c_str());
    std::string line = text;
    // The bar takes what room the figures leave; a line that wraps could not be redrawn.
    if (line.size() + 12 < width) {
      const std::size_t length = std::min<std::size_t>(width - line.size() - 4, 30);
      const auto filled =
          static_cast<std::size_t>(static_cast<std::int64_t>(length) * step / total_);
      line = "[" + std::string(filled, '#') + std::string(length - filled, '.') + "] " + line;
    }
    std::printf("\r%s\x1b[K", line.substr(0, width - 1).c_str());
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
