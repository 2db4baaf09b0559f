#include "data/folder.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>

#include "data/dataset.h"
#include "data/transform.h"
#include "pictures.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::data;
using namespace imago::data::test;
using namespace imago::test;

namespace {

std::vector<std::string> names(const TemporaryFolder& scratch) {
  std::vector<std::string> out;
  for (const auto& path : list_images(scratch.path())) {
    out.push_back(path.native().substr(scratch.path().native().size() + 1));
  }
  return out;
}

Image get(const Dataset& dataset, std::int64_t index) {
  Image image(dataset.image_size(), dataset.image_size());
  RandomStream augment(1);
  dataset.get(index, augment, image.pixels.data());
  return image;
}

}  // namespace

TEST_CASE("images at any depth are listed in the order of their bytes") {
  const TemporaryFolder scratch;
  const std::vector<std::string> expected = {"10.jpg",          "2.PNG", "Z.JpEg",      "a b.bmp",
                                             "a.pgm",           "b.ppm", "b/c/d/e.png", "b/x.jpg",
                                             "caf\xc3\xa9.png", "e.pnm", "\xff\xfe.png"};
  for (const auto& name : expected) write_bytes(scratch / name, "x");
  for (const char* other : {"notes.txt", "jpg", "x.jpg.bak", ".hidden.png", "._a.jpg",
                            ".thumbs/a.png", "b/Makefile", "png.gif"}) {
    write_bytes(scratch / other, "x");
  }
  fs::create_directories(scratch / "folder.png");
  ::mkfifo((scratch / "pipe.png").c_str(), 0600);  // opening it would wait for ever
  CHECK(names(scratch) == expected);
  CHECK(std::is_sorted(expected.begin(), expected.end()));
}

TEST_CASE("links are followed, cycles and second ways are not") {
  const TemporaryFolder scratch;
  write_bytes(scratch / "photos" / "a.png", "x");
  write_bytes(scratch / "outside" / "b.png", "x");
  fs::create_directory_symlink("../outside", scratch / "photos" / "more");
  fs::create_directory_symlink("..", scratch / "photos" / "up");
  fs::create_symlink("../outside/b.png", scratch / "photos" / "one.png");
  fs::create_symlink("nowhere", scratch / "photos" / "lost.png");
  const auto paths = list_images(scratch / "photos");
  REQUIRE(paths.size() == 4);
  CHECK(paths[0] == scratch / "photos/a.png");
  CHECK(paths[1] == scratch / "photos/lost.png");
  CHECK(paths[2] == scratch / "photos/more/b.png");
  CHECK(paths[3] == scratch / "photos/one.png");
}

TEST_CASE("missing, empty and wrong folders are errors by name") {
  const TemporaryFolder scratch;
  const auto error = [&](const fs::path& path) { return error_of([&] { list_images(path); }); };
  CHECK(contains(error(scratch / "none"), "none: no such folder"));
  write_bytes(scratch / "empty" / "deep" / "readme.txt", "x");
  CHECK(contains(error(scratch / "empty"), "empty: holds no image"));
  write_bytes(scratch / "a.png", "x");
  CHECK(contains(error(scratch / "a.png"), "a.png: is not a folder"));
}

TEST_CASE("FolderDataset gives cropped and resized images, cached or not") {
  const TemporaryFolder scratch;
  for (int i = 0; i < 6; ++i) {
    const auto key = static_cast<std::uint32_t>(i);
    write_bytes(scratch / (std::to_string(i) + ".png"), png(noise(20 + 7 * i, 50 - 5 * i, key)));
  }
  const std::size_t bytes = 16 * 16 * 3;
  const FolderDataset all(scratch.path(), {.size = 16});
  const FolderDataset none(scratch.path(), {.size = 16, .cache_bytes = 0});
  const FolderDataset some(scratch.path(), {.size = 16, .cache_bytes = 4 * bytes + 5});
  CHECK(all.size() == 6);
  CHECK(contains(all.describe(), "6 images of " + scratch.path().native() + " at 16 x 16"));
  CHECK(contains(some.describe(), "the first 4 are kept"));
  std::vector<Image> expected;
  for (int i = 0; i < 6; ++i) {
    expected.push_back(square(load_image(scratch / (std::to_string(i) + ".png")), 16));
  }
  for (int round = 0; round < 2; ++round) {
    for (const int i : {5, 0, 3, 1, 4, 2}) {
      CHECK(get(all, i) == expected[static_cast<std::size_t>(i)]);
      CHECK(get(none, i) == expected[static_cast<std::size_t>(i)]);
      CHECK(get(some, i) == expected[static_cast<std::size_t>(i)]);
    }
  }
  // With the files gone only the cache can answer.
  for (int i = 0; i < 6; ++i) fs::remove(scratch / (std::to_string(i) + ".png"));
  for (int i = 0; i < 6; ++i) {
    CHECK(get(all, i) == expected[static_cast<std::size_t>(i)]);
    CHECK(contains(error_of([&] { get(none, i); }), std::to_string(i) + ".png: cannot be opened"));
    if (i < 4) {
      CHECK(get(some, i) == expected[static_cast<std::size_t>(i)]);
    } else {
      CHECK_THROWS_AS(get(some, i), Error);
    }
  }
  CHECK(contains(error_of([&] { get(all, 6); }), "image 6 of 6"));
  CHECK(contains(error_of([&] { get(all, -1); }), "image -1 of 6"));
}

TEST_CASE("a broken image is an error, or on request replaced by the next good one") {
  const TemporaryFolder scratch;
  for (const char* good : {"b.png", "d.png"}) {
    write_bytes(scratch / good, png(noise(8, 8, static_cast<std::uint32_t>(good[0]))));
  }
  write_bytes(scratch / "a.png", "nonsense");
  write_bytes(scratch / "c.jpg", "");
  Bytes half = png(noise(8, 8));
  half.resize(half.size() / 2);
  write_bytes(scratch / "e.png", half);
  write_bytes(scratch / "f.png", "more nonsense");
  fs::create_symlink("nowhere", scratch / "g.png");
  const FolderDataset strict(scratch.path(), {.size = 8});
  CHECK(contains(error_of([&] { get(strict, 0); }), "a.png: not an image"));
  CHECK(contains(error_of([&] { get(strict, 2); }), "c.jpg: an empty file"));
  CHECK(contains(error_of([&] { get(strict, 4); }), "e.png: truncated"));
  CHECK(contains(error_of([&] { get(strict, 6); }), "g.png: cannot be opened"));
  const Image b = get(strict, 1), d = get(strict, 3);
  for (const std::size_t cache : {default_cache_bytes, std::size_t{0}}) {
    const FolderDataset lenient(scratch.path(),
                                {.size = 8, .skip_broken = true, .cache_bytes = cache});
    CHECK(lenient.size() == 7);
    for (int round = 0; round < 2; ++round) {
      for (const int i : {0, 1, 4, 5, 6}) CHECK(get(lenient, i) == b);  // 4 to 6 wrap around
      for (const int i : {2, 3}) CHECK(get(lenient, i) == d);
    }
  }
  fs::remove(scratch / "b.png");
  fs::remove(scratch / "d.png");
  const FolderDataset hopeless(scratch.path(), {.size = 8, .skip_broken = true});
  CHECK(contains(error_of([&] { get(hopeless, 0); }), "none of its 5 images can be loaded"));
}

TEST_CASE("a part of a folder replaces a broken image by one of its own") {
  const TemporaryFolder scratch;
  for (int i = 0; i < 6; ++i) {
    write_bytes(scratch / (std::to_string(i) + ".png"),
                png(noise(8, 8, static_cast<std::uint32_t>(i))));
  }
  const FolderDataset good(scratch.path(), {.size = 8});
  std::vector<Image> images;
  for (int i = 0; i < 6; ++i) images.push_back(get(good, i));
  // The last of each part.
  write_bytes(scratch / "3.png", "nonsense");
  write_bytes(scratch / "5.png", "nonsense");
  for (const std::size_t cache : {default_cache_bytes, std::size_t{0}}) {
    const FolderDataset whole(scratch.path(),
                              {.size = 8, .skip_broken = true, .cache_bytes = cache});
    const FolderDataset first(whole, 0, 4), last(whole, 4, 6);
    CHECK(first.size() == 4);
    CHECK(last.size() == 2);
    CHECK(last.paths() == std::vector<fs::path>{scratch / "4.png", scratch / "5.png"});
    CHECK(contains(first.describe(), "4 of 6 images of " + scratch.path().native() + " at 8 x 8"));
    CHECK(contains(whole.describe(), "6 images of "));
    CHECK_FALSE(contains(whole.describe(), " of 6 images"));
    CHECK(get(whole, 3) == images[4]);
    CHECK(get(whole, 5) == images[0]);
    for (int round = 0; round < 2; ++round) {
      for (const int i : {0, 1, 2}) CHECK(get(first, i) == images[static_cast<std::size_t>(i)]);
      CHECK(get(first, 3) == images[0]);
      CHECK(get(last, 0) == images[4]);
      CHECK(get(last, 1) == images[4]);
    }
    const FolderDataset hopeless(whole, 5, 6);
    CHECK(contains(error_of([&] { get(hopeless, 0); }),
                   "none of its 1 images of this part can be loaded"));
    CHECK(contains(error_of([&] { FolderDataset(whole, 4, 4); }), "not a part of 6 images"));
    CHECK(contains(error_of([&] { FolderDataset(whole, 4, 7); }), "not a part of 6 images"));
    CHECK(contains(error_of([&] { FolderDataset(whole, -1, 2); }), "not a part of 6 images"));
  }
}

TEST_CASE("a size out of range is an error") {
  const TemporaryFolder scratch;
  write_bytes(scratch / "a.png", png(noise(8, 8)));
  for (const int size : {0, -1, 100000}) {
    CHECK(contains(error_of([&] { FolderDataset(scratch.path(), {.size = size}); }), "image size"));
  }
}

TEST_CASE("FolderDataset of a list of files: these, in this order, cropped as asked") {
  const TemporaryFolder scratch;
  Image halves(8, 8);  // black and white
  for (int y = 0; y < 8; ++y) std::fill_n(halves.at(4, y), 12, std::uint8_t{255});
  const auto first = write_bytes(scratch / "z/1.png", png(halves));
  const auto second = write_bytes(scratch / "a/2.png", png(noise(4, 4, 2)));
  write_bytes(scratch / "a/other.png", png(noise(4, 4, 3)));
  const std::vector<std::filesystem::path> files = {first, second};
  for (const std::size_t cache_bytes : {std::size_t{0}, default_cache_bytes}) {
    const FolderDataset whole(scratch.path(), files, {.size = 4, .cache_bytes = cache_bytes});
    CHECK(whole.size() == 2);
    CHECK(whole.paths() == files);
    CHECK(whole.describe().starts_with("2 images of " + scratch.path().native() + " at 4 x 4"));
    CHECK(get(whole, 0) == square(halves, 4));
    CHECK(get(whole, 1) == noise(4, 4, 2));
    const FolderDataset right(scratch.path(), files,
                              {.size = 4, .crop = {0.5, 0.25, 0.5}, .cache_bytes = cache_bytes});
    for (int again = 0; again < 2; ++again) {
      const Image cropped = get(right, 0);
      CHECK(std::count(cropped.pixels.begin(), cropped.pixels.end(), 255) == 48);
      CHECK(get(right, 1) == resize(crop(noise(4, 4, 2), {2, 1, 2, 2}), 4, 4));
    }
    // A part keeps the crop.
    CHECK(get(FolderDataset(right, 1, 2), 0) == get(right, 1));
  }
  const std::vector<std::filesystem::path> none;
  CHECK(contains(error_of([&] { FolderDataset(scratch.path(), none, {}); }),
                 scratch.path().native() + ": there are no files to show"));
  for (const FaceCrop& bad :
       {FaceCrop{0.6, 0, 0.5}, FaceCrop{0, 0.6, 0.5}, FaceCrop{-0.1, 0, 0.5}, FaceCrop{0, 0, 0}}) {
    CHECK(contains(error_of([&] { FolderDataset(scratch.path(), {.crop = bad}); }),
                   "leaves the image"));
    CHECK(contains(error_of([&] { FolderDataset(scratch.path(), files, {.crop = bad}); }),
                   "leaves the image"));
  }
}
