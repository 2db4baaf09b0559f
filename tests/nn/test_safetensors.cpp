#include "nn/safetensors.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <bit>
#include <csignal>
#include <cstring>
#include <limits>

#include "tests/kernels/random.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::test;

namespace {

// One tensor of each dtype, among them extreme values, a scalar and an empty one.
NamedTensors all_kinds() {
  const float inf = std::numeric_limits<float>::infinity();
  return {
      {"layers.0.weight", normals({3, 2, 2, 1}, DType::f32, 1)},
      {"f32", Tensor::from({0.0f, -0.0f, inf, std::nanf("7"), 1e-45f}, {5})},
      {"f64", Tensor::from({1.0 / 3, -1e308}, {2, 1})},
      {"bf16", normals({3}, DType::bf16, 2)},
      {"i32", Tensor::from<std::int32_t>({-1, std::numeric_limits<std::int32_t>::min()}, {2})},
      {"i64", Tensor::from<std::int64_t>({std::numeric_limits<std::int64_t>::max()}, {1})},
      {"u8", Tensor::from<std::uint8_t>({0, 255, 7}, {3})},
      {"scalar", Tensor::scalar(2.5)},
      {"empty", Tensor::zeros({0, 4})},
      {"na\"me \xc3\xa9", Tensor::scalar(1)},
  };
}

std::string with_header(const std::string& header, const std::string& data = "") {
  const auto length = static_cast<std::uint64_t>(header.size());
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  return file + header + data;
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

}  // namespace

TEST_CASE("safetensors: every dtype comes back bit for bit") {
  const TemporaryFolder folder;
  const NamedTensors tensors = all_kinds();
  const Metadata metadata{{"model", "dcgan"}, {"step", "12"}};
  save_safetensors(folder / "a.safetensors", tensors, metadata);
  const SafetensorsFile file = load_safetensors(folder / "a.safetensors");
  CHECK(file.metadata == metadata);
  CHECK(file.metadata_entry("model") == "dcgan");
  REQUIRE(file.tensors.size() == tensors.size());
  for (const auto& [name, tensor] : tensors) {
    CAPTURE(name);
    CHECK(same_bits(file.tensor(name), tensor));
  }
  CHECK(contains(error_of([&] { file.tensor("absent"); }), "a.safetensors"));
  CHECK(contains(error_of([&] { file.metadata_entry("absent"); }), "a.safetensors"));
  CHECK(contains(error_of([&] { file.group("absent"); }), "a.safetensors"));
}

TEST_CASE("safetensors: the layout is that of the format") {
  const TemporaryFolder folder;
  save_safetensors(folder / "a.safetensors",
                   {{"b", Tensor::from<std::uint8_t>({1, 2, 3}, {3})},
                    {"c", Tensor::from({1.0f}, {1})},
                    {"a", Tensor::from({2.0}, Shape{})}},
                   {{"k", "v"}});
  const std::string bytes = read_bytes(folder / "a.safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  CHECK(length % 8 == 0);  // so that the data is aligned
  std::string header = bytes.substr(8, length);
  header.erase(header.find_last_not_of(' ') + 1);
  CHECK(header ==
        R"({"__metadata__":{"k":"v"},"a":{"dtype":"F64","shape":[],"data_offsets":[0,8]},)"
        R"("c":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},)"
        R"("b":{"dtype":"U8","shape":[3],"data_offsets":[12,15]}})");
  REQUIRE(bytes.size() == 8 + length + 15);
  const double a = 2.0;
  const float c = 1.0f;
  CHECK(std::memcmp(&bytes[8 + length], &a, 8) == 0);
  CHECK(std::memcmp(&bytes[16 + length], &c, 4) == 0);
  CHECK(bytes.substr(20 + length) == "\1\2\3");
}

TEST_CASE("safetensors: equal contents are equal bytes") {
  const TemporaryFolder folder;
  save_safetensors(folder / "a", all_kinds(), {{"x", "1"}, {"y", "2"}});
  save_safetensors(folder / "b", all_kinds(), {{"y", "2"}, {"x", "1"}});
  const SafetensorsFile file = load_safetensors(folder / "a");
  save_safetensors(folder / "c", file.tensors, file.metadata);
  CHECK(read_bytes(folder / "a") == read_bytes(folder / "b"));
  CHECK(read_bytes(folder / "a") == read_bytes(folder / "c"));
  save_safetensors(folder / "empty", {});
  CHECK(load_safetensors(folder / "empty").tensors.empty());
}

TEST_CASE("safetensors: groups are prefixes") {
  const TemporaryFolder folder;
  const NamedTensors g{{"layers.0.weight", Tensor::full({2}, 1)}, {"x", Tensor::full({1}, 2)}};
  const NamedTensors d{{"layers.0.weight", Tensor::full({3}, 3)}};
  save(folder / "a.safetensors", {{"g", g}, {"d", d}}, {{"step", "3"}});
  const SafetensorsFile file = load_safetensors(folder / "a.safetensors");
  CHECK(file.tensors.contains("g.layers.0.weight"));
  CHECK(file.tensors.size() == 3);
  CHECK(file.group("g").size() == 2);
  CHECK(same_bits(file.group("g").at("layers.0.weight"), g.at("layers.0.weight")));
  CHECK(same_bits(file.group("d").at("layers.0.weight"), d.at("layers.0.weight")));
  save(folder / "b.safetensors", {{"g", g}});
  CHECK(load_safetensors(folder / "b.safetensors").tensors.size() == 2);
}

TEST_CASE("safetensors: a file cut short anywhere is an error that names it") {
  const TemporaryFolder folder;
  NamedTensors tensors = all_kinds();
  save_safetensors(folder / "whole", tensors, {{"k", "v"}});
  const std::string whole = read_bytes(folder / "whole");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write_bytes(folder / "cut", whole.substr(0, length));
    const std::string message = error_of([&] { load_safetensors(folder / "cut"); });
    CAPTURE(length);
    CHECK(contains(message, (folder / "cut").string()));
  }
  write_bytes(folder / "long", whole + "x");
  CHECK(contains(error_of([&] { load_safetensors(folder / "long"); }), "the header describes"));
}

TEST_CASE("safetensors: damage to the header gives the old contents, other ones or an error") {
  const TemporaryFolder folder;
  const NamedTensors tensors{{"a", Tensor::from({1.5, 2.5}, {2})},
                             {"b", Tensor::from<std::uint8_t>({1, 2, 3}, {3, 1})}};
  save_safetensors(folder / "whole", tensors, {{"k", "v"}});
  const std::string whole = read_bytes(folder / "whole");
  const std::size_t end = whole.size() - 19;
  int errors = 0, loads = 0;
  for (std::size_t i = 0; i < end; ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      write_bytes(folder / "damaged", damaged);
      CAPTURE(i);
      CAPTURE(bit);
      // A flipped bit in a name or a metadata value is a valid file; whatever loads must be whole.
      const std::string message = error_of([&] {
        const SafetensorsFile file = load_safetensors(folder / "damaged");
        loads += 1;
        for (const auto& [name, tensor] : file.tensors) {
          CHECK(tensor.defined());
          CHECK(tensor.nbytes() <= 19);
        }
      });
      if (!message.empty()) {
        errors += 1;
        CHECK(contains(message, (folder / "damaged").string()));
      }
    }
  }
  CHECK(errors > loads);
  CHECK(loads > 0);
  CHECK(errors + loads == static_cast<int>(8 * end));
}

TEST_CASE("safetensors: headers that lie are refused, saying why") {
  const TemporaryFolder folder;
  const auto complaint = [&](const std::string& bytes) {
    write_bytes(folder / "f", bytes);
    const std::string message = error_of([&] { load_safetensors(folder / "f"); });
    CHECK(contains(message, (folder / "f").string()));
    return message;
  };
  const auto header = [&](const std::string& text, std::size_t data = 8) {
    return complaint(with_header(text, std::string(data, 'x')));
  };
  const std::string good = entry("F32", "[2]", "[0,8]");
  write_bytes(folder / "f", with_header("{\"a\":" + good + "}   ", std::string(8, 'x')));
  CHECK(error_of([&] { load_safetensors(folder / "f"); }).empty());

  // Lengths.
  CHECK(contains(complaint("\xff\xff\xff\xff\xff\xff\xff\xff{}"), "the header claims"));
  CHECK(contains(complaint(std::string("\x00\x00\x00\x00\x00\x00\x00\x80{}", 10)), "claims"));
  CHECK(contains(complaint(std::string("\x03\0\0\0\0\0\0\0{}", 10)), "claims 3 bytes"));
  // Not JSON, not a header.
  CHECK(contains(header(""), "not valid JSON"));
  CHECK(contains(header("{\"a\":" + good), "not valid JSON"));
  CHECK(contains(header("{\"a\xff\":" + good + "}"), "not valid JSON"));
  CHECK(contains(header("[]"), "not an object"));
  CHECK(contains(header(std::string(50'000, '[')), "nested"));
  CHECK(contains(header(std::string(50'000, '[') + std::string(50'000, ']')), "nested"));
  CHECK(contains(header("{\"a\":" + good + ",\"a\":" + good + "}"), "twice"));
  CHECK(contains(header(R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})"),
                 "twice"));
  CHECK(contains(header(R"({"a":3})"), "needs dtype"));
  CHECK(contains(header(R"({"a":{"dtype":"F32","shape":[2]}})"), "needs dtype"));
  CHECK(contains(header("{\"__metadata__\":[],\"a\":" + good + "}"), "not an object"));
  CHECK(contains(header("{\"__metadata__\":{\"k\":1},\"a\":" + good + "}"), "else than text"));
  // Types and shapes.
  CHECK(contains(header("{\"a\":" + entry("F8_E4M3", "[8]", "[0,8]") + "}"), "convert it first"));
  CHECK(contains(header(R"({"a":{"dtype":1,"shape":[2],"data_offsets":[0,8]}})"), "not text"));
  for (const char* shape : {"[-2]", "[2.0]", "[2e0]", "[\"2\"]", "[null]", "[[2]]",
                            "[18446744073709551615]", "[9223372036854775808]", "[1e300]"}) {
    CAPTURE(shape);
    CHECK(contains(header("{\"a\":" + entry("F32", shape, "[0,8]") + "}"), "a size belongs"));
  }
  CHECK(contains(header("{\"a\":" + entry("F32", "2", "[0,8]") + "}"), "not a list"));
  CHECK(contains(header("{\"a\":" + entry("U8", "[4611686018427387904]", "[0,8]") + "}"),
                 "too large"));
  CHECK(contains(header("{\"a\":" + entry("F32", "[4294967296,4294967296]", "[0,8]") + "}"),
                 "too large"));
  CHECK(contains(header("{\"a\":" + entry("F32", "[0,4294967296,4294967296]", "[0,0]") + "}", 0),
                 "too large"));
  CHECK(contains(header("{\"a\":" + entry("F32", "[1,1,1,1,1,1,1,1,2]", "[0,8]") + "}"),
                 "9 dimensions"));
  CHECK(contains(header("{\"a\":" + entry("F32", "[3]", "[0,8]") + "}"), "takes 12 bytes"));
  // Offsets.
  CHECK(contains(header("{\"a\":" + entry("F32", "[2]", "[8,0]") + "}"), "data_offsets"));
  CHECK(contains(header("{\"a\":" + entry("F32", "[2]", "[0]") + "}"), "not a pair"));
  CHECK(contains(header("{\"a\":" + entry("F32", "[2]", "[0,-8]") + "}"), "a size belongs"));
  CHECK(contains(header("{\"a\":" + good + "}", 4), "cut short"));
  CHECK(contains(header("{\"a\":" + good + "}", 9), "the header describes 8 bytes"));
  CHECK(contains(header("{\"a\":" + entry("F32", "[2]", "[4,12]") + "}", 12), "gap"));
  CHECK(contains(header("{\"a\":" + good + ",\"b\":" + entry("F32", "[2]", "[4,12]") + "}", 12),
                 "overlap"));
  CHECK(contains(header("{\"a\":" + good + ",\"b\":" + good + "}"), "overlap"));
}

TEST_CASE("safetensors: what cannot be opened or saved is named") {
  const TemporaryFolder folder;
  CHECK(contains(error_of([&] { load_safetensors(folder / "absent"); }), "is the name right?"));
  CHECK(contains(error_of([&] { load_safetensors(folder / "."); }), "not a file"));
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(contains(error_of([&] { load_safetensors(folder / "pipe"); }), "not a file"));
  const NamedTensors one{{"a", Tensor::zeros({2})}};
  const std::string message = error_of([&] { save_safetensors(folder / "no/such/f", one); });
  CHECK(contains(message, (folder / "no/such/f").string()));
  CHECK(contains(message, "does the folder exist?"));
  CHECK(contains(error_of([&] { save_safetensors("", one); }), "not the name of a file"));
  CHECK(contains(error_of([&] {
                   save_safetensors(folder / "f", {{"__metadata__", Tensor::zeros({2})}});
                 }),
                 "reserved"));
  CHECK(contains(error_of([&] {
                   save_safetensors(folder / "f", {{"a", Tensor()}});
                 }),
                 "undefined"));
  CHECK(contains(error_of([&] {
                   save_safetensors(folder / "f", {{"a\xff", Tensor::zeros({2})}});
                 }),
                 "UTF-8"));
  CHECK(contains(error_of([&] { save_safetensors(folder / "f", one, {{"k", "\xff"}}); }), "UTF-8"));
  CHECK(folder.entries() == 1);  // the pipe: no leftovers
}

TEST_CASE("safetensors: a write that fails leaves the old file and no other") {
  const TemporaryFolder folder;
  save_safetensors(folder / "f", {{"a", Tensor::full({4}, 7)}});
  const std::string before = read_bytes(folder / "f");
  // A limit on the size of files stands in for a full disk.
  struct rlimit limit = {};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &limit) == 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small = {.rlim_cur = 4096, .rlim_max = limit.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const std::string message = error_of([&] {
    save_safetensors(folder / "f", {{"a", Tensor::zeros({4096})}});
  });
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  std::signal(SIGXFSZ, old_handler);
  CHECK(contains(message, (folder / "f").string()));
  CHECK(contains(message, "unchanged"));
  CHECK(read_bytes(folder / "f") == before);
  CHECK(folder.entries() == 1);
  // A folder in the way of the name.
  std::filesystem::create_directory(folder / "d");
  CHECK(contains(error_of([&] {
                   save_safetensors(folder / "d", {{"a", Tensor::zeros({1})}});
                 }),
                 "Is a directory"));
  CHECK(folder.entries() == 2);
}

TEST_CASE("safetensors: temporary files of a killed program are not in the way") {
  const TemporaryFolder folder;
  for (int i = 0; i < 50; ++i) {
    const std::string name = ".imago-" + std::to_string(::getpid()) + "-" + std::to_string(i);
    write_bytes(folder / (name + ".tmp"), "left over");
  }
  const NamedTensors one{{"a", Tensor::full({4}, 7)}};
  save_safetensors(folder / "f", one);
  CHECK(same_bits(load_safetensors(folder / "f").tensor("a"), one.at("a")));
  CHECK(folder.entries() == 51);
}
