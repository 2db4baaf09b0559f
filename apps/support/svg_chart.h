// Line charts as SVG files.
#pragma once

#include <string>
#include <vector>

namespace imago::apps {

struct Series {
  std::string name;
  std::vector<double> x, y;  // of equal length; points that are not finite break the line
};

// A horizontal line of known meaning, such as "log 2".
struct Reference {
  std::string name;
  double y;
};

struct Panel {
  std::string title;
  std::vector<Series> series;
  std::vector<Reference> references = {};
};

// How x is laid out. On a logarithmic axis points at 0 or below are left out.
enum class Axis : unsigned char { linear, logarithmic };

// Panels below each other over one x axis. A series of many points is thinned to means per pixel
// column, so that the file stays small.
std::string svg_chart(const std::string& x_label, const std::vector<Panel>& panels,
                      Axis x_axis = Axis::linear);

// Text as it stands between tags of SVG.
std::string svg_text(const std::string& text);

}  // namespace imago::apps
