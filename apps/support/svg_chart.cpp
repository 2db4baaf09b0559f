#include "apps/support/svg_chart.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

namespace imago::apps {
namespace {

constexpr double width = 860, panel_height = 260, left = 64, right = 150, top = 34, bottom = 30;
constexpr int columns = 600;  // points kept per series
const char* const colours[] = {"#2166ac", "#d6604d", "#1b7837", "#762a83"};

struct Span {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void take(double v) {
    if (!std::isfinite(v)) return;
    low = std::min(low, v);
    high = std::max(high, v);
  }
  void widen() {
    if (!(low <= high)) low = 0, high = 1;
    if (low == high) low -= 0.5, high += 0.5;
  }
};

// Steps of 1, 2 or 5 times a power of ten, about `count` of them.
double tick_step(double range, int count) {
  const double raw = range / count;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (raw <= factor * power) return factor * power;
  }
  return 10 * power;
}

std::string number(double v) {
  std::ostringstream out;
  out.precision(4);
  out << (std::abs(v) < 1e-12 ? 0.0 : v);
  return out.str();
}

// At most `columns` points: the mean of each of as many runs.
Series thinned(const Series& s) {
  const std::size_t n = s.x.size();
  if (n <= columns) return s;
  Series t{s.name, {}, {}};
  for (std::size_t c = 0; c < columns; ++c) {
    const std::size_t begin = c * n / columns, end = (c + 1) * n / columns;
    double x = 0, y = 0;
    for (std::size_t i = begin; i < end; ++i) x += s.x[i], y += s.y[i];
    t.x.push_back(x / static_cast<double>(end - begin));
    t.y.push_back(y / static_cast<double>(end - begin));
  }
  return t;
}

// The points at x > 0, with the logarithm of it.
Series logarithmic(const Series& s) {
  Series t{s.name, {}, {}};
  for (std::size_t i = 0; i < s.x.size(); ++i) {
    if (!(s.x[i] > 0)) continue;
    t.x.push_back(std::log10(s.x[i]));
    t.y.push_back(s.y[i]);
  }
  return t;
}

// `xs` and the x of the series are logarithms where the axis is logarithmic.
void draw_panel(std::ostream& out, const Panel& panel, double y0, const Span& xs, Axis x_axis) {
  Span ys;
  std::vector<Series> lines;
  for (const Series& s : panel.series) lines.push_back(thinned(s));
  for (const Series& s : lines) {
    for (const double v : s.y) ys.take(v);
  }
  for (const Reference& r : panel.references) ys.take(r.y);
  ys.widen();
  const double plot_w = width - left - right, plot_h = panel_height - top - bottom;
  const auto px = [&](double x) { return left + (x - xs.low) / (xs.high - xs.low) * plot_w; };
  const auto py = [&](double y) { return y0 + top + (ys.high - y) / (ys.high - ys.low) * plot_h; };
  out << "<text x='" << left << "' y='" << y0 + 22 << "' class='title'>" << svg_text(panel.title)
      << "</text>\n";
  const double y_step = tick_step(ys.high - ys.low, 5);
  for (double v = std::ceil(ys.low / y_step) * y_step; v <= ys.high + 1e-9 * y_step; v += y_step) {
    out << "<line x1='" << left << "' x2='" << left + plot_w << "' y1='" << number(py(v))
        << "' y2='" << number(py(v)) << "' class='grid'/><text x='" << left - 8 << "' y='"
        << number(py(v) + 4) << "' text-anchor='end'>" << number(v) << "</text>\n";
  }
  const bool powers = x_axis == Axis::logarithmic;
  const double x_step = powers ? 1 : tick_step(xs.high - xs.low, 8);
  for (double v = std::ceil(xs.low / x_step - 1e-9) * x_step; v <= xs.high + 1e-9 * x_step;
       v += x_step) {
    out << "<text x='" << number(px(v)) << "' y='" << y0 + panel_height - bottom + 16
        << "' text-anchor='middle'>" << number(powers ? std::pow(10.0, v) : v) << "</text>\n";
  }
  for (const Reference& r : panel.references) {
    out << "<line x1='" << left << "' x2='" << left + plot_w << "' y1='" << number(py(r.y))
        << "' y2='" << number(py(r.y)) << "' class='reference'/><text x='" << left + plot_w + 6
        << "' y='" << number(py(r.y) + 4) << "' class='faint'>" << svg_text(r.name) << "</text>\n";
  }
  for (std::size_t k = 0; k < lines.size(); ++k) {
    const char* colour = colours[k % std::size(colours)];
    out << "<path fill='none' stroke='" << colour << "' stroke-width='1.4' d='";
    bool pen_down = false;
    for (std::size_t i = 0; i < lines[k].x.size(); ++i) {
      if (!std::isfinite(lines[k].y[i])) {
        pen_down = false;
        continue;
      }
      out << (pen_down ? 'L' : 'M') << number(px(lines[k].x[i])) << ' '
          << number(py(lines[k].y[i]));
      pen_down = true;
    }
    out << "'/>\n<text x='" << left + plot_w - 8 - 110 * static_cast<double>(lines.size() - 1 - k)
        << "' y='" << y0 + 22 << "' text-anchor='end' fill='" << colour << "'>"
        << svg_text(lines[k].name) << "</text>\n";
  }
}

}  // namespace

std::string svg_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string svg_chart(const std::string& x_label, const std::vector<Panel>& shown, Axis x_axis) {
  std::vector<Panel> panels = shown;
  if (x_axis == Axis::logarithmic) {
    for (Panel& panel : panels) {
      for (Series& s : panel.series) s = logarithmic(s);
    }
  }
  Span xs;
  for (const Panel& panel : panels) {
    for (const Series& s : panel.series) {
      for (const double v : s.x) xs.take(v);
    }
  }
  xs.widen();
  const double height = panel_height * static_cast<double>(panels.size()) + 24;
  std::ostringstream out;
  out << "<svg xmlns='http://www.w3.org/2000/svg' width='" << width << "' height='" << height
      << "' viewBox='0 0 " << width << ' ' << height << "'>\n"
      << "<style>text{font:12px sans-serif}.title{font-weight:bold}.grid{stroke:#ddd}"
         ".reference{stroke:#888;stroke-dasharray:5 4}.faint{fill:#666}</style>\n"
      << "<rect width='100%' height='100%' fill='white'/>\n";
  for (std::size_t i = 0; i < panels.size(); ++i) {
    draw_panel(out, panels[i], panel_height * static_cast<double>(i), xs, x_axis);
  }
  out << "<text x='" << left + (width - left - right) / 2 << "' y='" << height - 8
      << "' text-anchor='middle'>" << svg_text(x_label) << "</text>\n</svg>\n";
  return out.str();
}

}  // namespace imago::apps
