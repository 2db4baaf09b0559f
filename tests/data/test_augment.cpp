#include "data/augment.h"

#include <doctest/doctest.h>

#include <utility>

#include "augment_checks.h"
#include "data/changes.h"
#include "pictures.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::data;
using namespace imago::data::test;
using namespace imago::test;

namespace {

constexpr std::uint32_t samples = 60;

Image augmented(Image image, const AugmentOptions& options, std::uint32_t key) {
  RandomStream random(5, key);
  augment(image.pixels.data(), image.width, options, random);
  return image;
}

// The least and the most of a number of augmented images.
template <class F>
std::pair<double, double> range_of(const Image& image, const AugmentOptions& options, F number) {
  double least = 1e9, most = -1e9;
  for (std::uint32_t key = 0; key < samples; ++key) {
    const double x = number(augmented(image, options, key));
    least = std::min(least, x);
    most = std::max(most, x);
  }
  return {least, most};
}

// Amounts are between two bounds, and come near to both of them.
template <class F>
void spans(const Image& image, const AugmentOptions& options, double low, double high, F number) {
  const auto [least, most] = range_of(image, options, number);
  const double room = 0.15 * (high - low), rounding = 0.03 * (high - low);
  CHECK(least >= low - rounding);
  CHECK(least <= low + room);
  CHECK(most <= high + rounding);
  CHECK(most >= high - room);
}

class Photos : public Dataset {
 public:
  explicit Photos(int channels = 3) : channels_(channels) {}
  std::int64_t size() const override { return 7; }
  int image_size() const override { return 16; }
  int channels() const override { return channels_; }
  std::string describe() const override { return "7 photos"; }
  void get(std::int64_t index, RandomStream& random, std::uint8_t* out) const override {
    random.next();
    const Image image = noise(16, 16, static_cast<std::uint32_t>(index));
    std::copy(image.pixels.begin(), image.pixels.end(), out);
  }

 private:
  int channels_;
};

}  // namespace

TEST_CASE("augment: nothing asked for leaves the bytes alone") {
  const Image image = noise(16, 16);
  CHECK_FALSE(AugmentOptions{}.any());
  for (std::uint32_t key = 0; key < 5; ++key) CHECK(augmented(image, {}, key) == image);
}

TEST_CASE("augment: a function of the stream, which moves on alike for every image and option") {
  const Image image = noise(20, 20, 1), other = ramp(31, 31);
  const AugmentOptions weather = augment_preset("weather");
  for (std::uint32_t key = 0; key < 8; ++key) {
    CHECK(augmented(image, weather, key) == augmented(image, weather, key));
    CHECK_FALSE(augmented(image, weather, key) == augmented(image, weather, key + 1));
    const auto next = [&](Image of, const AugmentOptions& options) {
      RandomStream random(5, key);
      augment(of.pixels.data(), of.width, options, random);
      return random.next();
    };
    const std::uint32_t expected = next(image, weather);
    CHECK(next(other, weather) == expected);
    CHECK(next(image, {}) == expected);
    CHECK(next(other, {.darkness = 1, .grey = true}) == expected);

    // One change more moves no number of the others: outside the rectangle all is as it was.
    AugmentOptions strong = augment_preset("strong");
    strong.cutout = 0;
    const Image whole = augmented(image, strong, key);
    strong.cutout = 1;
    const Image cut = augmented(image, strong, key);
    int changed = 0;
    for (std::size_t i = 0; i < whole.pixels.size(); ++i) {
      if (cut.pixels[i] == 128) continue;
      changed += cut.pixels[i] != whole.pixels[i];
    }
    CHECK(changed == 0);
  }
}

TEST_CASE("augment: turns, sizes and shifts are as far as the options say, either way") {
  const Image image = dot(12, 0);
  constexpr double degree = 3.14159265358979323846 / 180;
  const auto angle = [](const Image& i) {
    const Light light = light_in(i);
    return std::atan2(light.down, light.right);
  };
  const auto distance = [](const Image& i) {
    const Light light = light_in(i);
    return std::hypot(light.right, light.down);
  };
  spans(image, {.rotation = 40}, -40 * degree, 40 * degree, angle);
  const auto [nearest, furthest] = range_of(image, {.rotation = 40}, distance);
  CHECK(nearest > 11.8);
  CHECK(furthest < 12.2);
  spans(image, {.scale = 0.3}, 8.4, 15.6, distance);
  spans(dot(0, 0), {.shift = 0.2}, -8.2, 8.2, [](const Image& i) { return light_in(i).right; });
  spans(dot(0, 0), {.shift = 0.2}, -8.2, 8.2, [](const Image& i) { return light_in(i).down; });
}

TEST_CASE("augment: light and colours change as far as the options say, either way") {
  const auto first = [](const Image& i) { return double{1} * i.pixels[0]; };
  spans(flat(4, 128, 128, 128), {.brightness = 50}, 78, 178, first);
  spans(flat(4, 200, 0, 0), {.contrast = 0.5}, 163.75, 236.25, first);
  spans(flat(4, 128, 128, 128), {.gamma = 1}, 64.25, 180.7, first);  // exponents 2 and 1/2
  // The luma of this is 106.
  spans(flat(4, 120, 100, 100), {.saturation = 1}, 106, 134, first);
  const auto [least, most] = range_of(flat(24, 128, 128, 128), {.noise = 20}, deviation_of);
  CHECK(least < 4);
  CHECK(most > 16);
  CHECK(most < 21.5);
}

TEST_CASE("augment: darkness, glare, low resolution and grey do what their names say") {
  const Image image = ramp(24, 24), fine = noise(24, 24);
  for (std::uint32_t key = 0; key < 20; ++key) {
    CAPTURE(key);
    CHECK(mean_of(augmented(image, {.darkness = 1}, key)) < 0.75 * mean_of(image));
    const Image bright = augmented(image, {.glare = 1}, key);
    int lighter = 0, darker = 0, untouched = 0;
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
      lighter += bright.pixels[i] > image.pixels[i] + 20;
      darker += bright.pixels[i] < image.pixels[i];
      untouched += bright.pixels[i] == image.pixels[i];
    }
    CHECK(lighter > 0);
    CHECK(darker == 0);
    CHECK(untouched > 200);  // of 1728; the largest spot covers 79 hundredths
    Image grey = fine;
    make_grey(grey.pixels.data(), 24);
    CHECK(augmented(fine, {.grey = true}, key) == grey);
    // Grey comes last, so nothing gives colours back.
    AugmentOptions all = augment_preset("weather");
    all.grey = true;
    const Image last = augmented(fine, all, key);
    int coloured = 0;
    for (std::size_t i = 0; i < last.pixels.size(); i += 3) {
      coloured += last.pixels[i] != last.pixels[i + 1] || last.pixels[i] != last.pixels[i + 2];
    }
    CHECK(coloured == 0);
  }
  // Down to the size itself, almost, or to a quarter of it.
  const auto [least, most] = range_of(fine, {.low_resolution = 1}, deviation_of);
  CHECK(least < 0.35 * deviation_of(fine));
  CHECK(most < 1.05 * deviation_of(fine));
  CHECK(most > 2 * least);
}

TEST_CASE("augment: cutout covers one rectangle with sides of a sixth to a half") {
  constexpr int size = 24;
  const Image image = flat(size, 10, 20, 30);
  int narrowest = size, widest = 0, wrong = 0;
  bool at_left = false, at_right = false;
  for (std::uint32_t key = 0; key < 200; ++key) {
    const Image cut = augmented(image, {.cutout = 1}, key);
    int left = size, right = 0, top = size, bottom = 0, covered = 0;
    for (int y = 0; y < size; ++y) {
      for (int x = 0; x < size; ++x) {
        const std::uint8_t* p = cut.at(x, y);
        if (p[0] == 10 && p[1] == 20 && p[2] == 30) continue;
        wrong += p[0] != 128 || p[1] != 128 || p[2] != 128;
        covered += 1;
        left = std::min(left, x);
        right = std::max(right, x + 1);
        top = std::min(top, y);
        bottom = std::max(bottom, y + 1);
      }
    }
    wrong += covered != (right - left) * (bottom - top);
    narrowest = std::min({narrowest, right - left, bottom - top});
    widest = std::max({widest, right - left, bottom - top});
    at_left = at_left || left == 0;
    at_right = at_right || right == size;
  }
  CHECK(wrong == 0);
  CHECK(narrowest == 4);
  CHECK(widest == 12);
  CHECK(at_left);
  CHECK(at_right);
}

TEST_CASE("augment: a chance is that of each sample") {
  const Image image = ramp(12, 12);
  for (const AugmentOptions& options :
       {AugmentOptions{.darkness = 0.3}, AugmentOptions{.glare = 0.3},
        AugmentOptions{.low_resolution = 0.3}, AugmentOptions{.cutout = 0.3}}) {
    int changed = 0;
    for (std::uint32_t key = 0; key < 400; ++key)
      changed += augmented(image, options, key) != image;
    // 120 expected, standard deviation 9.2; some low resolutions are the size itself.
    CHECK(changed > 74);
    CHECK(changed < 166);
  }
}

TEST_CASE("augment: images of any size, and options out of range") {
  for (const int size : {1, 2, 5}) {
    AugmentOptions all = augment_preset("weather");
    all.darkness = all.glare = all.low_resolution = all.cutout = 1;
    const Image image = noise(size, size);
    for (std::uint32_t key = 0; key < 10; ++key) {
      CHECK(augmented(image, all, key).pixels.size() == image.pixels.size());
    }
  }
  const auto error = [](const AugmentOptions& options) {
    return error_of([&] { augmented(Image(4, 4), options, 1); });
  };
  CHECK(error({.rotation = 200}) == "[augment] rotation is 0 to 180, but 200");
  CHECK(contains(error({.scale = 1}), "scale is 0 to 0.9"));
  CHECK(contains(error({.noise = -1}), "noise"));
  CHECK(contains(error({.cutout = 1.5}), "cutout is 0 to 1"));
  CHECK(contains(error({.gamma = std::nan("")}), "gamma"));
}

TEST_CASE("augment: presets by name") {
  CHECK(augment_presets() == std::vector<std::string>{"none", "light", "strong", "weather"});
  for (const std::string& name : augment_presets()) {
    const AugmentOptions options = augment_preset(name);
    CAPTURE(name);
    CHECK(options.any() == (name != "none"));
    CHECK_FALSE(options.grey);
    CHECK((options.darkness > 0 && options.glare > 0) == (name == "weather"));
    CHECK((options.darkness > 0 || options.glare > 0) == (name == "weather"));
    CHECK((options.cutout > 0) == (name == "strong" || name == "weather"));
    check_augmentation(options);
  }
  CHECK(augment_preset("light").rotation < augment_preset("strong").rotation);
  CHECK(error_of([] { augment_preset("storm"); }) ==
        "[augment] there is no preset \"storm\"; there are none light strong weather");
}

TEST_CASE("augment: a data set is augmented from the stream of each sample") {
  const auto photos = std::make_shared<Photos>();
  const AugmentOptions options{.rotation = 10, .noise = 2.5, .grey = true};
  const AugmentedDataset dataset(photos, options);
  CHECK(dataset.size() == 7);
  CHECK(dataset.image_size() == 16);
  CHECK(dataset.channels() == 3);
  CHECK(dataset.describe() == "7 photos, augmented by rotation 10, noise 2.5, grey");
  CHECK(AugmentedDataset(photos, {}).describe() == "7 photos");
  Image out(16, 16), expected(16, 16);
  for (std::int64_t i = 0; i < 7; ++i) {
    RandomStream one(3, 1, 4), two(3, 1, 4);
    dataset.get(i, one, out.pixels.data());
    photos->get(i, two, expected.pixels.data());
    CHECK_FALSE(out == expected);
    augment(expected.pixels.data(), 16, options, two);
    CHECK(out == expected);
  }
  CHECK(contains(error_of([] { AugmentedDataset(nullptr, {}); }), "no data set"));
  CHECK(contains(error_of([&] { AugmentedDataset(photos, {.contrast = 2}); }), "contrast"));
  CHECK(contains(error_of([] { AugmentedDataset(std::make_shared<Photos>(4), {}); }),
                 "7 photos has 4 channels"));
}
