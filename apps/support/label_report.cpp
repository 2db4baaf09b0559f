#include "apps/support/label_report.h"

#include <algorithm>
#include <cstdio>

#include "kernels/image/image.h"
#include "kernels/parallel.h"
#include "tensor/error.h"
#include "tensor/random_stream.h"

namespace imago::apps {
namespace {

// What data::procedural_labels makes of attributes: the first line of a label that fits an image
// has its class. An empty value fits any.
struct Meaning {
  const char *label, *attribute, *value, *is;
};
constexpr Meaning meanings[] = {
    {"glasses", "glasses", "none", "no"},
    {"glasses", "glasses", "", "yes"},
    {"beard", "beard", "none", "no"},
    {"beard", "beard", "", "yes"},
    {"long-hair", "hair", "long", "yes"},
    {"long-hair", "hair", "", "no"},
    {"smile", "expression", "happy", "yes"},
    {"smile", "expression", "", "no"},
    {"occlusion", "glasses", "dark", "sunglasses"},
    {"occlusion", "cover", "none", "none"},
    {"occlusion", "cover", "mask", "medical_mask"},
    {"occlusion", "cover", "hand", "hand"},
    {"occlusion", "cover", "hat", "hat"},
    {"occlusion", "cover", "strands", "hair_strands"},
};

// The position of a name; nothing where it is not there.
std::optional<std::int64_t> place_of(const std::vector<std::string>& names,
                                     const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return {};
  return found - names.begin();
}

// All of the names are among those of the other list.
bool all_in(const std::vector<std::string>& names, const std::vector<std::string>& others) {
  return std::all_of(names.begin(), names.end(),
                     [&](const std::string& name) { return place_of(others, name).has_value(); });
}

// At most `count` images of a class of labelled faces, f32 (n, S, S, 3), in an order of the seed;
// undefined where there is none.
Tensor some_of_class(const data::Faces& faces, std::int64_t label, std::int64_t count,
                     std::uint64_t seed) {
  std::vector<std::int64_t> members;
  const std::vector<std::int64_t>& all = faces.labels().images;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] == label) members.push_back(static_cast<std::int64_t>(i));
  }
  const auto n = std::min(count, static_cast<std::int64_t>(members.size()));
  if (n == 0) return {};
  RandomStream stream(seed, static_cast<std::uint32_t>(label));
  for (std::int64_t i = 0; i < n; ++i) {  // the front of a shuffle
    const auto rest = static_cast<std::uint32_t>(static_cast<std::int64_t>(members.size()) - i);
    std::swap(members[static_cast<std::size_t>(i)],
              members[static_cast<std::size_t>(i + stream.below(rest))]);
  }
  const data::Dataset& dataset = faces.dataset();
  const std::int64_t S = dataset.image_size(), bytes = S * S * 3;
  Tensor images = Tensor::empty({n, S, S, 3}, DType::u8, Device::cpu());
  auto* to = images.mutable_data<std::uint8_t>();
  parallel_for(n, [&](std::int64_t i) {
    RandomStream no_augmentation(0);
    dataset.get(members[static_cast<std::size_t>(i)], no_augmentation, to + i * bytes);
  });
  return kernels::normalize_u8(images);
}

double per_cent(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

ClassReader::ClassReader(const models::FaceFeatures& network, const Classes& classes) {
  const auto add = [&](const std::string& attribute, const std::string& value,
                       const std::string& is) {
    const std::int64_t a = network.attribute(attribute);  // throws where there is no such
    Rule rule{.attribute = a, .value = {}, .label = *place_of(classes.names, is)};
    if (!value.empty()) {
      rule.value = place_of(network.attributes()[static_cast<std::size_t>(a)].values, value);
      check(rule.value.has_value(), "labels", attribute, " of ", network.label(), " has no value '",
            value, "'");
    }
    rules_.push_back(rule);
  };
  std::vector<std::string> possible;
  for (const Meaning& m : meanings) {
    if (classes.label == m.label) possible.push_back(m.is);
  }
  if (!possible.empty() && all_in(classes.names, possible)) {
    for (const Meaning& m : meanings) {
      if (classes.label == m.label && place_of(classes.names, m.is)) {
        add(m.attribute, m.value, m.is);
      }
    }
    return;
  }
  for (const models::FaceAttribute& a : network.attributes()) {
    if (a.name != classes.label || !all_in(classes.names, a.values)) continue;
    for (const std::string& name : classes.names) add(a.name, name, name);
    return;
  }
  std::string known;
  for (const models::FaceAttribute& a : network.attributes()) {
    known += (known.empty() ? "" : ", ") + a.name;
  }
  fail("labels", network.label(), " cannot tell the classes of ",
       classes.label.empty() ? std::string("this generator") : classes.label, " (",
       list_of(classes.names), "); it sees ", known);
}

std::int64_t ClassReader::count(const Tensor& values, std::int64_t label) const {
  const std::int64_t N = values.size(0), A = values.size(1);
  const auto* p = values.data<std::int64_t>();
  std::int64_t seen = 0;
  for (std::int64_t i = 0; i < N; ++i, p += A) {
    const auto fits = [&](const Rule& r) { return !r.value || p[r.attribute] == *r.value; };
    const auto first = std::find_if(rules_.begin(), rules_.end(), fits);
    seen += first != rules_.end() && first->label == label;
  }
  return seen;
}

ClassCheck LabelCheck::all() const {
  ClassCheck sum{.name = "all"};
  for (const ClassCheck& c : classes) {
    sum.requested += c.requested;
    sum.confirmed += c.confirmed;
    sum.real += c.real;
    sum.real_confirmed += c.real_confirmed;
  }
  return sum;
}

LabelCheck check_labels(models::FaceFeatures& network, const Sampler& generator, std::int64_t each,
                        std::uint64_t seed, const data::Faces* real) {
  const Classes& classes = generator.classes;
  LabelCheck result{classes.label, network.label(), {}, ""};
  std::optional<ClassReader> reader;
  try {
    reader.emplace(network, classes);
  } catch (const Error& error) {
    result.note = std::string("labels are not confirmed: ") + error.what();
    return result;
  }
  for (std::size_t k = 0; k < classes.names.size(); ++k) {
    const auto label = static_cast<std::int64_t>(k);
    ClassCheck c{.name = classes.names[k], .requested = each};
    c.confirmed =
        reader->count(network.attributes_of(generator.sample_class(label, each, seed)), label);
    const auto there = real ? place_of(real->labels().classes, c.name) : std::nullopt;
    const Tensor images = there ? some_of_class(*real, *there, each, seed) : Tensor();
    if (images) {
      c.real = images.size(0);
      c.real_confirmed = reader->count(network.attributes_of(images), label);
    }
    result.classes.push_back(c);
  }
  if (!real) {
    result.note =
        "how often the recogniser is right on real images is not known: these have no labels of " +
        (classes.label.empty() ? std::string("that kind") : classes.label) +
        "; --labels names a text file of them";
  }
  return result;
}

void print_labels(const LabelCheck& labels) {
  if (!labels.classes.empty()) {
    std::printf("labels of %s, as %s sees them:\n", labels.label.c_str(), labels.features.c_str());
    std::printf("  %-16s %9s %9s %9s   %s\n", "class", "requested", "confirmed", "per cent",
                "of real images of the class");
    std::vector<ClassCheck> rows = labels.classes;
    rows.push_back(labels.all());
    for (const ClassCheck& c : rows) {
      std::printf("  %-16s %9lld %9lld %8.1f%%", c.name.c_str(),
                  static_cast<long long>(c.requested), static_cast<long long>(c.confirmed),
                  per_cent(c.confirmed, c.requested));
      if (c.real > 0) {
        std::printf("   %lld of %lld, %.1f%%", static_cast<long long>(c.real_confirmed),
                    static_cast<long long>(c.real), per_cent(c.real_confirmed, c.real));
      }
      std::printf("\n");
    }
  }
  if (!labels.note.empty()) std::printf("note: %s\n", labels.note.c_str());
}

Json to_json(const LabelCheck& labels) {
  Json json = {{"label", labels.label}, {"features", labels.features}};
  if (!labels.note.empty()) json["note"] = labels.note;
  if (labels.classes.empty()) return json;
  const auto figures = [](const ClassCheck& c) {
    Json one = {{"class", c.name},
                {"requested", c.requested},
                {"confirmed", c.confirmed},
                {"share", per_cent(c.confirmed, c.requested) / 100}};
    if (c.real > 0) {
      one["real"] = c.real;
      one["real_confirmed"] = c.real_confirmed;
      one["real_share"] = per_cent(c.real_confirmed, c.real) / 100;
    }
    return one;
  };
  json["classes"] = Json::array();
  for (const ClassCheck& c : labels.classes) json["classes"].push_back(figures(c));
  json["all"] = figures(labels.all());
  return json;
}

}  // namespace imago::apps
