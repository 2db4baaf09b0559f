#include "data/image.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "data/image_format.h"
#include "pictures.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::data;
using namespace imago::data::test;
using namespace imago::test;

namespace {

// What load_image makes of a one-channel image.
Image tripled(const Image& grey) {
  Image out(grey.width, grey.height);
  for (std::size_t i = 0; i < out.pixels.size(); ++i) out.pixels[i] = grey.pixels[i / 3];
  return out;
}

int largest_difference(const Image& a, const Image& b) {
  REQUIRE(a.width == b.width);
  REQUIRE(a.height == b.height);
  REQUIRE(a.pixels.size() == b.pixels.size());
  int worst = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) {
    worst = std::max(worst, std::abs(a.pixels[i] - b.pixels[i]));
  }
  return worst;
}

std::string load_error(const fs::path& path) {
  return error_of([&] { load_image(path); });
}

std::string decode_error(std::span<const std::uint8_t> file) {
  return error_of([&] { decode_image(file, "x"); });
}

// An EXIF block whose only entry is the orientation.
Bytes exif(int orientation, bool little) {
  Bytes b;
  const auto u16 = [&](int v) {
    b.push_back(static_cast<std::uint8_t>(little ? v : v >> 8));
    b.push_back(static_cast<std::uint8_t>(little ? v >> 8 : v));
  };
  const auto u32 = [&](int v) {
    u16(little ? v : v >> 16);
    u16(little ? v >> 16 : v);
  };
  b.assign(2, little ? 'I' : 'M');
  u16(42);
  u32(8);       // the first directory
  u16(2);       // of two entries
  u16(0x0100);  // image width, to be passed over
  u16(4);
  u32(1);
  u32(17);
  u16(0x0112);
  u16(3);
  u32(1);
  u16(orientation);
  u16(0);
  u32(0);
  return b;
}

Bytes with_exif(const Bytes& jpeg, const Bytes& tiff) {
  const auto length = tiff.size() + 8;
  Bytes segment = {0xff, 0xe1, static_cast<std::uint8_t>(length >> 8),
                   static_cast<std::uint8_t>(length)};
  for (const char c : {'E', 'x', 'i', 'f', '\0', '\0'}) {
    segment.push_back(static_cast<std::uint8_t>(c));
  }
  for (const std::uint8_t byte : tiff) segment.push_back(byte);
  Bytes out = jpeg;
  out.insert(out.begin() + 2, segment.begin(), segment.end());
  return out;
}

constexpr int sizes[][2] = {{1, 1}, {3, 2}, {64, 48}, {1000, 1}, {1, 777}, {5000, 3}};

}  // namespace

TEST_CASE("images survive PNG, BMP, PGM and PPM unchanged") {
  const TemporaryFolder scratch;
  for (const auto& [w, h] : sizes) {
    const Image colour = noise(w, h), grey = noise(w, h, 1, 1);
    save_png(scratch / "a.png", colour);
    CHECK(load_image(scratch / "a.png") == colour);
    save_png(scratch / "g.png", grey);
    CHECK(load_image(scratch / "g.png") == tripled(grey));
    CHECK(load_image(write_bytes(scratch / "a.bmp", bmp(colour))) == colour);
    CHECK(load_image(write_bytes(scratch / "a.ppm", pnm(colour))) == colour);
    CHECK(load_image(write_bytes(scratch / "g.pgm", pnm(grey))) == tripled(grey));
  }
}

TEST_CASE("smooth images survive JPEG almost unchanged") {
  const TemporaryFolder scratch;
  for (const auto& [w, h] : sizes) {
    const Image colour = ramp(w, h), grey = ramp(w, h, 1);
    CHECK(largest_difference(load_image(write_bytes(scratch / "a.jpg", jpeg(colour))), colour) <=
          6);
    CHECK(largest_difference(load_image(write_bytes(scratch / "g.jpg", jpeg(grey))),
                             tripled(grey)) <= 6);
  }
}

TEST_CASE("alpha is dropped, whatever it says") {
  const TemporaryFolder scratch;
  const Image rgba = noise(9, 7, 2, 4), grey_alpha = noise(9, 7, 3, 2);
  Image rgb(9, 7), grey(9, 7);
  for (std::size_t i = 0; i < 63; ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      rgb.pixels[3 * i + c] = rgba.pixels[4 * i + c];
      grey.pixels[3 * i + c] = grey_alpha.pixels[2 * i];
    }
  }
  CHECK(load_image(write_bytes(scratch / "a.png", png(rgba))) == rgb);
  CHECK(load_image(write_bytes(scratch / "b.png", png(grey_alpha))) == grey);
}

TEST_CASE("PGM and PPM headers: comments, other maxima, two bytes a sample") {
  const TemporaryFolder scratch;
  const Image colour = noise(5, 4);
  CHECK(load_image(write_bytes(scratch / "c.ppm", pnm(colour, "# 3 4 of a\n#\n"))) == colour);

  const Image ten =
      load_image(write_bytes(scratch / "ten.pgm", "P5 3 1 10\n" + std::string("\0\5\12", 3)));
  CHECK(ten.pixels == Bytes{0, 0, 0, 128, 128, 128, 255, 255, 255});
  const Image wide = load_image(
      write_bytes(scratch / "wide.pgm", "P5 3 1 65535\n" + std::string("\0\0\x80\0\xff\xff", 6)));
  CHECK(wide.pixels == Bytes{0, 0, 0, 128, 128, 128, 255, 255, 255});

  for (const char* header : {"P5 0 3 255\n", "P5 3 0 255\n", "P5 3 3 0\n", "P5 3 3 65536\n",
                             "P5 x 3 255\n", "P6 -3 3 255\n", "P5 3 3\nabcdefghijkl"}) {
    CAPTURE(header);
    CHECK(contains(load_error(write_bytes(scratch / "bad.pgm", header + std::string(99, 'x'))),
                   "corrupt"));
  }
  CHECK(contains(load_error(write_bytes(scratch / "huge.pgm", "P5 99999999 99999999 255\n....")),
                 "too large"));
}

TEST_CASE("content decides, not the extension; odd names are fine") {
  const TemporaryFolder scratch;
  const Image image = noise(6, 5);
  for (const char* name : {"actually.jpg", "UPPER.PNG", "no_extension", "two words.png",
                           "\xc3\xa9t\xc3\xa9 \xe4\xba\xba.png", "\xff\xfe broken utf8.png",
                           "-rf *.png", "new\nline.png"}) {
    CAPTURE(name);
    CHECK(load_image(write_bytes(scratch / name, png(image))) == image);
  }
}

TEST_CASE("what is no image is refused by name, with the reason and what to do") {
  const TemporaryFolder scratch;
  const auto refused = [&](const std::string& bytes, const char* reason) {
    const std::string error = load_error(write_bytes(scratch / "photos" / "x.jpg", bytes));
    CAPTURE(error);
    CHECK(error.starts_with("[load_image] "));
    CHECK(contains(error, "photos/x.jpg: "));
    CHECK(contains(error, reason));
    CHECK(contains(error, "delete it or convert it"));
  };
  refused("", "an empty file");
  refused("Dear diary, ...", "not an image");
  refused("GIF89a.......", "GIF, which is not supported");
  refused(std::string("RIFF\x10\0\0\0WEBPVP8 ", 16), "WebP, which is not supported");
  refused("P2\n1 1 255\n7\n", "as text");
  refused("B", "not an image");
  refused("\xff\xd8\xff", "truncated");
  refused("\xff\xd8\xff\xe0\x10 garbage garbage", "truncated");
  refused("\xff\xd8\xff" + std::string("\xe0\0\4..garbage", 13), "corrupt");
  CHECK(contains(load_error(scratch / "none.png"), "none.png: cannot be opened: No such file"));
  CHECK(contains(load_error(scratch.path()), ": cannot be read: Is a directory"));
}

TEST_CASE("every truncation of every format is an error") {
  const Image image = noise(7, 5);
  for (const Bytes& whole : {png(image), jpeg(image, 30), bmp(image), pnm(image)}) {
    CHECK(decode_image(whole, "whole").width == 7);
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const std::string error = decode_error(std::span(whole.data(), length));
      CAPTURE(length);
      CAPTURE(error);
      CHECK(error.starts_with("[load_image] x: "));
    }
  }
}

TEST_CASE("no damaged byte of a PNG passes unseen; none of any format crashes") {
  const Image image = noise(6, 4);
  const Bytes good = png(image);
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 0x10;
    CAPTURE(i);
    CHECK(decode_error(bad).starts_with("[load_image] x: "));
  }
  int decoded = 0, refused = 0;
  for (const Bytes& whole : {jpeg(image, 60), bmp(image), pnm(image)}) {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      Bytes bad = whole;
      bad[i] ^= static_cast<std::uint8_t>(1 << (i % 8));
      const std::string error = decode_error(bad);
      error.empty() ? ++decoded : ++refused;
    }
  }
  CHECK(decoded > 0);
  CHECK(refused > 0);
}

TEST_CASE("an image is turned as its EXIF orientation asks") {
  //                   a b c
  // 3 x 2 pixels:     d e f
  Image image(3, 2, 1);
  std::memcpy(image.pixels.data(), "abcdef", 6);
  const char* expected[] = {"abcdef", "cbafed", "fedcba", "defabc",
                            "adbecf", "daebfc", "fcebda", "cfbead"};
  for (int o = 1; o <= 8; ++o) {
    const Image turned = format::oriented(image, o);
    CAPTURE(o);
    CHECK(turned.width == (o < 5 ? 3 : 2));
    CHECK(turned.height == (o < 5 ? 2 : 3));
    CHECK(std::memcmp(turned.pixels.data(), expected[o - 1], 6) == 0);
  }

  const Bytes plain = jpeg(ramp(40, 24));
  const Image upright = decode_image(plain, "plain");
  for (int o = 0; o <= 9; ++o) {
    for (const bool little : {true, false}) {
      CAPTURE(o);
      CAPTURE(little);
      CHECK(decode_image(with_exif(plain, exif(o, little)), "o") ==
            format::oriented(upright, o >= 1 && o <= 8 ? o : 1));
    }
  }
  // A block cut short is no reason to lose the picture.
  for (std::size_t n = 0; n < 34; ++n) {
    Bytes tiff = exif(6, true);
    tiff.resize(n);
    const Image image_cut = decode_image(with_exif(plain, tiff), "cut");
    CHECK(image_cut.width * image_cut.height == 40 * 24);
  }
}

TEST_CASE("image_grid lays images out row by row") {
  Tensor images = Tensor::empty({3, 2, 4, 3}, DType::u8);
  auto* p = images.mutable_data<std::uint8_t>();
  for (int i = 0; i < 3 * 24; ++i) p[i] = static_cast<std::uint8_t>(i);
  const Image grid = image_grid(images, 2, 2, 3);
  CHECK(grid.width == 11);
  CHECK(grid.height == 7);
  CHECK(*grid.at(0, 0) == 0);
  CHECK(grid.at(3, 1)[2] == 23);
  CHECK(*grid.at(4, 0) == 255);  // the gap
  CHECK(*grid.at(7, 0) == 24);
  CHECK(*grid.at(0, 2) == 255);
  CHECK(*grid.at(0, 5) == 48);
  CHECK(*grid.at(7, 5) == 255);  // the empty cell
  CHECK(image_grid(images, 1, 3, 0).width == 12);
  CHECK(contains(error_of([&] { image_grid(images, 1, 2); }), "3 images do not fit into 1 x 2"));
  CHECK(contains(error_of([&] { image_grid(Tensor::zeros({1, 2, 2, 3}), 1, 1); }), "takes u8"));
  CHECK(contains(error_of([&] { image_grid(Tensor(), 1, 1); }), "nothing"));
}
