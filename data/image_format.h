// What load_image must know about file formats beyond decoding: which format it is, whether the
// file is whole, how the camera was held. The decoder alone fills the missing part of a truncated
// image with zeros.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/image.h"

namespace imago::data::format {

using Bytes = std::span<const std::uint8_t>;

enum class Kind { png, jpeg, bmp, pnm, unknown };

Kind kind_of(Bytes file);
// Why a file of Kind::unknown cannot be used: "an empty file", "WebP, which is not supported", ...
std::string why_unknown(Bytes file);

struct Findings {
  std::string problem;  // why the file cannot be used; empty if nothing was found
  int orientation = 1;  // EXIF 2.3, tag 0x0112: 1 (as stored) .. 8
};

// PNG (ISO 15948): chunks up to IEND, checksums of the critical ones.
Findings inspect_png(Bytes file);
// JPEG (ITU T.81): segments up to the first scan, an end-of-image marker after it.
Findings inspect_jpeg(Bytes file);
// BMP: the pixels that the header announces are there.
Findings inspect_bmp(Bytes file);

// Decodes binary PGM (P5) and PPM (P6) of any maxval up to 65535, scaled to 0 .. 255. Returns the
// problem, empty if there was none.
std::string decode_pnm(Bytes file, Image& out);

// Turns an image as EXIF orientation 1 .. 8 asks for.
Image oriented(const Image& image, int orientation);

}  // namespace imago::data::format
