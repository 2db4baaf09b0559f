// Files of named tensors in the safetensors format, which Python reads and writes too:
// 8 bytes header length (little-endian), a JSON header
//     {"__metadata__": {"key": "text"}, "name": {"dtype": "F32", "shape": [2, 3],
//      "data_offsets": [0, 24]}, ...}
// padded with spaces to a multiple of 8, then the data of all tensors without gaps.
// https://github.com/huggingface/safetensors describes it.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "nn/named_tensors.h"

namespace imago {

// The contents of one file.
struct SafetensorsFile {
  std::filesystem::path path;  // for error messages
  NamedTensors tensors;        // on the CPU
  Metadata metadata;

  // The tensors under "prefix.", without it; throws when there are none.
  NamedTensors group(const std::string& prefix) const;
  // Throws, naming the file, when there is no such entry.
  const Tensor& tensor(const std::string& name) const;
  const std::string& metadata_entry(const std::string& key) const;
};

// Writes to a temporary file in the same folder, syncs and renames it: a file of that name is
// replaced whole or not at all, whatever goes wrong. Equal tensors and metadata give equal bytes.
// Larger element types come first in the file, so that every tensor is aligned to its element size.
// Throws Error naming the file and what to do (missing folder, no space, no permission); names and
// metadata must be UTF-8, and "__metadata__" is no name for a tensor.
void save_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                      const Metadata& metadata = {});

// Several sets under prefixes: save("dcgan.safetensors", {{"g", G.state_dict()}, ...}) names them
// "g.layers.0.weight". Reading back: G.load_state_dict(load_safetensors(path).group("g")).
void save(const std::filesystem::path& path, const std::map<std::string, NamedTensors>& groups,
          const Metadata& metadata = {});

// Reads a whole file. F16 becomes f32, which holds every half exactly, and BOOL becomes u8.
// Everything in the file is checked before it is believed; a broken or foreign one throws Error
// naming the file and what is wrong with it.
SafetensorsFile load_safetensors(const std::filesystem::path& path);

}  // namespace imago
