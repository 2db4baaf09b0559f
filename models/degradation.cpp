#include "models/degradation.h"

#include <cmath>

#include "autograd/ops/crop.h"
#include "autograd/ops/shift_images.h"
#include "kernels/concat/concat.h"
#include "kernels/counting.h"
#include "kernels/elementwise/compare.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/random/random.h"

namespace imago::models {
namespace {

// What is drawn. Each has a draw number of its own, far from those that layers use, so that none
// moves another's numbers.
enum class Drawn : std::uint32_t {
  height,
  width,
  first_row,
  second_row,
  first_column,
  second_column,
  stops,
  sensor,
  window_row,
  window_column,
  glare_strength,
  glare_row,
  glare_column,
  glare_height,
  glare_width,
  glare_tilt,
};

DrawKey key_of(std::uint64_t seed, std::uint32_t step, Drawn what) {
  constexpr std::uint32_t first = 1u << 30;
  return {seed, step, first + static_cast<std::uint32_t>(what)};
}

// x >= 0 of f64, rounded down.
Tensor floored(const Tensor& x) {
  return kernels::cast(kernels::cast(x, DType::i64), DType::f64);
}

// 0 .. count - 1, equally likely, from uniforms (N) in [0, 1): these are multiples of 2^-24 in f64,
// so the product is exact and less than count.
Tensor below(const Tensor& uniforms, std::int64_t count) {
  return floored(kernels::scale(uniforms, static_cast<double>(count)));
}

// size - x.
Tensor room_beside(const Tensor& x, std::int64_t size) {
  return kernels::add_scalar(kernels::neg(x), static_cast<double>(size));
}

// Where x, f64, is in [begin, begin + extent), f64 (N): u8 (N, size).
Tensor between(std::int64_t size, const Tensor& begin, const Tensor& extent) {
  const std::int64_t images = begin.numel();
  const Tensor places = kernels::counting(size, begin.device()).reshape({1, size});
  const Tensor from = kernels::cast(begin, DType::f64).reshape({images, 1});
  const Tensor until = kernels::add(from, kernels::cast(extent, DType::f64).reshape({images, 1}));
  return kernels::logical_and(kernels::greater_equal(places, from), kernels::less(places, until));
}

// The shift to 0 of a window of half the side around places begin .. begin + extent - 1, i64 (N).
Tensor shift_to(const Tensor& begin, const Tensor& extent, std::int64_t size) {
  const std::int64_t window = size / 2;
  const Tensor half = floored(kernels::scale(kernels::cast(extent, DType::f64), 0.5));
  const Tensor centre = kernels::add(kernels::cast(begin, DType::f64), half);
  const Tensor start = kernels::add_scalar(centre, -static_cast<double>(window / 2));
  const Tensor inside =
      kernels::clamp(start, {.low = 0, .high = static_cast<double>(size - window)});
  return kernels::cast(kernels::neg(inside), DType::i64);
}

void require_images(const char* op, const Tensor& images, std::int64_t channels) {
  check(images.defined(), op, "images are undefined");
  check(images.dim() == 4 && images.size(0) > 0 && images.size(1) == images.size(2) &&
            images.size(3) == channels,
        op, "expects square images (N, S, S, ", channels, ") but they are ", images.shape(),
        channels == 4 ? "; the fourth channel is the matte" : "");
  check(images.dtype() == DType::f32 || images.dtype() == DType::f64, op, "images are ",
        images.dtype(), "; they must be in [-1, 1], of f32 or f64");
}

}  // namespace

Holes draw_holes(std::int64_t images, std::int64_t size, std::uint64_t seed, std::uint32_t step,
                 Device device) {
  check(images > 0 && size >= 4, "draw_holes", "takes images of at least 4 x 4, not ", images,
        " of ", size, " x ", size);
  const auto uniforms = [&](Drawn what) {
    return kernels::uniform({images}, DType::f64, key_of(seed, step, what), device);
  };
  const std::int64_t least = size / 4, most = size / 2;
  const auto side = [&](Drawn what) {
    return kernels::add_scalar(below(uniforms(what), most - least + 1), static_cast<double>(least));
  };
  const auto place = [&](const Tensor& extent, Drawn first, Drawn second) {
    const Tensor mean = kernels::scale(kernels::add(uniforms(first), uniforms(second)), 0.5);
    return floored(kernels::mul(mean, room_beside(extent, size + 1)));
  };
  const Tensor height = side(Drawn::height), width = side(Drawn::width);
  const Tensor top = place(height, Drawn::first_row, Drawn::second_row);
  const Tensor left = place(width, Drawn::first_column, Drawn::second_column);
  const auto whole = [](const Tensor& x) { return kernels::cast(x, DType::i64); };
  return {whole(top), whole(left), whole(height), whole(width)};
}

Tensor mask_of(const Holes& holes, std::int64_t size) {
  const std::int64_t images = holes.top.numel();
  const Tensor rows = between(size, holes.top, holes.height).reshape({images, size, 1, 1});
  const Tensor columns = between(size, holes.left, holes.width).reshape({images, 1, size, 1});
  return kernels::logical_and(rows, columns);
}

Tensor low_light(const Tensor& images, std::uint64_t seed, std::uint32_t step, const LowLight& o) {
  require_images("low_light", images, 3);
  const std::int64_t count = images.size(0);
  const DType dtype = images.dtype();
  const Device device = images.device();
  // In f32, where the exponential has the same bits on every device.
  const Tensor u = kernels::uniform({count}, DType::f32, key_of(seed, step, Drawn::stops), device);
  const Tensor stops =
      kernels::add_scalar(kernels::scale(u, o.most_stops - o.least_stops), o.least_stops);
  const Tensor gain = kernels::exp(kernels::scale(stops, -std::log(2.0)));
  const Tensor z =
      kernels::normal(images.shape(), dtype, key_of(seed, step, Drawn::sensor), device);

  const Tensor v =
      kernels::clamp(kernels::add_scalar(kernels::scale(images, 0.5), 0.5), {.low = 0, .high = 1});
  const Tensor dark =
      kernels::mul(kernels::pow(v, o.gamma), kernels::cast(gain, dtype).reshape({count, 1, 1, 1}));
  const Tensor variance = kernels::add_scalar(kernels::scale(dark, o.shot), o.read * o.read);
  const Tensor noisy = kernels::clamp(kernels::add(dark, kernels::mul(kernels::sqrt(variance), z)),
                                      {.low = 0, .high = 1});
  return kernels::add_scalar(kernels::scale(kernels::pow(noisy, 1 / o.gamma), 2), -1);
}

Tensor glare(const Tensor& images, std::uint64_t seed, std::uint32_t step, const Glare& o) {
  require_images("glare", images, 3);
  check(o.least >= 0 && o.least <= o.most && o.most <= 1, "glare",
        "strengths are 0 to 1, the least before the most, but ", o.least, " and ", o.most);
  if (o.most == 0) return images;
  const std::int64_t count = images.size(0), size = images.size(1);
  const Device device = images.device();
  // All in f32, where sums, products and quotients have the same bits on every device. One number
  // for each image: (N, 1, 1, 1), `span` times a uniform and `from` more.
  const auto drawn = [&](Drawn what, double from, double span) {
    const Tensor u = kernels::uniform({count}, DType::f32, key_of(seed, step, what), device);
    return kernels::add_scalar(kernels::scale(u, span), from).reshape({count, 1, 1, 1});
  };
  const auto extent = static_cast<double>(size);
  const Tensor half_height = drawn(Drawn::glare_height, extent / 6, extent / 3);
  const Tensor half_width = drawn(Drawn::glare_width, extent / 6, extent / 3);
  const Tensor t = drawn(Drawn::glare_tilt, -1, 2);
  const Tensor t2 = kernels::square(t), one_more = kernels::add_scalar(t2, 1);
  const Tensor cosine = kernels::div(kernels::add_scalar(kernels::neg(t2), 1), one_more);
  const Tensor sine = kernels::div(kernels::scale(t, 2), one_more);

  const Tensor middles =
      kernels::add_scalar(kernels::cast(kernels::counting(size, device), DType::f32), 0.5);  // (S)
  const Tensor u = kernels::sub(middles.reshape({1, 1, size, 1}),
                                drawn(Drawn::glare_column, 0, extent));  // (N, 1, S, 1)
  const Tensor v = kernels::sub(middles.reshape({1, size, 1, 1}),
                                drawn(Drawn::glare_row, 0, extent));  // (N, S, 1, 1)
  const Tensor a = kernels::div(kernels::add(kernels::mul(cosine, u), kernels::mul(sine, v)),
                                half_width);  // (N, S, S, 1)
  const Tensor b =
      kernels::div(kernels::sub(kernels::mul(cosine, v), kernels::mul(sine, u)), half_height);
  const Tensor q = kernels::add(kernels::square(a), kernels::square(b));
  const Tensor inside = kernels::clamp(kernels::add_scalar(kernels::neg(q), 1), {.low = 0});
  const Tensor bell = kernels::mul(kernels::square(inside), inside);
  // x is twice as wide as v, so 4 s instead of 2 s.
  const Tensor light =
      kernels::mul(bell, drawn(Drawn::glare_strength, 4 * o.least, 4 * (o.most - o.least)));
  return kernels::clamp(kernels::add(images, kernels::cast(light, images.dtype())), {.high = 1});
}

TranslationBatch degraded(TranslationTask task, const Tensor& images, std::uint64_t seed,
                          std::uint32_t step) {
  const bool matte = task == TranslationTask::matte;
  require_images("degraded", images, matte ? 4 : 3);
  const std::int64_t count = images.size(0), size = images.size(1);
  TranslationBatch batch;
  if (task == TranslationTask::inpaint) {
    const Holes holes = draw_holes(count, size, seed, step, images.device());
    batch.input = inpainting_input(images, mask_of(holes, size));
    batch.target = images;
    batch.shift_down = shift_to(holes.top, holes.height, size);
    batch.shift_right = shift_to(holes.left, holes.width, size);
    return batch;
  }
  batch.input = matte ? kernels::slice(images, 3, 0, 3) : low_light(images, seed, step);
  batch.target = matte ? kernels::slice(images, 3, 3, 4) : images;
  const auto shift = [&](Drawn what) {
    const Tensor u =
        kernels::uniform({count}, DType::f64, key_of(seed, step, what), images.device());
    return kernels::cast(kernels::neg(below(u, size - size / 2 + 1)), DType::i64);
  };
  batch.shift_down = shift(Drawn::window_row);
  batch.shift_right = shift(Drawn::window_column);
  return batch;
}

Var local_windows(const Var& x, const TranslationBatch& batch) {
  const std::int64_t window = x.size(1) / 2;
  return ops::crop(ops::shift_images(x, batch.shift_down, batch.shift_right), 0, 0, window, window);
}

}  // namespace imago::models
