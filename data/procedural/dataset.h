// Procedural faces (data/procedural/faces.h) as a Dataset, for the loader.
#pragma once

#include <cstdint>
#include <string>

#include "data/dataset.h"
#include "data/procedural/faces.h"

namespace imago::data {

// Image i shows person i / images_per_identity. Images are rendered when first asked for and then
// kept in memory like decoded photographs.
class ProceduralDataset : public Dataset {
 public:
  explicit ProceduralDataset(const ProceduralFacesOptions& options = {},
                             std::size_t cache_bytes = default_cache_bytes);

  std::int64_t size() const override { return static_cast<std::int64_t>(faces_.size()); }
  int image_size() const override { return faces_.options().size; }
  std::string describe() const override;
  void get(std::int64_t index, RandomStream& augment, std::uint8_t* out) const override;

  const ProceduralFaces& faces() const { return faces_; }  // identities, landmarks, masks

 private:
  ProceduralFaces faces_;
  ImageCache cache_;
};

}  // namespace imago::data
