#include "data/procedural/matted.h"

#include <sstream>

#include "tensor/error.h"

namespace imago::data {
namespace {

constexpr std::size_t pixel_bytes = 4;

}  // namespace

MattedFaces::MattedFaces(const ProceduralFacesOptions& options, std::size_t cache_bytes)
    : faces_(options),
      cache_(size(),
             static_cast<std::size_t>(options.size) * static_cast<std::size_t>(options.size) *
                 pixel_bytes,
             cache_bytes) {}

std::string MattedFaces::describe() const {
  const ProceduralFacesOptions& o = faces_.options();
  std::ostringstream text;
  text << faces_.size() << " procedural faces of " << o.identities << " people and their mattes at "
       << o.size << " x " << o.size << ", seed " << o.seed;
  return text.str();
}

void MattedFaces::get(std::int64_t index, RandomStream&, std::uint8_t* out) const {
  check(index >= 0 && index < size(), "matted faces", "image ", index, " of ", size());
  if (cache_.load(index, out)) return;
  FaceImage face;
  faces_.get(static_cast<std::size_t>(index), face);
  for (std::size_t i = 0; i < face.matte.size(); ++i) {
    for (std::size_t c = 0; c < 3; ++c) out[pixel_bytes * i + c] = face.rgb[3 * i + c];
    out[pixel_bytes * i + 3] = face.matte[i];
  }
  cache_.store(index, out);
}

}  // namespace imago::data
