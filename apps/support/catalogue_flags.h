// Which faces, of which classes, and which of them are held out: the flags that training and
// evaluating recognisers share.
#pragma once

#include <cstdint>
#include <string>

#include "apps/support/flags.h"
#include "apps/support/run_folder.h"
#include "data/catalogue.h"
#include "data/split.h"
#include "nn/safetensors.h"

namespace imago::apps {

struct CatalogueFlags {
  std::string data = "procedural";  // a folder of images, or "procedural"; in TrainFlags too
  std::string layout = "auto", labels, attribute;  // of folders (data/catalogue.h)
  std::string crop;                                // "X,Y,SIDE" (data::FaceCrop); "": all
  // Of procedural faces: what is told apart, who there is, what changes from image to image
  // ("all", "none", or a list "pose,light" of what does).
  std::string label = "identity", nuisances = "all";
  int identities = 500, images_per_identity = 20;
  std::uint64_t data_seed = 1;
  std::string positive;  // one class against all others; "": all classes
  std::string split = "identity-disjoint";
  double held_out = 0.1;    // share
  int train_per_class = 0;  // of a stratified split; 0: by the share
  std::uint64_t split_seed = 1;
  bool skip_broken = false;  // of a folder: leave images out that cannot be loaded
};

void add_catalogue_flags(Flags& flags, CatalogueFlags& values);  // all but data and the split's
void add_split_flags(Flags& flags, CatalogueFlags& values);
// After parsing, of a program that has the flags of both. Throws UsageError for flags that were
// given and have no effect on such data or such a split, naming them, for values that cannot be
// read and for those that do not go together.
void check_catalogue_flags(const Flags& flags, const CatalogueFlags& values);

// "X,Y,SIDE" of a flag such as --crop; all of the image for "". Throws UsageError for anything else.
data::FaceCrop crop_of(const std::string& flag, const std::string& text);

// Opens the images at size x size; with `positive`, of two classes. With `skip_broken`, images that
// cannot be loaded are left out, each with a line on stderr: another one in its place, as training
// without classes takes, might show another person. Every image is then loaded once. Throws
// UsageError, listing what there is, for a class to ask for and an attribute that are not there, and
// for an attribute that is missing or is not of such a file.
data::Catalogue open_catalogue(const CatalogueFlags& flags, int size);
data::SplitOptions split_options(const CatalogueFlags& flags,
                                 data::Part held_out = data::Part::test);

// All but where the data are: what a checkpoint remembers of its data (as entry "catalogue" of the
// metadata), so that the same images can be held out again; whether they are procedural is kept.
// And back: `data` is "procedural", or empty and to be given. Throws when something is missing, but
// for "skip-broken", which older checkpoints do not tell of.
Json to_json(const CatalogueFlags& flags);
CatalogueFlags catalogue_flags(const Json& json);
// Eight digits of names and classes: other images hardly have the same ("catalogue_fingerprint").
std::string fingerprint(const data::Catalogue& catalogue);

}  // namespace imago::apps
