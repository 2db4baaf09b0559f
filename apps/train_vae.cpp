// Trains a variational autoencoder on a folder of images or on procedural faces.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "apps/support/cli.h"
#include "apps/support/vae_run.h"
#include "nn/summary.h"

namespace imago::apps {
namespace {

void introduce(VaeTraining& training, const VaeFlags& f, const data::Faces& data) {
  std::printf("VAE %dx%d (base %d, %d latents, %s) on %s\n", f.model.image, f.model.image,
              f.model.base, f.model.latent, f.likelihood.c_str(), data.describe().c_str());
  if (const models::VaeGanDiscriminator* d = training.discriminator()) {
    std::printf(
        "VAE-GAN of weight %g: features of layer %d of a discriminator of %lld parameters\n",
        f.adversarial, d->feature_layer(), static_cast<long long>(d->num_parameters()));
  }
  std::printf("%lld parameters; on %s; writing to %s\n",
              static_cast<long long>(training.vae().num_parameters()),
              describe(Context::current().device).c_str(), f.train.out.c_str());
}

int train(const VaeFlags& flags, const InspectionOptions& look, const std::string& command) {
  prepare(flags.train);
  if (look.summary) {
    models::Vae vae(flags.model);
    const Shape shape{flags.train.batch, flags.model.image, flags.model.image, 3};
    std::printf("%s", nn::summary(vae, shape).to_string().c_str());
    if (flags.adversarial > 0) {
      models::VaeGanDiscriminator d(flags.model, gan_options(flags));
      std::printf("\nDiscriminator\n%s", nn::summary(d, shape).to_string().c_str());
    }
    return 0;
  }
  VaeTraining training(flags);
  const data::Faces data(flags.train.data, {.size = flags.model.image,
                                            .batch = flags.train.batch,
                                            .seed = flags.train.seed,
                                            .skip_broken = flags.train.skip_broken});
  TrainingRun run(training, flags.train, data);
  run.open();
  introduce(training, flags, data);
  return run.run(to_json(flags), look, command);
}

int main_body(int argc, char** argv) {
  CLI::App app("Trains a variational autoencoder on faces", "train_vae");
  VaeFlags flags;
  InspectionOptions look;
  add_vae_flags(app, flags);
  add_inspection_flags(app, look);
  return run_program(app, argc, argv, [&] {
    settle(flags.train);
    if (flags.train.resume) take_saved_flags(app, flags);
    settle(app, flags);
    return train(flags, look, argv[0]);
  });
}

}  // namespace
}  // namespace imago::apps

int main(int argc, char** argv) {
  return imago::apps::main_body(argc, argv);
}
