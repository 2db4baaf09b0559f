#include "tensor/files/npy.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::test;

namespace {

// One tensor of each dtype that NumPy has too, extreme values, a scalar and empty ones among them.
NamedArrays all_kinds() {
  const float inf = std::numeric_limits<float>::infinity();
  return {
      {"f32", Tensor::from({0.0f, -0.0f, inf, std::nanf("7"), 1e-45f, 1.5f}, {2, 3})},
      {"f64", Tensor::from({1.0 / 3, -1e308}, {2, 1})},
      {"i32", Tensor::from<std::int32_t>({-1, std::numeric_limits<std::int32_t>::min()}, {2})},
      {"i64", Tensor::from<std::int64_t>({std::numeric_limits<std::int64_t>::max()}, {1, 1, 1})},
      {"u8", Tensor::from<std::uint8_t>({0, 255, 7}, {3})},
      {"scalar", Tensor::scalar(2.5)},
      {"empty", Tensor::zeros({0, 4})}};
}

std::string npy(const std::string& dictionary, const std::string& data = "", char version = 1) {
  std::string file = std::string("\x93NUMPY") + version + '\0';
  const auto length = static_cast<std::uint32_t>(dictionary.size());
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) {
    file += static_cast<char>(length >> (8 * i) & 0xff);
  }
  return file + dictionary + data;
}

std::string dictionary(const std::string& descr, const std::string& shape,
                       const std::string& fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
}

template <class T>
std::string bytes_of(std::initializer_list<T> values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.begin(), bytes.size());
  return bytes;
}

// Loads a file of these bytes; its error names the file.
class Attempt {
 public:
  Tensor load(const std::string& bytes) const {
    return load_npy(write_bytes(folder_ / "x.npy", bytes));
  }
  std::string complaint(const std::string& bytes) const {
    const std::string message = error_of([&] { load(bytes); });
    CHECK(contains(message, (folder_ / "x.npy").string()));
    return message;
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("npy: every dtype comes back bit for bit") {
  const TemporaryFolder folder;
  for (const auto& [name, tensor] : all_kinds()) {
    CAPTURE(name);
    save_npy(folder / name, tensor);
    CHECK(same_bits(load_npy(folder / name), tensor));
  }
  save_npy(folder / "f32", Tensor::scalar(1));  // replaces
  CHECK(load_npy(folder / "f32").dim() == 0);
}

TEST_CASE("npy: the bytes are those that numpy.save writes") {
  const TemporaryFolder folder;
  save_npy(folder / "x", Tensor::from<std::int32_t>({1, -2, 3, 4, 5, 6}, {2, 3}));
  const std::string text = "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }";
  CHECK(read_bytes(folder / "x") ==
        npy(text + std::string(117 - text.size(), ' ') + "\n", bytes_of({1, -2, 3, 4, 5, 6})));
  save_npy(folder / "x", Tensor::from<std::uint8_t>({7}, {1}));
  CHECK(contains(read_bytes(folder / "x"), "'descr': '|u1'"));
  CHECK(contains(read_bytes(folder / "x"), "'shape': (1,), }"));
  save_npy(folder / "x", Tensor::scalar(1));
  CHECK(contains(read_bytes(folder / "x"), "'shape': (), }"));
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{1000000, 1}, Shape{1, 1, 1, 1, 1, 1, 1, 1}}) {
    save_npy(folder / "x", Tensor::zeros(shape, DType::u8));
    CHECK((read_bytes(folder / "x").size() - static_cast<std::size_t>(shape.numel())) % 64 == 0);
  }
}

TEST_CASE("npy: versions, spellings and byte orders") {
  const Attempt a;
  const std::string two = bytes_of({1.5f, -2.0f});
  const Tensor expected = Tensor::from({1.5f, -2.0f}, {2});
  for (const char version : {'\1', '\2', '\3'}) {
    CHECK(same_bits(a.load(npy(dictionary("<f4", "(2,)"), two, version)), expected));
  }
  for (const char* text : {R"({"shape":(2,),"fortran_order":False,"descr":"<f4"})",
                           "  { 'fortran_order' : False , 'descr': '<f4', 'shape': ( 2 , ) } \n\n",
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (2L,), }"}) {
    CAPTURE(text);
    CHECK(same_bits(a.load(npy(text, two)), expected));
  }
  const Tensor big =
      a.load(npy(dictionary(">f4", "(2,)"), std::string("\x3f\xc0\0\0\xc0\0\0\0", 8)));
  CHECK(same_bits(big, expected));
  const Tensor wide = a.load(npy(dictionary(">i8", "()"), std::string("\0\0\0\0\0\0\1\2", 8)));
  CHECK(same_bits(wide, Tensor::from<std::int64_t>({258}, {})));
}

TEST_CASE("npy: halves become f32 and truth values u8") {
  const Attempt a;
  const std::string halves = bytes_of<std::uint16_t>({0x3c00, 0xc000, 0x0001, 0x7c00, 0x8000});
  const Tensor t = a.load(npy(dictionary("<f2", "(5,)"), halves));
  const float inf = std::numeric_limits<float>::infinity();
  CHECK(same_bits(t, Tensor::from({1.0f, -2.0f, 0x1p-24f, inf, -0.0f}, {5})));
  CHECK(same_bits(a.load(npy(dictionary(">f2", "(1,)"), "\x3c\x01")),
                  Tensor::from({1.0009765625f}, {1})));
  CHECK(same_bits(a.load(npy(dictionary("|b1", "(3,)"), std::string("\1\0\xff", 3))),
                  Tensor::from<std::uint8_t>({1, 0, 1}, {3})));
}

TEST_CASE("npy: Fortran order is rearranged") {
  const Attempt a;
  // Columns one after the other.
  const std::string columns = bytes_of<std::int32_t>({0, 10, 1, 11, 2, 12});
  CHECK(same_bits(a.load(npy(dictionary("<i4", "(2, 3)", "True"), columns)),
                  Tensor::from<std::int32_t>({0, 1, 2, 10, 11, 12}, {2, 3})));
  CHECK(same_bits(a.load(npy(dictionary("<i4", "(6,)", "True"), columns)),
                  Tensor::from<std::int32_t>({0, 10, 1, 11, 2, 12}, {6})));
  std::string cube;
  for (int k = 0; k < 4; ++k) {
    for (int j = 0; j < 3; ++j) {
      for (int i = 0; i < 2; ++i) cube += static_cast<char>(100 * i + 10 * j + k);
    }
  }
  const Tensor t = a.load(npy(dictionary("|u1", "(2, 3, 4)", "True"), cube));
  REQUIRE(t.shape() == Shape{2, 3, 4});
  for (int i = 0; i < 24; ++i) {
    CHECK(int{t.data<std::uint8_t>()[i]} == 100 * (i / 12) + 10 * (i / 4 % 3) + i % 4);
  }
}

TEST_CASE("npy: a file cut short anywhere is an error that names it") {
  const Attempt a;
  for (const char version : {'\1', '\2'}) {
    const std::string whole = npy(dictionary("<f8", "(2, 2)"), bytes_of({1., 2., 3., 4.}), version);
    CHECK(a.load(whole).numel() == 4);
    for (std::size_t length = 0; length < whole.size(); ++length) {
      CAPTURE(length);
      a.complaint(whole.substr(0, length));
    }
    CHECK(contains(a.complaint(whole.substr(0, whole.size() - 1)), "cut short"));
    CHECK(contains(a.complaint(whole + "x"), "1 bytes follow the array"));
    CHECK(contains(a.complaint(whole + whole), "numpy.savez"));
  }
}

TEST_CASE("npy: headers that lie or hold what is not here are refused, saying what to do") {
  const Attempt a;
  const auto header = [&](const std::string& text) {
    return a.complaint(npy(text, std::string(8, 'x')));
  };
  CHECK(contains(a.complaint("P6 1 1 255 "), "is not an array that numpy.save wrote"));
  CHECK(contains(a.complaint("PK\3\4 and more"), "use load_npz"));
  CHECK(contains(a.complaint(npy(dictionary("<f8", "()"), std::string(8, 'x'), '\4')), "4.0"));
  for (const char* text :
       {"",
        "3",
        "{",
        "{}",
        "{'descr': '<f4'}",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 2}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2.0,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} and more",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}",
        "{'descr': <f4, 'fortran_order': False, 'shape': (2,)}",
        "{'descr' '<f4', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 4)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9223372036854775807, 4)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}"}) {
    CAPTURE(text);
    CHECK(contains(header(text), "the header is wrong"));
    CHECK(contains(header(text), "save it again"));
  }
  for (const char* type :
       {"<i2", "|i1", "<u4", "<c8", "<U3", "|O", "|S8", "<M8[s]", "f4", "<b2", "", "<f4, "}) {
    CAPTURE(type);
    CHECK(contains(header(dictionary(type, "(1,)")), "astype(numpy.float32)"));
  }
  CHECK(contains(header("{'descr': [('a', '<f4'), ('b', '<f4')], 'fortran_order': False, "
                        "'shape': (1,)}"),
                 "several fields"));
  CHECK(contains(header(dictionary("<f8", "(1, 1, 1, 1, 1, 1, 1, 1, 1)")), "more than 8"));
  CHECK(contains(header(dictionary("<f8", "(1000,)")), "takes 8000 bytes but there are 8"));
}

TEST_CASE("npy: a damaged byte gives other contents or an error that names the file") {
  const Attempt a;
  const std::string whole = npy(dictionary("<f4", "(2, 1)"), bytes_of({1.5f, 2.5f}));
  int errors = 0;
  for (std::size_t i = 0; i + 8 < whole.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      const std::string message = error_of([&] {
        const Tensor t = a.load(damaged);
        CHECK(t.nbytes() == 8);
      });
      CHECK((message.empty() || contains(message, "x.npy")));
      errors += message.empty() ? 0 : 1;
    }
  }
  CHECK(errors > 400);
}

TEST_CASE("npy: what cannot be opened or saved is named, and nothing is left behind") {
  const TemporaryFolder folder;
  CHECK(contains(error_of([&] { load_npy(folder / "absent"); }), "is the name right?"));
  CHECK(contains(error_of([&] { load_npy(folder / "."); }), "not a file"));
  const std::string message = error_of([&] { save_npy(folder / "no/x.npy", Tensor::scalar(1)); });
  CHECK(contains(message, (folder / "no/x.npy").string()));
  CHECK(contains(message, "does the folder exist?"));
  CHECK(contains(error_of([&] { save_npy(folder / "b", Tensor::zeros({2}, DType::bf16)); }),
                 "cast it to f32 first"));
  CHECK(contains(error_of([&] { save_npy(folder / "b", Tensor()); }), "undefined"));
  CHECK(folder.entries() == 0);
}
