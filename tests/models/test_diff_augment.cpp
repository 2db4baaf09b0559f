// DiffAugment: its parts against loops and against PyTorch, its draws, and derivatives through it.
#include "models/diff_augment.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "autograd/engine.h"
#include "autograd/gradcheck.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/shift_images.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sum_to.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/parallel.h"
#include "nn/gradient_penalty.h"
#include "tests/kernels/random.h"
#include "tests/nn/goldens.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

constexpr DiffAugmentOptions colour{.colour = true, .translation = false, .cutout = false};
constexpr DiffAugmentOptions translation{.colour = false, .translation = true, .cutout = false};
constexpr DiffAugmentOptions cutout{.colour = false, .translation = false, .cutout = true};
constexpr DiffAugmentOptions nothing{.colour = false, .translation = false, .cutout = false};

std::vector<std::int64_t> numbers(const Tensor& t) {
  const Tensor host = t.to(Device::cpu());
  const std::int64_t* p = host.data<std::int64_t>();
  return {p, p + host.numel()};
}

std::vector<double> values(const Tensor& t) {
  const Tensor host = to_f64(t);
  return {host.data<double>(), host.data<double>() + host.numel()};
}

// f(n, i, j, c) as images of this shape, on the device of the Context.
Tensor images_of(
    const Shape& s, DType dtype,
    const std::function<double(std::int64_t, std::int64_t, std::int64_t, std::int64_t)>& f) {
  std::int64_t at = 0;
  return filled(s, dtype, [&] {
    const std::int64_t c = at % s[3], j = at / s[3] % s[2], i = at / s[3] / s[2] % s[1];
    const std::int64_t n = at++ / (s[1] * s[2] * s[3]);
    return static_cast<float>(f(n, i, j, c));
  });
}

// Element (n, i, j, c) of images that lie in `data`, 0 outside.
double pixel(const std::vector<double>& data, const Shape& s, std::int64_t n, std::int64_t i,
             std::int64_t j, std::int64_t c) {
  if (i < 0 || j < 0 || i >= s[1] || j >= s[2]) return 0;
  return data[static_cast<std::size_t>(((n * s[1] + i) * s[2] + j) * s[3] + c)];
}

}  // namespace

TEST_CASE("DiffAugment: policies and their names") {
  CHECK(DiffAugmentOptions{} == diff_augment_policy("colour,translation,cutout"));
  CHECK(diff_augment_policy("cutout,colour") == diff_augment_policy("colour,cutout"));
  for (const std::string name :
       {"colour", "translation", "cutout", "colour,translation", "colour,cutout",
        "translation,cutout", "colour,translation,cutout", "none"}) {
    CAPTURE(name);
    CHECK(name_of(diff_augment_policy(name)) == name);
  }
  CHECK(diff_augment_policy("colour") == colour);
  CHECK(diff_augment_policy("translation") == translation);
  CHECK(diff_augment_policy("cutout") == cutout);
  CHECK(diff_augment_policy("none") == nothing);
  CHECK(diff_augment_policy("") == nothing);
  for (const std::string wrong : {"color", "colour, cutout", "colour,", ",colour", "colour,,cutout",
                                  "none,colour", "Cutout"}) {
    CAPTURE(wrong);
    const std::string message = error_of([&] { diff_augment_policy(wrong); });
    CHECK(contains(message, "'" + wrong + "'"));
    CHECK(contains(message, "none of colour, translation and cutout"));
  }
  CHECK(contains(error_of([] { diff_augment_policy("cutout,colour,cutout"); }), "cutout twice"));
}

TEST_CASE("DiffAugment: shifts move whole images and let zeros in") {
  const Shape shape{5, 4, 3, 2};
  const Tensor x = normals(shape, DType::f32, 1);
  const std::vector<double> before = values(x);
  const std::vector<std::int64_t> down{0, 1, -2, 3, 9}, right{0, -1, 1, 2, 0};
  const Var y = ops::shift_images(x, Tensor::from(std::span<const std::int64_t>(down), {5}),
                                  Tensor::from(std::span<const std::int64_t>(right), {5}));
  const Tensor expected = images_of(shape, DType::f32, [&](auto n, auto i, auto j, auto c) {
    const auto k = static_cast<std::size_t>(n);
    return pixel(before, shape, n, i - down[k], j - right[k], c);
  });
  CHECK(same_bits(y.tensor(), expected));
  // Of masks and bytes too, which have no gradient.
  const Tensor bytes = kernels::cast(kernels::add_scalar(x, 4), DType::u8);
  const Tensor moved =
      ops::shift_images(bytes, Tensor::full({5}, 1, DType::i64), Tensor::full({5}, 0, DType::i64))
          .tensor();
  CHECK(moved.dtype() == DType::u8);
  const Tensor floats = kernels::cast(bytes, DType::f32);
  const Var as_floats =
      ops::shift_images(floats, Tensor::full({5}, 1, DType::i64), Tensor::full({5}, 0, DType::i64));
  CHECK(same_bits(kernels::cast(moved, DType::f32), as_floats.tensor()));
  CHECK(contains(error_of([&] { ops::shift_images(x, Tensor::zeros({5}), Tensor::zeros({5})); }),
                 "down is f32 (5,)"));
  const Tensor few = Tensor::zeros({4}, DType::i64), all = Tensor::zeros({5}, DType::i64);
  CHECK(contains(error_of([&] { ops::shift_images(x, all, few); }), "right is i64 (4,)"));
}

TEST_CASE("DiffAugment: what is cut out is the window, and the rest stays as it is") {
  const Shape shape{4, 6, 5, 3};  // windows of 3 x 3
  const Tensor x = normals(shape, DType::f32, 1);
  const std::vector<double> before = values(x);
  const std::vector<std::int64_t> top{0, -1, 5, 2}, left{0, 3, -2, 1};
  DiffAugmentDraws draws;
  draws.cut_top = Tensor::from(std::span<const std::int64_t>(top), {4});
  draws.cut_left = Tensor::from(std::span<const std::int64_t>(left), {4});
  const Tensor expected = images_of(shape, DType::f32, [&](auto n, auto i, auto j, auto c) {
    const auto k = static_cast<std::size_t>(n);
    const bool inside = i >= top[k] && i < top[k] + 3 && j >= left[k] && j < left[k] + 3;
    return inside ? 0 : pixel(before, shape, n, i, j, c);
  });
  CHECK(same_bits(apply_diff_augment(x, draws).tensor(), expected));
}

TEST_CASE("goldens: DiffAugment with given draws, and its gradient") {
  const SafetensorsFile file = load_goldens("gan.safetensors");
  const auto golden = [&](const std::string& name, DType dtype) {
    return kernels::cast(file.tensor("augment." + name), dtype);
  };
  DiffAugmentDraws all;
  all.brightness = golden("brightness", DType::f64);
  all.saturation = golden("saturation", DType::f64);
  all.contrast = golden("contrast", DType::f64);
  all.shift_down = golden("shift_down", DType::i64);
  all.shift_right = golden("shift_right", DType::i64);
  all.cut_top = golden("cut_top", DType::i64);
  all.cut_left = golden("cut_left", DType::i64);
  DiffAugmentDraws colours, shifts, cuts;
  colours.brightness = all.brightness;
  colours.saturation = all.saturation;
  colours.contrast = all.contrast;
  shifts.shift_down = all.shift_down;
  shifts.shift_right = all.shift_right;
  cuts.cut_top = all.cut_top;
  cuts.cut_left = all.cut_left;
  const std::vector<std::pair<std::string, const DiffAugmentDraws*>> kinds{
      {"colour", &colours}, {"translation", &shifts}, {"cutout", &cuts}, {"all", &all}};
  for (const DType dtype : {DType::f64, DType::f32}) {
    for (const auto& [name, draws] : kinds) {
      CAPTURE(dtype);
      CAPTURE(name);
      const double bound = dtype == DType::f64 ? 2e-14 : 1.5e-6;
      const Var x = parameter(golden("x", dtype));
      const Var y = apply_diff_augment(x, *draws);
      check_close("y", y.tensor(), golden(name + "_y", DType::f64), bound);
      const Vars dx = grad({y}, {x}, {Var(golden("dy", dtype))});
      check_close("dx", dx[0].tensor(), golden(name + "_dx", DType::f64), bound);
    }
  }
}

TEST_CASE("DiffAugment: draws are uniform over what the paper allows") {
  const ContextScope scope;
  manual_seed(3);
  constexpr std::int64_t count = 4096;
  const Shape images{count, 16, 9, 3};
  const DiffAugmentDraws draws = draw_diff_augment(images, {});
  const auto check_range = [&](const Tensor& t, double low, double high) {
    double sum = 0;
    for (const double value : values(t)) {
      CHECK_MESSAGE((value >= low && value < high), value);
      sum += value;
    }
    const double mean = sum / count, deviation = (high - low) / std::sqrt(12.0 * count);
    CHECK(std::abs(mean - (low + high) / 2) <= 4 * deviation);
  };
  check_range(draws.brightness, -0.5, 0.5);
  check_range(draws.saturation, 0, 2);
  check_range(draws.contrast, 0.5, 1.5);
  const auto check_integers = [&](const Tensor& t, std::int64_t low, std::int64_t high) {
    std::vector<double> times(static_cast<std::size_t>(high - low + 1));
    for (const std::int64_t value : numbers(t)) {
      REQUIRE(value >= low);
      REQUIRE(value <= high);
      times[static_cast<std::size_t>(value - low)] += 1;
    }
    const double expected = count / static_cast<double>(times.size());
    for (const double n : times) CHECK(std::abs(n - expected) <= 5 * std::sqrt(expected));
  };
  check_integers(draws.shift_down, -2, 2);   // 16 / 8
  check_integers(draws.shift_right, -1, 1);  // 9 / 8, rounded
  check_integers(draws.cut_top, -4, 12);     // 8 rows around any of 17 corners
  check_integers(draws.cut_left, -2, 6);     // 5 columns around any of 9 pixels
}

TEST_CASE("DiffAugment: draws belong to the generator, and kinds to themselves") {
  const ContextScope scope;
  const Shape images{6, 8, 8, 3};
  const auto drawn = [&](const DiffAugmentOptions& options) {
    manual_seed(4);
    return draw_diff_augment(images, options);
  };
  const DiffAugmentDraws all = drawn({}), again = drawn({});
  CHECK(same_bits(all.brightness, again.brightness));
  CHECK(same_bits(all.cut_left, again.cut_left));
  CHECK(same_bits(drawn(colour).contrast, all.contrast));
  CHECK(same_bits(drawn(translation).shift_right, all.shift_right));
  CHECK(same_bits(drawn(cutout).cut_top, all.cut_top));
  CHECK_FALSE(drawn(colour).shift_down.defined());
  CHECK_FALSE(drawn(cutout).brightness.defined());
  CHECK_FALSE(drawn(translation).cut_top.defined());
  // Another call, other numbers; and one draw of the generator a call, none for nothing.
  manual_seed(4);
  draw_diff_augment(images, cutout);
  CHECK(Context::current().generator.next_draw == 1);
  CHECK_FALSE(same_bits(draw_diff_augment(images, {}).brightness, all.brightness));
  draw_diff_augment(images, nothing);
  CHECK(Context::current().generator.next_draw == 2);
  const std::vector<double> b = values(all.brightness), s = values(all.saturation);
  CHECK(std::set<double>(b.begin(), b.end()).size() == b.size());  // each image has its own
  CHECK(b[0] + 0.5 != s[0] / 2);
}

TEST_CASE("DiffAugment: one call draws and applies, of every floating dtype") {
  const ContextScope scope;
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
    CAPTURE(dtype);
    const Var x = normals({4, 8, 10, 3}, dtype, 1);
    manual_seed(6);
    const Var y = diff_augment(x);
    manual_seed(6);
    const DiffAugmentDraws draws = draw_diff_augment(x.shape(), {});
    CHECK(same_bits(y.tensor(), apply_diff_augment(x, draws).tensor()));
    CHECK(y.shape() == x.shape());
    CHECK(y.dtype() == dtype);
    CHECK(y.device() == x.device());
    const Var wide = apply_diff_augment(Var(to_f64(x.tensor()).to(x.device())), draws);
    const double bound = dtype == DType::bf16 ? 0.15 : dtype == DType::f32 ? 1e-5 : 0;
    CHECK(largest_error(y.tensor(), wide.tensor()) <= bound);
    CHECK(largest_error(y.tensor(), x.tensor()) > 0.1);
  }
  const Var x = normals({4, 8, 10, 3}, DType::f32, 1);
  CHECK(diff_augment(x, nothing).tensor().shares_storage(x.tensor()));
  const Var grey = normals({4, 8, 10, 1}, DType::f32, 1);
  CHECK(diff_augment(grey).shape() == grey.shape());
}

TEST_CASE("DiffAugment: first and second derivatives") {
  const ContextScope scope;
  set_num_threads(1);
  const Shape shape{2, 3, 4, 2};
  manual_seed(8);
  DiffAugmentDraws draws = draw_diff_augment(shape, colour);
  draws.shift_down = Tensor::from<std::int64_t>({1, -1}, {2});
  draws.shift_right = Tensor::from<std::int64_t>({-1, 0}, {2});
  draws.cut_top = Tensor::from<std::int64_t>({-1, 1}, {2});
  draws.cut_left = Tensor::from<std::int64_t>({2, 1}, {2});
  const Differentiable augmented = [&](const Vars& v) {
    return Vars{apply_diff_augment(v[0], draws)};
  };
  const Vars x{parameter(normals(shape, DType::f64, 2))};
  const GradcheckResult first = gradcheck(augmented, x);
  INFO(first.message);
  CHECK(first.ok);
  const GradcheckResult second = gradgradcheck(augmented, x);
  INFO(second.message);
  CHECK(second.ok);
  // Through a penalty: D sees T(x), and R1 looks at its slope at x.
  const Differentiable penalty = [&](const Vars& v) {
    const loss::Critic critic = [&](const Var& images) {
      return ops::sum(ops::mul(ops::square(apply_diff_augment(images, draws)), v[0]), {1, 2, 3});
    };
    return Vars{loss::r1_penalty(critic, x[0].tensor())};
  };
  const Vars w{parameter(normals({2}, DType::f64, 3))};
  CHECK(penalty(w)[0].item() > 0);
  const GradcheckResult through = gradcheck(penalty, w);
  INFO(through.message);
  CHECK(through.ok);
}

TEST_CASE("DiffAugment: the same bits with 1, 2 and 3 threads") {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  const Tensor images = normals({300, 12, 9, 3}, DType::f32, 1);
  const Tensor dy = normals(images.shape(), DType::f32, 2);
  const auto run = [&](int threads) {
    set_num_threads(threads);
    manual_seed(9);
    const Var x = parameter(images);
    const Var y = diff_augment(x);
    return std::vector<Tensor>{y.tensor(), grad({y}, {x}, {Var(dy)})[0].tensor()};
  };
  const std::int64_t before = Context::current().shared_regions;
  const std::vector<Tensor> expected = run(1);
  CHECK(Context::current().shared_regions == before);
  for (const int threads : {2, 3}) {
    CAPTURE(threads);
    const std::vector<Tensor> got = run(threads);
    CHECK(same_bits(got[0], expected[0]));
    CHECK(same_bits(got[1], expected[1]));
  }
  CHECK((Context::current().shared_regions > before) == has_threads);
}

TEST_CASE("DiffAugment: what does not fit is named") {
  const Tensor bytes = Tensor::zeros({2, 8, 8, 3}, DType::u8);
  CHECK(contains(error_of([&] { diff_augment(bytes); }), "[diff_augment] images is u8"));
  CHECK(contains(error_of([] { diff_augment(Tensor::zeros({8, 8, 3})); }), "rank 4"));
  CHECK(contains(error_of([] { draw_diff_augment({8, 8, 3}, {}); }), "(N, H, W, C)"));
  const Var x = Tensor::zeros({2, 8, 8, 3});
  DiffAugmentDraws draws;
  draws.brightness = Tensor::zeros({2}, DType::f64);
  CHECK(contains(error_of([&] { apply_diff_augment(x, draws); }), "saturation is undefined"));
  draws.saturation = draws.brightness;
  draws.contrast = Tensor::zeros({2}, DType::f32);
  CHECK(contains(error_of([&] { apply_diff_augment(x, draws); }), "contrast is f32 (2,)"));
  draws.contrast = Tensor::zeros({3}, DType::f64);
  CHECK(contains(error_of([&] { apply_diff_augment(x, draws); }), "contrast is f64 (3,)"));
}
