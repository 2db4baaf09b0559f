// The header of a safetensors file, apart from any file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nn/named_tensors.h"

namespace imago {

struct SafetensorsEntry {
  std::string name;
  DType dtype;
  Shape shape;
  std::uint64_t begin, end;  // bytes from the start of the data
  bool half = false;         // the file holds F16, which becomes f32
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  // in the order of their data
  Metadata metadata;
};

// The upper bound that the format sets, in bytes.
constexpr std::uint64_t max_safetensors_header = 100'000'000;

// The JSON text, without padding, of a header for `tensors`; `order` becomes the order of the data.
// Throws on a reserved name and on text that is not UTF-8.
std::string make_safetensors_header(const NamedTensors& tensors, const Metadata& metadata,
                                    std::vector<const Tensor*>& order);

// Throws Error("[load_safetensors] FILE: ...") unless the text is a valid header for exactly
// `data_bytes` bytes of data: entries that neither overlap nor leave gaps, of known dtypes, whose
// shapes fit their sizes, no name twice.
SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_bytes,
                                           const std::string& file);

}  // namespace imago
