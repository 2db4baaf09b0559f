#include "nn/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

namespace imago {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* metadata_key = "__metadata__";

struct DTypeName {
  DType dtype;
  const char* name;
};
// The first of a dtype is what is written; the last two are only read.
constexpr DTypeName dtype_names[] = {
    {DType::f32, "F32"}, {DType::f64, "F64"}, {DType::bf16, "BF16"}, {DType::i32, "I32"},
    {DType::i64, "I64"}, {DType::u8, "U8"},   {DType::f32, "F16"},   {DType::u8, "BOOL"}};

const char* name_in_file(DType dtype) {
  for (const auto& entry : dtype_names) {
    if (entry.dtype == dtype) return entry.name;
  }
  fail("save_safetensors", "has no name for ", dtype);
}

// What is wrong with a file; load adds its name.
class Complaint {
 public:
  explicit Complaint(const std::string& file) : file_(file) {}
  template <class... Parts>
  [[noreturn]] void operator()(const Parts&... parts) const {
    fail("load_safetensors", file_, ": ", parts...,
         "; the file is damaged or not a safetensors file");
  }

 private:
  const std::string& file_;
};

// Parses JSON, refusing a key that an object has twice (the parser alone would keep the last) and
// nesting that no header has.
Json parse_json(std::string_view text, const Complaint& complain) {
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > 4) complain("the header is nested too deeply");
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key) {
      if (!keys.back().insert(value.get<std::string>()).second) {
        complain("the name ", value.dump(), " occurs twice in the header");
      }
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), watch);
  } catch (const nlohmann::json::exception& e) {
    complain("the header is not valid JSON (", e.what(), ")");
  }
}

Metadata read_metadata(const Json& json, const Complaint& complain) {
  if (!json.is_object()) complain(metadata_key, " is not an object");
  Metadata metadata;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string())
      complain(metadata_key, " holds something else than text at '", key, "'");
    metadata.emplace(key, value.get<std::string>());
  }
  return metadata;
}

// A non-negative integer; JSON numbers with a fraction, a sign or more than 63 bits are none.
std::uint64_t read_size(const Json& json, const std::string& name, const Complaint& complain) {
  if (!json.is_number_unsigned()) {
    complain("'", name, "' has ", json.is_number() ? json.dump() : json.type_name(),
             " where a size belongs");
  }
  const auto value = json.get<std::uint64_t>();
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    complain("'", name, "' has ", value, " where a size belongs");
  }
  return value;
}

DType read_dtype(const Json& json, const std::string& name, const Complaint& complain,
                 const std::string& file) {
  if (!json.is_string()) complain("the dtype of '", name, "' is not text");
  for (const auto& entry : dtype_names) {
    if (json.get<std::string>() == entry.name) return entry.dtype;
  }
  fail("load_safetensors", file, ": '", name, "' has dtype ", json.dump(),
       "; this program reads F16, F32, F64, BF16, I32, I64, U8 and BOOL: convert it first");
}

SafetensorsEntry read_entry(const std::string& name, const Json& json, const std::string& file) {
  const Complaint complain(file);
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets")) {
    complain("'", name, "' needs dtype, shape and data_offsets and nothing else");
  }
  const DType dtype = read_dtype(json["dtype"], name, complain, file);
  const Json& extents = json["shape"];
  if (!extents.is_array()) complain("the shape of '", name, "' is not a list");
  if (extents.size() > static_cast<std::size_t>(Shape::max_dim)) {
    fail("load_safetensors", file, ": '", name, "' has ", extents.size(),
         " dimensions; this program reads up to ", Shape::max_dim);
  }
  const bool half = json["dtype"] == "F16";
  Shape shape;
  std::uint64_t bytes = half ? 2 : size_of(dtype);
  bool empty = false;
  for (const Json& extent : extents) {
    const std::uint64_t e = read_size(extent, name, complain);
    empty = empty || e == 0;
    // Also when some extent is 0: no partial product may overflow, here or in Shape.
    if (e != 0 && bytes > std::uint64_t{std::numeric_limits<std::int64_t>::max()} / 8 / e) {
      complain("the shape of '", name, "' is too large");
    }
    bytes *= e == 0 ? 1 : e;
    shape.append(static_cast<std::int64_t>(e));
  }
  if (empty) bytes = 0;
  const Json& offsets = json["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2) {
    complain("the data_offsets of '", name, "' are not a pair");
  }
  const std::uint64_t begin = read_size(offsets[0], name, complain);
  const std::uint64_t end = read_size(offsets[1], name, complain);
  if (end < begin || end - begin != bytes) {
    complain("'", name, "' ", shape, ' ', json["dtype"].get<std::string>(), " takes ", bytes,
             " bytes but its data_offsets are ", begin, " and ", end);
  }
  return {name, dtype, shape, begin, end, half};
}

}  // namespace

std::string make_safetensors_header(const NamedTensors& tensors, const Metadata& metadata,
                                    std::vector<const Tensor*>& order) {
  std::vector<const NamedTensors::value_type*> sorted;
  for (const auto& entry : tensors) {
    check(entry.second.defined(), "save_safetensors", "'", entry.first, "' is undefined");
    check(entry.first != metadata_key, "save_safetensors", "'", metadata_key,
          "' is reserved; give the tensor another name");
    sorted.push_back(&entry);
  }
  // Stable: by name within one element size.
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
    return size_of(a->second.dtype()) > size_of(b->second.dtype());
  });
  Json header = Json::object();
  if (!metadata.empty()) header[metadata_key] = metadata;
  std::uint64_t offset = 0;
  order.clear();
  for (const auto* entry : sorted) {
    const Tensor& t = entry->second;
    Json extents = Json::array();
    for (const std::int64_t e : t.shape()) extents.push_back(e);
    header[entry->first] = {{"dtype", name_in_file(t.dtype())},
                            {"shape", extents},
                            {"data_offsets", {offset, offset + t.nbytes()}}};
    offset += t.nbytes();
    order.push_back(&t);
  }
  try {
    return header.dump();
  } catch (const nlohmann::json::exception& e) {
    fail("save_safetensors", "names and metadata must be UTF-8 text (", e.what(), ")");
  }
}

SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_bytes,
                                           const std::string& file) {
  const Complaint complain(file);
  const Json json = parse_json(text, complain);
  if (!json.is_object()) complain("the header is not an object");
  SafetensorsHeader header;
  for (const auto& [name, value] : json.items()) {
    if (name == metadata_key) {
      header.metadata = read_metadata(value, complain);
    } else {
      header.entries.push_back(read_entry(name, value, file));
    }
  }
  std::sort(header.entries.begin(), header.entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  std::uint64_t position = 0;
  for (const auto& entry : header.entries) {
    if (entry.begin != position) {
      complain("the data of '", entry.name, "' starts at byte ", entry.begin, " where ", position,
               " is expected: entries overlap or leave a gap");
    }
    position = entry.end;
  }
  if (position != data_bytes) {
    complain("the header describes ", position, " bytes of data but there are ", data_bytes,
             position > data_bytes ? " (was it cut short while copying?)" : "");
  }
  return header;
}

}  // namespace imago
