// How folders and their text files become catalogues.
#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "data/catalogue.h"
#include "data/folder.h"
#include "data/text_lines.h"
#include "kernels/parallel.h"
#include "tensor/error.h"

namespace imago::data {
namespace {

namespace fs = std::filesystem;

// Files with the class and the part of each.
struct Found {
  std::vector<fs::path> files;
  std::vector<std::string> classes;
  std::vector<Part> parts;
};

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// Whether a line is a number and nothing else.
bool is_count(const std::vector<std::string>& words) {
  return words.size() == 1 && words[0].find_first_not_of("0123456789") == std::string::npos;
}

// The first folder on the way from `folder` to a file, "" for a file right in it.
std::string first_folder(const fs::path& file, const fs::path& folder) {
  const fs::path below = file.lexically_relative(folder);
  return below.has_parent_path() ? below.begin()->string() : "";
}

std::optional<Part> part_named(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (text == "train" || text == "training") return Part::train;
  if (text == "validation" || text == "val" || text == "valid") return Part::validation;
  if (text == "test" || text == "testing") return Part::test;
  return {};
}

// What stands before the last underscore of a name with digits behind it; "" for another name.
std::string class_in_name(const fs::path& file) {
  const std::string stem = file.stem().string();
  const std::size_t at = stem.rfind('_');
  const bool fits = at != std::string::npos && at > 0 && at + 1 < stem.size() &&
                    stem.find_first_not_of("0123456789", at + 1) == std::string::npos;
  return fits ? stem.substr(0, at) : "";
}

Found class_folders(const fs::path& folder, std::vector<fs::path> files) {
  Found found;
  for (fs::path& file : files) {
    found.classes.push_back(first_folder(file, folder));
    check(!found.classes.back().empty(), "catalogue", file.native(),
          " is in no sub-folder, so it has no class; move it, or choose another layout");
    found.files.push_back(std::move(file));
  }
  return found;
}

Found file_names(std::vector<fs::path> files) {
  Found found;
  for (fs::path& file : files) {
    found.classes.push_back(class_in_name(file));
    check(!found.classes.back().empty(), "catalogue", file.native(),
          " is not named CLASS_NUMBER, so it has no class");
    found.files.push_back(std::move(file));
  }
  return found;
}

Found parts(const fs::path& folder, std::vector<fs::path> files) {
  Found found;
  for (fs::path& file : files) {
    const fs::path below = file.lexically_relative(folder);
    const std::string top = first_folder(file, folder);
    const std::optional<Part> part = part_named(top);
    check(part.has_value(), "catalogue", file.native(),
          " is in none of the folders train, validation and test of layout parts");
    found.classes.push_back(first_folder(below, top));
    check(!found.classes.back().empty(), "catalogue", file.native(), " has no class folder in ",
          top);
    found.parts.push_back(*part);
    found.files.push_back(std::move(file));
  }
  return found;
}

// Files of a list of names, by the path that a line says, relative to the folder.
class ByName {
 public:
  ByName(const fs::path& folder, const std::vector<fs::path>& files, const fs::path& list)
      : folder_(folder), list_(list) {
    for (const fs::path& file : files) by_path_[file.lexically_relative(folder).string()] = file;
  }
  // A name without an image is counted: a part of a data set often comes with the text files of the
  // whole.
  void add(Found& found, int line, const std::string& name, std::string label) {
    const auto at = by_path_.find(name);
    if (at == by_path_.end()) {
      ++absent_;
      return;
    }
    check(!at->second.empty(), "catalogue", list_.native(), ", line ", line, ": ", name,
          " has had a line before");
    found.files.push_back(std::exchange(at->second, {}));
    found.classes.push_back(std::move(label));
  }
  void say_left_out(const Found& found) const {
    check(!found.files.empty() || absent_ == 0, "catalogue", list_.native(), " names ", absent_,
          " images, and none of them is in ", folder_.native(),
          "; names in it are paths below that folder");
    const std::size_t left = by_path_.size() - found.files.size();
    if (left == 0 && absent_ == 0) return;
    std::string text =
        list_.string() + " names " + std::to_string(found.files.size() + absent_) + " images";
    if (absent_ > 0) text += " of which " + std::to_string(absent_) + " are not here";
    if (left > 0) {
      text += "; " + std::to_string(left) + " others of " + folder_.string() + " are left out";
    }
    std::fprintf(stderr, "%s\n", text.c_str());
  }

 private:
  fs::path folder_, list_;
  std::map<std::string, fs::path> by_path_;  // empty paths: taken
  std::size_t absent_ = 0;
};

Found identity_file(const fs::path& folder, const std::vector<fs::path>& files,
                    const fs::path& list) {
  Found found;
  ByName by_name(folder, files, list);
  for_each_line("catalogue", list, [&](int number, const std::string& text) {
    const std::vector<std::string> words = words_of(text);
    if (words.empty()) return;
    check(words.size() == 2, "catalogue", list.native(), ", line ", number,
          ": expects an image and an identity, but it is '", text, "'");
    by_name.add(found, number, words[0], words[1]);
  });
  by_name.say_left_out(found);
  return found;
}

Found attribute_file(const fs::path& folder, const std::vector<fs::path>& files,
                     const fs::path& list, const std::string& attribute) {
  Found found;
  ByName by_name(folder, files, list);
  std::size_t column = 0, columns = 0;
  for_each_line("catalogue", list, [&](int number, const std::string& text) {
    const std::vector<std::string> words = words_of(text);
    if (number == 1) {
      check(is_count(words), "catalogue", list.native(),
            ", line 1: expects the number of images, with the names of attributes in line 2, but "
            "it is '",
            text, "'");
      return;
    }
    if (words.empty()) return;
    if (number == 2) {
      const auto at = std::find(words.begin(), words.end(), attribute);
      check(at != words.end(), "catalogue", list.native(), " has no attribute '", attribute,
            "'; it has ", join(words));
      column = static_cast<std::size_t>(at - words.begin()) + 1;
      columns = words.size() + 1;
      return;
    }
    check(words.size() == columns && (words[column] == "1" || words[column] == "-1"), "catalogue",
          list.native(), ", line ", number, ": expects an image and ", columns - 1,
          " numbers of -1 or 1");
    by_name.add(found, number, words[0], words[column] == "1" ? "yes" : "no");
  });
  by_name.say_left_out(found);
  return found;
}

Found csv(const fs::path& folder, std::vector<fs::path> files, const fs::path& list) {
  const Labels labels = csv_labels(FolderDataset(folder, files, {.cache_bytes = 0}), list);
  Found found;
  for (std::size_t i = 0; i < files.size(); ++i) {
    found.classes.push_back(labels.classes[static_cast<std::size_t>(labels.images[i])]);
    found.files.push_back(std::move(files[i]));
  }
  return found;
}

// Of a text file, by its first two lines.
std::string kind_of_list(const fs::path& list) {
  std::string first, second;
  for_each_line("catalogue", list, [&](int number, const std::string& text) {
    if (number == 1) first = text;
    if (number == 2) second = text;
  });
  const std::vector<std::string> words = words_of(first);
  if (is_count(words) && words_of(second).size() >= 2) return "attribute-file";
  if (first.find(',') != std::string::npos) return "csv";
  check(words.size() == 2, "catalogue", list.native(),
        ", line 1: is neither path,class nor 'image identity' nor a count: '", first, "'");
  return "identity-file";
}

std::string kind_of_folder(const fs::path& folder, const std::vector<fs::path>& files) {
  bool train = false, other = false, named = true;
  std::set<std::string> folders;  // with "" where an image is in none
  for (const fs::path& file : files) {
    const std::string top = first_folder(file, folder);
    folders.insert(top);
    if (const std::optional<Part> part = part_named(top)) {
      (*part == Part::train ? train : other) = true;
    }
    named = named && !class_in_name(file).empty();
  }
  if (train && other) return "parts";
  if (folders.size() >= 2 && !folders.contains("")) return "class-folders";
  if (folders.size() == 1 && named) return "file-names";
  const std::string why =
      folders.size() == 1 && !folders.contains("")
          ? "holds one folder, " + *folders.begin() + ": is that the one to open?"
          : "has images outside of its sub-folders, and not all are named CLASS_NUMBER: their "
            "classes cannot be told.";
  fail("catalogue", folder.native(), " ", why, " Layouts are ", join(catalogue_layouts()),
       "; the last three need a text file");
}

// The images that load, where broken ones are to be left out: now and for good, because what stood
// in for one later might be of another class, or of the other side of a split.
void leave_out_broken(Found& found) {
  std::vector<std::string> errors(found.files.size());
  parallel_for(static_cast<std::int64_t>(found.files.size()), [&](std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    try {
      load_image(found.files[at]);
    } catch (const Error& error) {
      errors[at] = error.what();
    }
  });
  Found good;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    if (!errors[i].empty()) {
      std::fprintf(stderr, "left out: %s\n", errors[i].c_str());
      continue;
    }
    good.files.push_back(std::move(found.files[i]));
    good.classes.push_back(std::move(found.classes[i]));
    if (!found.parts.empty()) good.parts.push_back(found.parts[i]);
  }
  check(!good.files.empty(), "catalogue", "none of the ", errors.size(), " images can be loaded");
  found = std::move(good);
}

}  // namespace

std::vector<std::string> attribute_names(const fs::path& list) {
  if (kind_of_list(list) != "attribute-file") return {};
  std::vector<std::string> names;
  for_each_line("catalogue", list, [&](int number, const std::string& text) {
    if (number == 2) names = words_of(text);
  });
  return names;
}

const std::vector<std::string>& catalogue_layouts() {
  static const std::vector<std::string> layouts = {
      "auto", "class-folders", "file-names", "parts", "identity-file", "attribute-file", "csv"};
  return layouts;
}

Catalogue open_catalogue(const fs::path& folder, const CatalogueOptions& options) {
  std::string layout = options.layout;
  const std::vector<std::string>& known = catalogue_layouts();
  check(std::find(known.begin(), known.end(), layout) != known.end(), "catalogue",
        "there is no layout '", layout, "'; there are ", join(known));
  std::vector<fs::path> files = list_images(folder);
  const bool has_list = !options.labels.empty();
  if (layout == "auto") {
    layout = has_list ? kind_of_list(options.labels) : kind_of_folder(folder, files);
  }
  const bool needs_list =
      layout == "identity-file" || layout == "attribute-file" || layout == "csv";
  check(needs_list == has_list, "catalogue", "layout ", layout,
        needs_list ? " needs a text file of labels" : " takes no text file of labels");
  check((layout == "attribute-file") == !options.attribute.empty(), "catalogue", "layout ", layout,
        options.attribute.empty() ? " needs the name of an attribute" : " knows no attributes");
  Found found;
  if (layout == "class-folders") {
    found = class_folders(folder, std::move(files));
  } else if (layout == "file-names") {
    found = file_names(std::move(files));
  } else if (layout == "parts") {
    found = parts(folder, std::move(files));
  } else if (layout == "identity-file") {
    found = identity_file(folder, files, options.labels);
  } else if (layout == "attribute-file") {
    found = attribute_file(folder, files, options.labels, options.attribute);
  } else {
    found = csv(folder, std::move(files), options.labels);
  }
  check(!found.files.empty(), "catalogue", options.labels.native(), " names no image of ",
        folder.native());
  if (options.folder.skip_broken) leave_out_broken(found);
  Catalogue catalogue;
  std::map<std::string, std::int64_t> numbers;
  for (std::size_t i = 0; i < found.files.size(); ++i) {
    const std::string& label = found.classes[i];
    check(!label.empty(), "catalogue", found.files[i].native(), " is of a class without a name");
    check(is_utf8(label), "catalogue", found.files[i].native(), " is of the class '", label,
          "', which is not UTF-8 text");
    numbers.emplace(label, 0);
  }
  for (auto& [label, number] : numbers) {
    number = static_cast<std::int64_t>(catalogue.labels.classes.size());
    catalogue.labels.classes.push_back(label);
  }
  for (const std::string& label : found.classes) {
    catalogue.labels.images.push_back(numbers.at(label));
  }
  for (const fs::path& file : found.files) {
    catalogue.names.push_back(file.lexically_relative(folder).generic_string());
  }
  catalogue.parts = std::move(found.parts);
  catalogue.layout = layout;
  FolderOptions opening = options.folder;
  opening.skip_broken = false;  // none is left
  catalogue.images = std::make_shared<FolderDataset>(folder, std::move(found.files), opening);
  return catalogue;
}

}  // namespace imago::data
