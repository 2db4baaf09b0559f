#include "models/degradation.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "autograd/random.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "translation_checks.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

// The numbers of i64 (N).
std::vector<std::int64_t> numbers(const Tensor& t) {
  const Tensor host = t.to(Device::cpu());
  return {host.data<std::int64_t>(), host.data<std::int64_t>() + host.numel()};
}

}  // namespace

TEST_CASE("holes: a quarter to a half of the side, inside the image, mostly near its middle") {
  constexpr std::int64_t count = 2000, size = 32;
  const Holes holes = draw_holes(count, size, 3, 1, Context::current().device);
  const auto top = numbers(holes.top), left = numbers(holes.left);
  const auto height = numbers(holes.height), width = numbers(holes.width);
  double centre = 0, spread = 0;
  std::int64_t smallest = size, largest_side = 0, wrong = 0;
  for (std::size_t i = 0; i < count; ++i) {
    for (const auto& [begin, extent] :
         {std::pair{top[i], height[i]}, std::pair{left[i], width[i]}}) {
      wrong += begin < 0 || begin + extent > size;
      smallest = std::min(smallest, extent);
      largest_side = std::max(largest_side, extent);
      const double middle = static_cast<double>(begin) + static_cast<double>(extent) / 2;
      centre += middle / (2 * count);
      spread += (middle - size / 2.0) * (middle - size / 2.0) / (2 * count);
    }
  }
  CHECK(wrong == 0);
  CHECK(smallest == 8);
  CHECK(largest_side == 16);
  CHECK(std::abs(centre - 16) < 0.5);
  // Of one uniform over the room of 20 that a hole has on average the variance would be 33; the
  // mean of two has half of that.
  CHECK(spread > 12);
  CHECK(spread < 22);

  const Tensor mask = mask_of(holes, size).to(Device::cpu());
  REQUIRE(mask.shape() == Shape{count, size, size, 1});
  std::int64_t misplaced = 0;
  const std::uint8_t* p = mask.data<std::uint8_t>();
  for (std::size_t i = 0; i < 50; ++i) {
    for (std::int64_t y = 0; y < size; ++y) {
      for (std::int64_t x = 0; x < size; ++x) {
        const bool inside =
            y >= top[i] && y < top[i] + height[i] && x >= left[i] && x < left[i] + width[i];
        misplaced += *p++ != inside;
      }
    }
  }
  CHECK(misplaced == 0);
}

TEST_CASE("the local discriminator's window has the whole hole in it, and no more than the image") {
  for (const std::int64_t size : {16, 32}) {
    CAPTURE(size);
    const TranslationBatch batch = degraded(
        TranslationTask::inpaint, translation_images(TranslationTask::inpaint, 40, 1, size), 9, 2);
    const Tensor missing = kernels::cast(missing_of(batch.input), DType::f32);
    const Tensor window = local_windows(Var(missing), batch).tensor();
    REQUIRE(window.shape() == Shape{40, size / 2, size / 2, 1});
    const Tensor all = missing.to(Device::cpu()), seen = window.to(Device::cpu());
    for (std::int64_t n = 0; n < 40; ++n) {
      float a = 0, b = 0;
      for (std::int64_t i = 0; i < size * size; ++i) a += all.data<float>()[n * size * size + i];
      const std::int64_t half = size * size / 4;
      for (std::int64_t i = 0; i < half; ++i) b += seen.data<float>()[n * half + i];
      CHECK(a > 0);
      CHECK(a == b);
    }
    for (const Tensor& shift : {batch.shift_down, batch.shift_right}) {
      for (const std::int64_t s : numbers(shift)) CHECK((s <= 0 && s >= -size / 2));
    }
  }
}

TEST_CASE("without a hole the windows are anywhere in the image") {
  const TranslationBatch batch = degraded(
      TranslationTask::low_light, translation_images(TranslationTask::low_light, 300, 1), 9, 2);
  for (const Tensor& shift : {batch.shift_down, batch.shift_right}) {
    std::vector<int> met(9);
    for (const std::int64_t s : numbers(shift)) {
      REQUIRE((s <= 0 && s >= -8));
      met[static_cast<std::size_t>(-s)] += 1;
    }
    for (const int times : met) CHECK(times > 10);
  }
}

TEST_CASE("a degradation is a function of seed, step and index, the same on every device") {
  for (const TranslationTask task : translation_tasks) {
    INFO(name_of(task));
    const Tensor images = translation_images(task, 4, 1).to(Device::cpu());
    const TranslationBatch first = degraded(task, images, 5, 3);
    for_each_device([&](Device device) {
      const ContextScope scope;
      randn({3});  // somebody else's draw
      const TranslationBatch again = degraded(task, images.to(device), 5, 3);
      CHECK(same_bits(again.input, first.input));
      CHECK(same_bits(again.target, first.target));
      CHECK(same_bits(again.shift_down, first.shift_down));
      CHECK(same_bits(again.shift_right, first.shift_right));
      CHECK(again.input.device() == device);
    });
    const TranslationBatch fewer = degraded(task, images.slice(0, 2), 5, 3);
    CHECK(same_bits(fewer.input, first.input.slice(0, 2)));
    CHECK(same_bits(fewer.shift_down, first.shift_down.slice(0, 2)));
    const TranslationBatch later = degraded(task, images, 5, 4),
                           other = degraded(task, images, 6, 3);
    for (const TranslationBatch& b : {later, other}) {
      CHECK_FALSE((same_bits(b.shift_down, first.shift_down) &&
                   same_bits(b.shift_right, first.shift_right)));
      // A portrait is not made worse: its matte is what is asked for.
      CHECK(same_bits(b.input, first.input) == (task == TranslationTask::matte));
    }
  }
}

TEST_CASE("low light without noise is an exposure of two to four stops less") {
  const Tensor images = translation_images(TranslationTask::low_light, 8, 1);
  const Tensor dark =
      low_light(images, 5, 1, {.gamma = 2.2, .shot = 0, .read = 0}).to(Device::cpu());
  const Tensor light = images.to(Device::cpu());
  std::vector<double> stops;
  for (std::int64_t n = 0; n < 8; ++n) {
    double least = 1e9, most = -1e9;
    for (std::int64_t i = n * 768; i < (n + 1) * 768; ++i) {
      const double v = (light.data<float>()[i] + 1.0) / 2, d = (dark.data<float>()[i] + 1.0) / 2;
      if (v < 0.1) continue;
      // d = (v^2.2 2^-e)^(1 / 2.2)
      const double e = -2.2 * std::log2(d / v);
      least = std::min(least, e);
      most = std::max(most, e);
    }
    CHECK(most - least < 1e-3);  // one for the whole image
    CHECK(least > 2 - 1e-3);
    CHECK(most < 4 + 1e-3);
    stops.push_back(least);
  }
  CHECK(*std::max_element(stops.begin(), stops.end()) -
            *std::min_element(stops.begin(), stops.end()) >
        0.3);
}

TEST_CASE("the noise of low light grows with the light as photons do, over that of reading out") {
  constexpr double shot = 1e-3, read = 2e-3, stops = 2;
  for (const double v : {0.4, 1.0}) {
    CAPTURE(v);
    const Tensor flat = Tensor::full({1, 64, 64, 3}, 2 * v - 1);
    const Tensor dark =
        low_light(flat, 5, 1,
                  {.least_stops = stops, .most_stops = stops, .shot = shot, .read = read})
            .to(Device::cpu());
    const double expected = std::pow(v, 2.2) / 4;
    double mean = 0, square = 0;
    const double count = static_cast<double>(dark.numel());
    for (std::int64_t i = 0; i < dark.numel(); ++i) {
      const double l = std::pow((dark.data<float>()[i] + 1.0) / 2, 2.2);
      mean += l / count;
      square += (l - expected) * (l - expected) / count;
    }
    const double variance = shot * expected + read * read;
    CHECK(std::abs(mean - expected) < 5 * std::sqrt(variance / count));
    CHECK(std::abs(square / variance - 1) < 0.1);
  }
  // Nothing leaves the range, not even black, of which noise would make less than nothing.
  const Tensor black = low_light(Tensor::full({2, 16, 16, 3}, -1), 5, 1).to(Device::cpu());
  for (std::int64_t i = 0; i < black.numel(); ++i) REQUIRE(black.data<float>()[i] >= -1);
  CHECK(largest(black) <= 1);
}

TEST_CASE("glare of strength 0 changes no bit; of more it adds light here and there") {
  Tensor images = translation_images(TranslationTask::low_light, 8, 1, 24).to(Device::cpu());
  images.mutable_data<float>()[5] = -0.0f;  // a sum with 0 would lose the sign
  CHECK(same_bits(glare(images, 5, 1, {.least = 0, .most = 0}), images));

  const Tensor bright = glare(images, 5, 1);
  REQUIRE(bright.shape() == images.shape());
  for (std::int64_t n = 0; n < 8; ++n) {
    CAPTURE(n);
    int lighter = 0, wrong = 0;
    constexpr std::int64_t count = 24 * 24 * 3;
    for (std::int64_t i = n * count; i < (n + 1) * count; ++i) {
      const float before = images.data<float>()[i], after = bright.data<float>()[i];
      lighter += after > before;
      wrong += !(after >= before && after <= 1);
    }
    CHECK(wrong == 0);
    // An ellipse with half axes of a sixth to a half of the side covers 9 to 79 hundredths of an
    // image, a quarter of that where its middle is a corner.
    CHECK(lighter > count / 100);
    CHECK(lighter < count * 8 / 10);
  }
}

TEST_CASE("a glare has the profile of its formula, a spot that keeps its place as strength grows") {
  constexpr std::int64_t count = 60, size = 32, pixels = size * size;
  const Tensor black = Tensor::full({count, size, size, 3}, -1).to(Device::cpu());
  const auto light_of = [&](double strength) {
    return glare(black, 9, 2, {.least = strength, .most = strength});
  };
  // v' = 2 s w without saturation: w of each pixel from a weak spot, and then all others.
  const Tensor weak = light_of(0.25);
  double tallest = 0, sum_rows = 0, sum_columns = 0, spots = 0;
  for (const double s : {0.5, 1.0}) {
    CAPTURE(s);
    const Tensor strong = light_of(s);
    double worst = 0;
    for (std::int64_t i = 0; i < count * pixels * 3; ++i) {
      const double w = (weak.data<float>()[i] + 1.0) / 2 / 0.5;
      const double expected = std::fmin(1, 2 * s * w);
      const double error = std::fabs((strong.data<float>()[i] + 1.0) / 2 - expected);
      if (!(error <= worst)) worst = error;
      tallest = std::fmax(tallest, w);
    }
    CHECK(worst < 1e-5);
  }
  CHECK(tallest > 0.95);
  CHECK(tallest <= 1 + 1e-6);
  // The cube root of w falls as 1 - q, q of second degree: its second differences along a row are
  // one constant within the spot, and that is a half axis of a sixth to a half of the side.
  for (std::int64_t n = 0; n < count; ++n) {
    const auto inside = [&](std::int64_t y, std::int64_t x) {
      const double v = weak.data<float>()[((n * size + y) * size + x) * 3];
      return std::cbrt((v + 1) / 2 / 0.5);
    };
    double least = 1e9, most = -1e9;
    for (std::int64_t y = 0; y < size; ++y) {
      for (std::int64_t x = 1; x + 1 < size; ++x) {
        const double before = inside(y, x - 1), here = inside(y, x), after = inside(y, x + 1);
        if (!(before > 0.2 && after > 0.2)) continue;
        least = std::fmin(least, 2 * here - before - after);
        most = std::fmax(most, 2 * here - before - after);
      }
    }
    if (least > most) continue;  // of a corner too little may be left
    CAPTURE(n);
    CHECK(most - least < 1e-4);
    // 2 (cos^2 / w^2 + sin^2 / h^2), with axes of 32 / 6 to 16 pixels.
    CHECK(least > 2 / (16.0 * 16.0) - 1e-4);
    CHECK(most < 2 * 36 / (32.0 * 32.0) + 1e-4);
    double weight = 0, row = 0, column = 0;
    for (std::int64_t y = 0; y < size; ++y) {
      for (std::int64_t x = 0; x < size; ++x) {
        const double w = inside(y, x);
        weight += w;
        row += w * static_cast<double>(y);
        column += w * static_cast<double>(x);
      }
    }
    sum_rows += row / weight;
    sum_columns += column / weight;
    spots += 1;
  }
  CHECK(spots > 50);
  // Of middles that are anywhere the mean is the middle of the image, its deviation about one.
  CHECK(std::fabs(sum_rows / spots - 15.5) < 5);
  CHECK(std::fabs(sum_columns / spots - 15.5) < 5);
}

TEST_CASE("glare is a function of seed, step and index, the same on every device") {
  const Tensor images = translation_images(TranslationTask::low_light, 4, 1).to(Device::cpu());
  const Glare some{.least = 0.2, .most = 0.9};
  const Tensor first = glare(images, 5, 3, some);
  for_each_device([&](Device device) {
    const ContextScope scope;
    randn({3});
    const Tensor again = glare(images.to(device), 5, 3, some);
    CHECK(again.device() == device);
    CHECK(same_bits(again, first));
  });
  CHECK(same_bits(glare(images.slice(0, 2), 5, 3, some), first.slice(0, 2)));
  CHECK_FALSE(same_bits(glare(images, 5, 4, some), first));
  CHECK_FALSE(same_bits(glare(images, 6, 3, some), first));
  // f64 differs in the rounding of the last sum alone.
  const Tensor wide = glare(kernels::cast(images, DType::f64), 5, 3, some);
  CHECK(wide.dtype() == DType::f64);
  CHECK(largest_error(wide, first) < 1e-6);

  CHECK(contains(error_of([&] { glare(images, 1, 1, {.least = -0.1, .most = 0.5}); }),
                 "strengths are 0 to 1"));
  CHECK(contains(error_of([&] { glare(images, 1, 1, {.least = 0.6, .most = 0.5}); }), "least"));
  CHECK(contains(error_of([&] { glare(images, 1, 1, {.least = 0.6, .most = 1.5}); }), "1.5"));
  CHECK(contains(error_of([&] {
                   glare(Tensor::full({1, 4, 4, 4}, 0), 1, 1);
                 }),
                 "[glare] expects square images"));
}
