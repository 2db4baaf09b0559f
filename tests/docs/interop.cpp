// The snippets of docs/interop.md; the first is apps/examples/from_pytorch.cpp, which
// tests/interop/test_pytorch.py runs.
#include <doctest/doctest.h>
#include <imago/imago.h>

#include <filesystem>

#include "tests/support/files.h"

using namespace imago;

namespace {

// A folder to work in, until the end of the test.
class Inside {
 public:
  Inside() { std::filesystem::current_path(folder_.path()); }
  ~Inside() { std::filesystem::current_path(before_); }

 private:
  std::filesystem::path before_ = std::filesystem::current_path();
  test::TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("interop: a network of one's own") {
  const Inside folder;
  save_safetensors("net.safetensors", {{"0.weight", Tensor::full({8, 3, 3, 3}, 0.5)},
                                       {"0.bias", Tensor::zeros({8})},
                                       {"3.weight", Tensor::full({10, 288}, 0.25)},
                                       {"3.bias", Tensor::zeros({10})}});
  nn::Sequential net;
  net.add(nn::Conv2d({.in = 3, .out = 8, .kernel = 3}));
  net.add(nn::ReLU());
  net.add(nn::Flatten());
  net.add(nn::Linear({.in = 6 * 6 * 8, .out = 10}));
  const nn::ImageShape flattened{.h = 6, .w = 6, .c = 8};
  const nn::ImportMap map = {
      {.theirs = "0", .ours = "layers.0", .kind = nn::PytorchLayer::conv},
      {.theirs = "3", .ours = "layers.3", .kind = nn::PytorchLayer::linear, .in = flattened}};
  nn::load_pytorch(net, map, "net.safetensors");
  CHECK(net(Tensor::full({1, 8, 8, 3}, 1)).tensor().to(Device::cpu()).data<float>()[9] ==
        27 * 0.5f * 288 * 0.25f);
}

TEST_CASE("interop: arrays") {
  const Inside folder;
  save_npy("labels.npy", Tensor::from<std::int64_t>({0, 1, 2, 3}, {4}));
  save_npz("features.npz", {{"features", Tensor::zeros({4, 128})}});
  NamedArrays arrays = load_npz("features.npz");  // of numpy.savez or numpy.savez_compressed
  arrays["labels"] = load_npy("labels.npy");
  save_npz("both.npz", arrays);
  CHECK(load_npz("both.npz").size() == 2);
  CHECK(load_npz("both.npz").at("labels").dtype() == DType::i64);
}
