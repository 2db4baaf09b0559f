// Spectrally normalised layers under an import map: their weight is "weight_orig", and "weight_v"
// is flattened in the order of the weight it belongs to.
#include <doctest/doctest.h>

#include "nn/import_map.h"
#include "nn/layers.h"
#include "tests/kernels/random.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::nn;
using namespace imago::test;

namespace {

constexpr int k = 3;  // channels and taps, all equal: a wrong order would fit all the same

// In PyTorch: spectral_norm of Conv2d(3, 4, 3) "a", ConvTranspose2d(3, 3, 3) "b",
// Linear(3 * 3 * 3, 5) "c" after a Flatten.
Sequential network() {
  Sequential net;
  net.add(ConvBlock({.in = k, .out = 4, .kernel = k, .bias = true, .spectral_norm = true}))
      .add(ConvTranspose2d({.in = k, .out = k, .kernel = k, .spectral_norm = true}))
      .add(Flatten())
      .add(Linear({.in = k * k * k, .out = 5, .spectral_norm = true}));
  return net;
}

ImportMap map_of() {
  return {{"a", "layers.0.conv", PytorchLayer::conv},
          {"n", "layers.0.norm", PytorchLayer::batch_norm},
          {"b", "layers.1", PytorchLayer::conv},
          {"c", "layers.3", PytorchLayer::linear, {.h = k, .w = k, .c = k}}};
}

NamedTensors state_of_pytorch() {
  NamedTensors state;
  std::uint64_t seed = 0;
  const auto add = [&](const std::string& name, const Shape& shape) {
    state[name] = normals(shape, DType::f32, ++seed);
  };
  for (const char* name : {"n.weight", "n.bias", "n.running_mean", "n.running_var"}) add(name, {4});
  add("a.bias", {4});
  add("a.weight_orig", {4, k, k, k});
  add("a.weight_u", {4});
  add("a.weight_v", {k * k * k});
  add("b.bias", {k});
  add("b.weight_orig", {k, k, k, k});
  add("b.weight_u", {k});
  add("b.weight_v", {k * k * k});
  add("c.bias", {5});
  add("c.weight_orig", {5, k * k * k});
  add("c.weight_u", {5});
  add("c.weight_v", {k * k * k});
  state["n.num_batches_tracked"] = Tensor::full({}, 0, DType::i64);
  return state;
}

float at(const Tensor& t, int i) {
  return t.to(Device::cpu()).data<float>()[i];
}

}  // namespace

TEST_CASE("import: spectral norm: weight_orig and weight_v land where their layouts say") {
  Sequential net = network();
  const NamedTensors theirs = state_of_pytorch();
  load_pytorch(net, map_of(), theirs);
  const NamedTensors ours = net.state_dict();
  bool weights = true, vectors = true;
  for (int i = 0; i < k * k * k; ++i) {
    const int h = i / (k * k), w = i / k % k, c = i % k;  // (h, w, c)
    const int chw = (c * k + h) * k + w;
    for (int o = 0; o < 4; ++o) {
      weights = weights && at(ours.at("layers.0.conv.weight_orig"), o * 27 + i) ==
                               at(theirs.at("a.weight_orig"), o * 27 + chw);
    }
    for (int in = 0; in < k; ++in) {
      weights = weights && at(ours.at("layers.1.weight_orig"), in * 27 + i) ==
                               at(theirs.at("b.weight_orig"), in * 27 + chw);
    }
    for (int o = 0; o < 5; ++o) {
      weights = weights && at(ours.at("layers.3.weight_orig"), o * 27 + i) ==
                               at(theirs.at("c.weight_orig"), o * 27 + chw);
    }
    vectors = vectors &&
              at(ours.at("layers.0.conv.weight_v"), i) == at(theirs.at("a.weight_v"), chw) &&
              at(ours.at("layers.3.weight_v"), i) == at(theirs.at("c.weight_v"), chw);
  }
  CHECK(weights);
  CHECK(vectors);
  // Of a transposed convolution both count in, R, S: the outputs, which lie elsewhere, are not
  // among them.
  CHECK(same_bits(ours.at("layers.1.weight_v"), theirs.at("b.weight_v")));
  CHECK(same_bits(ours.at("layers.0.conv.weight_u"), theirs.at("a.weight_u")));
  CHECK(same_bits(ours.at("layers.1.weight_u"), theirs.at("b.weight_u")));
  CHECK(same_bits(ours.at("layers.3.weight_u"), theirs.at("c.weight_u")));
}

TEST_CASE("import: spectral norm: what is exported is what was loaded") {
  Sequential net = network();
  const NamedTensors theirs = state_of_pytorch();
  load_pytorch(net, map_of(), theirs);
  const NamedTensors exported = to_pytorch(net, map_of());
  REQUIRE(exported.size() == theirs.size());
  for (const auto& [name, tensor] : theirs) {
    CAPTURE(name);
    REQUIRE(exported.contains(name));
    CHECK(same_bits(exported.at(name), tensor));
  }
}

TEST_CASE("import: spectral norm: groups, and rows that become images") {
  Sequential net;
  net.add(Conv2d(
              {.in = 4, .out = 6, .kernel = 2, .groups = 2, .bias = false, .spectral_norm = true}))
      .add(Linear({.in = 3, .out = 8, .bias = false, .spectral_norm = true}));
  const ImportMap map = {{"a", "layers.0", PytorchLayer::conv},
                         {"b", "layers.1", PytorchLayer::linear, {}, {.h = 2, .w = 2, .c = 2}}};
  const NamedTensors theirs = {{"a.weight_orig", normals({6, 2, 2, 2}, DType::f32, 1)},
                               {"a.weight_u", normals({6}, DType::f32, 2)},
                               {"a.weight_v", normals({8}, DType::f32, 3)},
                               {"b.weight_orig", normals({8, 3}, DType::f32, 4)},
                               {"b.weight_u", normals({8}, DType::f32, 5)},
                               {"b.weight_v", normals({3}, DType::f32, 6)}};
  load_pytorch(net, map, theirs);
  const NamedTensors ours = net.state_dict();
  for (int i = 0; i < 8; ++i) {
    const int chw = i % 2 * 4 + i / 2;  // of (h, w, c)
    CHECK(at(ours.at("layers.0.weight_v"), i) == at(theirs.at("a.weight_v"), chw));
    CHECK(at(ours.at("layers.1.weight_u"), i) == at(theirs.at("b.weight_u"), chw));
    CHECK(at(ours.at("layers.1.weight_orig"), 3 * i + 1) ==
          at(theirs.at("b.weight_orig"), 3 * chw + 1));
  }
  CHECK(same_bits(ours.at("layers.0.weight_u"), theirs.at("a.weight_u")));
  CHECK(same_bits(ours.at("layers.1.weight_v"), theirs.at("b.weight_v")));
}
