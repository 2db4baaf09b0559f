#include "data/catalogue.h"

#include <algorithm>
#include <utility>

#include "data/procedural/dataset.h"
#include "data/subset.h"
#include "kernels/parallel.h"
#include "tensor/error.h"

namespace imago::data {

const char* name(Part part) {
  switch (part) {
    case Part::train:
      return "train";
    case Part::validation:
      return "validation";
    case Part::test:
      return "test";
  }
  return "?";
}

Catalogue procedural_catalogue(const ProceduralFacesOptions& options, const std::string& label,
                               std::size_t cache_bytes) {
  Catalogue catalogue;
  catalogue.images = std::make_shared<ProceduralDataset>(options, cache_bytes);
  catalogue.labels = procedural_labels(options, label);
  for (std::uint32_t person = 0; person < options.identities; ++person) {
    for (std::uint32_t i = 0; i < options.images_per_identity; ++i) {
      catalogue.names.push_back(std::to_string(person) + "/" + std::to_string(i));
      if (label != "identity") catalogue.people.push_back(person);
    }
  }
  catalogue.layout = "procedural";
  return catalogue;
}

Catalogue take(const Catalogue& whole, std::vector<std::int64_t> indices) {
  Catalogue part;
  part.labels.classes = whole.labels.classes;
  part.layout = whole.layout;
  for (const std::int64_t i : indices) {
    check(i >= 0 && i < whole.size(), "take", "there is no image ", i, " among ", whole.size());
    const auto at = static_cast<std::size_t>(i);
    part.labels.images.push_back(whole.labels.images[at]);
    part.names.push_back(whole.names[at]);
    if (!whole.parts.empty()) part.parts.push_back(whole.parts[at]);
    if (!whole.people.empty()) part.people.push_back(whole.people[at]);
  }
  part.images = std::make_shared<Subset>(whole.images, std::move(indices));
  return part;
}

Labels without_empty_classes(const Labels& labels) {
  const std::vector<std::int64_t> counts = labels.counts();
  std::vector<std::int64_t> number(counts.size(), -1);
  Labels kept;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] == 0) continue;
    number[k] = static_cast<std::int64_t>(kept.classes.size());
    kept.classes.push_back(labels.classes[k]);
  }
  for (const std::int64_t label : labels.images) {
    kept.images.push_back(number[static_cast<std::size_t>(label)]);
  }
  return kept;
}

Labels one_against_others(const Labels& labels, const std::string& positive) {
  const auto found = std::find(labels.classes.begin(), labels.classes.end(), positive);
  check(found != labels.classes.end(), "one_against_others", "there is no class '", positive,
        "' among ", labels.classes.size());
  const std::int64_t wanted = found - labels.classes.begin();
  Labels two{{"other", positive}, {}};
  for (const std::int64_t label : labels.images) two.images.push_back(label == wanted);
  return two;
}

Tensor load_images(const Dataset& images, std::int64_t begin, std::int64_t end) {
  check(begin >= 0 && begin < end && end <= images.size(), "load_images", "images ", begin, " to ",
        end, " are not a part of ", images.describe());
  const std::int64_t S = images.image_size(), C = images.channels();
  Tensor batch = Tensor::empty({end - begin, S, S, C}, DType::u8, Device::cpu());
  std::uint8_t* out = batch.mutable_data<std::uint8_t>();
  // The first error, whichever thread meets one earlier.
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(end - begin));
  parallel_for(end - begin, [&](std::int64_t i) {
    RandomStream augment(0, 0, static_cast<std::uint32_t>(begin + i));
    try {
      images.get(begin + i, augment, out + i * S * S * C);
    } catch (...) {
      errors[static_cast<std::size_t>(i)] = std::current_exception();
    }
  });
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
  return batch;
}

}  // namespace imago::data
