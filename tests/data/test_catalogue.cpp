// Folders of faces with classes, in every layout. What is done with catalogues once they are open
// is in test_catalogue_parts.cpp.
#include "data/catalogue.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <limits>

#include "data/transform.h"
#include "pictures.h"
#include "tensor/context.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::data;
using namespace imago::data::test;
using namespace imago::test;

namespace {

// A folder "photos" of small pictures, each its own.
class Photos {
 public:
  Photos(std::initializer_list<const char*> names) {
    for (const char* name : names) write_bytes(folder() / name, png(picture(name)));
  }
  fs::path folder() const { return scratch_ / "photos"; }
  fs::path file(const std::string& text) const { return write_bytes(scratch_ / "list.txt", text); }

  // The picture of that name: a name's bytes decide on its pixels.
  static Image picture(const std::string& name) {
    std::uint32_t key = 0;
    for (const char c : name) key = 31 * key + static_cast<unsigned char>(c);
    return noise(8, 8, key);
  }

  Catalogue open(CatalogueOptions options = {}) const {
    options.folder.size = 8;
    return open_catalogue(folder(), options);
  }
  std::string error(const CatalogueOptions& options = {}) const {
    return error_of([&] { open(options); });
  }
  // With a text file, as layout.
  std::string error(const std::string& text, const std::string& layout,
                    const std::string& attribute = "") const {
    return error({.layout = layout, .labels = file(text), .attribute = attribute});
  }

 private:
  TemporaryFolder scratch_;
};

using Strings = std::vector<std::string>;

Image get(const Catalogue& catalogue, std::int64_t index) {
  const int size = catalogue.images->image_size();
  Image image(size, size);
  RandomStream augment(1);
  catalogue.images->get(index, augment, image.pixels.data());
  return image;
}

// "name: class" of every image, once each shows the picture of its name.
Strings told(const Catalogue& catalogue) {
  const auto count = static_cast<std::size_t>(catalogue.size());
  REQUIRE(catalogue.names.size() == count);
  REQUIRE(catalogue.labels.images.size() == count);
  Strings all;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string& name = catalogue.names[i];
    const auto label = static_cast<std::size_t>(catalogue.labels.images[i]);
    all.push_back(name + ": " + catalogue.labels.classes.at(label));
    CHECK_MESSAGE(get(catalogue, static_cast<std::int64_t>(i)) == Photos::picture(name), name);
  }
  return all;
}

}  // namespace

TEST_CASE("catalogue: the class is the first folder") {
  const Photos photos{"b/2.png", "b/deep/1.png", "a/1.png", "C/1.png"};
  for (const char* layout : {"auto", "class-folders"}) {
    const Catalogue catalogue = photos.open({.layout = layout});
    CHECK(catalogue.layout == "class-folders");
    CHECK(told(catalogue) == Strings{"C/1.png: C", "a/1.png: a", "b/2.png: b", "b/deep/1.png: b"});
    CHECK(catalogue.labels.classes == Strings{"C", "a", "b"});  // by bytes
    CHECK(catalogue.parts.empty());
  }
  const Photos stray{"a/1.png", "b/1.png", "2.png"};
  CHECK(contains(stray.error({.layout = "class-folders"}), "2.png is in no sub-folder"));
}

TEST_CASE("catalogue: the class stands before the last underscore of the name") {
  const Photos photos{"Bo_2.png", "Anna_Smith_0001.png", "00017_049276.png", "Anna_Smith_2.png"};
  for (const char* layout : {"auto", "file-names"}) {
    const Catalogue catalogue = photos.open({.layout = layout});
    CHECK(catalogue.layout == "file-names");
    CHECK(told(catalogue) == Strings{"00017_049276.png: 00017", "Anna_Smith_0001.png: Anna_Smith",
                                     "Anna_Smith_2.png: Anna_Smith", "Bo_2.png: Bo"});
    CHECK(catalogue.labels.classes == Strings{"00017", "Anna_Smith", "Bo"});
  }
  for (const char* other : {"c.png", "_1.png", "a_.png", "a_b.png", "a_1b.png"}) {
    const Photos wrong{"Bo_2.png", other};
    CHECK(contains(wrong.error({.layout = "file-names"}),
                   std::string(other) + " is not named CLASS_NUMBER"));
    CHECK(contains(wrong.error(), "classes cannot be told. Layouts are auto, class-folders"));
  }
}

TEST_CASE("catalogue: parts, by any of their names, with the classes of all") {
  const Photos photos{"Training/happy/1.png", "test/sad/2.png", "val/happy/3.png",
                      "test/happy/deep/4.png"};
  for (const char* layout : {"auto", "parts"}) {
    const Catalogue catalogue = photos.open({.layout = layout});
    CHECK(catalogue.layout == "parts");
    CHECK(told(catalogue) == Strings{"Training/happy/1.png: happy", "test/happy/deep/4.png: happy",
                                     "test/sad/2.png: sad", "val/happy/3.png: happy"});
    CHECK(catalogue.parts ==
          std::vector<Part>{Part::train, Part::test, Part::test, Part::validation});
  }
  const Photos others{"train/x/1.png", "valid/x/1.png", "testing/x/1.png", "validation/x/1.png"};
  CHECK(others.open().parts ==
        std::vector<Part>{Part::test, Part::train, Part::validation, Part::validation});
  const Photos stray{"train/a/1.png", "test/a/1.png", "more/a/1.png"};
  CHECK(contains(stray.error(), "more/a/1.png is in none of the folders train"));
  const Photos bare{"train/1.png", "test/a/1.png"};
  CHECK(contains(bare.error(), "train/1.png has no class folder in train"));
  CHECK(std::string(name(Part::train)) == "train");
  CHECK(std::string(name(Part::validation)) == "validation");
  CHECK(std::string(name(Part::test)) == "test");
}

TEST_CASE("catalogue: a layout that cannot be told is asked about") {
  // Parts need one to train on and one to measure on.
  CHECK(Photos{"train/1.png", "b/1.png"}.open().labels.classes == Strings{"b", "train"});
  CHECK(Photos{"val/1.png", "test/1.png"}.open().layout == "class-folders");
  CHECK(Photos{"all/a_1.png", "all/b_1.png"}.open().labels.classes == Strings{"a", "b"});
  CHECK(contains(Photos{"orl/1.png", "orl/2.png"}.error(), "holds one folder, orl"));
  CHECK(
      contains(Photos{"a/x_1.png", "b/x_2.png", "x_3.png"}.error(), "outside of its sub-folders"));
  const Photos photos{"a/1.png", "b/1.png"};
  CHECK(contains(photos.error({.layout = "folders"}),
                 "no layout 'folders'; there are auto, class-folders, file-names, parts, "
                 "identity-file, attribute-file, csv"));
  CHECK(catalogue_layouts().front() == "auto");
  for (const char* layout : {"identity-file", "attribute-file", "csv"}) {
    CHECK(contains(photos.error({.layout = layout}), "needs a text file"));
  }
  for (const char* layout : {"class-folders", "file-names", "parts"}) {
    CHECK(contains(photos.error("x", layout), "takes no text file"));
  }
  CHECK(contains(photos.error({.attribute = "Hat"}), "class-folders knows no attributes"));
  CHECK(contains(photos.error("a 1\n", "identity-file", "Hat"), "knows no attributes"));
}

TEST_CASE("catalogue: a file of identities, in its order") {
  const Photos photos{"000001.png", "000002.png", "000003.png"};
  const std::string text =
      "\xef\xbb\xbf"
      "000002.png 2880\r\n\r\n000001.png\t  7\r\n";
  for (const char* layout : {"auto", "identity-file"}) {
    const Catalogue catalogue = photos.open({.layout = layout, .labels = photos.file(text)});
    CHECK(catalogue.layout == "identity-file");
    CHECK(told(catalogue) == Strings{"000002.png: 2880", "000001.png: 7"});
    CHECK(catalogue.labels.classes == Strings{"2880", "7"});
  }
  const auto error = [&](const std::string& list) { return photos.error(list, "identity-file"); };
  CHECK(contains(error("000001.png 7\n000002.png\n"), "list.txt, line 2: expects an image and an"));
  // The list of a whole data set beside a part of its images.
  const std::string whole = "000009.png 8\n000003.png 8\n000008.png 9\n000001.png 7\n";
  const Catalogue part = photos.open({.layout = "identity-file", .labels = photos.file(whole)});
  CHECK(told(part) == Strings{"000003.png: 8", "000001.png: 7"});
  CHECK(part.labels.classes == Strings{"7", "8"});  // none of images that are not there
  CHECK(contains(error("000009.png 8\n000008.png 9\n"),
                 "list.txt names 2 images, and none of them is in"));
  CHECK(contains(error("000001.png 7\n000001.png 7"), "line 2: 000001.png has had a line before"));
  CHECK(contains(error("\n"), "names no image"));
  CHECK(contains(error("000001.png gr\xfcn\n"), "000001.png is of the class"));
  CHECK(contains(photos.error({.labels = photos.folder() / "none.txt"}), "cannot read"));
  CHECK(contains(photos.error("three words here\n", "auto"), "list.txt, line 1: is neither"));
}

TEST_CASE("catalogue: one attribute of a file of many") {
  const Photos photos{"000001.png", "000002.png", "000003.png", "more/000004.png"};
  const std::string head = "4\r\nBlurry  Eyeglasses Smiling \r\n";
  const std::string text = head +
                           "000001.png -1  1 -1\r\n000002.png  1 -1 -1\n"
                           "more/000004.png -1 -1  1\n";
  for (const char* layout : {"auto", "attribute-file"}) {
    const auto open = [&](const char* attribute) {
      return told(
          photos.open({.layout = layout, .labels = photos.file(text), .attribute = attribute}));
    };
    CHECK(open("Eyeglasses") ==
          Strings{"000001.png: yes", "000002.png: no", "more/000004.png: no"});
    CHECK(open("Blurry") == Strings{"000001.png: no", "000002.png: yes", "more/000004.png: no"});
    CHECK(open("Smiling") == Strings{"000001.png: no", "000002.png: no", "more/000004.png: yes"});
  }
  const auto error = [&](const std::string& list) {
    return photos.error(list, "attribute-file", "Eyeglasses");
  };
  CHECK(contains(photos.error(text, "attribute-file", "Hat"),
                 "no attribute 'Hat'; it has Blurry, Eyeglasses, Smiling"));
  CHECK(contains(photos.error(text, "auto"), "needs the name of an attribute"));
  CHECK(contains(error(head + "000001.png -1 0 1\n"), "list.txt, line 3: expects an image and 3"));
  CHECK(contains(error(head + "000001.png -1 1\n"), "list.txt, line 3: expects an image and 3"));
  CHECK(told(photos.open({.labels = photos.file(head + "\n9.png -1 1 1\n000002.png -1 1 1\n"),
                          .attribute = "Eyeglasses"})) == Strings{"000002.png: yes"});
  CHECK(contains(error(head + "\n000009.png -1 1 1\n"), "names 1 images, and none of them"));
  CHECK(attribute_names(photos.file(text)) == Strings{"Blurry", "Eyeglasses", "Smiling"});
  CHECK(attribute_names(photos.file("000001.png 7\n")).empty());
  CHECK(attribute_names(photos.file("000001.png,7\n")).empty());
  CHECK(contains(error_of([&] { attribute_names(photos.folder() / "none.txt"); }), "cannot read"));
  CHECK(contains(error("Blurry Eyeglasses\n000001.png -1 1\n"), "line 1: expects the number of"));
  CHECK(contains(error(head), "names no image"));
}

TEST_CASE("catalogue: a file of paths and classes") {
  const Photos photos{"a.png", "b/two.png"};
  const std::string text = "path,label\nphotos/b/two.png,old\nphotos/a.png,very young\n";
  for (const char* layout : {"auto", "csv"}) {
    const Catalogue catalogue = photos.open({.layout = layout, .labels = photos.file(text)});
    CHECK(catalogue.layout == "csv");
    CHECK(told(catalogue) == Strings{"a.png: very young", "b/two.png: old"});
  }
  const auto error = [&](const std::string& list) { return photos.error(list, "csv"); };
  CHECK(contains(error("photos/a.png,x\n"), "has no line for"));
  CHECK(contains(error("photos/a.png,x\nphotos/b/two.png\n"), "line 2: expects path,class"));
  CHECK(contains(error("photos/a.png,x\nphotos/b/two.png,\n"),
                 "b/two.png is of a class without a name"));
}

TEST_CASE("catalogue: broken images are left out for good, or are errors when loaded") {
  const Photos photos{"train/a/1.png", "train/b/1.png", "train/b/2.png", "test/a/1.png"};
  write_bytes(photos.folder() / "train/b/1.png", "nonsense");
  write_bytes(photos.folder() / "test/c/1.png", "");
  const Catalogue strict = photos.open();
  CHECK(strict.size() == 5);
  CHECK(contains(error_of([&] { get(strict, 1); }), "c/1.png: an empty file"));
  CHECK(contains(error_of([&] { get(strict, 3); }), "b/1.png: not an image"));
  const ContextScope scope;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    const Catalogue lenient = photos.open({.folder = {.skip_broken = true, .cache_bytes = 0}});
    CHECK(told(lenient) == Strings{"test/a/1.png: a", "train/a/1.png: a", "train/b/2.png: b"});
    CHECK(lenient.labels.classes == Strings{"a", "b"});
    CHECK(lenient.parts == std::vector<Part>{Part::test, Part::train, Part::train});
  }
  // What breaks later is an error: another image in its place might be one that was held out.
  const Catalogue lenient = photos.open({.folder = {.skip_broken = true, .cache_bytes = 0}});
  write_bytes(photos.folder() / "train/a/1.png", "nonsense");
  CHECK(contains(error_of([&] { get(lenient, 1); }), "a/1.png: not an image"));
  CHECK(get(lenient, 2) == Photos::picture("train/b/2.png"));
  write_bytes(photos.folder() / "train/b/2.png", "nonsense");
  write_bytes(photos.folder() / "test/a/1.png", "nonsense");
  CHECK(contains(photos.error({.folder = {.skip_broken = true}}), "none of the 5 images"));
}

TEST_CASE("a crop takes a part of the middle square, in folders and catalogues") {
  const TemporaryFolder scratch;
  const Image image = noise(16, 12);  // its middle square begins at (2, 0)
  write_bytes(scratch / "a/1.png", png(image));
  write_bytes(scratch / "b/1.png", png(noise(12, 12, 1)));
  const FaceCrop lower{.x = 0.25, .y = 0.5, .side = 0.5};
  const Image expected = crop(image, {5, 6, 6, 6});
  for (const int size : {6, 3, 10}) {
    const Catalogue catalogue =
        open_catalogue(scratch.path(), {.folder = {.size = size, .crop = lower}});
    CHECK(get(catalogue, 0) == resize(expected, size, size));
    CHECK(face_square(image, lower, size) == resize(expected, size, size));
    CHECK(face_square(image, {}, size) == square(image, size));
  }
  // To whole pixels, at least one, within the image.
  CHECK(face_square(image, {0.999, 0.999, 0.001}, 1) == crop(image, {13, 11, 1, 1}));
  CHECK(face_square(image, {0, 0, 1}, 12) == centre_crop(image));
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  for (const FaceCrop& wrong :
       {FaceCrop{0.6, 0, 0.5}, FaceCrop{0, 0.2, 0.9}, FaceCrop{-0.1, 0, 0.5},
        FaceCrop{0, -0.1, 0.5}, FaceCrop{0, 0, 0}, FaceCrop{nan, 0, 0.5}, FaceCrop{0, 0, nan}}) {
    CHECK(contains(error_of([&] { FolderDataset(scratch.path(), {.size = 8, .crop = wrong}); }),
                   "leaves the image"));
    CHECK(contains(error_of([&] { face_square(image, wrong, 8); }), "leaves the image"));
  }
}

TEST_CASE("a folder data set of a list of files shows them in its order") {
  const Photos photos{"a.png", "b.png", "c.png"};
  const std::vector<fs::path> files = {photos.folder() / "c.png", photos.folder() / "a.png"};
  const FolderDataset listed(photos.folder(), files, {.size = 8});
  CHECK(listed.size() == 2);
  CHECK(listed.paths() == files);
  CHECK(contains(listed.describe(), "2 images of " + photos.folder().native()));
  Image image(8, 8);
  RandomStream augment(1);
  listed.get(0, augment, image.pixels.data());
  CHECK(image == Photos::picture("c.png"));
  listed.get(1, augment, image.pixels.data());
  CHECK(image == Photos::picture("a.png"));
  CHECK(contains(
      error_of([&] { FolderDataset(photos.folder(), std::vector<fs::path>{}, {.size = 8}); }),
      "no files to show"));
}
