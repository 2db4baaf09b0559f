// Trains an image-to-image network: filling holes, dark photographs to normal ones, portraits to
// mattes.
#include <cstdio>

#include "apps/support/flags.h"
#include "apps/support/translation_run.h"
#include "nn/summary.h"

namespace imago::apps {
namespace {

void print_summaries(const TranslationFlags& f) {
  models::TranslationGan gan = models::make_translation_gan(f.spec);
  const std::int64_t batch = f.train.batch, size = f.spec.image;
  const auto print = [&](nn::Module& network, std::int64_t side, std::int64_t channels) {
    const Shape shape{batch, side, side, channels};
    std::printf("%s", nn::summary(network, shape).to_string().c_str());
  };
  print(gan.translator, size, models::input_channels(f.spec.task));
  if (f.adversarial == 0) return;
  const int seen = models::judged_channels(f.spec.task);
  print(gan.global, size, seen);
  print(gan.local, size / 2, seen);
}

void introduce(TranslationTraining& training, const TranslationFlags& f, const data::Faces& data) {
  const models::TranslationGan& gan = training.gan();
  std::printf("Task %s at %dx%d (base %d) on %s\n", f.task.c_str(), f.spec.image, f.spec.image,
              f.spec.base, data.describe().c_str());
  std::printf("%lld parameters", static_cast<long long>(gan.translator.num_parameters()));
  if (f.adversarial > 0) {
    std::printf(", %lld and %lld of the discriminators",
                static_cast<long long>(gan.global.num_parameters()),
                static_cast<long long>(gan.local.num_parameters()));
  }
  std::printf("; on %s; writing to %s\n", describe(Context::current().device).c_str(),
              f.train.out.c_str());
}

int train(const TranslationFlags& flags, const InspectionOptions& look,
          const std::string& command) {
  prepare(flags.train);
  if (look.summary) {
    print_summaries(flags);
    return 0;
  }
  const TranslationData all = open_translation_data(flags.spec.task, flags.train.data,
                                                    flags.spec.image, flags.train.skip_broken);
  TranslationTraining training(flags, *all.held_out);
  const data::Faces data(all.training, {.size = flags.spec.image,
                                        .batch = flags.train.batch,
                                        .seed = flags.train.seed,
                                        .skip_broken = flags.train.skip_broken});
  TrainingRun run(training, flags.train, data);
  run.open();
  introduce(training, flags, data);
  const int status = run.run(to_json(flags), look, command);
  if (!training.quality().empty()) std::printf("%s\n", training.quality().c_str());
  return status;
}

int main_body(int argc, char** argv) {
  Flags flags("train_translation", "Trains a network that turns one image into another");
  TranslationFlags f;
  InspectionOptions look;
  add_translation_flags(flags, f);
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
