#include "data/image_format.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace imago::data::format {
namespace {

bool starts_with(Bytes file, const char* magic, std::size_t n, std::size_t at = 0) {
  return file.size() >= at + n && std::memcmp(file.data() + at, magic, n) == 0;
}

std::uint32_t u16_le(Bytes b, std::size_t at) {
  return b[at] | b[at + 1] << 8;
}
std::uint32_t u16_be(Bytes b, std::size_t at) {
  return b[at + 1] | b[at] << 8;
}
std::uint32_t u32_le(Bytes b, std::size_t at) {
  return u16_le(b, at) | u16_le(b, at + 2) << 16;
}
std::uint32_t u32_be(Bytes b, std::size_t at) {
  return u16_be(b, at + 2) | u16_be(b, at) << 16;
}

// CRC-32 of ISO 3309, a table of one byte.
std::uint32_t crc32(Bytes bytes) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t c = i;
      for (int k = 0; k < 8; ++k) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
      t[i] = c;
    }
    return t;
  }();
  std::uint32_t c = 0xffffffffu;
  for (const std::uint8_t byte : bytes) c = table[(c ^ byte) & 0xff] ^ (c >> 8);
  return ~c;
}

// The orientation tag of a TIFF block; 1 when it is absent or the block makes no sense.
int tiff_orientation(Bytes tiff) {
  const bool little = starts_with(tiff, "II*\0", 4);
  if (!little && !starts_with(tiff, "MM\0*", 4)) return 1;
  const auto u16 = [&](std::size_t at) { return little ? u16_le(tiff, at) : u16_be(tiff, at); };
  const auto u32 = [&](std::size_t at) { return little ? u32_le(tiff, at) : u32_be(tiff, at); };
  if (tiff.size() < 8) return 1;
  const std::size_t ifd = u32(4);
  if (ifd + 2 > tiff.size()) return 1;
  const std::size_t entries = u16(ifd);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t at = ifd + 2 + 12 * i;
    if (at + 12 > tiff.size()) return 1;
    if (u16(at) != 0x0112) continue;
    const auto value = static_cast<int>(u16(at + 8));
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

Findings truncated(std::size_t bytes) {
  return {"truncated (the file ends after " + std::to_string(bytes) + " bytes)", 1};
}

}  // namespace

Kind kind_of(Bytes file) {
  if (starts_with(file, "\x89PNG\r\n\x1a\n", 8)) return Kind::png;
  if (starts_with(file, "\xff\xd8\xff", 3)) return Kind::jpeg;
  if (starts_with(file, "BM", 2)) return Kind::bmp;
  if (starts_with(file, "P5", 2) || starts_with(file, "P6", 2)) return Kind::pnm;
  return Kind::unknown;
}

std::string why_unknown(Bytes file) {
  if (file.empty()) return "an empty file";
  const char* known =
      starts_with(file, "RIFF", 4) && starts_with(file, "WEBP", 4, 8)             ? "WebP"
      : starts_with(file, "ftyphei", 7, 4) || starts_with(file, "ftypmif1", 8, 4) ? "HEIC"
      : starts_with(file, "ftypavif", 8, 4)                                       ? "AVIF"
      : starts_with(file, "GIF8", 4)                                              ? "GIF"
      : starts_with(file, "II*\0", 4) || starts_with(file, "MM\0*", 4)            ? "TIFF"
      : starts_with(file, "P2", 2) || starts_with(file, "P3", 2) ? "PGM or PPM as text"
                                                                 : nullptr;
  if (known) return std::string(known) + ", which is not supported";
  return "not an image (it starts like none of PNG, JPEG, BMP, binary PGM and PPM)";
}

Findings inspect_png(Bytes file) {
  Findings found;
  std::size_t at = 8;
  while (true) {
    if (at + 12 > file.size()) return truncated(file.size());
    const std::size_t length = u32_be(file, at);
    if (length > file.size() - at - 12) return truncated(file.size());
    const Bytes type = file.subspan(at + 4, 4);
    const bool critical = (type[0] & 0x20) == 0;
    if (critical && crc32(file.subspan(at + 4, 4 + length)) != u32_be(file, at + 8 + length)) {
      found.problem = "corrupt (the checksum of a part is wrong)";
      return found;
    }
    if (starts_with(type, "eXIf", 4)) {
      found.orientation = tiff_orientation(file.subspan(at + 8, length));
    }
    if (starts_with(type, "IEND", 4)) return found;
    at += 12 + length;
  }
}

Findings inspect_jpeg(Bytes file) {
  Findings found;
  std::size_t at = 2;
  while (true) {
    while (at < file.size() && file[at] == 0xff) ++at;  // the marker's first byte may repeat
    if (at + 3 > file.size()) return truncated(file.size());
    const std::uint8_t marker = file[at];
    const std::size_t length = u16_be(file, at + 1);
    if (file[at - 1] != 0xff || length < 2) {
      found.problem = "corrupt (a JPEG segment does not start where it should)";
      return found;
    }
    const std::size_t next = at + 1 + length;
    if (next > file.size()) return truncated(file.size());
    if (marker == 0xe1 && starts_with(file, "Exif\0\0", 6, at + 3) && length >= 8) {
      found.orientation = tiff_orientation(file.subspan(at + 9, length - 8));
    }
    at = next;
    if (marker == 0xda) break;
  }
  // Within coded data 0xff is followed by 0 or a restart marker, so this pair can only be the end.
  static constexpr std::uint8_t end[] = {0xff, 0xd9};
  const auto rest = file.subspan(at);
  if (std::search(rest.begin(), rest.end(), std::begin(end), std::end(end)) == rest.end()) {
    return truncated(file.size());
  }
  return found;
}

Findings inspect_bmp(Bytes file) {
  if (file.size() < 30) return truncated(file.size());
  const std::uint64_t offset = u32_le(file, 10);
  const bool old = u32_le(file, 14) == 12;
  if (!old && file.size() < 34) return truncated(file.size());
  const std::int64_t width = old ? u16_le(file, 18) : static_cast<std::int32_t>(u32_le(file, 18));
  const std::int64_t height = old ? u16_le(file, 20) : static_cast<std::int32_t>(u32_le(file, 22));
  const std::uint64_t bits = u16_le(file, old ? 24 : 28);
  const std::uint32_t compression = old ? 0 : u32_le(file, 30);
  if (width <= 0 || height == 0) return {"corrupt (the header states no pixels)", 1};
  if (compression != 0 && compression != 3) return {"a compressed BMP", 1};
  const std::uint64_t row = (static_cast<std::uint64_t>(width) * bits + 31) / 32 * 4;
  const auto rows = static_cast<std::uint64_t>(height < 0 ? -height : height);
  if (offset + row * rows > file.size()) return truncated(file.size());
  return {};
}

std::string decode_pnm(Bytes file, Image& out) {
  const int channels = file[1] == '6' ? 3 : 1;
  std::size_t at = 2;
  std::int64_t header[3];  // width, height, maxval
  for (std::int64_t& number : header) {
    const std::size_t before = at;
    for (; at < file.size(); ++at) {
      if (file[at] == '#') {
        while (at < file.size() && file[at] != '\n' && file[at] != '\r') ++at;
      }
      if (at == file.size() || !std::strchr(" \t\n\v\f\r", file[at])) break;
    }
    number = 0;
    const std::size_t digits = at;
    for (; at < file.size() && file[at] >= '0' && file[at] <= '9' && number <= max_pixels; ++at) {
      number = number * 10 + (file[at] - '0');
    }
    if (at == file.size()) return truncated(file.size()).problem;
    if (digits == before || at == digits)
      return "corrupt (its header has no width, height, maxval)";
  }
  at += 1;  // one white space ends the header
  const auto [width, height, maxval] = header;
  if (width < 1 || height < 1 || maxval < 1 || maxval > 65535) {
    return "corrupt (its header is out of range)";
  }
  if (width > max_pixels / height) return "too large";
  const std::size_t samples = static_cast<std::size_t>(width * height) * std::size_t(channels);
  const std::size_t size = maxval > 255 ? 2 : 1;
  if (at > file.size() || samples * size > file.size() - at) return truncated(file.size()).problem;

  out = Image(static_cast<int>(width), static_cast<int>(height));
  const auto top = static_cast<std::uint32_t>(maxval);
  for (std::size_t i = 0; i < samples; ++i) {
    const std::uint32_t raw = size == 2 ? u16_be(file, at + 2 * i) : file[at + i];
    const auto value = static_cast<std::uint8_t>((std::min(raw, top) * 255 + top / 2) / top);
    if (channels == 3) {
      out.pixels[i] = value;
    } else {
      std::fill_n(out.pixels.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, value);
    }
  }
  return {};
}

Image oriented(const Image& image, int orientation) {
  if (orientation == 1) return image;
  const int w = image.width, h = image.height;
  const bool turned = orientation >= 5;
  Image out(turned ? h : w, turned ? w : h, image.channels);
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      int sx = turned ? y : x, sy = turned ? x : y;
      if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8) {
        sx = w - 1 - sx;
      }
      if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7) {
        sy = h - 1 - sy;
      }
      std::copy_n(image.at(sx, sy), image.channels, out.at(x, y));
    }
  }
  return out;
}

}  // namespace imago::data::format
