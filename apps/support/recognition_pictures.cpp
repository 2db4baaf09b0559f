#include "apps/support/recognition_pictures.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <set>
#include <utility>

#include "tensor/error.h"

namespace imago::apps {
namespace {

constexpr std::int64_t most_rows = 8, neighbours = 5, most_columns = 8;
constexpr int gap = 2;

using Colour = std::array<std::uint8_t, 3>;
constexpr Colour green = {0, 158, 65}, red = {213, 40, 30};

void frame(data::Image& sheet, int left, int top, int size, const Colour& colour) {
  const int thick = std::max(2, size / 24);
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const int from_edge = std::min(std::min(x, size - 1 - x), std::min(y, size - 1 - y));
      if (from_edge >= thick) continue;
      std::copy(colour.begin(), colour.end(), sheet.at(left + x, top + y));
    }
  }
}

// Frames the cell of a sheet that image_grid laid out.
void frame_cell(data::Image& sheet, std::int64_t row, std::int64_t column, int size, bool right) {
  frame(sheet, static_cast<int>(column) * (size + gap), static_cast<int>(row) * (size + gap), size,
        right ? green : red);
}

// Up to 8 images: those that are the first of their class, then others, evenly spread over the
// numbers of either kind.
std::vector<std::int64_t> to_begin_with(const std::vector<std::int64_t>& classes) {
  std::vector<std::int64_t> first, others;
  std::set<std::int64_t> seen;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    (seen.insert(classes[i]).second ? first : others).push_back(static_cast<std::int64_t>(i));
  }
  std::vector<std::int64_t> chosen;
  const auto spread = [&](const std::vector<std::int64_t>& from) {
    const auto count = static_cast<std::int64_t>(from.size());
    const std::int64_t wanted =
        std::min(count, most_rows - static_cast<std::int64_t>(chosen.size()));
    for (std::int64_t i = 0; i < wanted; ++i) {
      chosen.push_back(from[static_cast<std::size_t>(i * count / wanted)]);
    }
  };
  spread(first);
  spread(others);
  return chosen;
}

// The others that are most alike, first those; of equally alike ones the first.
std::vector<std::int64_t> nearest(const Tensor& similarity, std::int64_t image,
                                  std::int64_t count) {
  const std::int64_t N = similarity.size(0);
  const float* row = similarity.data<float>() + image * N;
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < N; ++i) {
    if (i != image) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return row[a] > row[b]; });
  order.resize(static_cast<std::size_t>(count));
  return order;
}

int side_of(const Tensor& images) {
  check(images.defined() && images.dim() == 4 && images.dtype() == DType::u8 &&
            images.device().is_cpu() && images.size(0) >= 1 && images.size(1) == images.size(2),
        "recognition_pictures", "expects u8 (N, S, S, 3) on the CPU, at least one");
  return static_cast<int>(images.size(1));
}

Tensor cells(std::int64_t count, int size) {
  return Tensor::empty({count, size, size, 3}, DType::u8, Device::cpu());
}

}  // namespace

data::Image nearest_picture(const Tensor& images, const Tensor& similarity,
                            const std::vector<std::int64_t>& classes) {
  const int S = side_of(images);
  const std::int64_t N = images.size(0);
  check(similarity.shape() == Shape({N, N}) && std::cmp_equal(classes.size(), N), "nearest_picture",
        "expects a similarity (N, N) and N classes of ", N, " images");
  const std::vector<std::int64_t> faces = to_begin_with(classes);
  const std::int64_t beside = std::min(neighbours, N - 1), columns = 1 + beside;
  const auto rows = static_cast<std::int64_t>(faces.size());
  Tensor grid = cells(rows * columns, S);
  const auto put = [&](std::int64_t cell, std::int64_t image) {
    grid.slice(cell, cell + 1).copy_from(images.slice(image, image + 1));
  };
  std::vector<std::vector<std::int64_t>> found;
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t face = faces[static_cast<std::size_t>(r)];
    found.push_back(nearest(similarity, face, beside));
    put(r * columns, face);
    for (std::int64_t k = 0; k < beside; ++k) {
      put(r * columns + 1 + k, found.back()[static_cast<std::size_t>(k)]);
    }
  }
  data::Image sheet =
      data::image_grid(grid, static_cast<int>(rows), static_cast<int>(columns), gap);
  for (std::int64_t r = 0; r < rows; ++r) {
    const auto face = static_cast<std::size_t>(faces[static_cast<std::size_t>(r)]);
    for (std::int64_t k = 0; k < beside; ++k) {
      const auto other =
          static_cast<std::size_t>(found[static_cast<std::size_t>(r)][static_cast<std::size_t>(k)]);
      frame_cell(sheet, r, 1 + k, S, classes[other] == classes[face]);
    }
  }
  return sheet;
}

data::Image answers_picture(const Tensor& images, const std::vector<std::int64_t>& truth,
                            const std::vector<std::int64_t>& answers) {
  const int S = side_of(images);
  const std::int64_t N = images.size(0);
  check(std::cmp_equal(truth.size(), N) && truth.size() == answers.size(), "answers_picture",
        "expects a truth and an answer for each of ", N, " images");
  const std::int64_t shown = std::min(N, most_rows * most_columns);
  const std::int64_t columns = std::min(shown, most_columns);
  const std::int64_t rows = (shown + columns - 1) / columns;
  Tensor grid = cells(shown, S);
  for (std::int64_t c = 0; c < shown; ++c) {
    const std::int64_t image = c * N / shown;
    grid.slice(c, c + 1).copy_from(images.slice(image, image + 1));
  }
  data::Image sheet =
      data::image_grid(grid, static_cast<int>(rows), static_cast<int>(columns), gap);
  for (std::int64_t c = 0; c < shown; ++c) {
    const auto image = static_cast<std::size_t>(c * N / shown);
    frame_cell(sheet, c / columns, c % columns, S, truth[image] == answers[image]);
  }
  return sheet;
}

}  // namespace imago::apps
