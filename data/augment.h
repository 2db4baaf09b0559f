// Augmentation for recognition: what may change in a photograph while it shows the same person.
//
// Each sample is turned, scaled and shifted, its light, contrast and colours are changed, and parts
// of it are covered, by amounts drawn for it alone: on worker threads, from the keyed stream the
// loader gives, so that a batch is a pure function of (seed, epoch, index). Mirroring is the
// loader's.
//
// The order of the changes is fixed, and follows light on its way from a face to a file: the face
// moves (rotation, scale and shift, as one resampling), glare adds light, the sensor gets too
// little of it (darkness), the camera's curve is applied (gamma, contrast, brightness, then
// saturation), the picture is made small, noise is left by whatever happened since, and in the end
// something covers a part of it (cutout) and colours are lost. data/changes.h says what each does.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace imago::data {

// Each number is the most of an amount that is drawn uniformly; a chance is that of each sample. 0
// switches a change off.
struct AugmentOptions {
  double rotation = 0;        // degrees either way
  double scale = 0;           // 0.1: sizes from 0.9 to 1.1
  double shift = 0;           // as a share of the size, either way, in both directions
  double brightness = 0;      // of the scale 0..255, either way
  double contrast = 0;        // 0.3: differences from the middle grey times 0.7 to 1.3
  double saturation = 0;      // the same of differences from a pixel's grey; 1 reaches grey itself
  double gamma = 0;           // exponents from 2^-gamma to 2^gamma
  double darkness = 0;        // chance of low light, 2 to 4 stops with the noise of a sensor
  double glare = 0;           // chance of a bright spot of strength 1/4 to 1 that washes out
  double low_resolution = 0;  // chance of being scaled down by up to 4 and up again
  double noise = 0;           // standard deviation of about Gaussian noise, of the scale 0..255
  double cutout = 0;          // chance of one grey rectangle, sides a sixth to a half of the size
  bool grey = false;          // every sample loses its colours (Rec. 601 luma)

  bool any() const;  // whether anything changes at all
};

// "none", "light" (small turns, shifts and light changes), "strong" (all of them but darkness,
// glare and grey), "weather" (strong, with darkness and glare). Throws for another name.
AugmentOptions augment_preset(const std::string& name);
const std::vector<std::string>& augment_presets();

// Throws for a number that is out of range: rotation 0 to 180, scale 0 to 0.9, shift 0 to 1,
// brightness 0 to 255, gamma 0 to 3, noise 0 to 128, all others 0 to 1.
void check_augmentation(const AugmentOptions& options);

// Changes one image (S, S, 3) in place. Always takes the same draws from the stream, whatever the
// image and the options: what is switched on moves no number of another change. Throws as
// check_augmentation.
void augment(std::uint8_t* pixels, int size, const AugmentOptions& options, RandomStream& random);

// A data set whose every image is augmented anew each time it is asked for.
class AugmentedDataset : public Dataset {
 public:
  // Of a data set with 3 channels, else throws; so it does for options out of range.
  AugmentedDataset(std::shared_ptr<const Dataset> whole, const AugmentOptions& options);

  std::int64_t size() const override { return whole_->size(); }
  int image_size() const override { return whole_->image_size(); }
  std::string describe() const override;
  void get(std::int64_t index, RandomStream& random, std::uint8_t* out) const override;

 private:
  std::shared_ptr<const Dataset> whole_;
  AugmentOptions options_;
};

}  // namespace imago::data
