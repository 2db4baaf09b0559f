// Trains a variational autoencoder on a folder of images or on procedural faces.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "apps/support/cli.h"
#include "apps/support/device.h"
#include "apps/support/interrupt.h"
#include "apps/support/vae_run.h"
#include "nn/summary.h"

namespace imago::apps {
namespace {

void introduce(VaeTraining& training, const VaeFlags& f, const data::Faces& data) {
  std::printf("VAE %dx%d (base %d, %d latents, %s) on %s\n", f.model.image, f.model.image,
              f.model.base, f.model.latent, f.likelihood.c_str(), data.describe().c_str());
  std::printf("%lld parameters; on %s; writing to %s\n",
              static_cast<long long>(training.trainer().vae().num_parameters()),
              describe(Context::current().device).c_str(), f.train.out.c_str());
}

int train(VaeFlags flags, const InspectionOptions& look, bool resume, const std::string& program) {
  catch_interrupt();
  if (flags.train.out.empty()) throw UsageError("--out must name a folder");
  settle(flags);
  set_num_threads(flags.train.threads);
  use_device(flags.train.device);
  manual_seed(flags.train.seed);
  if (look.summary) {
    models::Vae vae(flags.model);
    const Shape shape{flags.train.batch, flags.model.image, flags.model.image, 3};
    std::printf("%s", nn::summary(vae, shape).to_string().c_str());
    return 0;
  }
  VaeTraining training(flags);
  const data::Faces data(flags.train.data, {.size = flags.model.image,
                                            .batch = flags.train.batch,
                                            .seed = flags.train.seed,
                                            .skip_broken = flags.train.skip_broken});
  TrainingRun run(training, flags.train, data);
  if (resume) {
    const SafetensorsFile file = run.read_checkpoint();
    training.trainer().load(file);
    run.check_loaded(file);
  } else {
    run.require_unused();
  }
  introduce(training, flags, data);
  const std::int64_t first = training.steps_done();
  if (first >= flags.train.steps) {
    std::printf("Nothing to do: %lld steps are done; ask for more with --steps.\n",
                static_cast<long long>(first));
    return 0;
  }
  if (first > 0) std::printf("Going on after step %lld.\n", static_cast<long long>(first));
  run.begin(to_json(flags));
  if (first == 0) training.write_pictures();
  if (!run.train(look)) {
    std::printf("Stopped after step %lld and saved. To go on:\n  %s --resume --out %s\n",
                static_cast<long long>(training.steps_done()), quoted(program).c_str(),
                apps::quoted(flags.train.out).c_str());
    return 130;
  }
  std::printf("Wrote %s, %s and %s\n", run.folder().checkpoint().c_str(),
              run.folder().chart().c_str(), (run.folder().path() / "samples/*.png").c_str());
  return 0;
}

int main_body(int argc, char** argv) {
  CLI::App app("Trains a variational autoencoder on faces", "train_vae");
  VaeFlags flags;
  InspectionOptions look;
  bool resume = false;
  add_vae_flags(app, flags);
  add_inspection_flags(app, look);
  app.add_flag("--resume", resume,
               "Go on from OUT/checkpoint.safetensors, with the flags of "
               "OUT/config.json where none are given");
  return run_program(app, argc, argv, [&] {
    if (flags.train.data != "procedural") {
      flags.train.data = std::filesystem::absolute(flags.train.data).lexically_normal().string();
    }
    if (resume) take_saved_flags(app, flags);
    return train(flags, look, resume, argv[0]);
  });
}

}  // namespace
}  // namespace imago::apps

int main(int argc, char** argv) {
  return imago::apps::main_body(argc, argv);
}
