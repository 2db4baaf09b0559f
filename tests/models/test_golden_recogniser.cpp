// Six training steps of a recogniser with each head against PyTorch in f64: losses, shares of right
// answers, the gradients of the first step and every parameter at the end. See
// scripts/make_goldens.py for what the file holds.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/elementwise/elementwise.h"
#include "models/recogniser_trainer.h"

using namespace imago;
using namespace imago::models;

namespace {

constexpr int steps = 6, images = 8, sampled = 200;

struct Run {
  RecogniserOptions model;
  RecogniserTrainerOptions training;
};

std::vector<Run> runs() {
  const auto model = [](RecognitionHead head, const char* network, bool grey = false) {
    RecogniserOptions o;
    o.cnn = {.network = network,
             .image = network == std::string("seed003") ? 24 : 32,
             .base = 2,
             .dimensions = 6};
    o.head = head;
    o.grey = grey;
    o.classes = {"a", "b", "c", "d", "e"};
    if (head == RecognitionHead::binary) o.classes.resize(2);
    return o;
  };
  const auto training = [](double lr, double decay) {
    RecogniserTrainerOptions o{.steps = 40, .lr = lr, .weight_decay = decay};
    o.ema = 0;
    return o;
  };
  std::vector<Run> all = {{model(RecognitionHead::binary, "seed003"), training(1e-3, 5e-2)},
                          {model(RecognitionHead::softmax, "residual"), training(2e-3, 5e-2)},
                          {model(RecognitionHead::expression, "vgg"), training(2e-3, 1e-2)},
                          {model(RecognitionHead::cosface, "residual", true), training(2e-3, 5e-2)},
                          {model(RecognitionHead::arcface, "residual"), training(2e-2, 5e-4)},
                          {model(RecognitionHead::triplet, "residual"), training(2e-3, 5e-2)}};
  all[1].training.label_smoothing = 0.1;
  all[2].training.label_smoothing = 0.2;
  all[3].training.scale = all[4].training.scale = 12;
  all[3].training.margin = 0.2;
  all[4].training.margin = all[5].training.margin = 0.3;
  all[4].training.optimizer = "sgd";
  return all;
}

// Numbers in [-1, 1) that goldens/recogniser.py makes alike: the finaliser of MurmurHash3.
std::vector<double> draws(std::uint32_t key, std::int64_t count) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint32_t h = static_cast<std::uint32_t>(i) + key * 1000003u;
    h = (h ^ (h >> 16)) * 0x85ebca6bu;
    h = (h ^ (h >> 13)) * 0xc2b2ae35u;
    values.push_back((h ^ (h >> 16)) / 2147483648.0 - 1);
  }
  return values;
}

// Of f32 values, in this dtype.
Tensor tensor_of(const std::vector<double>& values, const Shape& shape, DType dtype) {
  std::vector<float> rounded(values.begin(), values.end());
  return kernels::cast(Tensor::from(std::span<const float>(rounded), shape), dtype);
}

// What a fresh tensor of that name starts with.
double start(const std::string& name, const Shape& shape, double v) {
  if (name.ends_with("running_mean")) return 0;
  if (name.ends_with("running_var")) return 1;
  if (shape.dim() > 1) {
    const auto fan_in = static_cast<double>(shape.numel() / shape[0]);
    return v * std::sqrt(6 / fan_in);
  }
  if (name.ends_with("bias")) return 0.05 * v;
  const bool norm = name.find(".norm.") != std::string::npos || name.ends_with("layers.0.weight") ||
                    name.ends_with("layers.6.weight") || name.ends_with("layers.10.weight");
  return norm ? 1 + 0.2 * v : 0.25 + 0.1 * v;
}

void set_start(Recogniser& network, DType dtype) {
  NamedTensors values;
  std::uint32_t key = 0;
  for (const auto& [name, tensor] : network.state_dict()) {  // in the order of the names
    std::vector<double> draw = draws(key++, tensor.numel());
    for (double& v : draw) v = start(name, tensor.shape(), v);
    values[name] = tensor_of(draw, tensor.shape(), dtype);
  }
  network.load_state_dict(values);
}

// The largest |a - b| / max(1, |b|) of the values that the file has; NaN if any.
double difference(const Tensor& got, const Tensor& want) {
  const Tensor a = kernels::cast(got.to(Device::cpu()), DType::f64);
  const std::int64_t stride = std::max<std::int64_t>(1, a.numel() / sampled);
  REQUIRE(want.numel() == (a.numel() + stride - 1) / stride);
  double worst = 0;
  for (std::int64_t i = 0; i < want.numel(); ++i) {
    const double y = want.data<double>()[i];
    const double d = std::abs(a.data<double>()[i * stride] - y) / std::max(1.0, std::abs(y));
    if (!(d <= worst)) worst = d;
  }
  return worst;
}

std::string under(const std::string& run, int step) {
  return run + ".step" + std::to_string(step + 1);
}

void check_gradients(const SafetensorsFile& file, const std::string& prefix,
                     const Recogniser& network, double tolerance) {
  const NamedTensors want = file.group(prefix);
  int compared = 0;
  for (const auto& [name, p] : network.named_parameters()) {
    INFO(name);
    REQUIRE(want.contains(name));
    CHECK(difference(p.grad().tensor(), want.at(name)) <= tolerance);
    ++compared;
  }
  CHECK(compared == static_cast<int>(want.size()));
}

// The bias of a batch norm that another one follows has no gradient but rounding, which Adam makes
// steps of up to the rate of; and the running means after it move along.
bool is_rounding(const SafetensorsFile& file, const std::string& head, const std::string& name) {
  const auto gradient = file.tensors.find(head + ".step1.gradient." + name);
  if (gradient == file.tensors.end()) return name.ends_with("running_mean");
  const double* g = gradient->second.data<double>();
  return std::all_of(g, g + gradient->second.numel(), [](double v) { return std::abs(v) < 1e-12; });
}

// `rounding`: the tolerance of what rounding alone moves.
void follow(DType dtype, double tolerance, double rounding) {
  const SafetensorsFile file =
      load_safetensors(IMAGO_SOURCE_DIR "/tests/goldens/recogniser_steps.safetensors");
  const Device device = Context::current().device;
  std::uint32_t number = 0;
  for (const Run& run : runs()) {
    const std::string head = name(run.model.head);
    const bool binary = run.model.head == RecognitionHead::binary;
    const Tensor labels = binary ? Tensor::from<std::int64_t>({0, 0, 1, 0, 0, 1, 1, 0}, {images})
                                 : Tensor::from<std::int64_t>({2, 0, 1, 2, 0, 3, 1, 2}, {images});
    const std::int64_t size = run.model.cnn.image;
    Recogniser network(run.model);
    network.to(dtype);
    set_start(network, dtype);
    RecogniserTrainer trainer(std::move(network), run.training);
    for (int i = 0; i < steps; ++i) {
      const std::string step = under(head, i);
      INFO(step);
      const Shape shape{images, size, size, 3};
      const std::uint32_t key = 1000 + 10 * number + static_cast<std::uint32_t>(i);
      const RecogniserStep result =
          trainer.step(tensor_of(draws(key, shape.numel()), shape, dtype).to(device), labels);
      CHECK(difference(result.loss.tensor(), file.tensor(step + ".loss")) <= tolerance);
      if (result.accuracy) {
        CHECK(difference(result.accuracy.tensor(), file.tensor(step + ".accuracy")) <= 1e-6);
      }
      if (i == 0) check_gradients(file, step + ".gradient", trainer.network(), tolerance);
    }
    const NamedTensors end = trainer.network().state_dict(), want = file.group(head + ".end");
    REQUIRE(end.size() == want.size());
    for (const auto& [name, tensor] : end) {
      INFO(head << ": " << name);
      REQUIRE(want.contains(name));
      CHECK(difference(tensor, want.at(name)) <=
            (is_rounding(file, head, name) ? rounding : tolerance));
    }
    ++number;
  }
}

}  // namespace

TEST_CASE("six steps of a recogniser with each head in f64 equal PyTorch's") {
  follow(DType::f64, 1e-9, 1e-8);
}

TEST_CASE("six steps of a recogniser with each head in f32 equal PyTorch's f64 to rounding") {
  follow(DType::f32, 1e-5, 1e-2);
}
