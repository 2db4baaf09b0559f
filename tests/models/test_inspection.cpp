// Looking inside whole networks: summaries, anomaly mode, profiles, graphs.
#include <doctest/doctest.h>

#include <limits>

#include "autograd/anomaly.h"
#include "autograd/graph_dot.h"
#include "autograd/random.h"
#include "models/dcgan.h"
#include "models/gan_trainer.h"
#include "models/seed001.h"
#include "models/seed003.h"
#include "nn/loss.h"
#include "nn/summary.h"
#include "tensor/profiler.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

GanTrainer small_trainer() {
  manual_seed(1);
  return GanTrainer(make_gan({"dcgan16", 4}), {});
}

Tensor real_images() {
  return randn({4, 16, 16, 3}).tensor();
}

}  // namespace

TEST_CASE("summary: the classic DCGAN has the arithmetic of its layers") {
  nn::Sequential d = dcgan_discriminator(), g = dcgan_generator();
  const nn::Summary of_d = nn::summary(d, Shape{1, 64, 64, 3});
  INFO(of_d.to_string());
  const double middle = 2.0 * 16 * 16 * 128 * 16 * 64;  // the same in all three middle layers
  CHECK(of_d.flops == 2.0 * 32 * 32 * 64 * 48 + 3 * middle + 2.0 * 512 * 16);
  CHECK(of_d.parameters == d.num_parameters());
  CHECK(of_d.rows[0].output == Shape{1, 1});
  CHECK(of_d.activations > 0);
  const nn::Summary of_g = nn::summary(g, Shape{1, 100});
  INFO(of_g.to_string());
  CHECK(of_g.flops == 2.0 * 32 * 32 * 64 * 48 + 3 * middle + 2.0 * 100 * 16 * 512);
  CHECK(of_g.rows[0].output == Shape{1, 64, 64, 3});
  CHECK(contains(of_g.to_string(), "ConvTranspose2d"));
}

TEST_CASE("summary: the seed models, every layer called, parameters as they are counted") {
  const auto check = [](nn::Sequential net, const Shape& input, std::int64_t parameters) {
    const nn::Summary s = nn::summary(net, input);
    INFO(s.to_string());
    CHECK(s.parameters == parameters);
    std::int64_t sum = 0;
    for (const nn::SummaryRow& row : s.rows) {
      CHECK(row.calls == 1);
      sum += row.parameters;
    }
    CHECK(sum == parameters);
  };
  check(seed001_generator(), {2, 100}, 3'463'936);
  check(seed001_discriminator(), {2, 32, 32, 3}, 142'529);
  check(seed003_generator(), {2, 100}, 1'068'928);
  check(seed003_discriminator(), {2, 32, 32, 3}, 663'296);
}

TEST_CASE("anomaly: a weight that went bad is found in the layer that first uses it") {
  GanTrainer trainer = small_trainer();
  const Tensor real = real_images();
  Tensor weight = trainer.gan().discriminator.named_parameters()[1].second.tensor();
  REQUIRE(trainer.gan().discriminator.named_parameters()[1].first == "layers.2.conv.weight");
  Tensor bad = weight.to(Device::cpu()).clone();
  bad.mutable_data<float>()[3] = std::numeric_limits<float>::quiet_NaN();
  weight.copy_from(bad);
  const AnomalyScope scope;
  const std::string message = error_of([&] { trainer.step(real); });
  INFO(message);
  CHECK(contains(message, "[anomaly] 'conv2d' made"));
  CHECK(contains(message, "input 1, (8, 4, 4, 4) f32, was not finite before: 1 NaN"));
  CHECK(contains(message, "(in layer D.layers.2.conv)"));
}

TEST_CASE("anomaly and profile: a step under them has the bits of one without") {
  GanTrainer plain = small_trainer(), watched = small_trainer();
  const Tensor real = real_images();
  const GanStep a = plain.step(real);
  ProfilerScope profiler;
  const AnomalyScope scope;
  const GanStep b = watched.step(real);
  CHECK(same_bits(a.loss_d.tensor(), b.loss_d.tensor()));
  CHECK(same_bits(a.loss_g.tensor(), b.loss_g.tensor()));
  const NamedTensors one = plain.state(), other = watched.state();
  for (const auto& [name, tensor] : one) CHECK(same_bits(tensor, other.at(name)));
}

TEST_CASE("profile: a step is booked on the layers of both networks, forward and backward") {
  GanTrainer trainer = small_trainer();
  const Tensor real = real_images();
  ProfilerScope profiler;
  trainer.step(real);
  bool forward_d = false, backward_g = false;
  for (const ProfileLayerRow& row : profiler.layer_rows()) {
    if (row.layer == "D.layers.2.conv") forward_d = row.forward_ms > 0 && row.backward_ms > 0;
    if (row.layer == "G.layers.1.conv") backward_g = row.forward_ms > 0 && row.backward_ms > 0;
  }
  CHECK(forward_d);
  CHECK(backward_g);
  double flops = 0;
  for (const ProfileRow& row : profiler.rows()) flops += row.flops;
  CHECK(flops > 0);
  CHECK(contains(profiler.chrome_trace(), "\"name\":\"backward of conv2d in D.layers.0\""));
  CHECK(contains(profiler.chrome_trace(), "\"name\":\"G.layers.1.norm\""));
  CHECK(contains(profiler.report(), "batch_norm_lrelu"));
}

TEST_CASE("graph_dot: the loss of a discriminator, its parameters by name") {
  nn::Sequential d = dcgan_discriminator({.base = 4, .image = 16});
  const Var loss = loss::bce_with_logits(d(Var(real_images())), 1);
  const std::string dot = graph_dot(loss, {.names = d.named_parameters()});
  for (const auto& [name, p] : d.named_parameters()) CHECK(contains(dot, name + "\\n"));
  CHECK(contains(dot, "batch_norm_lrelu"));
  CHECK(!contains(dot, "\"leaf\\n"));
}
