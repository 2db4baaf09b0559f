#include "nn/import_map.h"

#include <doctest/doctest.h>

#include "kernels/elementwise/elementwise.h"
#include "nn/layers.h"
#include "nn/safetensors.h"
#include "tests/kernels/random.h"
#include "tests/nn/goldens.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::nn;
using namespace imago::test;

namespace {

// In PyTorch: Conv2d(2, 4, 3) 0, BatchNorm2d(4) 1, ConvTranspose2d(4, 3, (2, 2)) 2, Flatten 3,
// Linear(3 * 4 * 4, 5) 4, for images of 5 x 5.
Sequential network() {
  Sequential net;
  net.add(Conv2d({.in = 2, .out = 4, .kernel = 3}))
      .add(BatchNorm2d({.channels = 4}))
      .add(ConvTranspose2d({.in = 4, .out = 3, .kernel = 2}))
      .add(Flatten())
      .add(Linear({.in = 3 * 4 * 4, .out = 5}));
  return net;
}

ImportMap map_of(const std::string& prefix = "") {
  return {{prefix + "0", "layers.0", PytorchLayer::conv},
          {prefix + "1", "layers.1", PytorchLayer::batch_norm},
          {prefix + "2", "layers.2", PytorchLayer::conv},
          {prefix + "4", "layers.4", PytorchLayer::linear, {.h = 4, .w = 4, .c = 3}}};
}

NamedTensors state_of_pytorch(DType dtype = DType::f32) {
  NamedTensors state = {
      {"0.weight", normals({4, 2, 3, 3}, dtype, 1)}, {"0.bias", normals({4}, dtype, 2)},
      {"1.weight", normals({4}, dtype, 3)},          {"1.bias", normals({4}, dtype, 4)},
      {"1.running_mean", normals({4}, dtype, 5)},    {"1.running_var", normals({4}, dtype, 6)},
      {"2.weight", normals({4, 3, 2, 2}, dtype, 7)}, {"2.bias", normals({3}, dtype, 8)},
      {"4.weight", normals({5, 48}, dtype, 9)},      {"4.bias", normals({5}, dtype, 10)}};
  state["1.num_batches_tracked"] = Tensor::full({}, 17, DType::i64);
  return state;
}

NamedTensors without_counter(NamedTensors state) {
  state.erase("1.num_batches_tracked");
  return state;
}

// Element (i, j, k, l) on the host; of a matrix (i, j).
float at(const Tensor& t, std::int64_t i, std::int64_t j, std::int64_t k = 0, std::int64_t l = 0) {
  const Tensor host = t.to(Device::cpu());
  const std::int64_t flat =
      t.dim() == 2 ? i * t.size(1) + j : ((i * t.size(1) + j) * t.size(2) + k) * t.size(3) + l;
  return host.data<float>()[flat];
}

std::string complaint(Module& net, const ImportMap& map, const NamedTensors& state) {
  return error_of([&] { load_pytorch(net, map, state); });
}

}  // namespace

TEST_CASE("import: each weight lands where its layout says") {
  Sequential net = network();
  const NamedTensors theirs = state_of_pytorch();
  load_pytorch(net, map_of(), theirs);
  const NamedTensors ours = net.state_dict();
  bool conv = true, transposed = true, linear = true;
  for (int k = 0; k < 4; ++k) {
    for (int c = 0; c < 2; ++c) {
      for (int i = 0; i < 9; ++i) {
        conv = conv && at(ours.at("layers.0.weight"), k, i / 3, i % 3, c) ==
                           at(theirs.at("0.weight"), k, c, i / 3, i % 3);
      }
    }
    for (int c = 0; c < 3; ++c) {
      for (int i = 0; i < 4; ++i) {
        transposed = transposed && at(ours.at("layers.2.weight"), k, i / 2, i % 2, c) ==
                                       at(theirs.at("2.weight"), k, c, i / 2, i % 2);
      }
    }
  }
  for (int o = 0; o < 5; ++o) {
    for (int c = 0; c < 3; ++c) {
      for (int i = 0; i < 16; ++i) {
        linear = linear && at(ours.at("layers.4.weight"), o, 3 * i + c) ==
                               at(theirs.at("4.weight"), o, 16 * c + i);
      }
    }
  }
  CHECK(conv);
  CHECK(transposed);
  CHECK(linear);
  for (const char* name :
       {"0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "2.bias", "4.bias"}) {
    CHECK(same_bits(ours.at(std::string("layers.") + name), theirs.at(name)));
  }
}

TEST_CASE("import: PyTorch's own flattened weight becomes ours") {
  const SafetensorsFile file = load_goldens("layers.safetensors");
  Sequential net;  // x (2, 3, 4, 5): images of 3 x 4 with 5 channels
  net.add(Flatten()).add(Linear({.in = 60, .out = 6}));
  net.to(DType::f64);
  load_pytorch(net, {{"fc", "layers.1", PytorchLayer::linear, {.h = 3, .w = 4, .c = 5}}},
               {{"fc.weight", file.tensor("flatten_linear.w_chw")},
                {"fc.bias", file.tensor("flatten_linear.b")}});
  CHECK(same_bits(net.state_dict().at("layers.1.weight"), file.tensor("flatten_linear.w")));
  check_close("y", net(file.tensor("flatten_linear.x")).tensor(), file.tensor("flatten_linear.y"),
              1e-14);
}

TEST_CASE("import: rows that become images are counted C, H, W in PyTorch") {
  Sequential net;
  net.add(Linear({.in = 3, .out = 2 * 2 * 5})).add(BatchNorm2d({.channels = 20}));
  const ImageShape image{.h = 2, .w = 2, .c = 5};
  Tensor numbers = Tensor::empty({20}, DType::f32, Device::cpu());
  for (int i = 0; i < 20; ++i) numbers.mutable_data<float>()[i] = static_cast<float>(i);
  load_pytorch(net,
               {{"a", "layers.0", PytorchLayer::linear, {}, image},
                {"b", "layers.1", PytorchLayer::batch_norm, {}, image}},
               {{"a.weight", normals({20, 3}, DType::f32, 1)},
                {"a.bias", numbers},
                {"b.weight", numbers},
                {"b.bias", numbers},
                {"b.running_mean", numbers},
                {"b.running_var", numbers}});
  for (const auto& [name, tensor] : net.state_dict()) {
    CAPTURE(name);
    if (tensor.dim() != 1) continue;
    bool right = true;
    for (int i = 0; i < 20; ++i) {
      right = right &&
              tensor.to(Device::cpu()).data<float>()[i] == static_cast<float>(i % 5 * 4 + i / 5);
    }
    CHECK(right);
  }
  const Tensor theirs = normals({20, 3}, DType::f32, 1),
               ours = net.state_dict().at("layers.0.weight");
  for (int i = 0; i < 20; ++i) CHECK(at(ours, i, 1) == at(theirs, i % 5 * 4 + i / 5, 1));
}

TEST_CASE("import: what is exported comes back, and is named and laid out as PyTorch's") {
  Sequential net = network(), other = network();
  const NamedTensors theirs = state_of_pytorch();
  load_pytorch(net, map_of(), theirs);
  const NamedTensors exported = to_pytorch(net, map_of());
  REQUIRE(exported.size() == theirs.size());
  for (const auto& [name, tensor] : theirs) {
    CAPTURE(name);
    REQUIRE(exported.contains(name));
    if (name == "1.num_batches_tracked") {
      CHECK(same_bits(exported.at(name), Tensor::full({}, 0, DType::i64)));
    } else {
      CHECK(same_bits(exported.at(name), tensor));
    }
  }
  const TemporaryFolder folder;
  save_pytorch(net, map_of("main."), folder / "net.safetensors");
  CHECK(load_safetensors(folder / "net.safetensors").metadata_entry("format") == "pt");
  load_pytorch(other, map_of("main."), folder / "net.safetensors");
  for (const auto& [name, tensor] : net.state_dict()) {
    CHECK(same_bits(tensor, other.state_dict().at(name)));
  }
}

TEST_CASE("import: floating dtypes become those of the module") {
  for (const DType dtype : {DType::bf16, DType::f64, DType::f32}) {
    for (const DType inside : {DType::f32, DType::f64}) {
      Sequential net = network();
      net.to(inside);
      const NamedTensors theirs = state_of_pytorch(dtype);
      load_pytorch(net, map_of(), theirs);
      const NamedTensors ours = net.state_dict();
      CHECK(same_bits(ours.at("layers.1.running_mean"),
                      kernels::cast(theirs.at("1.running_mean"), inside)));
      CHECK(ours.at("layers.0.weight").dtype() == inside);
    }
  }
  // An older PyTorch, or one without running averages of their number.
  Sequential net = network();
  load_pytorch(net, map_of(), without_counter(state_of_pytorch()));
}

TEST_CASE("import: what does not fit is listed by PyTorch's name, and nothing changes") {
  Sequential net = network();
  const Tensor before = net.state_dict().at("layers.0.weight").clone();
  NamedTensors wrong = state_of_pytorch();
  wrong.erase("0.bias");
  wrong["2.weight"] = Tensor::zeros({4, 2, 2, 3});
  wrong["4.bias"] = Tensor::zeros({5}, DType::i64);
  wrong["1.bias"] = Tensor();
  wrong["5.weight"] = Tensor::zeros({5, 5});
  wrong["4.num_batches_tracked"] = Tensor::full({}, 0, DType::i64);  // of no batch norm
  const std::string message = complaint(net, map_of(), wrong);
  CHECK(contains(message, "[load_pytorch]"));
  CHECK(contains(message, "missing: 0.bias (4,), our layers.0.bias"));
  CHECK(
      contains(message, "different: 2.weight should be (4, 3, 2, 2) f32 but is (4, 2, 2, 3) f32"));
  CHECK(contains(message, "different: 4.bias should be (5,) f32 but is (5,) i64"));
  CHECK(contains(message, "different: 1.bias should be (4,) f32 but is undefined"));
  CHECK(contains(message, "unexpected: 5.weight (5, 5) f32"));
  CHECK(contains(message, "unexpected: 4.num_batches_tracked"));
  CHECK(contains(message, "of another width?"));
  CHECK_FALSE(contains(message, " 0.weight"));
  CHECK(same_bits(before, net.state_dict().at("layers.0.weight")));

  CHECK(contains(complaint(net, map_of("main."), state_of_pytorch()), "another prefix"));
  const TemporaryFolder folder;
  save_safetensors(folder / "x.safetensors", wrong = without_counter(state_of_pytorch()));
  load_pytorch(net, map_of(), folder / "x.safetensors");
  const std::string file =
      error_of([&] { load_pytorch(net, map_of("main."), folder / "x.safetensors"); });
  CHECK(contains(file, (folder / "x.safetensors").string()));
}

TEST_CASE("import: a tensor that no layer owns goes by its whole name") {
  class Scaled final : public Module {
   public:
    Scaled() {
      add_parameter("gain", Tensor::zeros({3, 4}));
      add_child("norm", BatchNorm2d({.channels = 4}));
    }
    Var forward(const Var& x) override { return x; }
  };
  Sequential net;
  net.add(Scaled());
  const ImportMap map = {{"a.gain.weight", "layers.0.gain", PytorchLayer::tensor},
                         {"a.norm", "layers.0.norm", PytorchLayer::batch_norm}};
  NamedTensors theirs = {{"a.gain.weight", normals({3, 4}, DType::f32, 1)}};
  for (const char* name : {"weight", "bias", "running_mean", "running_var"}) {
    theirs[std::string("a.norm.") + name] = normals({4}, DType::f32, 2);
  }
  load_pytorch(net, map, theirs);
  CHECK(same_bits(net.state_dict().at("layers.0.gain"), theirs.at("a.gain.weight")));
  const NamedTensors exported = to_pytorch(net, map);
  CHECK(exported.size() == theirs.size() + 1);  // and num_batches_tracked
  CHECK(same_bits(exported.at("a.gain.weight"), theirs.at("a.gain.weight")));
  theirs.erase("a.gain.weight");
  CHECK(contains(complaint(net, map, theirs), "missing: a.gain.weight (3, 4), our layers.0.gain"));
  ImportMap wrong = map;
  wrong[0].ours = "layers.0.bias";
  CHECK(contains(complaint(net, wrong, theirs), "no tensor 'layers.0.bias'"));
  wrong[0] = map[0];
  wrong[0].in = {.h = 1, .w = 1, .c = 4};
  CHECK(contains(complaint(net, wrong, theirs), "no kind that takes an image shape"));
}

TEST_CASE("import: a map that does not fit its module is a mistake that is named") {
  Sequential net = network();
  const NamedTensors state = state_of_pytorch();
  const auto with = [](std::size_t i, const ImportedLayer& layer) {
    ImportMap map = map_of();
    map[i] = layer;
    return map;
  };
  ImportMap shorter = map_of();
  shorter.pop_back();
  CHECK(contains(complaint(net, shorter, state), "does not say what 'layers.4.bias' is"));
  CHECK(contains(complaint(net, with(0, {"0", "layers.9", PytorchLayer::conv}), state),
                 "nothing under 'layers.9.'"));
  CHECK(contains(complaint(net, with(2, {"2", "layers.0", PytorchLayer::conv}), state), "twice"));
  CHECK(contains(complaint(net, with(3, {"0", "layers.4", PytorchLayer::linear}), state), "twice"));
  CHECK(contains(complaint(net, with(3, {"4", "layers.4", PytorchLayer::conv}), state),
                 "no weight of a convolution"));
  CHECK(contains(complaint(net, with(0, {"0", "layers.0", PytorchLayer::linear}), state),
                 "belongs to no linear layer"));
  CHECK(contains(complaint(net, with(0, {"0", "layers.0", PytorchLayer::batch_norm}), state),
                 "belongs to no batch norm"));
  const ImageShape image{.h = 4, .w = 4, .c = 4};
  CHECK(contains(complaint(net, with(3, {"4", "layers.4", PytorchLayer::linear, image}), state),
                 "has 48 values in but images of 4 x 4 x 4"));
  CHECK(contains(complaint(net, with(0, {"0", "layers.0", PytorchLayer::conv, image}), state),
                 "takes no image shape"));
  // Forgetting the channels is a mistake too, not "no image".
  const ImageShape flat{.h = 6, .w = 8};
  CHECK(contains(complaint(net, with(3, {"4", "layers.4", PytorchLayer::linear, flat}), state),
                 "has 48 values in but images of 6 x 8 x 0"));
  CHECK(contains(complaint(net, with(0, {"0", "layers.0", PytorchLayer::conv, flat}), state),
                 "takes no image shape"));
  CHECK(contains(complaint(net, with(1, {"1", "layers.1", PytorchLayer::batch_norm, flat}), state),
                 "'in' instead of 'out'"));
  CHECK(contains(complaint(net, with(1, {"1", "layers.1", PytorchLayer::other, {}, image}), state),
                 "no kind that takes an image shape"));
}

TEST_CASE("import: files of torch.save are recognised, halves and truth values are read") {
  const TemporaryFolder folder;
  Sequential net = network();
  for (const std::string& start : {std::string("PK\3\4"), std::string("\x80\2\x8a\x0a")}) {
    const auto path = write_bytes(folder / "net.pth", start + std::string(100, 'x'));
    CHECK(contains(error_of([&] { load_pytorch(net, map_of(), path); }),
                   "safetensors.torch.save_file(model.state_dict()"));
  }
  const std::string header = R"({"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},)"
                             R"("b":{"dtype":"BOOL","shape":[1,2],"data_offsets":[4,6]}}  )";
  const std::string bytes = std::string(1, static_cast<char>(header.size())) +
                            std::string(7, '\0') + header +
                            std::string("\x00\x3e\x01\x00\x01\x00", 6);
  const SafetensorsFile file = load_safetensors(write_bytes(folder / "f", bytes));
  CHECK(same_bits(file.tensor("a"), Tensor::from({1.5f, 0x1p-24f}, {2})));
  CHECK(same_bits(file.tensor("b"), Tensor::from<std::uint8_t>({1, 0}, {1, 2})));
}
