#include "data/augment.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "data/changes.h"
#include "kernels/elementwise/math.h"
#include "tensor/error.h"

namespace imago::data {
namespace {

// An option that is a number, in the order in which describe() names them.
struct Named {
  const char* name;
  double AugmentOptions::*value;
  double most;
};
constexpr Named numbers[] = {{"rotation", &AugmentOptions::rotation, 180},
                             {"scale", &AugmentOptions::scale, 0.9},
                             {"shift", &AugmentOptions::shift, 1},
                             {"brightness", &AugmentOptions::brightness, 255},
                             {"contrast", &AugmentOptions::contrast, 1},
                             {"saturation", &AugmentOptions::saturation, 1},
                             {"gamma", &AugmentOptions::gamma, 3},
                             {"darkness", &AugmentOptions::darkness, 1},
                             {"glare", &AugmentOptions::glare, 1},
                             {"low_resolution", &AugmentOptions::low_resolution, 1},
                             {"noise", &AugmentOptions::noise, 128},
                             {"cutout", &AugmentOptions::cutout, 1}};

// All that is drawn for a sample, in this order. `share` is in [0, 1), `either` in [-1, 1).
struct Draws {
  explicit Draws(RandomStream& random) {
    const auto share = [&] { return random.uniform(); };
    const auto either = [&] { return 2.0f * random.uniform() - 1.0f; };
    rotation = either();
    scale = either();
    right = either();
    down = either();
    brightness = either();
    contrast = either();
    saturation = either();
    gamma = either();
    is_dark = share();
    stops = share();
    sensor = random.next();
    has_glare = share();
    for (float* number : {&glare_strength, &glare_x, &glare_y, &glare_width, &glare_height}) {
      *number = share();
    }
    glare_tilt = either();
    is_coarse = share();
    coarseness = share();
    noise = share();
    noise_key = random.next();
    is_cut = share();
    for (float* number : {&cut_width, &cut_height, &cut_x, &cut_y}) *number = share();
  }

  float rotation, scale, right, down;
  float brightness, contrast, saturation, gamma;
  float is_dark, stops;
  std::uint32_t sensor;
  float has_glare, glare_strength, glare_x, glare_y, glare_width, glare_height, glare_tilt;
  float is_coarse, coarseness;
  float noise;
  std::uint32_t noise_key;
  float is_cut, cut_width, cut_height, cut_x, cut_y;
};

// 0 .. count - 1: the product is below `count`, whose shares are multiples of 2^-24.
int below(float share, int count) {
  return static_cast<int>(share * static_cast<float>(count));
}

// Between a sixth and a half of an extent.
float sixth_to_half(float share, float extent) {
  return extent * (1.0f / 6.0f + share * (1.0f / 3.0f));
}

GlareSpot glare_of(const Draws& d, int size) {
  const auto extent = static_cast<float>(size);
  return {.strength = 0.25f + 0.75f * d.glare_strength,
          .x = extent * d.glare_x,
          .y = extent * d.glare_y,
          .half_width = sixth_to_half(d.glare_width, extent),
          .half_height = sixth_to_half(d.glare_height, extent),
          .tilt = d.glare_tilt};
}

void cover(std::uint8_t* pixels, int size, const Draws& d) {
  const int least = std::max(1, size / 6), choices = std::max(1, size / 2 - least + 1);
  const int width = least + below(d.cut_width, choices);
  const int height = least + below(d.cut_height, choices);
  cut_out(pixels, size, below(d.cut_x, size - width + 1), below(d.cut_y, size - height + 1), width,
          height);
}

}  // namespace

bool AugmentOptions::any() const {
  return grey || std::any_of(std::begin(numbers), std::end(numbers),
                             [&](const Named& n) { return this->*n.value != 0; });
}

void check_augmentation(const AugmentOptions& options) {
  for (const Named& n : numbers) {
    const double value = options.*n.value;
    check(value >= 0 && value <= n.most, "augment", n.name, " is 0 to ", n.most, ", but ", value);
  }
}

const std::vector<std::string>& augment_presets() {
  static const std::vector<std::string> names = {"none", "light", "strong", "weather"};
  return names;
}

AugmentOptions augment_preset(const std::string& name) {
  if (name == "none") return {};
  if (name == "light") {
    return {.rotation = 6, .scale = 0.08, .shift = 0.04, .brightness = 20, .contrast = 0.15};
  }
  const bool weather = name == "weather";
  if (weather || name == "strong") {
    return {.rotation = 12,
            .scale = 0.15,
            .shift = 0.08,
            .brightness = 30,
            .contrast = 0.35,
            .saturation = 0.5,
            .gamma = 0.4,
            .darkness = weather ? 0.2 : 0,
            .glare = weather ? 0.2 : 0,
            .low_resolution = 0.2,
            .noise = 6,
            .cutout = 0.3};
  }
  std::ostringstream known;
  for (const std::string& preset : augment_presets()) known << " " << preset;
  fail("augment", "there is no preset \"", name, "\"; there are", known.str());
}

void augment(std::uint8_t* pixels, int size, const AugmentOptions& o, RandomStream& random) {
  check(size >= 1, "augment", "the size of an image is at least 1, but ", size);
  check_augmentation(o);
  const Draws d(random);
  if (o.rotation != 0 || o.scale != 0 || o.shift != 0) {
    warp(pixels, size,
         {.degrees = o.rotation * d.rotation,
          .scale = 1 + o.scale * d.scale,
          .right = o.shift * d.right * size,
          .down = o.shift * d.down * size});
  }
  if (d.has_glare < o.glare) add_glare(pixels, size, glare_of(d, size));
  if (d.is_dark < o.darkness) darken(pixels, size, 2.0f + 2.0f * d.stops, d.sensor);
  if (o.gamma != 0 || o.contrast != 0 || o.brightness != 0) {
    constexpr float ln_2 = 0.69314718f;
    const auto exponent = static_cast<float>(o.gamma) * d.gamma;  // of 2
    change_tone(pixels, size,
                {.exponent = kernels::math::exp(ln_2 * exponent),
                 .contrast = 1.0f + static_cast<float>(o.contrast) * d.contrast,
                 .brightness = static_cast<float>(o.brightness) * d.brightness});
  }
  if (o.saturation != 0) {
    saturate(pixels, size, 1.0f + static_cast<float>(o.saturation) * d.saturation);
  }
  if (d.is_coarse < o.low_resolution) {
    const float factor = 1.0f + 3.0f * d.coarseness;
    const int small = static_cast<int>(static_cast<float>(size) / factor + 0.5f);
    coarsen(pixels, size, std::max(1, small));
  }
  if (o.noise != 0) add_noise(pixels, size, static_cast<float>(o.noise) * d.noise, d.noise_key);
  if (d.is_cut < o.cutout) cover(pixels, size, d);
  if (o.grey) make_grey(pixels, size);
}

AugmentedDataset::AugmentedDataset(std::shared_ptr<const Dataset> whole,
                                   const AugmentOptions& options)
    : whole_(std::move(whole)), options_(options) {
  check(whole_ != nullptr, "augment", "there is no data set");
  check(whole_->channels() == 3, "augment", "takes red, green and blue, but ", whole_->describe(),
        " has ", whole_->channels(), " channels");
  check_augmentation(options_);
}

std::string AugmentedDataset::describe() const {
  std::ostringstream text;
  text << whole_->describe();
  const char* separator = ", augmented by ";
  for (const Named& n : numbers) {
    if (options_.*n.value == 0) continue;
    text << separator << n.name << " " << options_.*n.value;
    separator = ", ";
  }
  if (options_.grey) text << separator << "grey";
  return text.str();
}

void AugmentedDataset::get(std::int64_t index, RandomStream& random, std::uint8_t* out) const {
  whole_->get(index, random, out);
  augment(out, image_size(), options_, random);
}

}  // namespace imago::data
