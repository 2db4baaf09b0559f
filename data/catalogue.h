// Face images with the class of each, in the layouts people have them in:
//
//   class-folders   photos/Anna/1.jpg: the class is the first folder below the one that was given
//                   (ORL, LFW)
//   file-names      photos/00017_049276.jpg: the class is what stands before the last underscore of
//                   the file's name (also LFW's files in one folder: Anna_Smith_0001.jpg)
//   parts           photos/train/happy/1.jpg: folders train (or training), validation (val, valid)
//                   and test (testing), each with class folders; the classes are those of all parts
//   identity-file   a text file with lines "000001.jpg 2880" (CelebA's identity_CelebA.txt)
//   attribute-file  CelebA's list_attr_celeba.txt: a count, a line of names, then a line
//                   "000001.jpg -1 1 ..." for each image; the classes are "no" and "yes" of one name
//   csv             a text file with lines path,class (csv_labels of data/labels.h)
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"
#include "data/labels.h"
#include "data/procedural/faces.h"
#include "tensor/tensor.h"

namespace imago::data {

enum class Part : std::uint8_t { train, validation, test };
const char* name(Part part);

struct Catalogue {
  std::shared_ptr<const Dataset> images;
  Labels labels;                   // classes in the order of their names, by bytes
  std::vector<std::string> names;  // of each image: its path below the folder, or "person/instance"
  std::vector<Part> parts;         // of each image where the layout has them, else empty
  // Whom each image shows, by any numbers, where that is known beside the class (procedural faces
  // with another label than identity); empty: nobody knows, or the class says it.
  std::vector<std::int64_t> people = {};
  std::string layout;  // one of the above, or "procedural"

  std::int64_t size() const { return images->size(); }
};

struct CatalogueOptions {
  FolderOptions folder = {};
  std::string layout = "auto";        // one of the above
  std::filesystem::path labels = {};  // the text file of the last three
  std::string attribute = {};         // of attribute-file: "Eyeglasses"
};

const std::vector<std::string>& catalogue_layouts();  // with "auto" first

// Opens a folder. "auto": parts where there is a folder of a part's name for training and another
// one for validation or test; class-folders where all images are in sub-folders, two or more of
// them; file-names where all are in one folder and named CLASS_NUMBER. Else throws,
// saying what was found and which layouts there are. With a text file, "auto" tells its kind from
// its first two lines. Of identity-file and attribute-file, images that the text file does not name
// are left out, and names without an image are passed over, as the text files of a whole data set
// beside a part of its images have them: one line on stderr says how many of either there are. None
// that is there is an error. Throws also for a layout without its file, a class of no name, an attribute that is not
// there (listing those that are).
//
// With FolderOptions::skip_broken every image is decoded once while opening, on all threads of the
// Context, and those that cannot be are left out, each with a line on stderr: nothing is replaced
// later, so no image stands in for one of another class, or of the other side of a split. Without
// it, opening decodes nothing, and a broken image is an error when it is first loaded.
Catalogue open_catalogue(const std::filesystem::path& folder, const CatalogueOptions& options = {});

// What an attribute-file tells of each image; empty for a text file of another layout. Throws where
// its layout cannot be told.
std::vector<std::string> attribute_names(const std::filesystem::path& file);

// Rendered people with a label of procedural_label_names(); images are named "person/instance".
Catalogue procedural_catalogue(const ProceduralFacesOptions& options,
                               const std::string& label = "identity",
                               std::size_t cache_bytes = default_cache_bytes);

// The images with these indices, in that order, repeats allowed; at least one. Classes keep their
// numbers, also those that no image has any more. Throws for an index out of range.
Catalogue take(const Catalogue& whole, std::vector<std::int64_t> indices);

// The same labels with the classes that no image has left out and the others numbered anew, in
// their order.
Labels without_empty_classes(const Labels& labels);

// Two classes of a binary question: "other" (0) and `positive` (1), all others put together. Throws,
// when there is no class of that name.
Labels one_against_others(const Labels& labels, const std::string& positive);

// Images [begin, end) as they are: u8 (end - begin, S, S, C) on the CPU, loaded on all threads of
// the Context; the first error of any of them is thrown. Images of a data set that augments get the
// stream (0, 0, index).
Tensor load_images(const Dataset& images, std::int64_t begin, std::int64_t end);

// Two images each, and whether they show one person.
struct Pair {
  std::int64_t a = 0, b = 0;  // indices of a catalogue
  bool same = false;
  int fold = 0;  // counted from 0
};
struct PairList {
  std::vector<Pair> pairs;
  int folds = 1;
};

// LFW's pairs.txt, read as it is: "folds<TAB>n" (or "n" alone: one fold, as pairsDevTrain.txt has
// it), then for each fold n lines "name a b" of one person and n lines "name a other b" of two; the
// image is the one named NAME_0001, in whatever folder and of whatever image extension. Throws,
// naming file and line, for a line that is neither, for an image that the catalogue does not have,
// for one that two of its files are named after and for a pair of one person (of two) whose images
// are of two classes (of one); lines left over and too few are errors too.
PairList read_pairs(const std::filesystem::path& file, const Catalogue& catalogue);
// The names of the people it mentions, each once, in the order of their bytes.
std::vector<std::string> people_of_pairs(const std::filesystem::path& file);

}  // namespace imago::data
