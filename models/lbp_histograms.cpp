#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include "kernels/parallel.h"
#include "models/classical_faces.h"
#include "models/face_rows.h"

namespace imago::models {
namespace {

constexpr const char* op = "lbp_histograms";
constexpr int neighbours = 8, bins = 59;

// The bin of each code: uniform ones, with at most two changes around the circle, have one each, in
// the order of the codes; the others share the last.
std::array<std::uint8_t, 256> bins_of_codes() {
  std::array<std::uint8_t, 256> bin{};
  int next = 0;
  for (std::size_t code = 0; code < 256; ++code) {
    const auto c = static_cast<std::uint8_t>(code);
    const int changes = std::popcount(static_cast<std::uint8_t>(c ^ std::rotl(c, 1)));
    bin[code] = static_cast<std::uint8_t>(changes <= 2 ? next++ : bins - 1);
  }
  return bin;
}

// Where a neighbour lies: from the pixel at `offset` from the centre, shares of the way to the next
// one to the right and below.
struct Point {
  std::int64_t offset = 0;
  float right = 0, down = 0;
  bool between = false;
};

// Neighbour p is at the angle 2 pi p / 8, counter-clockwise from the right.
std::array<Point, neighbours> circle(int radius, int size) {
  const double r = radius, s = radius * 0.70710678118654752;
  const double xs[neighbours] = {r, s, 0, -s, -r, -s, 0, s};
  const double ys[neighbours] = {0, -s, -r, -s, 0, s, r, s};
  std::array<Point, neighbours> points;
  for (std::size_t p = 0; p < neighbours; ++p) {
    const double x = std::floor(xs[p]), y = std::floor(ys[p]);
    points[p] = {static_cast<std::int64_t>(y) * size + static_cast<std::int64_t>(x),
                 static_cast<float>(xs[p] - x), static_cast<float>(ys[p] - y), p % 2 == 1};
  }
  return points;
}

// Written so that four equal values give that value to the last bit: where an image is flat, a
// neighbour between pixels must not fall below the centre by a rounding.
float interpolate(const float* at, std::int64_t row, float right, float down) {
  const float upper = at[0] + right * (at[1] - at[0]);
  const float lower = at[row] + right * (at[row + 1] - at[row]);
  return upper + down * (lower - upper);
}

// sum (a - b)^2 / (a + b) of n numbers >= 0.
float chi_square(const float* a, const float* b, std::int64_t n) {
  // Makes 0 / 0 a 0 without a branch, and changes no share of pixels.
  constexpr float tiny = 1e-30f;
  constexpr int lanes = 16;  // sums of their own: divisions side by side hide each other's time
  float sums[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    for (int lane = 0; lane < lanes; ++lane) {
      const float difference = a[i + lane] - b[i + lane];
      sums[lane] += difference * difference / (a[i + lane] + b[i + lane] + tiny);
    }
  }
  for (int lane = 0; i < n; ++i, ++lane) {
    sums[lane] += (a[i] - b[i]) * (a[i] - b[i]) / (a[i] + b[i] + tiny);
  }
  for (int half = lanes / 2; half > 0; half /= 2) {
    for (int lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
  }
  return sums[0];
}

std::int64_t row_length(const LbpOptions& options) {
  return std::int64_t{options.grid} * options.grid * bins;
}

}  // namespace

LbpHistograms::LbpHistograms(const LbpOptions& options) : options_(options) {
  check(options.radius >= 1 && options.grid >= 1, op,
        "needs a radius and a grid of at least 1, not ", options.radius, " and ", options.grid);
  check(options.size >= 2 * std::int64_t{options.radius} + options.grid, op, "images of size ",
        options.size, " have fewer than ", options.grid,
        " pixels in a row all of whose neighbours at radius ", options.radius, " lie inside");
}

std::string LbpHistograms::label() const {
  return "LBP histograms";
}

Tensor LbpHistograms::encode(const Tensor& images) {
  const int S = options_.size, R = options_.radius, grid = options_.grid;
  const Tensor rows = face_rows(op, images, S, false, 1);
  const std::int64_t N = rows.size(0), D = row_length(options_);
  Tensor out = Tensor::empty({N, D}, DType::f32, Device::cpu());
  const float* in = rows.data<float>();
  float* histograms = out.mutable_data<float>();
  const auto bin = bins_of_codes();
  const auto points = circle(R, S);
  const auto border = [&](int cell) { return R + cell * (S - 2 * R) / grid; };
  parallel_for(N, [&](std::int64_t n) {
    const float* image = in + n * S * S;
    for (int cell = 0; cell < grid * grid; ++cell) {
      const int top = border(cell / grid), bottom = border(cell / grid + 1);
      const int left = border(cell % grid), right = border(cell % grid + 1);
      std::array<int, bins> counts{};
      for (int y = top; y < bottom; ++y) {
        for (int x = left; x < right; ++x) {
          const float* centre = image + std::int64_t{y} * S + x;
          unsigned code = 0;
          for (std::size_t p = 0; p < neighbours; ++p) {
            const Point& point = points[p];
            const float* at = centre + point.offset;
            const float value = point.between ? interpolate(at, S, point.right, point.down) : *at;
            code |= static_cast<unsigned>(value >= *centre) << p;
          }
          ++counts[bin[code]];
        }
      }
      const auto pixels = static_cast<float>((bottom - top) * (right - left));
      float* histogram = histograms + n * D + std::int64_t{cell} * bins;
      for (std::size_t b = 0; b < bins; ++b) {
        histogram[b] = static_cast<float>(counts[b]) / pixels;
      }
    }
  });
  return out;
}

Tensor LbpHistograms::similarity(const Tensor& a, const Tensor& b) const {
  const std::int64_t D = row_length(options_);
  check_rows(op, a, b, D);
  return table_of_rows(a, b, [D](const float* x, const float* y) { return -chi_square(x, y, D); });
}

}  // namespace imago::models
