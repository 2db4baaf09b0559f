// Trains a GAN on a folder of images or on procedural faces.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "apps/support/cli.h"
#include "apps/support/device.h"
#include "apps/support/gan_report.h"
#include "apps/support/gan_run.h"
#include "apps/support/inspection.h"
#include "apps/support/interrupt.h"
#include "models/gan_trainer.h"

namespace imago::apps {
namespace {

void introduce(GanRun& run, const GanRunOptions& options) {
  models::GanTrainer& trainer = run.trainer();
  const bool fixed = options.model.starts_with("seed");
  std::printf("%s%s on %s\n", options.model.c_str(),
              fixed ? "" : (" (base " + std::to_string(options.base) + ")").c_str(),
              run.data().describe().c_str());
  std::printf("G %lld parameters, D %lld; on %s; writing to %s\n",
              static_cast<long long>(trainer.gan().generator.num_parameters()),
              static_cast<long long>(trainer.gan().discriminator.num_parameters()),
              describe(Context::current().device).c_str(), options.out.c_str());
}

// Runs the steps; returns false when it was interrupted.
bool run_steps(GanRun& run, const GanRunOptions& options, const InspectionOptions& look) {
  models::GanTrainer& trainer = run.trainer();
  const std::int64_t first = trainer.steps_done();
  Inspection inspection(look);
  GanReporter reporter(run, options, first);
  bool finished = true;
  try {
    for (auto&& [step, real] : run.data().stream(options.steps, Context::current().device, first)) {
      const models::GanStep result = trainer.step(real);
      const bool stop = interrupted();
      const bool last = stop || step == options.steps;
      reporter.report(step, result, real, last || step % options.sample_every == 0, last);
      if (last || step % options.checkpoint_every == 0) run.save();
      finished = !stop || step == options.steps;
      if (!finished) break;
    }
  } catch (...) {
    // A broken image must not cost the steps before it. save() refuses what is not finite.
    reporter.finish();
    if (trainer.steps_done() > std::max<std::int64_t>(run.saved_step(), 0)) {
      try {
        run.save();
        std::printf("Saved the %lld steps done so far.\n",
                    static_cast<long long>(trainer.steps_done()));
      } catch (const std::exception&) {
        // The first error is the one to tell.
      }
    }
    throw;
  }
  reporter.finish();
  inspection.write(run.folder());
  return finished;
}

int train(const GanRunOptions& options, const InspectionOptions& look, bool resume,
          const std::string& program) {
  catch_interrupt();
  if (options.out.empty()) throw UsageError("--out must name a folder");
  try {
    models::check_gan_spec({options.model, options.base});
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  set_num_threads(options.threads);
  use_device(options.device);
  manual_seed(options.seed);
  if (look.summary) {
    models::Gan gan = models::make_gan({options.model, options.base});
    print_summaries(gan, options.batch);
    return 0;
  }
  GanRun run(options, resume);
  introduce(run, options);
  const std::int64_t first = run.trainer().steps_done();
  if (first >= options.steps) {
    std::printf("Nothing to do: %lld steps are done; ask for more with --steps.\n",
                static_cast<long long>(first));
    return 0;
  }
  if (first > 0) std::printf("Going on after step %lld.\n", static_cast<long long>(first));
  run.begin();
  if (first == 0) run.write_sample();
  if (!run_steps(run, options, look)) {
    std::printf("Stopped after step %lld and saved. To go on:\n  %s --resume --out %s\n",
                static_cast<long long>(run.trainer().steps_done()), quoted(program).c_str(),
                quoted(options.out).c_str());
    return 130;
  }
  std::printf("Wrote %s, %s and %s\n", run.folder().checkpoint().c_str(),
              run.folder().chart().c_str(), (run.folder().path() / "samples/*.png").c_str());
  return 0;
}

int main_body(int argc, char** argv) {
  CLI::App app("Trains a GAN on faces", "train_gan");
  GanRunOptions options;
  bool resume = false;
  InspectionOptions look;
  add_gan_run_flags(app, options);
  add_inspection_flags(app, look);
  app.add_flag("--resume", resume,
               "Go on from OUT/checkpoint.safetensors, with the flags of "
               "OUT/config.json where none are given");
  return run_program(app, argc, argv, [&] {
    if (options.data != "procedural") {
      options.data = std::filesystem::absolute(options.data).lexically_normal().string();
    }
    if (resume) take_saved_flags(app, options);
    settle_flags(options);
    return train(options, look, resume, argv[0]);
  });
}

}  // namespace
}  // namespace imago::apps

int main(int argc, char** argv) {
  return imago::apps::main_body(argc, argv);
}
