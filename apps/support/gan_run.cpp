#include "apps/support/gan_run.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "apps/support/cli.h"
#include "apps/support/device.h"
#include "apps/support/svg_chart.h"
#include "data/image.h"
#include "kernels/image/image.h"
#include "kernels/random/random.h"

namespace imago::apps {
namespace {

constexpr int grid = 8;  // samples are grids of 8 x 8
// The draw of the fixed noise: no step of training uses this number of a step.
constexpr std::uint32_t fixed_noise_step = 0xffffffffu;

Json to_json(const GanRunOptions& o) {
  return {{"data", o.data},
          {"model", o.model},
          {"base", o.base},
          {"loss", o.loss},
          {"steps", o.steps},
          {"batch", o.batch},
          {"lr", o.lr},
          {"ema", o.ema},
          {"seed", o.seed},
          {"sample-every", o.sample_every},
          {"threads", o.threads},
          {"skip-broken", o.skip_broken},
          {"checkpoint-every", o.checkpoint_every}};
}

models::GanTrainer make_trainer(const GanRunOptions& o) {
  models::GanTrainerOptions t;
  t.loss = o.loss == "minimax" ? models::GanLoss::minimax : models::GanLoss::nonsaturating;
  t.lr = o.lr;
  t.ema = o.ema;
  t.seed = o.seed;
  return models::GanTrainer(models::make_gan({o.model, o.base}), t);
}

bool all_finite(const Tensor& t) {
  if (t.dtype() != DType::f32) return true;  // counts
  const Tensor host = t.to(Device::cpu());
  const float* p = host.data<float>();
  return std::all_of(p, p + host.numel(), [](float v) { return std::isfinite(v); });
}

std::string chart(const std::vector<Json>& rows) {
  const auto series = [&](const char* name, const char* key) {
    Series s{name, {}, {}};
    for (const Json& row : rows) {
      s.x.push_back(row.at("step").get<double>());
      s.y.push_back(row.at(key).is_number() ? row.at(key).get<double>() : std::nan(""));
    }
    return s;
  };
  return svg_chart(
      "step", {{"Losses",
                {series("D", "loss_d"), series("G", "loss_g")},
                {{"log 4: D cannot tell", std::log(4.0)}, {"log 2: G at D = 1/2", std::log(2.0)}}},
               {"What D believes",
                {series("D(x)", "d_real"), series("D(G(z))", "d_fake")},
                {{"1/2", 0.5}, {"0", 0.0}, {"1", 1.0}}}});
}

}  // namespace

void add_gan_run_flags(CLI::App& app, GanRunOptions& o) {
  app.add_option("--data", o.data, "Folder of images, or procedural")->capture_default_str();
  app.add_option("--model", o.model, "Networks")
      ->check(CLI::IsMember(models::gan_names()))
      ->capture_default_str();
  app.add_option("--base", o.base, "Width of the dcgan networks")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--loss", o.loss, "Loss of the generator")
      ->check(CLI::IsMember({"nonsaturating", "minimax"}))
      ->capture_default_str();
  app.add_option("--steps", o.steps, "Steps to reach in all, also with --resume")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{0x7fffffff}))
      ->capture_default_str();
  app.add_option("--batch", o.batch, "Images a step")
      ->check(CLI::Range(2, 65536))
      ->capture_default_str();
  app.add_option("--lr", o.lr, "Learning rate of both networks")
      ->check(number_within(1e-8, 1.0))
      ->capture_default_str();
  app.add_option("--ema", o.ema,
                 "Samples come from a moving average of the generator with this decay; 0: none")
      ->check(number_within(0.0, 0.99999))
      ->capture_default_str();
  app.add_option("--seed", o.seed, "Of weights, noise and the order of images")
      ->check(whole_number())
      ->capture_default_str();
  app.add_option("--out", o.out, "Folder to write into")->capture_default_str();
  app.add_option("--sample-every", o.sample_every,
                 "Steps between sample grids; there is one at the end too")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{0x7fffffff}))
      ->capture_default_str();
  app.add_option("--checkpoint-every", o.checkpoint_every, "Steps between checkpoints")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{0x7fffffff}))
      ->capture_default_str();
  app.add_flag("--skip-broken", o.skip_broken,
               "Take the next good image for one that cannot be loaded, and say so");
  add_device_flag(app, o.device);
  app.add_option("--threads", o.threads, "CPU threads; 0 means all cores")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
}

void take_saved_flags(const CLI::App& app, GanRunOptions& o) {
  const std::filesystem::path file = std::filesystem::path(o.out) / "config.json";
  check(std::filesystem::exists(file), "resume", "there is no run to resume: ", file,
        " does not exist");
  const Json saved = Json::parse(read_text(file), nullptr, false);
  check(saved.is_object(), "resume", file, " is not JSON; restore it or start a new run");
  static const std::set<std::string> fixed = {"data",  "model", "base", "loss",
                                              "batch", "ema",   "seed"};
  const auto take = [&]<class T>(const std::string& key, T& value) {
    check(saved.contains(key), "resume", file, " lacks ", key, "; restore it or start a new run");
    T before{};
    try {
      before = saved[key].get<T>();
    } catch (const Json::exception&) {
      fail("resume", file, ": ", key, " cannot be ", saved[key].dump(),
           "; restore it or start a new run");
    }
    if (app.count("--" + key) == 0) {
      value = before;
    } else if (value != before && fixed.contains(key)) {
      throw UsageError("--" + key + " is " + saved[key].dump() + " in " + file.string() +
                       " and cannot change within a run; leave the flag out or start a new run");
    } else if (value != before && key == "lr") {
      std::printf("From here on --lr is %g, not %s.\n", o.lr, saved[key].dump().c_str());
    }
  };
  take("data", o.data);
  take("model", o.model);
  take("base", o.base);
  take("loss", o.loss);
  take("steps", o.steps);
  take("batch", o.batch);
  take("lr", o.lr);
  take("ema", o.ema);
  take("seed", o.seed);
  take("sample-every", o.sample_every);
  take("checkpoint-every", o.checkpoint_every);
  take("threads", o.threads);
  take("skip-broken", o.skip_broken);
  check(o.steps >= 1 && o.batch >= 2 && o.sample_every >= 1 && o.checkpoint_every >= 1 &&
            o.threads >= 0 && o.base >= 1 && o.base <= 1024 && o.lr > 0 && o.ema >= 0 && o.ema < 1,
        "resume", file, " holds a value out of range; restore it or start a new run");
}

GanRun::GanRun(const GanRunOptions& options, bool resume)
    : options_(options),
      trainer_(make_trainer(options)),
      data_(options.data, {.size = trainer_.gan().image,
                           .batch = options.batch,
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

void GanRun::write_sample() {
  const Tensor images = kernels::denormalize_u8(trainer_.generate(fixed_noise_)).to(Device::cpu());
  data::save_png(folder_.sample(trainer_.steps_done()), data::image_grid(images, grid, grid));
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
  write_text(folder_.chart(), chart(folder_.read_metrics()));
}

}  // namespace imago::apps
