// Trains a GAN on a folder of images or on procedural faces.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>

#include "apps/support/cli.h"
#include "apps/support/gan_run.h"
#include "apps/support/interrupt.h"
#include "apps/support/progress.h"
#include "data/faces.h"
#include "models/gan_trainer.h"

namespace imago::apps {
namespace {

using Clock = std::chrono::steady_clock;

// Figures of one step as text and as a row of metrics.jsonl.
struct Figures {
  double loss_d, loss_g, d_real, d_fake, images_per_second;

  std::string text() const {
    char line[128];
    std::snprintf(line, sizeof line, "loss D %.3f G %.3f  D(x) %.2f  D(G(z)) %.2f", loss_d, loss_g,
                  d_real, d_fake);
    return line;
  }
  Json row(std::int64_t step) const {
    return {{"step", step},     {"loss_d", loss_d},
            {"loss_g", loss_g}, {"d_real", d_real},
            {"d_fake", d_fake}, {"images_per_s", std::round(images_per_second)}};
  }
  bool finite() const { return std::isfinite(loss_d) && std::isfinite(loss_g); }
};

int train(const GanRunOptions& options, bool resume) {
  catch_interrupt();
  try {
    models::check_gan_spec({options.model, options.base});
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  set_num_threads(options.threads);
  manual_seed(options.seed);
  GanRun run(options, resume);
  models::GanTrainer& trainer = run.trainer();
  const std::int64_t first = trainer.steps_done();
  std::printf("%s (base %d) on %s\n", options.model.c_str(), options.base,
              run.data().describe().c_str());
  std::printf("G %lld parameters, D %lld; %d threads; writing to %s\n",
              static_cast<long long>(trainer.gan().generator.num_parameters()),
              static_cast<long long>(trainer.gan().discriminator.num_parameters()), num_threads(),
              options.out.c_str());
  if (first >= options.steps) {
    std::printf("Nothing to do: %lld steps are done; ask for more with --steps.\n",
                static_cast<long long>(first));
    return 0;
  }
  if (first > 0) std::printf("Going on after step %lld.\n", static_cast<long long>(first));
  run.begin();
  if (first == 0) run.write_sample();

  Progress progress(first, options.steps, std::max<std::int64_t>(options.steps / 50, 1));
  auto last_time = Clock::now();
  std::int64_t last_step = first;
  for (auto&& [step, real] : run.data().stream(options.steps, Device::best(), first)) {
    const models::GanStep result = trainer.step(real);
    const bool show = progress.due(step);
    if (show || step % run.metrics_every() == 0) {
      const auto now = Clock::now();
      const double seconds = std::chrono::duration<double>(now - last_time).count();
      const Figures figures{result.loss_d.item(), result.loss_g.item(),
                            models::mean_probability(result.logits_real),
                            models::mean_probability(result.logits_fake),
                            static_cast<double>((step - last_step) * options.batch) / seconds};
      last_time = now;
      last_step = step;
      if (show) progress.update(step, figures.images_per_second, figures.text());
      if (step % run.metrics_every() == 0) run.folder().add_metrics(figures.row(step));
      if (!figures.finite()) {
        progress.finish();
        fail("train_gan", "a loss is not finite at step ", step,
             "; the last checkpoint is untouched. Try a smaller --lr or another --seed");
      }
    }
    const bool stop = interrupted();
    if (step % options.sample_every == 0) run.write_sample();
    if (step % options.checkpoint_every == 0 || step == options.steps || stop) run.save();
    if (stop && step < options.steps) {
      progress.finish();
      std::printf("Stopped after step %lld and saved. To go on:\n  train_gan --resume --out %s\n",
                  static_cast<long long>(step), options.out.c_str());
      return 0;
    }
  }
  progress.finish();
  std::printf("Wrote %s, %s and %s\n", run.folder().checkpoint().c_str(),
              run.folder().chart().c_str(), (run.folder().path() / "samples/*.png").c_str());
  return 0;
}

int main_body(int argc, char** argv) {
  CLI::App app("Trains a GAN on faces", "train_gan");
  GanRunOptions options;
  bool resume = false;
  add_gan_run_flags(app, options);
  app.add_flag("--resume", resume,
               "Go on from OUT/checkpoint.safetensors, with the flags of "
               "OUT/config.json where none are given");
  return run_program(app, argc, argv, [&] {
    if (resume) take_saved_flags(app, options);
    return train(options, resume);
  });
}

}  // namespace
}  // namespace imago::apps

int main(int argc, char** argv) {
  return imago::apps::main_body(argc, argv);
}
