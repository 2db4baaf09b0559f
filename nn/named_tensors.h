// Tensors by name: what state_dict() gives, load_state_dict() takes and a file holds.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "tensor/tensor.h"

namespace imago {

// Sorted by name, so that equal contents are written as equal bytes.
using NamedTensors = std::map<std::string, Tensor>;
using Metadata = std::map<std::string, std::string>;

// Entries under "prefix.": {"layers.0.weight", t} becomes {"g.layers.0.weight", t}. Shares memory.
void insert_under(NamedTensors& into, std::string_view prefix, const NamedTensors& tensors);
// Those entries of `from` whose name starts with "prefix.", without it. Empty when there are none.
NamedTensors entries_under(const NamedTensors& from, std::string_view prefix);

// Copies each tensor of `source` into the one of that name in `target`, in place: addresses stay.
// Strict: names, shapes and dtypes must agree one to one. Otherwise nothing is copied and the error
// names `what` and lists everything that is missing, unexpected or of another shape or dtype.
void copy_named(const char* what, const NamedTensors& source, NamedTensors target);

}  // namespace imago
