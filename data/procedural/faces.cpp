#include "data/procedural/faces.h"
#include "tensor/error.h"

namespace imago::data {

ProceduralFaces::ProceduralFaces(const ProceduralFacesOptions& options) : options_(options) {
  const char* op = "ProceduralFaces";
  check(options.size >= min_face_size && options.size <= max_face_size, op, "size must be from ",
        min_face_size, " to ", max_face_size, ", got ", options.size);
  check(options.identities > 0, op, "identities must be positive, got 0");
  check(options.images_per_identity > 0, op, "images_per_identity must be positive, got 0");
  sample_nuisance(options.seed, 0, 0, options.nuisance);  // throws on a bad range
}

std::size_t ProceduralFaces::size() const {
  return std::size_t{options_.identities} * options_.images_per_identity;
}

void ProceduralFaces::get(std::size_t index, FaceImage& out) const {
  check(index < size(), "ProceduralFaces", "index ", index, " is out of ", size(), " images");
  const auto person = static_cast<std::uint32_t>(index / options_.images_per_identity);
  const auto instance = static_cast<std::uint32_t>(index % options_.images_per_identity);
  const FaceIdentity identity = sample_identity(options_.seed, person);
  const FaceNuisance nuisance = sample_nuisance(options_.seed, person, instance, options_.nuisance);
  // The noise key takes in seed, person and instance, each with its own odd multiplier.
  const std::uint64_t noise_key = options_.seed * 0x9E3779B97F4A7C15ULL +
                                  person * 0xC2B2AE3D27D4EB4FULL + instance * 0x165667B19E3779F9ULL;
  render_face(identity, nuisance, options_.size, noise_key, out);
  out.identity = person;
}

}  // namespace imago::data
