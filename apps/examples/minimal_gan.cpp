#include <imago/imago.h>
using namespace imago;

int main(int argc, char** argv) {
  const int steps = argc > 1 ? std::atoi(argv[1]) : 2000;
  const Device dev = Device::best();
  manual_seed(1);
  auto G = models::dcgan_generator({.base = 16, .image = 64});
  auto D = models::dcgan_discriminator({.base = 16, .image = 64});
  G.to(dev);
  D.to(dev);
  optim::Adam opt_g(G.parameters(), {.lr = 2e-4, .beta1 = 0.5});
  optim::Adam opt_d(D.parameters(), {.lr = 2e-4, .beta1 = 0.5});
  data::Faces faces("procedural", {.size = 64, .batch = 32});
  for (auto&& [step, real] : faces.stream(steps, dev)) {
    Var fake = G(randn({real.size(0), 100}, dev));
    opt_d.zero_grad();
    loss::gan_d(D(real), D(fake.detach())).backward();  // detach: D's loss must not reach G
    opt_d.step();

    opt_g.zero_grad();
    const nn::Frozen freeze(D);  // no gradients for D's weights while G learns
    loss::gan_g(D(fake)).backward();
    opt_g.step();
  }
  save("dcgan.safetensors", {{"g", G.state_dict()}, {"d", D.state_dict()}});
}
