#include "data/procedural/dataset.h"

#include <algorithm>
#include <sstream>

#include "tensor/error.h"

namespace imago::data {

ProceduralDataset::ProceduralDataset(const ProceduralFacesOptions& options, std::size_t cache_bytes)
    : faces_(options),
      cache_(size(),
             static_cast<std::size_t>(options.size) * static_cast<std::size_t>(options.size) * 3,
             cache_bytes) {}

std::string ProceduralDataset::describe() const {
  const ProceduralFacesOptions& o = faces_.options();
  std::ostringstream text;
  text << faces_.size() << " procedural faces of " << o.identities << " people at " << o.size
       << " x " << o.size << ", seed " << o.seed;
  return text.str();
}

void ProceduralDataset::get(std::int64_t index, RandomStream&, std::uint8_t* out) const {
  check(index >= 0 && index < size(), "procedural", "image ", index, " of ", size());
  if (cache_.load(index, out)) return;
  FaceImage face;
  faces_.get(static_cast<std::size_t>(index), face);
  std::copy(face.rgb.begin(), face.rgb.end(), out);
  cache_.store(index, out);
}

}  // namespace imago::data
