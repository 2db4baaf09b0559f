// Fits a line to 64 points of y = 2 x + 1 with one Linear layer and Adam.
#include <imago/nn/linear.h>
#include <imago/nn/loss.h>
#include <imago/nn/optim.h>
#include <imago/tensor/context.h>
#include <imago/version.h>

#include <cstdio>
#include <vector>

#include "nn/module.h"

int main() {
  using namespace imago;
  std::vector<float> xs, ys;
  for (int i = 0; i < 64; ++i) {
    xs.push_back(static_cast<float>(i) / 32.0f - 1.0f);
    ys.push_back(static_cast<float>(slope()) * xs.back() + 1.0f);
  }
  const Var x = Tensor::from<float>(xs, {64, 1});
  const Var y = Tensor::from<float>(ys, {64, 1});

  manual_seed(1);
  nn::Linear line({.in = 1, .out = 1});
  optim::Adam adam(line.parameters(), {.lr = 0.05});
  double loss = 0;
  for (int step = 0; step < 200; ++step) {
    adam.zero_grad();
    const Var error = loss::mse(line(x), y);
    error.backward();
    adam.step();
    loss = error.item();
  }
  std::printf("imago %s: y = %.3f x + %.3f, loss %.2e\n", version, line.weight().item(),
              line.bias().item(), loss);
  return loss < 1e-4 ? 0 : 1;
}
