// Trains a GAN on a folder of images or on procedural faces.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "apps/support/cli.h"
#include "apps/support/gan_run.h"

namespace imago::apps {
namespace {

void introduce(GanTraining& training, const GanFlags& f, const data::Faces& data) {
  const bool fixed = f.model.starts_with("seed");
  std::printf("%s%s on %s\n", f.model.c_str(),
              fixed ? "" : (" (base " + std::to_string(f.base) + ")").c_str(),
              data.describe().c_str());
  std::printf("G %lld parameters, D %lld; on %s; writing to %s\n",
              static_cast<long long>(training.gan().generator.num_parameters()),
              static_cast<long long>(training.gan().discriminator.num_parameters()),
              describe(Context::current().device).c_str(), f.train.out.c_str());
}

int train(const GanFlags& flags, const InspectionOptions& look, const std::string& command) {
  prepare(flags.train);
  if (look.summary) {
    models::Gan gan = models::make_gan({flags.model, flags.base});
    print_summaries(gan, flags.train.batch);
    return 0;
  }
  GanTraining training(flags);
  const data::Faces data(flags.train.data, {.size = training.gan().image,
                                            .batch = flags.train.batch * flags.d_steps,
                                            .seed = flags.train.seed,
                                            .skip_broken = flags.train.skip_broken});
  TrainingRun run(training, flags.train, data);
  run.open();
  introduce(training, flags, data);
  return run.run(to_json(flags), look, command);
}

int main_body(int argc, char** argv) {
  CLI::App app("Trains a GAN on faces", "train_gan");
  GanFlags flags;
  InspectionOptions look;
  add_gan_flags(app, flags);
  add_inspection_flags(app, look);
  return run_program(app, argc, argv, [&] {
    settle(flags.train);
    if (flags.train.resume) take_saved_flags(app, flags);
    settle(flags);
    return train(flags, look, argv[0]);
  });
}

}  // namespace
}  // namespace imago::apps

int main(int argc, char** argv) {
  return imago::apps::main_body(argc, argv);
}
