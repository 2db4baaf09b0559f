#include "apps/museum/support.h"

#include "data/procedural/faces.h"

namespace imago::museum {

Tensor faces(int first, int count, double low, double high) {
  constexpr int size = 32;
  const data::ProceduralFaces people({.size = size, .seed = 1, .images_per_identity = 1});
  Tensor images = Tensor::empty({count, size, size, 3}, DType::f32, Device::cpu());
  float* to = images.mutable_data<float>();
  data::FaceImage face;
  for (int i = 0; i < count; ++i) {
    people.get(static_cast<std::size_t>(first + i) % people.size(), face);
    for (const std::uint8_t byte : face.rgb) {
      *to++ = static_cast<float>(low + (high - low) * byte / 255);
    }
  }
  return images;
}

}  // namespace imago::museum
