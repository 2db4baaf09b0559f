// Procedural faces with their mattes, for the loader: four bytes a pixel, red, green, blue and how
// much of the pixel belongs to the person: 255 all of it, 0 nothing, between them along its edge.
// Mirroring in the loader mirrors both.
#pragma once

#include <cstdint>
#include <string>

#include "data/dataset.h"
#include "data/procedural/faces.h"

namespace imago::data {

// Its pictures are those of ProceduralDataset with the same options.
class MattedFaces : public Dataset {
 public:
  explicit MattedFaces(const ProceduralFacesOptions& options = {},
                       std::size_t cache_bytes = default_cache_bytes);

  std::int64_t size() const override { return static_cast<std::int64_t>(faces_.size()); }
  int image_size() const override { return faces_.options().size; }
  int channels() const override { return 4; }
  std::string describe() const override;
  void get(std::int64_t index, RandomStream& augment, std::uint8_t* out) const override;

 private:
  ProceduralFaces faces_;
  ImageCache cache_;
};

}  // namespace imago::data
