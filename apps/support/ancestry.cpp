#include "apps/support/ancestry.h"

#include <utility>

#include "tensor/error.h"

namespace imago::apps {
namespace {

const std::string* entry(const SafetensorsFile& file, const std::string& key) {
  const auto found = file.metadata.find(key);
  return found == file.metadata.end() ? nullptr : &found->second;
}

bool same_data(const SeenData& seen, const CatalogueFlags& now, const std::string& fingerprint) {
  const bool procedural = now.data == "procedural";
  if (procedural != (seen.catalogue.data == "procedural")) return false;
  // Rendered people are numbered from 0 whoever they are.
  return procedural ? seen.catalogue.data_seed == now.data_seed : seen.fingerprint == fingerprint;
}

bool same_split(const CatalogueFlags& a, const CatalogueFlags& b) {
  const bool cut_alike = a.split == b.split && a.held_out == b.held_out &&
                         a.train_per_class == b.train_per_class && a.split_seed == b.split_seed;
  if (b.data != "procedural") return cut_alike;  // of one fingerprint, so of the same classes
  return cut_alike && a.label == b.label && a.positive == b.positive &&
         a.identities == b.identities && a.images_per_identity == b.images_per_identity;
}

}  // namespace

std::vector<SeenData> seen_before(const SafetensorsFile& file) {
  std::vector<SeenData> seen;
  const std::string* text = entry(file, init_catalogues_key);
  if (!text) return seen;
  try {
    for (const Json& one : Json::parse(*text)) {
      seen.push_back(
          {catalogue_flags(one.at("catalogue")), one.at("fingerprint").get<std::string>()});
    }
  } catch (const std::exception& error) {
    fail("init", file.path,
         ": what it says of the data seen before it cannot be read: ", error.what());
  }
  return seen;
}

std::vector<SeenData> seen_by(const SafetensorsFile& file) {
  std::vector<SeenData> seen;
  const std::string* catalogue = entry(file, "catalogue");
  const std::string* print = entry(file, "catalogue_fingerprint");
  if (catalogue && print) {
    try {
      seen.push_back({catalogue_flags(Json::parse(*catalogue)), *print});
    } catch (const std::exception& error) {
      fail("init", file.path, ": what it says of its data cannot be read: ", error.what());
    }
  }
  for (SeenData& before : seen_before(file)) seen.push_back(std::move(before));
  return seen;
}

std::string to_text(const std::vector<SeenData>& seen) {
  if (seen.empty()) return "";
  Json all = Json::array();
  for (const SeenData& one : seen) {
    Json item = Json::object();
    item["catalogue"] = to_json(one.catalogue);
    item["fingerprint"] = one.fingerprint;
    all.push_back(std::move(item));
  }
  return all.dump(-1, ' ', true);
}

std::string leak_in(const std::vector<SeenData>& seen, const CatalogueFlags& now,
                    const std::string& fingerprint) {
  for (const SeenData& one : seen) {
    if (!same_data(one, now, fingerprint) || same_split(one.catalogue, now)) continue;
    return "the weights of the start were trained on the same data, split in another way (" +
           one.catalogue.split + ", split seed " + std::to_string(one.catalogue.split_seed) +
           "): some of what is held out now may have been trained on then, and its figures say how "
           "well that is remembered; give the start's flags of data and split";
  }
  return "";
}

}  // namespace imago::apps
