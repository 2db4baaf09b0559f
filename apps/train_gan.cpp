// Trains a GAN on a folder of images or on procedural faces; with --labels, one that can be told
// what to draw.
#include <cstdio>

#include "apps/support/conditional_run.h"
#include "apps/support/flags.h"
#include "apps/support/gan_run.h"
#include "data/labelled_faces.h"

namespace imago::apps {
namespace {

// The second line of a run, after what it trains on what.
void introduce(const nn::Module& generator, const nn::Module& discriminator, const GanFlags& f) {
  std::printf("G %lld parameters, D %lld; on %s; writing to %s\n",
              static_cast<long long>(generator.num_parameters()),
              static_cast<long long>(discriminator.num_parameters()),
              describe(Context::current().device).c_str(), f.train.out.c_str());
}

int train_plain(const GanFlags& f, const InspectionOptions& look, const std::string& command) {
  if (look.summary) {
    models::Gan gan = models::make_gan({f.model, f.base});
    print_summaries(gan, f.train.batch);
    return 0;
  }
  GanTraining training(f);
  const data::Faces data(f.train.data, {.size = training.gan().image,
                                        .batch = f.train.batch * f.d_steps,
                                        .seed = f.train.seed,
                                        .skip_broken = f.train.skip_broken});
  TrainingRun run(training, f.train, data);
  run.open();
  const bool fixed = f.model.starts_with("seed");
  std::printf("%s%s on %s\n", f.model.c_str(),
              fixed ? "" : (" (base " + std::to_string(f.base) + ")").c_str(),
              data.describe().c_str());
  introduce(training.gan().generator, training.gan().discriminator, f);
  return run.run(to_json(f), look, command);
}

int train_conditional(const GanFlags& f, const InspectionOptions& look,
                      const std::string& command) {
  const data::Faces data =
      data::labelled_faces(f.train.data, f.labels,
                           {.size = models::resnet_options({f.model, f.base}).image,
                            .batch = f.train.batch,
                            .seed = f.train.seed,
                            .balance = f.balance_classes});
  ConditionalTraining training(f, data.labels());
  if (look.summary) {
    print_summaries(training.gan(), f.train.batch);
    return 0;
  }
  TrainingRun run(training, f.train, data);
  run.open();
  const Classes& classes = training.classes();
  std::printf("%s (base %d, %s) on %s\n", f.model.c_str(), f.base, f.conditioning.c_str(),
              data.describe().c_str());
  std::printf("%zu classes of %s: %s; %s\n", classes.names.size(), classes.label.c_str(),
              list_of(classes.names).c_str(),
              f.balance_classes ? "each is shown equally often" : "shown as often as they come");
  introduce(training.gan().generator, training.gan().discriminator, f);
  return run.run(to_json(f), look, command);
}

int main_body(int argc, char** argv) {
  Flags flags("train_gan", "Trains a GAN on faces");
  GanFlags f;
  InspectionOptions look;
  add_gan_flags(flags, f);
  add_inspection_flags(flags, look);
  return flags.run(argc, argv, [&] {
    settle(f.train);
    if (f.train.resume) take_saved_flags(flags, f);
    settle(flags, f);
    prepare(f.train);
    return f.conditional() ? train_conditional(f, look, argv[0]) : train_plain(f, look, argv[0]);
  });
}

}  // namespace
}  // namespace imago::apps

int main(int argc, char** argv) {
  return imago::apps::main_body(argc, argv);
}
