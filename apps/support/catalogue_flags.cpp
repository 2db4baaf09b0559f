#include "apps/support/catalogue_flags.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <utility>
#include <vector>

#include "apps/support/classes.h"
#include "data/labels.h"

namespace imago::apps {
namespace {

bool is_procedural(const CatalogueFlags& f) {
  return f.data == "procedural";
}

std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

constexpr std::array<std::pair<const char*, float data::NuisanceRange::*>, 10> nuisance_names = {
    {{"pose", &data::NuisanceRange::pose},
     {"framing", &data::NuisanceRange::framing},
     {"light", &data::NuisanceRange::light},
     {"expression", &data::NuisanceRange::expression},
     {"gaze", &data::NuisanceRange::gaze},
     {"occlusion", &data::NuisanceRange::occlusion},
     {"background", &data::NuisanceRange::background},
     {"clothes", &data::NuisanceRange::clothes},
     {"noise", &data::NuisanceRange::noise},
     {"blur", &data::NuisanceRange::blur}}};

data::NuisanceRange nuisances_of(const std::string& text) {
  if (text == "all") return {};
  data::NuisanceRange range = data::NuisanceRange::none();
  if (text == "none") return range;
  for (const std::string& part : parts_of(text)) {
    bool known = false;
    for (const auto& [name, member] : nuisance_names) {
      if (part != name) continue;
      range.*member = 1;
      known = true;
    }
    if (known) continue;
    std::string names;
    for (const auto& [name, member] : nuisance_names) names += std::string(", ") + name;
    throw UsageError("--nuisances: there is no '" + part +
                     "'; it is all, none, or a list with commas of" + names.substr(1));
  }
  return range;
}

// What the parser of a flag's value finds wrong, without the name of the flag, which the check of a
// flag is told with anyway.
template <class Parse>
Flags::Check checked(const std::string& flag, Parse parse) {
  return [flag, parse](std::string& text) -> std::string {
    try {
      parse(text);
      return "";
    } catch (const UsageError& error) {
      return std::string(error.what()).substr(flag.size() + 2);
    }
  };
}

// Files get their full path: a resumed run may be started in another folder.
std::string settle_file(std::string& text) {
  if (text.empty()) return "must be a text file, not empty";
  text = std::filesystem::absolute(text).lexically_normal().string();
  if (!data::is_utf8(text)) return "must be called by UTF-8 text: config.json has to hold it";
  return "";
}

void refuse_given(const Flags& flags, const std::vector<const char*>& names,
                  const std::string& why) {
  for (const char* name : names) {
    if (flags.given(name)) throw UsageError(std::string(name) + " " + why);
  }
}

void check_folder_flags(const Flags& flags, const CatalogueFlags& f) {
  const bool named = f.layout != "auto";
  const bool from_text =
      f.layout == "identity-file" || f.layout == "attribute-file" || f.layout == "csv";
  if (named && from_text && f.labels.empty()) {
    throw UsageError("--layout " + f.layout +
                     " takes classes from a text file: name it with --labels");
  }
  if (named && !from_text) {
    refuse_given(flags, {"--labels", "--attribute"},
                 "has no effect with --layout " + f.layout + ", which needs no text file");
  }
  if (f.labels.empty()) {
    refuse_given(flags, {"--attribute"},
                 "is one of an attribute-file: name that file with --labels");
  }
  if (f.layout == "identity-file" || f.layout == "csv") {
    refuse_given(flags, {"--attribute"}, "is of --layout attribute-file, not of " + f.layout);
  }
  if (f.layout == "attribute-file" && f.attribute.empty()) {
    throw UsageError("--layout attribute-file has many attributes: choose one with --attribute");
  }
}

void check_split_flags(const Flags& flags, const CatalogueFlags& f) {
  if (f.split == "official") {
    refuse_given(flags, {"--held-out", "--train-per-class", "--split-seed"},
                 "has no effect with --split official, where the folders say what is held out");
    if (is_procedural(f)) {
      throw UsageError(
          "--split official is of folders with parts for training and test; procedural faces have "
          "none");
    }
  }
  if (f.split == "identity-disjoint") {
    refuse_given(flags, {"--train-per-class"},
                 "is of --split stratified; identity-disjoint holds whole classes out");
    if (!f.positive.empty()) {
      throw UsageError(
          "--positive makes two classes, and --split identity-disjoint would hold one of them out "
          "whole; take --split stratified");
    }
  }
  if (f.train_per_class > 0) {
    refuse_given(flags, {"--held-out"},
                 "has no effect with --train-per-class, which holds all other images out");
  }
}

// What only the text file can tell of --attribute.
void check_attribute(const CatalogueFlags& f) {
  if (f.labels.empty() || (f.layout != "auto" && f.layout != "attribute-file")) return;
  const std::vector<std::string> names = data::attribute_names(f.labels);
  if (names.empty()) {
    if (!f.attribute.empty() && f.layout == "auto") {
      throw UsageError("--attribute is of a file of attributes, which " + f.labels + " is not");
    }
    return;  // opening it says what is wrong
  }
  if (f.attribute.empty()) {
    throw UsageError(f.labels + " has many attributes: choose one with --attribute, of " +
                     list_of(names));
  }
  if (std::find(names.begin(), names.end(), f.attribute) == names.end()) {
    throw UsageError("--attribute: there is no '" + f.attribute + "' in " + f.labels + "; it has " +
                     list_of(names));
  }
}

data::Catalogue open_folder(const CatalogueFlags& f, int size) {
  check_attribute(f);
  const data::CatalogueOptions options{
      .folder = {.size = size, .crop = crop_of("--crop", f.crop), .skip_broken = f.skip_broken},
      .layout = f.layout,
      .labels = f.labels,
      .attribute = f.attribute};
  return data::open_catalogue(f.data, options);
}

}  // namespace

data::FaceCrop crop_of(const std::string& flag, const std::string& text) {
  if (text.empty()) return {};
  std::vector<double> numbers;
  for (const std::string& part : parts_of(text)) {
    double value = 0;
    const char* const end = part.data() + part.size();
    const auto [stop, error] = std::from_chars(part.data(), end, value);
    if (error == std::errc() && stop == end) numbers.push_back(value);
  }
  constexpr double rounding = 1e-9;  // 0.7 + 0.3 may be above 1
  const bool inside = numbers.size() == 3 && parts_of(text).size() == 3 && numbers[0] >= 0 &&
                      numbers[1] >= 0 && numbers[2] > 0 &&
                      numbers[0] + numbers[2] <= 1 + rounding &&
                      numbers[1] + numbers[2] <= 1 + rounding;
  if (!inside) {
    throw UsageError(flag + ": '" + text +
                     "' is not X,Y,SIDE of a square within the image: shares of its side such as "
                     "0.25,0.3,0.5, with X + SIDE and Y + SIDE at most 1");
  }
  return {numbers[0], numbers[1], numbers[2]};
}

void add_catalogue_flags(Flags& flags, CatalogueFlags& f) {
  flags.choice("--layout", f.layout, data::catalogue_layouts(),
               "Of a folder: where the class of an image stands");
  flags.text("--labels", f.labels, "FILE", settle_file,
             "Of a folder: text file of the classes, such as CelebA's identity_CelebA.txt or "
             "list_attr_celeba.txt, or lines path,class");
  flags.text("--attribute", f.attribute, "Of a file of attributes: the one to tell, as Eyeglasses");
  flags.text("--crop", f.crop, "X,Y,SIDE",
             checked("--crop", [](const std::string& t) { crop_of("--crop", t); }),
             "Of a folder: the square of each image's middle square to look at, in shares of its "
             "side");
  flags.choice("--label", f.label, data::procedural_label_names(),
               "Of procedural faces: what is told apart");
  flags.text("--nuisances", f.nuisances, "LIST", checked("--nuisances", nuisances_of),
             "Of procedural faces: what changes from image to image of a person: all, none, or "
             "those that you want with commas between, as pose,light");
  flags.number("--identities", f.identities, 1, 10'000'000, "Of procedural faces: people");
  flags.number("--images-per-identity", f.images_per_identity, 1, 1'000'000,
               "Of procedural faces: images of each");
  flags.seed("--data-seed", f.data_seed, "Of procedural faces: who there is");
  flags.text("--positive", f.positive, "The one class that is asked for; all others become one");
}

void add_split_flags(Flags& flags, CatalogueFlags& f) {
  flags.choice("--split", f.split, data::split_kinds(),
               "What is held out to measure with: identity-disjoint (whole classes), stratified "
               "(some images of every class) or official (folders of parts)");
  flags.number("--held-out", f.held_out, 0.001, 0.999,
               "Share held out, of the classes or of the images of each");
  flags.number("--train-per-class", f.train_per_class, 0, 1'000'000,
               "Of a stratified split: train on so many images of each class, hold out the others; "
               "0: by the share");
  flags.seed("--split-seed", f.split_seed, "Of what is held out");
}

void check_catalogue_flags(const Flags& flags, const CatalogueFlags& f) {
  if (is_procedural(f)) {
    refuse_given(flags, {"--layout", "--labels", "--attribute", "--crop"},
                 "is for a folder of images; procedural faces bring their classes, see --label");
  } else {
    refuse_given(flags,
                 {"--label", "--nuisances", "--identities", "--images-per-identity", "--data-seed"},
                 "is for procedural faces, not for the images of a folder");
    check_folder_flags(flags, f);
  }
  check_split_flags(flags, f);
  // What was not parsed, because it came from a file.
  nuisances_of(f.nuisances);
  crop_of("--crop", f.crop);
}

data::Catalogue open_catalogue(const CatalogueFlags& f, int size) {
  data::Catalogue catalogue =
      is_procedural(f)
          ? data::procedural_catalogue(
                {.size = size,
                 .seed = f.data_seed,
                 .identities = static_cast<std::uint32_t>(f.identities),
                 .images_per_identity = static_cast<std::uint32_t>(f.images_per_identity),
                 .nuisance = nuisances_of(f.nuisances)},
                f.label)
          : open_folder(f, size);
  if (!f.positive.empty()) {
    const std::vector<std::string>& classes = catalogue.labels.classes;
    if (std::find(classes.begin(), classes.end(), f.positive) == classes.end()) {
      throw UsageError("--positive: there is no class '" + f.positive + "'; there are " +
                       list_of(classes));
    }
    catalogue.labels = data::one_against_others(catalogue.labels, f.positive);
  }
  return catalogue;
}

data::SplitOptions split_options(const CatalogueFlags& f, data::Part held_out) {
  return {.kind = f.split,
          .share = f.held_out,
          .train_per_class = f.train_per_class,
          .held_out = held_out,
          .seed = f.split_seed};
}

Json to_json(const CatalogueFlags& f) {
  return {{"procedural", is_procedural(f)},
          {"layout", f.layout},
          {"attribute", f.attribute},
          {"crop", f.crop},
          {"label", f.label},
          {"nuisances", f.nuisances},
          {"identities", f.identities},
          {"images-per-identity", f.images_per_identity},
          {"data-seed", f.data_seed},
          {"positive", f.positive},
          {"split", f.split},
          {"held-out", f.held_out},
          {"train-per-class", f.train_per_class},
          {"split-seed", f.split_seed},
          {"skip-broken", f.skip_broken}};
}

CatalogueFlags catalogue_flags(const Json& json) {
  CatalogueFlags f;
  const auto take = [&](const char* key, auto& value) {
    try {
      json.at(key).get_to(value);
    } catch (const Json::exception&) {
      fail("catalogue", "what was saved of the data lacks ", key,
           " or has it as something else: ", json.dump(-1, ' ', true));
    }
  };
  bool procedural = false;
  take("procedural", procedural);
  f.data = procedural ? "procedural" : "";
  take("layout", f.layout);
  take("attribute", f.attribute);
  take("crop", f.crop);
  take("label", f.label);
  take("nuisances", f.nuisances);
  take("identities", f.identities);
  take("images-per-identity", f.images_per_identity);
  take("data-seed", f.data_seed);
  take("positive", f.positive);
  take("split", f.split);
  take("held-out", f.held_out);
  take("train-per-class", f.train_per_class);
  take("split-seed", f.split_seed);
  if (json.contains("skip-broken")) take("skip-broken", f.skip_broken);
  return f;
}

std::string fingerprint(const data::Catalogue& catalogue) {
  // FNV-1a (Fowler, Noll, Vo), 64 bits folded into 32.
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto add = [&](const std::string& text) {
    const auto byte = [&](unsigned char b) { hash = (hash ^ b) * 0x100000001b3u; };
    for (const char c : text) byte(static_cast<unsigned char>(c));
    byte(0);  // "ab", "c" is not "a", "bc"
  };
  for (std::size_t i = 0; i < catalogue.names.size(); ++i) {
    add(catalogue.names[i]);
    add(catalogue.labels.classes.at(static_cast<std::size_t>(catalogue.labels.images.at(i))));
  }
  char text[9];
  std::snprintf(text, sizeof text, "%08x",
                static_cast<unsigned>((hash >> 32) ^ (hash & 0xffffffffu)));
  return text;
}

}  // namespace imago::apps
