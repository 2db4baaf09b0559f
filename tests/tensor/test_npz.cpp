#include <doctest/doctest.h>
#include <zlib.h>

#include <array>
#include <cstring>

#include "tensor/files/npy.h"
#include "tensor/files/zip.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::test;

namespace {

struct Member {
  std::string name, contents;
  std::uint16_t method = 0;  // 8: deflate
  std::uint16_t flags = 0;
};

std::string little(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

std::string deflated(const std::string& contents) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(contents.size() + 1000, '\0');
  std::string in = contents;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// An archive written by another hand than save_npz.
std::string archive(const std::vector<Member>& members, const std::string& comment = "") {
  std::string file, directory;
  for (const Member& m : members) {
    const std::string data = m.method == 8 ? deflated(m.contents) : m.contents;
    const auto crc = crc32(0, reinterpret_cast<const Bytef*>(m.contents.data()),
                           static_cast<uInt>(m.contents.size()));
    const std::string common = little(m.flags, 2) + little(m.method, 2) + little(0, 4) +
                               little(crc, 4) + little(data.size(), 4) +
                               little(m.contents.size(), 4) + little(m.name.size(), 2);
    directory += "PK\1\2" + little(20, 2) + little(20, 2) + common + little(4, 2) +
                 std::string(10, '\0') + little(file.size(), 4) + m.name + little(77, 2) +
                 little(0, 2);
    file += "PK\3\4" + little(20, 2) + common + little(4, 2) + m.name + little(77, 2) +
            little(0, 2) + data;
  }
  return file + directory + "PK\5\6" + little(0, 4) + little(members.size(), 2) +
         little(members.size(), 2) + little(directory.size(), 4) + little(file.size(), 4) +
         little(comment.size(), 2) + comment;
}

// The bytes of an .npy.
std::string npy_of(const Tensor& t) {
  const TemporaryFolder folder;
  save_npy(folder / "x", t);
  return read_bytes(folder / "x");
}

NamedArrays some() {
  return {{"weights", Tensor::from({1.5f, -2.0f, 3.25f}, {3, 1})},
          {"labels", Tensor::from<std::int64_t>({4, 5}, {2})},
          {"a/b \xc3\xa9", Tensor::scalar(7, DType::u8)},
          {"empty", Tensor::zeros({0, 4}, DType::f64)}};
}

void check_equal(const NamedArrays& got, const NamedArrays& want) {
  REQUIRE(got.size() == want.size());
  for (const auto& [name, tensor] : want) {
    CAPTURE(name);
    REQUIRE(got.contains(name));
    CHECK(same_bits(got.at(name), tensor));
  }
}

class Attempt {
 public:
  NamedArrays load(const std::string& bytes) const {
    return load_npz(write_bytes(folder_ / "x.npz", bytes));
  }
  std::string complaint(const std::string& bytes) const {
    const std::string message = error_of([&] { load(bytes); });
    CHECK(contains(message, (folder_ / "x.npz").string()));
    return message;
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("npz: arrays come back by name, and equal arrays are equal bytes") {
  const TemporaryFolder folder;
  save_npz(folder / "a.npz", some());
  check_equal(load_npz(folder / "a.npz"), some());
  save_npz(folder / "b.npz", load_npz(folder / "a.npz"));
  CHECK(read_bytes(folder / "a.npz") == read_bytes(folder / "b.npz"));
  save_npz(folder / "none.npz", {});
  CHECK(load_npz(folder / "none.npz").empty());
}

TEST_CASE("npz: stored and deflated members of other programs are read") {
  const Attempt a;
  Tensor large = Tensor::empty({70000, 3}, DType::i32, Device::cpu());
  for (int i = 0; i < 210000; ++i) large.mutable_data<std::int32_t>()[i] = i % 1000 * (i % 37);
  NamedArrays want = some();
  want["large"] = large;
  for (const std::uint16_t method : {0, 8}) {
    std::vector<Member> members;
    for (const auto& [name, tensor] : want)
      members.push_back({name + ".npy", npy_of(tensor), method});
    check_equal(a.load(archive(members)), want);
    check_equal(a.load(archive(members, "a comment, PK\5\6 in it")), want);
  }
}

TEST_CASE("npz: sizes and offsets in 64 bits are written and read") {
  const TemporaryFolder folder;
  const std::string one = npy_of(Tensor::scalar(1)), two = npy_of(Tensor::zeros({5}));
  for (const std::uint64_t wide_from : {1, 200}) {
    FileReplacement file("test", folder / "x.npz");
    files::ZipWriter writer(file, wide_from);
    for (const auto& [name, contents] : {std::pair{"one.npy", one}, std::pair{"two.npy", two}}) {
      const std::array parts = {std::as_bytes(std::span(contents.data(), std::size_t{10})),
                                std::as_bytes(std::span(contents).subspan(10))};
      writer.add(name, parts);
    }
    writer.finish();
    file.commit();
    check_equal(load_npz(folder / "x.npz"),
                {{"one", Tensor::scalar(1)}, {"two", Tensor::zeros({5})}});
    // The record that only archives with wide numbers have.
    CHECK(contains(read_bytes(folder / "x.npz"), "PK\6\6"));
  }
}

TEST_CASE("npz: an archive cut short anywhere is an error that names it") {
  const Attempt a;
  const std::string whole =
      archive({{"x.npy", npy_of(Tensor::zeros({3}))}, {"y.npy", npy_of(Tensor::full({40}, 7)), 8}});
  CHECK(a.load(whole).size() == 2);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK(contains(a.complaint(whole.substr(0, length)), "cut short"));
  }
}

TEST_CASE("npz: a damaged bit is an error, or in a part that no reader needs") {
  const Attempt a;
  const NamedArrays want = {{"x", Tensor::from({1.0f, 2.0f, 3.0f}, {3})},
                            {"y", Tensor::full({40}, 7)}};
  const std::string whole =
      archive({{"x.npy", npy_of(want.at("x"))}, {"y.npy", npy_of(want.at("y")), 8}});
  int errors = 0, loads = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      CAPTURE(i);
      const std::string message = error_of([&] {
        // Names are not under a checksum; values are.
        const NamedArrays got = a.load(damaged);
        REQUIRE(got.size() == 2);
        for (const auto& [name, tensor] : got) {
          CHECK((same_bits(tensor, want.at("x")) || same_bits(tensor, want.at("y"))));
        }
        loads += 1;
      });
      if (message.empty()) continue;
      errors += 1;
      CHECK(contains(message, "x.npz"));
    }
  }
  CHECK(errors > 2 * loads);
  CHECK(loads > 0);
}

TEST_CASE("npz: what is no .npz is refused, saying what to do") {
  const Attempt a;
  const std::string one = npy_of(Tensor::scalar(1));
  CHECK(contains(a.complaint(""), "no .npz archive"));
  CHECK(contains(a.complaint(one), "use load_npy"));
  CHECK(contains(a.complaint(archive({{"readme.txt", "hello"}})), "is no array"));
  CHECK(contains(a.complaint(archive({{"x.npy", "hello"}})), "array 'x'"));
  CHECK(contains(a.complaint(archive({{"x.npy", one}, {"x.npy", one}})), "twice"));
  CHECK(contains(a.complaint(archive({{"x.npy", one, 0, 1}})), "encrypted"));
  CHECK(contains(a.complaint(archive({{"x.npy", one, 12}})), "method 12"));
  CHECK(contains(a.complaint(archive({{"x.npy", one + "x", 8}})), "bytes follow"));
  // Claims to hold a terabyte.
  const std::string shape = "{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,)}";
  CHECK(contains(
      a.complaint(archive(
          {{"x.npy", std::string("\x93NUMPY\1\0", 8) + little(shape.size(), 2) + shape, 8}})),
      "cut short"));
  // Sizes of the deflated member: less and more than it holds, and impossible.
  const std::string good = archive({{"x.npy", one, 8}});
  const std::size_t size_at = good.find("PK\1\2") + 24;
  for (const std::uint64_t size : {one.size() - 1, one.size() + 1, std::size_t{4000000000}}) {
    std::string wrong = good;
    wrong.replace(size_at, 4, little(size, 4));
    CAPTURE(size);
    CHECK_FALSE(a.complaint(wrong).empty());
  }
  std::string wrong = good;
  wrong[good.find("PK\1\2") + 16] ^= 1;  // the checksum
  CHECK(contains(a.complaint(wrong), "checksum"));
}

TEST_CASE("npz: what cannot be saved is named and leaves nothing behind") {
  const TemporaryFolder folder;
  CHECK(contains(error_of([&] { load_npz(folder / "absent"); }), "is the name right?"));
  CHECK(contains(error_of([&] {
                   save_npz(folder / "x.npz", {{"a", Tensor::zeros({2}, DType::bf16)}});
                 }),
                 "array 'a': NumPy has no type like bf16"));
  CHECK(contains(error_of([&] {
                   save_npz(folder / "x.npz", {{"", Tensor::scalar(1)}});
                 }),
                 "a name must be"));
  CHECK(
      contains(error_of([&] { save_npz(folder / "no/x.npz", some()); }), "does the folder exist?"));
  CHECK(folder.entries() == 0);
}
