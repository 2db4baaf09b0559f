#include <imago/imago.h>
using namespace imago;

int main() {
  const models::DcganOptions options{.z = 100, .base = 64, .image = 64};
  const nn::ImportMap map = models::dcgan_generator_map(options, "main");
  auto G = models::dcgan_generator(options);
  nn::load_pytorch(G, map, "netG.safetensors");
  G.eval();
  const NoGrad no_grad;
  const Tensor z = load_npy("z.npy");            // (N, 100)
  save_npy("faces.npy", G(z).tensor());          // (N, 64, 64, 3) in [-1, 1]
  nn::save_pytorch(G, map, "ours.safetensors");  // the way back
}
