#include "data/procedural/attributes.h"

namespace imago::data {
namespace {

std::int64_t glasses_of(const FaceIdentity& id, const FaceNuisance& nuisance) {
  if (nuisance.occlusion == Occlusion::sunglasses) return 2;
  return id.glasses >= 0.5f ? 1 : 0;
}

std::int64_t beard_of(const FaceIdentity& id) {
  if (id.beard >= 0.5f) return 3;
  if (id.goatee >= 0.5f) return 2;
  return id.moustache >= 0.5f ? 1 : 0;
}

std::int64_t hair_of(const FaceIdentity& id) {
  if (id.hair_cover < 0.7f) return 0;
  return id.hair_length >= 0.6f ? 2 : 1;  // the mouth is near y = 0.6
}

std::int64_t hair_colour_of(const FaceIdentity& id) {
  if (id.hair_grey >= 0.5f) return 4;
  // Light hair has a red less strong than red hair has: 0.14 above its green, not 0.29.
  if (id.hair.r - id.hair.g >= 0.22f) return 3;
  const float luma = 0.299f * id.hair.r + 0.587f * id.hair.g + 0.114f * id.hair.b;
  if (luma < 0.19f) return 0;
  return luma < 0.34f ? 1 : 2;
}

std::int64_t cover_of(const FaceNuisance& nuisance) {
  switch (nuisance.occlusion) {
    case Occlusion::none:
    case Occlusion::sunglasses:
      return 0;
    case Occlusion::medical_mask:
      return 1;
    case Occlusion::hand:
      return 2;
    case Occlusion::hat:
      return 3;
    case Occlusion::hair_strands:
      return 4;
  }
  return 0;
}

}  // namespace

const std::array<FaceAttributeNames, face_attribute_count>& face_attributes() {
  static const std::array<FaceAttributeNames, face_attribute_count> all = {
      {{"glasses", {"none", "clear", "dark"}},
       {"beard", {"none", "moustache", "goatee", "full"}},
       {"hair", {"bald", "short", "long"}},
       {"hair_colour", {"dark", "brown", "light", "red", "grey"}},
       {"skin", {"light", "medium", "dark"}},
       {"age", {"young", "middle", "old"}},
       {"expression", {"neutral", "happy", "sad", "surprise", "fear", "disgust", "anger"}},
       {"cover", {"none", "mask", "hand", "hat", "strands"}},
       {"background", {"plain", "gradient", "blobs", "stripes"}}}};
  return all;
}

std::array<std::int64_t, face_attribute_count> attributes_of(const FaceIdentity& id,
                                                             const FaceNuisance& nuisance) {
  const std::int64_t skin = id.skin_tone < 0.25f ? 0 : id.skin_tone < 0.5f ? 1 : 2;
  const std::int64_t age = id.age < 0.3f ? 0 : id.age < 0.55f ? 1 : 2;
  return {glasses_of(id, nuisance),
          beard_of(id),
          hair_of(id),
          hair_colour_of(id),
          skin,
          age,
          static_cast<std::int64_t>(nuisance.expression),
          cover_of(nuisance),
          static_cast<std::int64_t>(nuisance.background)};
}

}  // namespace imago::data
