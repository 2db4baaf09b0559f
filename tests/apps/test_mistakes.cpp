// The mistakes people make most, each provoked once: its message must name the cause and say what
// to do about it.
#include <doctest/doctest.h>

#include "autograd/engine.h"
#include "autograd/ops/add.h"
#include "autograd/ops/cast.h"
#include "autograd/ops/max.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/one_hot.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/sum_to.h"
#include "autograd/ops/tanh.h"
#include "data/faces.h"
#include "data/image.h"
#include "models/dcgan.h"
#include "nn/layers.h"
#include "nn/loss.h"
#include "nn/optim.h"
#include "nn/safetensors.h"
#include "nn/sequential.h"
#include "program.h"
#include "tests/kernels/random.h"

using namespace imago;
using namespace imago::test;

namespace {

// `mistake` throws, and its message has each of these parts.
template <class F>
void says(F&& mistake, std::initializer_list<const char*> parts) {
  const std::string message = error_of(mistake);
  INFO(message);
  CHECK(!message.empty());
  for (const char* part : parts) CHECK_MESSAGE(contains(message, part), part);
}

Var normal(const Shape& shape, DType dtype = DType::f32) {
  return normals(shape, dtype, 1);
}
Var weights(const Shape& shape) {
  return parameter(normals(shape, DType::f32, 2));
}

nn::Conv2d conv() {
  return nn::Conv2d({.in = 3, .out = 4, .kernel = 3});
}

}  // namespace

TEST_CASE("mistake 1: the wrong number of channels") {
  says(
      [] {
        conv()(normal({2, 8, 8, 1}));
      },
      {"[Conv2d] expects (N, H, W, 3)", "(2, 8, 8, 1)", "another number of channels"});
}

TEST_CASE("mistake 2: the batch dimension forgotten") {
  says(
      [] {
        conv()(normal({8, 8, 3}));
      },
      {"(8, 8, 3)", "batch dimension is missing", "(1, H, W, C)"});
}

TEST_CASE("mistake 3: an image as NCHW") {
  says([] { conv()(normal({2, 3, 8, 8})); }, {"looks like NCHW", "NHWC", "permute"});
}

TEST_CASE("mistake 4: an image of bytes that was not normalised") {
  says([] { conv()(Tensor::full({2, 8, 8, 3}, 7, DType::u8)); }, {"u8", "normalize_u8"});
}

TEST_CASE("mistake 5: noise given to a convolution without a Reshape") {
  says([] { conv()(normal({2, 100})); }, {"(2, 100)", "Reshape"});
}

TEST_CASE("mistake 6: a Linear on images that were not flattened") {
  says(
      [] {
        nn::Linear({.in = 48, .out = 2})(normal({2, 4, 4, 3}));
      },
      {"expects (N, 48)", "(2, 4, 4, 3)", "Flatten"});
}

TEST_CASE("mistake 7: an image too small for the network; the layer that fails is named") {
  nn::Sequential d = models::dcgan_discriminator({.base = 4, .image = 64});
  d.set_name("D");
  says(
      [&] {
        d(normal({2, 32, 32, 3}));
      },
      {"reaches over 4", "has 2", "too small for this many layers", "(in layer D.layers.5)"});
}

TEST_CASE("mistake 8: an odd size that a stride does not divide") {
  // 33 -> 16 -> 8 -> 4, as 32 does: the last column is dropped; the way back gives 32, not 33.
  nn::Sequential there, back;
  there.add(nn::Conv2d({.in = 3, .out = 4, .kernel = 4, .stride = 2, .padding = Padding::same(1)}));
  back.add(nn::ConvTranspose2d(
      {.in = 4, .out = 3, .kernel = 4, .stride = 2, .padding = Padding::same(1)}));
  const Var x = normal({2, 33, 33, 3});
  says([&] { loss::l1(back(there(x)), x); },
       {"[l1] compares equal shapes", "(2, 32, 32, 3)", "(2, 33, 33, 3)"});
}

TEST_CASE("mistake 9: a convolution of the wrong stride given to a Linear of fixed size") {
  nn::Sequential net;
  net.add(nn::Conv2d({.in = 3, .out = 4, .kernel = 3})).add(nn::Flatten());
  net.add(nn::Linear({.in = 4 * 8 * 8, .out = 1}));
  says(
      [&] {
        net(normal({2, 8, 8, 3}));
      },
      {"[Linear] expects (N, 256)", "(2, 144)", "(in layer layers.2)"});
}

TEST_CASE("mistake 10: batch norm in training with one value for each channel") {
  nn::BatchNorm2d norm({.channels = 3});
  says(
      [&] {
        norm(normal({1, 1, 1, 3}));
      },
      {"more than one value per channel", "larger batch", "inference statistics"});
}

TEST_CASE("mistake 11: Keras' momentum in batch norm, out of range") {
  says([] { nn::BatchNorm2d({.channels = 3, .momentum = 99}); }, {"[0, 1]", "Keras' 0.99 is 0.01"});
}

TEST_CASE("mistake 12: labels of another type than the logits") {
  says(
      [] {
        loss::bce_with_logits(normal({4, 1}), Tensor::full({4, 1}, 1, DType::i64));
      },
      {"logits are f32", "targets are i64", "cast the targets"});
}

TEST_CASE("mistake 13: labels (N) for logits (N, 1)") {
  says(
      [] {
        loss::bce_with_logits(normal({4, 1}), normal({4}));
      },
      {"(4, 1)", "(4,)", "reshape one", "average over pairs"});
}

TEST_CASE("mistake 14: a target outside of [0, 1]") {
  says([] { loss::bce_with_logits(normal({4, 1}), -1); }, {"in [0, 1], not -1", "fake 0"});
}

TEST_CASE("mistake 15: backward twice") {
  const Var w = weights({3});
  const Var y = ops::sum(ops::mul(w, w));
  y.backward();
  says([&] { y.backward(); }, {"freed by an earlier backward", "retain_graph"});
}

TEST_CASE("mistake 16: a saved value changed before backward") {
  const Var w = weights({3});
  const Var y = ops::sum(ops::mul(w, w));
  Tensor t = w.tensor();
  t.set_zero();
  says([&] { y.backward(); },
       {"[mul]", "changed in place", "before the optimiser's step", "clone"});
}

TEST_CASE("mistake 17: a module converted between forward and backward") {
  nn::Linear layer({.in = 3, .out = 2});
  const Var y = ops::sum(layer(weights({4, 3})));
  layer.to(DType::f64);
  says([&] { y.backward(); }, {"is (2,) f32 but the input is (2,) f64",
                               "converted between the forward pass and backward"});
}

TEST_CASE("mistake 18: backward of something that is no scalar") {
  const Var w = weights({3});
  says([&] { ops::mul(w, w).backward(); }, {"(3,), not a scalar", "seed", "reduce it to a loss"});
}

TEST_CASE("mistake 19: backward of a constant") {
  const Var w = weights({3});
  says([&] { ops::sum(w.detach()).backward(); },
       {"does not depend on anything that requires a gradient", "NoGrad", "detached"});
}

TEST_CASE("mistake 20: the gradient of an input that the result does not use") {
  const Var w = weights({3}), other = weights({3});
  says([&] { grad({ops::sum(w)}, {other}); }, {"do not depend on input 0", "allow_unused"});
}

TEST_CASE("mistake 21: dtypes mixed") {
  says(
      [] {
        conv()(normal({2, 8, 8, 3}, DType::f64));
      },
      {"input is f64", "weight is f32", "cast one of them"});
  says([] { ops::add(normal({2}, DType::f64), normal({2})); }, {"f64", "f32", "cast one of them"});
}

TEST_CASE("mistake 22: devices mixed, read on the host, or not there") {
  nn::Conv2d layer = conv();
  const Var x = normal({2, 8, 8, 3});
  says([] { Device::parse("cuda:1"); },
       {"'cuda:1' is no device", "use cpu, cuda or auto", "CUDA_VISIBLE_DEVICES"});
#if IMAGO_WITH_DEVICE
  says([&] { x.tensor().to(Device::cuda(1)); }, {"cuda:1 is not used", "CUDA_VISIBLE_DEVICES"});
  layer.to(Device::cuda());
  says([&] { layer(x); }, {"input is on cpu", "weight is on cuda:0", "to(device)"});
  says([&] { ops::add(x, Var(x.tensor().to(Device::cuda()))); }, {"cpu and cuda:0", "to(device)"});
  says([&] { layer.weight().tensor().data<float>(); }, {"on cuda:0", ".to(Device::cpu())"});
  nn::Linear moved({.in = 3, .out = 2});
  optim::Adam opt(moved.parameters());
  moved.to(Device::cuda());
  ops::sum(moved(Var(normal({4, 3}).tensor().to(Device::cuda())))).backward();
  says([&] { opt.step(); },
       {"on cuda:0", "on cpu",
        "optimiser (or average) made before the module was moved or converted? Make it after"});
#else
  // There is one device, so none to mix: a second one is refused wherever it is asked for.
  const auto refused = {"no CUDA kernel in this build", "configured with IMAGO_CUDA=OFF"};
  says([&] { layer.to(Device::cuda()); }, refused);
  says([&] { x.tensor().to(Device::cuda()); }, refused);
  says([] { Tensor::empty({2}, DType::f32, Device::cuda()); }, refused);
  says([] { Device::parse("cuda"); }, refused);
  CHECK(Device::parse("auto") == Device::cpu());
  CHECK(layer(x).device() == Device::cpu());  // nothing was moved half
#endif
}

TEST_CASE("mistake 23: an optimiser made before the module was converted") {
  nn::Linear layer({.in = 3, .out = 2});
  optim::Adam opt(layer.parameters());
  layer.to(DType::f64);
  ops::sum(layer(normal({4, 3}, DType::f64))).backward();
  says([&] { opt.step(); },
       {"(2, 3) f64", "(2, 3) f32",
        "optimiser (or average) made before the module was moved or converted? Make it after"});
}

TEST_CASE("mistake 24: a negative learning rate; no parameters; one given twice") {
  const Var w = weights({3});
  says([&] { optim::Adam({w}, {.lr = -1e-3}); }, {"lr must not be negative", "-0.001"});
  says([] { optim::Adam({}); }, {"no parameters"});
  says([&] { optim::Adam({w, w}); }, {"share memory", "given twice"});
}

TEST_CASE("mistake 25: one tensor as two parameters, and a name taken") {
  struct Tied final : nn::Module {
    explicit Tied(bool same_name) {
      const Tensor t = Tensor::zeros({2});
      add_parameter("weight", t);
      add_parameter(same_name ? "weight" : "other", t);
    }
    Var forward(const Var& x) override { return x; }
  };
  says([] { Tied{false}; }, {"'weight' and 'other' share memory", "clone"});
  says([] { Tied{true}; }, {"the name 'weight' is taken", "in this module"});
}

TEST_CASE("mistake 26: gradients asked of integers and of results") {
  says([] { parameter(Tensor::zeros({2}, DType::i64)); }, {"only floating types", "i64"});
  says([] { ops::tanh(weights({2})).set_requires_grad(false); },
       {"only leaves", "result of tanh", "detach()"});
}

TEST_CASE("mistake 27: a number asked of a whole tensor") {
  says([] { normal({2, 3}).item(); }, {"exactly one element", "(2, 3)"});
}

TEST_CASE("mistake 28: a reshape to another number of elements") {
  says([] { ops::reshape(normal({2, 3}), Shape{4, 2}); }, {"(2, 3) has 6", "(4, 2) needs 8"});
}

TEST_CASE("mistake 29: the checkpoint of another model, with missing and extra names") {
  const TemporaryFolder folder;
  const std::string file = (folder / "d.safetensors").string();
  nn::Sequential small = models::dcgan_discriminator({.base = 4, .image = 16});
  nn::Sequential large = models::dcgan_discriminator({.base = 8, .image = 32});
  save_safetensors(file, small.state_dict());
  says([&] { large.load_state_dict(load_safetensors(file).tensors); },
       {"was it made for another model?", "missing: layers.4.weight", "unexpected: layers.3.weight",
        "different: layers.0.weight expects (8, 4, 4, 3) f32 but was given (4, 4, 4, 3) f32"});
  NamedTensors state = small.state_dict();
  state.emplace("layers.9.weight", Tensor::zeros({1}));
  says([&] { small.load_state_dict(state); }, {"unexpected: layers.9.weight (1,) f32"});
}

TEST_CASE("mistake 30: a checkpoint that was cut short, is no checkpoint, is not there") {
  const TemporaryFolder folder;
  const fs::path file = folder / "d.safetensors";
  save_safetensors(file, models::dcgan_discriminator({.base = 4, .image = 16}).state_dict());
  fs::resize_file(file, fs::file_size(file) / 2);
  says([&] { load_safetensors(file); }, {"d.safetensors", "cut short while copying"});
  write_bytes(file, "PK\x03\x04 a zip file, as torch.save writes");
  says([&] { load_safetensors(file); }, {"a file of torch.save", "safetensors.torch.save_file"});
  says([&] { load_safetensors(folder / "nothing"); }, {"nothing", "is the name right?"});
}

TEST_CASE("mistake 31: no images in the folder, too few, a broken one") {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  says([&] { data::Faces(path, {.size = 16, .batch = 2}); }, {"holds no image", ".png .jpg"});
  says([&] { data::Faces(path + "/gone", {.size = 16, .batch = 2}); }, {"gone", "no such folder"});
  const fs::path broken = write_bytes(folder / "broken.png", "not a picture");
  says([&] { data::load_image(broken); }, {"broken.png", "delete it or convert it"});
  says([&] { data::Faces(path, {.size = 16, .batch = 2}); }, {"1 images", "smaller batch"});
}

TEST_CASE("mistake 32: flags that do not exist or hold nonsense") {
  const Playground play;
  const auto check = [&](const std::string& command, std::initializer_list<const char*> parts) {
    const Outcome o = play.run(command);
    INFO(o.err);
    CHECK(o.status == 2);
    CHECK(one_line(o.err));
    for (const char* part : parts) CHECK_MESSAGE(contains(o.err, part), part);
  };
  check("train_gan --lerning-rate 1", {"--lerning-rate", "--help"});
  check("train_gan --lr -1", {"--lr", "-1"});
  check("train_gan --model dcgan", {"dcgan64"});
  check("train_gan --labels hat", {"no label 'hat'", "glasses"});
  check("train_gan --labels glasses --augment colour", {"--augment", "--labels"});
  check("train_gan --class-weight 3", {"--class-weight", "--labels"});
}

TEST_CASE("mistake 33: an option that a layer cannot have") {
  says([] { nn::Conv2d({.out = 4, .kernel = 3}); }, {"must be positive", "not 0, 4, 3"});
  says([] { nn::Dropout({.p = 1}); }, {"p must be in [0, 1), not 1"});
  says([] { models::dcgan_generator({.image = 48}); }, {"16, 32, 64 or 128, not 48"});
}

TEST_CASE("mistake 34: class labels as floats, or as one-hot rows") {
  const Var logits = normal({4, 3});
  const Var classes = Tensor::from<std::int64_t>({2, 0, 1, 1}, {4});
  const Var floats = ops::cast(classes, DType::f32), rows = ops::one_hot(classes, 3);
  says([&] { loss::cross_entropy(logits, floats); },
       {"labels are f32 (4,)", "class indices in i64", "cast(labels, DType::i64)"});
  says([&] { loss::cross_entropy(logits, rows); },
       {"labels are f32 (4, 3)", "class indices in i64", "one-hot", "argmax(labels, -1)"});
  says([&] { loss::cross_entropy(logits, ops::cast(rows, DType::i64)); },
       {"(4, 3) and (4, 3)", "one-hot", "argmax(labels, -1)"});
  // What the messages say to do is right.
  const double loss = loss::cross_entropy(logits, classes).item();
  CHECK(loss::cross_entropy(logits, ops::cast(floats, DType::i64)).item() == loss);
  CHECK(loss::cross_entropy(logits, ops::argmax(rows, -1)).item() == loss);
}
