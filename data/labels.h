// Classes of the images of a data set.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "data/procedural/faces.h"

namespace imago::data {

struct Labels {
  std::vector<std::string> classes;  // their names, K
  std::vector<std::int64_t> images;  // the class of each image of the data set, in [0, K)

  // How many images each class has.
  std::vector<std::int64_t> counts() const;
};

// What procedural faces can be labelled by. All are known exactly, and none depends on mirroring.
//   identity    who it is: "0", "1", ...                      of the person
//   glasses     no, yes: clear or dark                        of the image: sunglasses come and go
//   beard       no, yes: beard, goatee or moustache           of the person
//   long-hair   no, yes: below the mouth                      of the person
//   smile       no, yes: expression "happy"                   of the image
//   expression  neutral, happy, ...: data::Expression         of the image
//   occlusion   none, sunglasses, ...: data::Occlusion        of the image
// Glasses, beard and long-hair are what attributes_of (data/procedural/attributes.h) says.
const std::vector<std::string>& procedural_label_names();

// The label of that name of every image of ProceduralFaces(options). Throws for another name.
Labels procedural_labels(const ProceduralFacesOptions& options, const std::string& name);

// From a text file with a line `path,class` for each image of a folder. Paths are relative to the
// folder of the text file, or absolute; a class is any UTF-8 text, also an empty one, after the
// last comma; classes are numbered in the order of their names, by bytes. A first line "path,label"
// is a heading; empty lines, line ends of Windows and a mark of UTF-8 at the beginning do not
// count. Throws, naming file and line, for a line without a comma, a class that is not UTF-8
// (config.json, reports and checkpoints are, and have to hold it), an image twice with different
// classes and an image of the data set that has no line; lines of other images do not count.
Labels csv_labels(const FolderDataset& dataset, const std::filesystem::path& csv);

// Whether bytes are UTF-8 as RFC 3629 has it: no longer form than needed, no surrogates, nothing
// above U+10FFFF.
bool is_utf8(std::string_view text);

}  // namespace imago::data
