// Looks inside a small GAN: layers, activations and gradients, the graph, a profile, a NaN.
#include <imago/imago.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
using namespace imago;

// The root of the mean square.
double rms(const Tensor& t) {
  const NoGrad no_grad;
  return std::sqrt(ops::mean(ops::square(t)).item());
}

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : ".";
  manual_seed(1);
  auto D = models::dcgan_discriminator({.base = 16, .image = 32});
  D.set_name("D");
  const Var images = randn({8, 32, 32, 3});

  std::cout << nn::summary(D, {8, 32, 32, 3}) << '\n';

  // How large is each activation, and how large the gradient that comes back to it?
  std::vector<HookHandle> hooks;
  D.visit([&](const std::string& name, nn::Module& layer) {
    if (name.empty()) return;
    hooks.push_back(layer.register_forward_hook([&, name](nn::Module&, const Var&, const Var& y) {
      std::printf("%-16s activation %8.4f\n", name.c_str(), rms(y.tensor()));
      hooks.push_back(y.register_hook([name](const Var& g) {
        std::printf("%-16s gradient   %8.2g\n", name.c_str(), rms(g.tensor()));
      }));
    }));
  });
  loss::bce_with_logits(D(images), 1).backward();
  hooks.clear();  // their handles: the hooks are gone

  {
    ProfilerScope profiler;  // also lets the graph know the layers
    const Var loss = loss::bce_with_logits(D(images), 1);
    std::ofstream(folder + "/graph.dot") << graph_dot(loss, {.names = D.named_parameters()});
    loss.backward();
    std::cout << '\n' << profiler.report();
    std::ofstream(folder + "/trace.json") << profiler.chrome_trace();
  }
  std::cout << '\n' << allocator_report(cpu_allocator(), 3);

  try {
    const AnomalyScope anomalies;
    ops::log(ops::add_scalar(D(images), -100));  // the logarithm of something negative
  } catch (const Error& error) {
    std::cout << '\n' << error.what() << '\n';
  }
}
