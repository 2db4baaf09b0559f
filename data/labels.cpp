#include "data/labels.h"

#include <algorithm>
#include <array>
#include <map>
#include <sstream>

#include "data/procedural/attributes.h"
#include "data/text_lines.h"
#include "tensor/error.h"

namespace imago::data {
namespace {

namespace fs = std::filesystem;

// What face_attributes() has of a face, in its order.
using Attributes = std::array<std::int64_t, face_attribute_count>;
constexpr std::size_t glasses = 0, beard = 1, hair = 2;
constexpr std::int64_t none = 0, long_hair = 2;  // of glasses and beard; of hair

// A label by name: its classes, and how to find that of a face. What attributes_of can tell is
// asked of it, so that both words mean the same.
struct Rule {
  std::string name;
  std::vector<std::string> classes;
  std::int64_t (*find)(const Attributes&, const FaceNuisance&);
};

template <class Enum>
std::vector<std::string> names_of(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.emplace_back(name(static_cast<Enum>(i)));
  return names;
}

const std::vector<Rule>& rules() {
  using Face = const Attributes&;
  using Photo = const FaceNuisance&;
  using Class = std::int64_t;
  static const std::vector<Rule> all = {
      {"glasses", {"no", "yes"}, [](Face f, Photo) -> Class { return f[glasses] != none; }},
      {"beard", {"no", "yes"}, [](Face f, Photo) -> Class { return f[beard] != none; }},
      {"long-hair", {"no", "yes"}, [](Face f, Photo) -> Class { return f[hair] == long_hair; }},
      {"smile",
       {"no", "yes"},
       [](Face, Photo p) -> Class { return p.expression == Expression::happy; }},
      {"expression", names_of<Expression>(expression_count),
       [](Face, Photo p) { return static_cast<Class>(p.expression); }},
      {"occlusion", names_of<Occlusion>(occlusion_count),
       [](Face, Photo p) { return static_cast<Class>(p.occlusion); }},
  };
  return all;
}

struct Line {
  int number = 0;
  std::string label;
};

// The classes of a text file by canonical path.
std::map<fs::path, Line> read_csv(const fs::path& csv) {
  std::map<fs::path, Line> lines;
  for_each_line("labels", csv, [&](int number, const std::string& text) {
    if (text.empty() || (number == 1 && text == "path,label")) return;
    const auto comma = text.rfind(',');
    check(comma != std::string::npos && comma > 0, "labels", csv.native(), ", line ", number,
          ": expects path,class but it is '", text, "'");
    check(is_utf8(std::string_view(text).substr(comma + 1)), "labels", csv.native(), ", line ",
          number, ": the class is not UTF-8 text; save the file as UTF-8");
    const fs::path image = fs::weakly_canonical(csv.parent_path() / text.substr(0, comma));
    const Line line{number, text.substr(comma + 1)};
    const auto [at, fresh] = lines.emplace(image, line);
    check(fresh || at->second.label == line.label, "labels", csv.native(), ", line ", number, ": ",
          image.native(), " is '", line.label, "' here but '", at->second.label, "' in line ",
          at->second.number);
  });
  return lines;
}

}  // namespace

std::vector<std::int64_t> Labels::counts() const {
  std::vector<std::int64_t> counts(classes.size());
  for (const std::int64_t label : images) counts.at(static_cast<std::size_t>(label)) += 1;
  return counts;
}

const std::vector<std::string>& procedural_label_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = {"identity"};
    for (const Rule& rule : rules()) all.push_back(rule.name);
    return all;
  }();
  return names;
}

Labels procedural_labels(const ProceduralFacesOptions& o, const std::string& name) {
  const auto found = std::find_if(rules().begin(), rules().end(),
                                  [&](const Rule& rule) { return rule.name == name; });
  if (found == rules().end() && name != "identity") {
    std::ostringstream list;
    for (const std::string& known : procedural_label_names()) list << ' ' << known;
    fail("labels", "procedural faces have no label '", name, "'; choose one of", list.str());
  }
  Labels labels;
  labels.images.reserve(std::size_t{o.identities} * o.images_per_identity);
  if (found != rules().end()) labels.classes = found->classes;
  for (std::uint32_t person = 0; person < o.identities; ++person) {
    if (name == "identity") {
      labels.classes.push_back(std::to_string(person));
      labels.images.insert(labels.images.end(), o.images_per_identity, person);
      continue;
    }
    const FaceIdentity face = sample_identity(o.seed, person);
    for (std::uint32_t i = 0; i < o.images_per_identity; ++i) {
      const FaceNuisance photo = sample_nuisance(o.seed, person, i, o.nuisance);
      labels.images.push_back(found->find(attributes_of(face, photo), photo));
    }
  }
  return labels;
}

Labels csv_labels(const FolderDataset& dataset, const fs::path& csv) {
  const std::map<fs::path, Line> lines = read_csv(csv);
  std::vector<const std::string*> of_images;
  std::map<std::string, std::int64_t> numbers;
  for (const fs::path& image : dataset.paths()) {
    const auto found = lines.find(fs::weakly_canonical(image));
    check(found != lines.end(), "labels", csv.native(), " has no line for ", image.native(),
          "; paths in it are relative to its own folder");
    of_images.push_back(&found->second.label);
    numbers.emplace(found->second.label, 0);
  }
  Labels labels;
  for (auto& [label, number] : numbers) {
    number = static_cast<std::int64_t>(labels.classes.size());
    labels.classes.push_back(label);
  }
  for (const std::string* label : of_images) labels.images.push_back(numbers.at(*label));
  return labels;
}

bool is_utf8(std::string_view text) {
  const auto within = [&](std::size_t i, int low, int high) {
    const int byte = i < text.size() ? static_cast<unsigned char>(text[i]) : -1;
    return low <= byte && byte <= high;
  };
  for (std::size_t i = 0; i < text.size();) {
    const int lead = static_cast<unsigned char>(text[i++]);
    if (lead < 0x80) continue;
    if (lead < 0xc2 || lead > 0xf4) return false;
    const int more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    // The second byte: a longer form than needed is below, a surrogate or too large a code above.
    const int low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const int high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (!within(i++, low, high)) return false;
    for (int k = 1; k < more; ++k) {
      if (!within(i++, 0x80, 0xbf)) return false;
    }
  }
  return true;
}

}  // namespace imago::data
