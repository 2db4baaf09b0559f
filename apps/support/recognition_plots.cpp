#include "apps/support/recognition_plots.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "apps/support/svg_chart.h"
#include "tensor/error.h"

namespace imago::apps {
namespace {

constexpr std::size_t most_numbered = 25;  // classes, above which cells are too small for numbers

// From white to the blue of the charts.
std::string shade(double share) {
  const auto mix = [&](int full) {
    return std::to_string(static_cast<int>(std::lround(255 + share * (full - 255))));
  };
  return "rgb(" + mix(0x21) + "," + mix(0x66) + "," + mix(0xac) + ")";
}

// The first characters of a name, whole ones of UTF-8.
std::string shortened(const std::string& name, std::size_t most) {
  if (name.size() <= most) return name;
  std::size_t end = most - 1;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0u) == 0x80u) --end;
  return name.substr(0, end) + ".";
}

}  // namespace

std::string roc_svg(const std::vector<RocCurve>& curves) {
  Panel panel{"Accepted genuine pairs (TAR)", {}, {}};
  for (const RocCurve& curve : curves) {
    Series s{curve.name, {}, {}};
    for (const models::RocPoint& point : curve.points) {
      s.x.push_back(point.far);
      s.y.push_back(point.tar);
    }
    panel.series.push_back(s);
  }
  return svg_chart("accepted impostor pairs (FAR)", {panel}, Axis::logarithmic);
}

std::string cmc_svg(const std::vector<CmcCurve>& curves) {
  Panel panel{"Probes found within rank", {}, {}};
  for (const CmcCurve& curve : curves) {
    Series s{curve.name, {}, curve.shares};
    for (std::size_t rank = 1; rank <= curve.shares.size(); ++rank) {
      s.x.push_back(static_cast<double>(rank));
    }
    panel.series.push_back(s);
  }
  return svg_chart("rank", {panel});
}

std::string confusion_svg(const models::Confusion& confusion) {
  const std::size_t K = confusion.classes.size();
  check(K <= most_confusion_classes, "confusion_svg", "draws ", most_confusion_classes,
        " classes at most, not ", K);
  constexpr double names = 130, top = 44;
  const double side = K <= most_numbered ? 44 : 14;
  const double size = side * static_cast<double>(K);
  const double width = names + size + 20, height = top + size + names;
  std::ostringstream out;
  out << "<svg xmlns='http://www.w3.org/2000/svg' width='" << width << "' height='" << height
      << "' viewBox='0 0 " << width << ' ' << height << "'>\n"
      << "<style>text{font:11px sans-serif}.title{font-weight:bold}</style>\n"
      << "<rect width='100%' height='100%' fill='white'/>\n"
      << "<text x='" << names
      << "' y='18' class='title'>Rows: what it is. Columns: what was "
         "answered.</text>\n";
  for (std::size_t row = 0; row < K; ++row) {
    const double y = top + side * static_cast<double>(row), middle = y + side / 2 + 4;
    std::int64_t total = 0;
    for (const std::int64_t n : confusion.counts[row]) total += n;
    const std::string name = svg_text(shortened(confusion.classes[row], 18));
    out << "<text x='" << names - 6 << "' y='" << middle << "' text-anchor='end'>" << name
        << "</text>\n<text transform='translate(" << names + y - top + side / 2 + 4 << ' '
        << top + size + 6 << ") rotate(-90)' text-anchor='end'>" << name << "</text>\n";
    for (std::size_t column = 0; column < K; ++column) {
      const double x = names + side * static_cast<double>(column);
      const std::int64_t n = confusion.counts[row][column];
      const double share = total == 0 ? 0 : static_cast<double>(n) / static_cast<double>(total);
      out << "<rect x='" << x << "' y='" << y << "' width='" << side << "' height='" << side
          << "' stroke='#ddd' fill='" << shade(share) << "'/>\n";
      if (n == 0 || K > most_numbered) continue;
      out << "<text x='" << x + side / 2 << "' y='" << middle << "' text-anchor='middle' fill='"
          << (share > 0.5 ? "white" : "black") << "'>" << n << "</text>\n";
    }
  }
  out << "</svg>\n";
  return out.str();
}

}  // namespace imago::apps
