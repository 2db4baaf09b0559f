#include "models/diff_augment.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <utility>

#include "autograd/ops/add.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/shift_images.h"
#include "autograd/ops/sum_to.h"
#include "autograd/ops/where.h"
#include "autograd/random.h"
#include "kernels/counting.h"
#include "kernels/elementwise/compare.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/images.h"

namespace imago::models {
namespace {

constexpr const char* op = "diff_augment";

// The kinds by name, in the order in which they are applied.
struct Kind {
  const char* name;
  bool DiffAugmentOptions::*on;
};
constexpr std::array<Kind, 3> kinds{{{"colour", &DiffAugmentOptions::colour},
                                     {"translation", &DiffAugmentOptions::translation},
                                     {"cutout", &DiffAugmentOptions::cutout}}};
constexpr DiffAugmentOptions nothing{.colour = false, .translation = false, .cutout = false};

std::int64_t farthest_shift(std::int64_t extent) {
  return (extent + 4) / 8;  // an eighth, rounded
}

std::int64_t cut_size(std::int64_t extent) {
  return (extent + 1) / 2;
}

// Integers low .. low + count - 1, equally likely, from uniforms (N) in [0, 1): these are multiples
// of 2^-24 in f64, so the product is exact and less than count.
Tensor integers(const Tensor& uniforms, std::int64_t low, std::int64_t count) {
  const Tensor scaled = kernels::scale(uniforms, static_cast<double>(count));
  const Tensor whole = kernels::cast(kernels::cast(scaled, DType::i64), DType::f64);
  return kernels::cast(kernels::add_scalar(whole, static_cast<double>(low)), DType::i64);
}

// Brightness, saturation and contrast one after the other are
//     x1 = x + b,   x2 = s x1 + (1 - s) m1,   x3 = c x2 + (1 - c) M2
// with m1 the mean of a pixel of x1 and M2 that of an image of x2. Saturation leaves means as they
// are and brightness adds b to them, so with m and M those of x
//     x3 = s c x + c (1 - s) m + (1 - c) M + b,
// which passes over the images twice, not six times.
Var coloured(const Var& x, const DiffAugmentDraws& draws) {
  const auto factor = [&](const Tensor& t) {
    return Var(kernels::cast(t, x.dtype()).reshape({x.size(0), 1, 1, 1}));
  };
  const Tensor& c = draws.contrast;
  const Tensor gain = kernels::mul(draws.saturation, c);
  const Var of_pixel = ops::mean(x, {3}, true);            // (N, H, W, 1)
  const Var of_image = ops::mean(of_pixel, {1, 2}, true);  // (N, 1, 1, 1)
  const Var level = ops::add(ops::mul(of_image, factor(kernels::add_scalar(kernels::neg(c), 1))),
                             factor(draws.brightness));
  const Var grey = ops::add(ops::mul(of_pixel, factor(kernels::sub(c, gain))), level);
  return ops::add(ops::mul(x, factor(gain)), grey);
}

// Which rows (or columns) of each image are in its window: u8 (N, extent), for the first ones (N)
// of i64.
Tensor in_window(std::int64_t extent, const Tensor& first) {
  const Tensor start = kernels::cast(first, DType::f64).reshape({first.numel(), 1});
  const Tensor grid = kernels::counting(extent, first.device()).reshape({1, extent});
  const Tensor distance = kernels::sub(grid, start);
  return kernels::logical_and(kernels::greater_equal(distance, 0),
                              kernels::less(distance, static_cast<double>(cut_size(extent))));
}

Var cut(const Var& x, const DiffAugmentDraws& draws) {
  const std::int64_t n = x.size(0), height = x.size(1), width = x.size(2);
  const Tensor rows = in_window(height, draws.cut_top).reshape({n, height, 1, 1});
  const Tensor columns = in_window(width, draws.cut_left).reshape({n, 1, width, 1});
  return ops::where(kernels::logical_and(rows, columns),
                    Var(kernels::full({}, 0, x.dtype(), x.device())), x);
}

// Whether a kind has been drawn. Throws unless all of its tensors are there and fit, or none is.
bool drawn(const Var& images, DType dtype,
           std::initializer_list<std::pair<const char*, const Tensor*>> of_kind) {
  const bool any = std::any_of(of_kind.begin(), of_kind.end(),
                               [](const auto& entry) { return entry.second->defined(); });
  if (!any) return false;
  for (const auto& [name, tensor] : of_kind) {
    check(tensor->defined(), op, "the draw ", name, " is undefined but others of its kind are not");
    check(tensor->dtype() == dtype && tensor->shape() == Shape{images.size(0)}, op, "the draw ",
          name, " is ", tensor->dtype(), " ", tensor->shape(), "; it takes one ", dtype,
          " for each of the ", images.size(0), " images");
    check(tensor->device() == images.device(), op, "the draw ", name, " is on ", tensor->device(),
          " but the images are on ", images.device());
  }
  return true;
}

}  // namespace

DiffAugmentOptions diff_augment_policy(const std::string& policy) {
  DiffAugmentOptions options = nothing;
  if (policy.empty() || policy == "none") return options;
  for (std::size_t begin = 0; begin <= policy.size();) {
    const std::size_t end = std::min(policy.find(',', begin), policy.size());
    const std::string word = policy.substr(begin, end - begin);
    const auto kind =
        std::find_if(kinds.begin(), kinds.end(), [&](const Kind& k) { return word == k.name; });
    check(kind != kinds.end(), op, "'", word, "' in the policy '", policy,
          "' is none of colour, translation and cutout, joined by commas without spaces; 'none' is "
          "for none of them");
    check(!(options.*kind->on), op, "the policy '", policy, "' names ", word, " twice");
    options.*kind->on = true;
    begin = end + 1;
  }
  return options;
}

std::string name_of(const DiffAugmentOptions& options) {
  std::string name;
  for (const Kind& kind : kinds) {
    if (options.*kind.on) name += (name.empty() ? "" : ",") + std::string(kind.name);
  }
  return name.empty() ? "none" : name;
}

DiffAugmentDraws draw_diff_augment(const Shape& images, const DiffAugmentOptions& options,
                                   Device device) {
  check(images.dim() == 4 && images.numel() > 0, op, "images are (N, H, W, C), not ", images);
  DiffAugmentDraws draws;
  if (options == nothing) return draws;
  const std::int64_t n = images[0], height = images[1], width = images[2];
  const Tensor uniforms = rand({7, n}, device, DType::f64).tensor();
  const auto row = [&](std::int64_t i) { return uniforms.slice(i, i + 1).reshape({n}); };
  if (options.colour) {
    draws.brightness = kernels::add_scalar(row(0), -0.5);
    draws.saturation = kernels::scale(row(1), 2);
    draws.contrast = kernels::add_scalar(row(2), 0.5);
  }
  if (options.translation) {
    const auto shift = [&](std::int64_t i, std::int64_t extent) {
      const std::int64_t far = farthest_shift(extent);
      return integers(row(i), -far, 2 * far + 1);
    };
    draws.shift_down = shift(3, height);
    draws.shift_right = shift(4, width);
  }
  if (options.cutout) {
    // The centre of a window of odd size is any pixel, that of an even one any corner of pixels.
    const auto start = [&](std::int64_t i, std::int64_t extent) {
      const std::int64_t size = cut_size(extent);
      return integers(row(i), -(size / 2), extent + 1 - size % 2);
    };
    draws.cut_top = start(5, height);
    draws.cut_left = start(6, width);
  }
  return draws;
}

Var apply_diff_augment(const Var& images, const DiffAugmentDraws& draws) {
  kernels::require_floating_images(op, "images", images.tensor());
  Var x = images;
  if (drawn(images, DType::f64,
            {{"brightness", &draws.brightness},
             {"saturation", &draws.saturation},
             {"contrast", &draws.contrast}})) {
    x = coloured(x, draws);
  }
  if (drawn(images, DType::i64,
            {{"shift_down", &draws.shift_down}, {"shift_right", &draws.shift_right}})) {
    x = ops::shift_images(x, draws.shift_down, draws.shift_right);
  }
  if (drawn(images, DType::i64, {{"cut_top", &draws.cut_top}, {"cut_left", &draws.cut_left}})) {
    x = cut(x, draws);
  }
  return x;
}

Var diff_augment(const Var& images, const DiffAugmentOptions& options) {
  kernels::require_floating_images(op, "images", images.tensor());
  return apply_diff_augment(images, draw_diff_augment(images.shape(), options, images.device()));
}

}  // namespace imago::models
