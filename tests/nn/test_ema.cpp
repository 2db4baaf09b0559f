#include "nn/ema.h"

#include <doctest/doctest.h>

#include <cmath>

#include "kernels/optimizer/ema.h"
#include "nn/layers.h"
#include "tensor/context.h"

using namespace imago;

TEST_CASE("ema: the weighted mean of what it saw, in f32 and f64") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    std::vector<Tensor> average = {Tensor::full({70001}, 2.0, dtype),
                                   Tensor::full({3}, -1.0, dtype)};
    const std::vector<Tensor> value = {Tensor::full({70001}, 4.0, dtype),
                                       Tensor::full({3}, 7.0, dtype)};
    const auto version = average[0].version();
    kernels::ema_update(average, value, Tensor::full({1}, 0.25));
    CHECK(average[0].slice(70000, 70001).item() == 2.5);
    CHECK(average[1].slice(0, 1).item() == 1.0);
    CHECK(average[0].version() > version);
  }
  std::vector<Tensor> average = {Tensor::zeros({3})};
  const std::vector<Tensor> wrong = {Tensor::zeros({4})};
  CHECK_THROWS_WITH_AS(kernels::ema_update(average, wrong, Tensor::full({1}, 0.5)),
                       doctest::Contains("average 0 is (3,)"), Error);
  CHECK_THROWS_AS(kernels::ema_update(average, {}, Tensor::full({1}, 0.5)), Error);
  CHECK_THROWS_AS(kernels::ema_update(average, average, Tensor::full({2}, 0.5)), Error);
}

TEST_CASE("ema: the same bits with 1, 2 and 3 threads") {
  const ContextScope scope;
  std::vector<Tensor> results;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    std::vector<Tensor> average = {Tensor::full({100'003}, 0.3)};
    const std::vector<Tensor> value = {Tensor::full({100'003}, 0.7)};
    kernels::ema_update(average, value, Tensor::full({1}, 0.1));
    results.push_back(average[0]);
  }
  CHECK(same_bits(results[0], results[1]));
  CHECK(same_bits(results[0], results[2]));
}

TEST_CASE("Ema follows parameters and buffers, and settles on values that stay") {
  manual_seed(1);
  nn::BatchNorm2d live({.channels = 2}), average({.channels = 2});
  nn::Ema ema(live, average, 0.9);
  const auto set = [](const Var& v, double x) {
    Tensor t = v.tensor();
    t.copy_from(Tensor::full(t.shape(), x));
  };
  set(live.weight(), 3);
  set(live.running_mean(), 5);
  // weight: 1, then t / (t + 10) of itself and the rest of 3: t = 1 gives 1/11 and 10/11.
  ema.update(1);
  CHECK(std::abs(average.weight().tensor().slice(0, 1).item() - (1.0 / 11 + 30.0 / 11)) < 1e-6);
  for (int t = 2; t < 400; ++t) ema.update(t);
  CHECK(std::abs(average.weight().tensor().slice(1, 2).item() - 3) < 1e-4);
  CHECK(std::abs(average.running_mean().tensor().slice(0, 1).item() - 5) < 1e-4);
  CHECK(live.weight().tensor().slice(0, 1).item() == 3);
  CHECK_FALSE(live.weight().tensor().shares_storage(average.weight().tensor()));
}

TEST_CASE(
    "Ema takes over the vectors of spectral norm as they are: their mean has another length") {
  manual_seed(2);
  nn::Sequential live, average;
  for (nn::Sequential* net : {&live, &average}) {
    net->add(nn::Conv2d({.in = 2, .out = 4, .kernel = 3, .spectral_norm = true}))
        .add(nn::BatchNorm2d({.channels = 4}));
  }
  nn::Ema ema(live, average, 0.9);
  for (const auto& [name, tensor] : live.state_dict()) {
    Tensor t = tensor;
    t.copy_from(Tensor::full(t.shape(), 2));
  }
  NamedTensors averages = average.state_dict();
  const Tensor before = averages.at("layers.0.weight_orig").clone();
  ema.update(1);
  for (const char* name : {"layers.0.weight_u", "layers.0.weight_v"}) {
    CHECK(same_bits(averages.at(name), live.state_dict().at(name)));
    CHECK_FALSE(averages.at(name).shares_storage(live.state_dict().at(name)));
  }
  // 1/11 of what was and 10/11 of 2, as all others.
  const double mean = before.reshape({-1}).slice(0, 1).item() / 11 + 20.0 / 11;
  CHECK(std::abs(averages.at("layers.0.weight_orig").reshape({-1}).slice(0, 1).item() - mean) <
        1e-6);
  CHECK(std::abs(averages.at("layers.1.running_mean").slice(0, 1).item() - 20.0 / 11) < 1e-6);
}

TEST_CASE("Ema refuses another structure and a decay of one") {
  nn::BatchNorm2d a({.channels = 2}), b({.channels = 3}), c({.channels = 2});
  CHECK_THROWS_AS(nn::Ema(a, b, 0.9), Error);
  CHECK_THROWS_AS(nn::Ema(a, c, 1.0), Error);
}
