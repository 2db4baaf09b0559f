#include "tensor/files/npy_header.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <sstream>

namespace imago::files {
namespace {

struct Type {
  std::string_view name;  // without the byte order
  DType dtype;
  Storage storage;
};
constexpr Type types[] = {{"f4", DType::f32, Storage::as_is}, {"f8", DType::f64, Storage::as_is},
                          {"i4", DType::i32, Storage::as_is}, {"i8", DType::i64, Storage::as_is},
                          {"u1", DType::u8, Storage::as_is},  {"f2", DType::f32, Storage::half},
                          {"b1", DType::u8, Storage::boolean}};

std::uint64_t size_in_file(DType dtype, Storage storage) {
  return storage == Storage::half ? 2 : size_of(dtype);
}

// Reads the one kind of dictionary that NumPy writes, in any order and spacing.
class Parser {
 public:
  Parser(const char* op, const std::string& where, std::string_view text)
      : op_(op), where_(where), rest_(text) {}

  NpyHeader run() {
    NpyHeader header;
    bool descr = false, order = false, shape = false;
    const auto once = [&](bool& seen, const std::string& key) {
      if (seen) damaged("the key '", key, "' is there twice");
      seen = true;
    };
    require('{');
    while (!take('}')) {
      const std::string key = text();
      require(':');
      if (key == "descr") {
        once(descr, key);
        read_type(header);
      } else if (key == "fortran_order") {
        once(order, key);
        header.fortran = boolean();
      } else if (key == "shape") {
        once(shape, key);
        read_shape(header.shape);
      } else {
        damaged("the key '", key, "' is unknown");
      }
      if (!take(',')) {
        require('}');
        break;
      }
    }
    skip_spaces();
    if (!rest_.empty()) damaged("text follows the dictionary");
    if (!descr || !order || !shape) damaged("descr, fortran_order or shape is missing");
    return header;
  }

 private:
  template <class... Parts>
  [[noreturn]] void damaged(const Parts&... parts) const {
    fail(op_, where_, ": the header is wrong: ", parts...,
         "; the file is damaged or no array that numpy.save wrote: save it again");
  }

  void skip_spaces() {
    const auto end = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
  }
  bool take(char c) {
    skip_spaces();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void require(char c) {
    if (!take(c)) damaged("'", c, "' is expected where '", rest_.substr(0, 12), "' stands");
  }
  std::string text() {
    skip_spaces();
    const char quote = rest_.empty() ? '\0' : rest_[0];
    if (quote != '\'' && quote != '"') damaged("a name is expected at '", rest_.substr(0, 12), "'");
    const auto end = rest_.find(quote, 1);
    if (end == std::string_view::npos) damaged("a quote is not closed");
    const std::string found(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return found;
  }
  bool boolean() {
    skip_spaces();
    for (const auto& [name, value] : {std::pair{"True", true}, std::pair{"False", false}}) {
      if (!rest_.starts_with(name)) continue;
      rest_.remove_prefix(std::string_view(name).size());
      return value;
    }
    damaged("fortran_order is neither True nor False");
  }

  void read_type(NpyHeader& header) {
    skip_spaces();
    if (rest_.starts_with("[")) {
      fail(op_, where_, ": the array has several fields; save each as an array of its own");
    }
    const std::string descr = text();
    const char order = descr.empty() ? '\0' : descr[0];
    const std::string name = descr.substr(descr.empty() ? 0 : 1);
    for (const Type& type : types) {
      const bool single = size_in_file(type.dtype, type.storage) == 1;
      if (name != type.name || (order != '<' && order != '>' && !(single && order == '|')))
        continue;
      header.dtype = type.dtype;
      header.storage = type.storage;
      header.swapped = order == '>' && !single;
      return;
    }
    fail(op_, where_, ": elements of NumPy's type '", descr,
         "' cannot be read; there are float16, float32, float64, int32, int64, uint8 and bool: "
         "convert it in Python with array.astype(numpy.float32) and save it again");
  }

  void read_shape(Shape& shape) {
    require('(');
    std::uint64_t bytes = 8;  // of the largest element: no product may overflow, here or in Shape
    for (bool comma = true; !take(')');) {
      if (!comma) damaged("the shape lacks a comma");
      skip_spaces();
      std::int64_t extent = 0;
      const char* begin = rest_.data();
      const auto [end, error] = std::from_chars(begin, begin + rest_.size(), extent);
      if (error != std::errc() || extent < 0) {
        damaged("the shape has '", rest_.substr(0, 12), "' where a size belongs");
      }
      rest_.remove_prefix(static_cast<std::size_t>(end - begin));
      if (rest_.starts_with("L")) rest_.remove_prefix(1);  // Python 2 wrote 3L
      if (shape.dim() == Shape::max_dim) {
        fail(op_, where_, ": the array has more than ", Shape::max_dim,
             " dimensions; reshape it in Python and save it again");
      }
      const auto factor = static_cast<std::uint64_t>(std::max<std::int64_t>(extent, 1));
      if (factor > std::uint64_t{std::numeric_limits<std::int64_t>::max()} / bytes) {
        damaged("the shape is too large");
      }
      bytes *= factor;
      shape.append(extent);
      comma = take(',');
      if (shape.dim() == 1 && !comma) damaged("the shape is no tuple");
    }
  }

  const char* op_;
  const std::string& where_;
  std::string_view rest_;
};

}  // namespace

std::uint64_t NpyHeader::bytes() const {
  return static_cast<std::uint64_t>(shape.numel()) * size_in_file(dtype, storage);
}

std::string make_npy_header(const char* op, const std::string& where, const Tensor& tensor) {
  check(tensor.defined(), op, where, ": the tensor is undefined");
  const auto* type = std::find_if(std::begin(types), std::end(types), [&](const Type& t) {
    return t.dtype == tensor.dtype() && t.storage == Storage::as_is;
  });
  check(type != std::end(types), op, where, ": NumPy has no type like ", tensor.dtype(),
        "; cast it to f32 first");
  std::ostringstream text;
  text << "{'descr': '" << (size_of(tensor.dtype()) == 1 ? '|' : '<') << type->name
       << "', 'fortran_order': False, 'shape': (";
  for (int i = 0; i < tensor.dim(); ++i) {
    text << (i > 0 ? ", " : "") << tensor.size(i) << (tensor.dim() == 1 ? "," : "");
  }
  text << "), }";
  std::string dictionary = text.str();
  constexpr std::size_t fixed = 10;  // magic, version, length
  dictionary.append(63 - (fixed + dictionary.size()) % 64, ' ');
  dictionary += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(dictionary.size() & 0xff);
  header += static_cast<char>(dictionary.size() >> 8);
  return header + dictionary;
}

NpyHeader parse_npy_header(const char* op, const std::string& where, std::string_view text) {
  return Parser(op, where, text).run();
}

}  // namespace imago::files
