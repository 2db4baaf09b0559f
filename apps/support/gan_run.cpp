#include "apps/support/gan_run.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "apps/support/cli.h"
#include "apps/support/gan_chart.h"
#include "data/image.h"
#include "kernels/image/image.h"
#include "kernels/random/random.h"

namespace imago::apps {
namespace {

constexpr int grid = 8;  // samples are grids of 8 x 8
// The draw of the fixed noise: no step of training uses this number of a step.
constexpr std::uint32_t fixed_noise_step = 0xffffffffu;

models::GanTrainer make_trainer(const GanRunOptions& o) {
  models::Gan gan = models::make_gan({o.model, o.base});
  const models::GanTrainerOptions options = trainer_options(o);
  try {
    check_gan_options(options, gan);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  return models::GanTrainer(std::move(gan), options);
}

bool all_finite(const Tensor& t) {
  if (t.dtype() != DType::f32) return true;  // counts
  const Tensor host = t.to(Device::cpu());
  const float* p = host.data<float>();
  return std::all_of(p, p + host.numel(), [](float v) { return std::isfinite(v); });
}

}  // namespace

GanRun::GanRun(const GanRunOptions& options, bool resume)
    : options_(options),
      trainer_(make_trainer(options)),
      data_(options.data, {.size = trainer_.gan().image,
                           .batch = options.batch * options.d_steps,
                           .seed = options.seed,
                           .skip_broken = options.skip_broken}),
      folder_(options.out),
      fixed_noise_(kernels::normal({grid * grid, trainer_.gan().z}, DType::f32,
                                   {options.seed, fixed_noise_step, 0})) {
  if (!resume) {
    check(!folder_.in_use(), "train_gan", folder_.path().string(),
          " is not empty; go on with --resume, or choose another --out");
    return;
  }
  check(std::filesystem::exists(folder_.checkpoint()), "resume", folder_.path().string(),
        " has no checkpoint: the run stopped before its first one. Start again in another --out");
  const SafetensorsFile file = load_safetensors(folder_.checkpoint());
  trainer_.load(file);
  check(file.metadata_entry("batch") == std::to_string(options.batch), "resume", file.path,
        " was trained with batches of ", file.metadata_entry("batch"), ", not ", options.batch);
  saved_step_ = trainer_.steps_done();
  if (file.metadata_entry("images") != std::to_string(data_.size())) {
    std::fprintf(stderr,
                 "train_gan: %s holds %lld images now, %s when the run was saved: the run goes "
                 "on, but not as it would have without the stop\n",
                 options.data.c_str(), static_cast<long long>(data_.size()),
                 file.metadata_entry("images").c_str());
  }
}

void GanRun::begin() {
  folder_.create();
  if (trainer_.steps_done() > 0) {
    folder_.truncate_metrics(trainer_.steps_done());
  } else {
    write_text(folder_.metrics(), "");
  }
  write_text(folder_.config(), to_json(options_).dump(2) + "\n");
}

Tensor GanRun::write_sample() {
  const Tensor samples = trainer_.generate(fixed_noise_);
  const Tensor images = kernels::denormalize_u8(samples).to(Device::cpu());
  data::save_png(folder_.sample(trainer_.steps_done()), data::image_grid(images, grid, grid));
  return samples;
}

void GanRun::save() {
  const NamedTensors state = trainer_.state();
  for (const auto& [name, tensor] : state) {
    check(all_finite(tensor), "train_gan", name, " is not finite after step ",
          trainer_.steps_done(),
          "; the last checkpoint is untouched. Try a smaller --lr or another --seed");
  }
  Metadata metadata = trainer_.metadata();
  metadata["batch"] = std::to_string(options_.batch);
  metadata["images"] = std::to_string(data_.size());
  save_safetensors(folder_.checkpoint(), state, metadata);
  saved_step_ = trainer_.steps_done();
  write_text(folder_.chart(), gan_chart(folder_.read_metrics(), trainer_.options()));
}

}  // namespace imago::apps
