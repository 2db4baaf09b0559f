// What a recogniser's weights have seen before its own run: the data of the recognisers that it was
// started from with --init, one after the other.
#pragma once

#include <string>
#include <vector>

#include "apps/support/catalogue_flags.h"
#include "nn/safetensors.h"

namespace imago::apps {

struct SeenData {
  CatalogueFlags catalogue;  // as a checkpoint remembers it: not where the images are
  std::string fingerprint;
};

// Entry of a checkpoint's metadata: a JSON array of what the weights it was started from have seen,
// the latest first. Missing where it started from fresh weights.
inline constexpr const char* init_catalogues_key = "init_catalogues";

// What a checkpoint was started from has seen; what itself has seen and then that. Data that a file
// does not tell of are left out. Throws, naming the file, for entries that cannot be read.
std::vector<SeenData> seen_before(const SafetensorsFile& file);
std::vector<SeenData> seen_by(const SafetensorsFile& file);
// As that entry; "" for nothing.
std::string to_text(const std::vector<SeenData>& seen);

// Whether what is held out of these data now may have been trained on then, in words; "" where it
// was not or nothing tells. Data are the same when they have the same fingerprint (a folder's with
// other classes has another one) or, rendered, the same seed: person 7 is then the same, however
// many there are. Of the same data the same is held out where all flags that decide on it agree.
std::string leak_in(const std::vector<SeenData>& seen, const CatalogueFlags& now,
                    const std::string& fingerprint);

}  // namespace imago::apps
