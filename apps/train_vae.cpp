// Trains a variational autoencoder on a folder of images or on procedural faces.
#include <cstdio>

#include "apps/support/flags.h"
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
  Flags flags("train_vae", "Trains a variational autoencoder on faces");
  VaeFlags f;
  InspectionOptions look;
  add_vae_flags(flags, f);
  add_inspection_flags(flags, look);
  return flags.run(argc, argv, [&] {
    settle(f.train);
    if (f.train.resume) take_saved_flags(flags, f);
    settle(flags, f);
    return train(f, look, argv[0]);
  });
}

}  // namespace
}  // namespace imago::apps

int main(int argc, char** argv) {
  return imago::apps::main_body(argc, argv);
}
