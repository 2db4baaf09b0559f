#include "apps/support/train_loop.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "apps/support/cli.h"
#include "apps/support/interrupt.h"
#include "apps/support/training_scores.h"
#include "kernels/random/random.h"

namespace imago::apps {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t metrics_every = 10;  // steps between rows of metrics.jsonl
// The draw of the fixed noise: no step of training uses this number of a step.
constexpr std::uint32_t fixed_noise_step = 0xffffffffu;

bool all_finite(const Tensor& t) {
  if (!is_floating(t.dtype())) return true;  // counts
  const Tensor host = t.to(Device::cpu());
  bool finite = true;
  dispatch<float, double, bf16>(t.dtype(), "all_finite", [&]<class T> {
    const T* p = host.data<T>();
    finite = std::all_of(p, p + host.numel(), [](acc_t<T> v) { return std::isfinite(v); });
  });
  return finite;
}

}  // namespace

// Shows progress, has pictures written and adds a row of metrics where they are due.
class TrainingRun::Reporter {
 public:
  explicit Reporter(TrainingRun& run)
      : run_(run),
        last_step_(run.training_.steps_done()),
        progress_(last_step_, run.flags_.steps, std::max<std::int64_t>(run.flags_.steps / 50, 1)),
        last_time_(Clock::now()) {}

  // After each step, of so many images. Throws when a loss is not finite.
  void report(std::int64_t images, bool pictures, bool last) {
    const std::int64_t step = run_.training_.steps_done();
    TrainingScores* scores = run_.training_.scores();
    const bool score = scores && scores->due(step);
    const bool show = progress_.due(step);
    const bool write = last || pictures || score || step == 1 || step % metrics_every == 0;
    if (!show && !write) return;
    const StepFigures figures = run_.training_.figures();
    const auto now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - last_time_).count();
    const double rate = static_cast<double>((step - last_step_) * images) / seconds;
    last_time_ = now;
    last_step_ = step;
    Json scored = Json::object();
    if (score && figures.finite) {
      scored = scores->measure(step);
      progress_.finish();
      std::printf("Step %lld: %s\n", static_cast<long long>(step), scores->text().c_str());
      last_time_ = Clock::now();  // rates are of training alone
    }
    if (show) progress_.update(step, rate, figures.text + (scores ? scores->figure() : ""));
    Json row = {{"step", step}};
    row.update(figures.row);
    row["images_per_s"] = std::round(rate);
    row.update(scored);
    // Pictures of a model that is NaN tell nothing.
    if (figures.finite && pictures) row.update(run_.training_.write_pictures());
    if (figures.finite && write) run_.training_.judge(row, progress_);
    if (write) run_.folder_.add_metrics(row);
    check(figures.finite, run_.training_.program(), "a loss is not finite at step ", step,
          "; the last checkpoint is untouched. Try a smaller --lr or another --seed");
    if (score && scores->best_step() == step) run_.save_best();
  }
  void finish() { progress_.finish(); }

 private:
  TrainingRun& run_;
  std::int64_t last_step_;  // that a rate was measured at
  Progress progress_;
  Clock::time_point last_time_;
};

void TrainingRun::open() {
  const std::string folder = folder_.path().string();
  if (!flags_.resume) {
    folder_.check_new(training_.program());
    return;
  }
  check(std::filesystem::exists(folder_.checkpoint()), "resume", folder,
        " has no checkpoint: the run stopped before its first one. Start again in another --out");
  const SafetensorsFile file = load_safetensors(folder_.checkpoint());
  training_.load(file);
  check(file.metadata_entry("batch") == std::to_string(flags_.batch), "resume", file.path,
        " was trained with batches of ", file.metadata_entry("batch"), ", not ", flags_.batch);
  saved_step_ = training_.steps_done();
  if (file.metadata_entry("images") != std::to_string(data_.size())) {
    std::fprintf(stderr,
                 "%s: %s holds %lld images now, %s when the run was saved: the run goes on, but "
                 "not as it would have without the stop\n",
                 training_.program(), flags_.data.c_str(), static_cast<long long>(data_.size()),
                 file.metadata_entry("images").c_str());
  }
}

int TrainingRun::run(const Json& config, const InspectionOptions& look,
                     const std::string& command) {
  const auto first = static_cast<long long>(training_.steps_done());
  if (first >= flags_.steps) {
    std::printf("Nothing to do: %lld steps are done; ask for more with --steps.\n", first);
    return 0;
  }
  if (first > 0) std::printf("Going on after step %lld.\n", first);
  TrainingScores* scores = training_.scores();
  if (scores) scores->prepare();
  begin(config);
  if (first == 0) training_.write_pictures();
  if (scores) begin_scores(*scores);
  const bool finished = train(look);
  if (scores && scores->best_step() > 0) {
    std::printf("%s; %s\n", scores->verdict().c_str(), folder_.best().c_str());
  }
  if (!finished) {
    std::printf("Stopped after step %lld and saved. To go on:\n  %s --resume --out %s\n",
                static_cast<long long>(training_.steps_done()), quoted(command).c_str(),
                quoted(flags_.out).c_str());
    return 130;
  }
  std::printf("Wrote %s, %s and %s\n", folder_.checkpoint().c_str(), folder_.chart().c_str(),
              (folder_.path() / "samples/*.png").c_str());
  return 0;
}

void TrainingRun::begin(const Json& config) {
  folder_.create();
  if (training_.steps_done() > 0) {
    folder_.truncate_metrics(training_.steps_done());
    training_.see_again(folder_.read_metrics());
  } else {
    write_text(folder_.metrics(), "");
  }
  write_text(folder_.config(), config.dump(2) + "\n");
}

void TrainingRun::begin_scores(TrainingScores& scores) {
  const std::int64_t first = training_.steps_done();
  scores.see_again(folder_.read_metrics());
  if (first == 0) {
    Json row = {{"step", 0}};
    row.update(scores.measure(0));
    folder_.add_metrics(row);
    std::printf("Before training: %s\n", scores.text().c_str());
    return;
  }
  const std::int64_t best = scores.best_step();
  if (best == 0) return;
  const bool kept = std::filesystem::exists(folder_.best()) &&
                    load_safetensors(folder_.best()).metadata_entry("step") == std::to_string(best);
  if (kept) return;
  if (best == first) {  // it stopped between writing the checkpoint and writing the best one
    save_safetensors(folder_.best(), training_.state(), metadata());
  } else {
    std::fprintf(stderr,
                 "%s: %s is not that of step %lld, the best so far; there will be one "
                 "again after a better step\n",
                 training_.program(), folder_.best().c_str(), static_cast<long long>(best));
  }
}

void TrainingRun::save_best() {
  save();
  save_safetensors(folder_.best(), training_.state(), metadata());
}

Metadata TrainingRun::metadata() const {
  Metadata all = training_.metadata();
  all["batch"] = std::to_string(flags_.batch);
  all["images"] = std::to_string(data_.size());
  return all;
}

void TrainingRun::save() {
  if (saved_step_ == training_.steps_done()) return;
  const NamedTensors state = training_.state();
  for (const auto& [name, tensor] : state) {
    check(all_finite(tensor), training_.program(), name, " is not finite after step ",
          training_.steps_done(),
          "; the last checkpoint is untouched. Try a smaller --lr or another --seed");
  }
  save_safetensors(folder_.checkpoint(), state, metadata());
  saved_step_ = training_.steps_done();
  write_text(folder_.chart(), training_.chart(folder_.read_metrics()));
}

bool TrainingRun::train(const InspectionOptions& look) {
  const std::int64_t first = training_.steps_done();
  Inspection inspection(look);
  Reporter reporter(*this);
  bool finished = true;
  try {
    for (auto&& batch : data_.stream(flags_.steps, Context::current().device, first)) {
      const std::int64_t step = batch.step;
      training_.step(batch);
      const bool stop = interrupted();
      const bool last = stop || step == flags_.steps;
      reporter.report(batch.real.size(0), last || step % flags_.sample_every == 0, last);
      if (last || step % flags_.checkpoint_every == 0) save();
      finished = !stop || step == flags_.steps;
      if (!finished) break;
    }
  } catch (...) {
    // A broken image must not cost the steps before it. save() refuses what is not finite.
    reporter.finish();
    if (training_.steps_done() > std::max<std::int64_t>(saved_step_, 0)) {
      try {
        save();
        std::printf("Saved the %lld steps done so far.\n",
                    static_cast<long long>(training_.steps_done()));
      } catch (const std::exception&) {
        // The first error is the one to tell.
      }
    }
    throw;
  }
  reporter.finish();
  inspection.write(folder_);
  return finished;
}

Tensor fixed_noise(std::uint64_t seed, std::int64_t length, std::int64_t rows, std::uint32_t draw) {
  return kernels::normal({rows, length}, DType::f32, {seed, fixed_noise_step, draw});
}

Series series(const std::vector<Json>& rows, const char* name, const char* key) {
  Series s{name, {}, {}};
  for (const Json& row : rows) {
    if (!row.contains(key)) continue;
    s.x.push_back(row.at("step").get<double>());
    s.y.push_back(row.at(key).is_number() ? row.at(key).get<double>() : std::nan(""));
  }
  return s;
}

}  // namespace imago::apps
