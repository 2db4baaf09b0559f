#include "apps/support/train_flags.h"

#include <algorithm>
#include <cstdio>

#include "apps/support/device.h"
#include "apps/support/interrupt.h"
#include "apps/support/training_scores.h"
#include "data/faces.h"
#include "tensor/context.h"
#include "tensor/error.h"

namespace imago::apps {
namespace {

constexpr std::int64_t most_steps = 0x7fffffff;

[[noreturn]] void refuse_images_without_scores() {
  throw UsageError(
      "--score-images says of how many images to make scores; say when, with --score-every");
}

}  // namespace

void add_train_flags(Flags& flags, TrainFlags& o) {
  flags.text("--data", o.data, "Folder of images, or procedural");
  flags.number("--steps", o.steps, 1, most_steps, "Steps to reach in all, also with --resume");
  flags.number("--batch", o.batch, 2, 65536, "Images a step");
  flags.number("--lr", o.lr, 1e-8, 1.0, "Learning rate");
  flags.seed("--seed", o.seed, "Of weights, noise and the order of images");
  flags.text("--out", o.out, "Folder to write into");
  flags.number("--sample-every", o.sample_every, 1, most_steps,
               "Steps between pictures; there are some at the end too");
  flags.number("--checkpoint-every", o.checkpoint_every, 1, most_steps,
               "Steps between checkpoints");
  flags.on("--skip-broken", o.skip_broken,
           "Take the next good image for one that cannot be loaded, and say so");
  add_device_flag(flags, o.device);
  flags.number("--threads", o.threads, 0, 1024, "CPU threads; 0 means all cores");
  flags.on("--resume", o.resume,
           "Go on from OUT/checkpoint.safetensors, with the flags of OUT/config.json where "
           "none are given");
}

void settle(TrainFlags& o) {
  if (o.out.empty()) throw UsageError("--out must name a folder");
  if (o.data == "procedural") return;
  o.data = std::filesystem::absolute(o.data).lexically_normal().string();
}

void prepare(const TrainFlags& o) {
  catch_interrupt();
  set_num_threads(o.threads);
  use_device(o.device);
  manual_seed(o.seed);
}

Json to_json(const TrainFlags& o) {
  return {{"data", o.data},
          {"steps", o.steps},
          {"batch", o.batch},
          {"lr", o.lr},
          {"seed", o.seed},
          {"sample-every", o.sample_every},
          {"checkpoint-every", o.checkpoint_every},
          {"threads", o.threads},
          {"skip-broken", o.skip_broken}};
}

void add_score_flags(Flags& flags, ScoreFlags& o) {
  flags.number("--score-every", o.every, 0, most_steps,
               "Steps between scores of what is drawn, the best of which is kept; 0: none");
  flags.number("--score-images", o.images, 0, 100'000,
               "Images of each kind for a score (default: what there are, up to 1000)");
}

void settle(ScoreFlags& o, const TrainFlags& train) {
  if (o.every == 0) {
    if (o.images > 0 && !train.resume) refuse_images_without_scores();
    return;
  }
  constexpr std::int64_t usual = 1000;
  const std::int64_t have = data::Faces(train.data, {.batch = 1}).size();
  if (o.images == 0) o.images = std::min(have, usual);
  if (have < o.images) {
    throw UsageError("--score-images is " + std::to_string(o.images) + " but " + train.data +
                     " holds only " + std::to_string(have) + " images" +
                     (train.resume ? " now; --score-every 0 goes on without scores" : ""));
  }
  if (o.images < least_score_images()) {
    throw UsageError("scores need at least " + std::to_string(least_score_images()) +
                     " images of each kind, not " + std::to_string(o.images) +
                     "; --score-every 0 leaves them out");
  }
}

Json to_json(const ScoreFlags& o) {
  return {{"score-every", o.every}, {"score-images", o.images}};
}

bool SavedFlags::given(const std::string& key) const {
  return flags_.given("--" + key);
}

SavedFlags::SavedFlags(const Flags& flags, const std::string& out,
                       const std::vector<std::string>& models, std::set<std::string> fixed)
    : flags_(flags), file_(std::filesystem::path(out) / "config.json"), fixed_(std::move(fixed)) {
  check(std::filesystem::exists(file_), "resume", "there is no run to resume: ", file_,
        " does not exist");
  saved_ = Json::parse(read_text(file_), nullptr, false);
  check(saved_.is_object(), "resume", file_, " is not JSON; restore it or start a new run");
  const Json& model = entry("model");
  const auto is_model = [&](const std::string& name) { return model == Json(name); };
  check(std::any_of(models.begin(), models.end(), is_model), "resume", file_,
        " is of a run that trains ", model.dump(), ", which ", flags.program(),
        " does not; resume it with the program that started it");
}

void SavedFlags::take(TrainFlags& o) const {
  take("data", o.data);
  take("steps", o.steps);
  take("batch", o.batch);
  take("lr", o.lr);
  take("seed", o.seed);
  take("sample-every", o.sample_every);
  take("checkpoint-every", o.checkpoint_every);
  take("threads", o.threads);
  take("skip-broken", o.skip_broken);
  require(o.steps >= 1 && o.batch >= 2 && o.sample_every >= 1 && o.checkpoint_every >= 1 &&
          o.threads >= 0 && o.threads <= 1024 && o.lr > 0 && o.lr <= 1);
}

void SavedFlags::take(ScoreFlags& o) const {
  const ScoreFlags defaults;
  take("score-every", o.every, defaults.every);
  const auto before = value_of("score-images", defaults.images);
  if (given("score-images") && before != 0 && o.images != before) {
    throw UsageError("--score-images is " + std::to_string(before) +
                     " in this run, and scores of other numbers of images do not compare; leave "
                     "the flag out or start a new run");
  }
  if (given("score-images") && o.every == 0) refuse_images_without_scores();
  if (!given("score-images")) o.images = before;
  require(o.every >= 0 && o.images >= 0);
}

void SavedFlags::require(bool in_range, const std::string& why) const {
  check(in_range, "resume", file_, " holds a value out of range; restore it or start a new run",
        why.empty() ? "" : " (" + why + ")");
}

const Json& SavedFlags::entry(const std::string& key) const {
  check(saved_.contains(key), "resume", file_, " lacks ", key, "; restore it or start a new run");
  return saved_[key];
}

void SavedFlags::unusable(const std::string& key) const {
  fail("resume", file_, ": ", key, " cannot be ", saved_[key].dump(),
       "; restore it or start a new run");
}

void SavedFlags::changed(const std::string& key, const Json& now, const Json& before) const {
  if (fixed_.contains(key)) {
    throw UsageError("--" + key + " is " + before.dump() + " in " + file_.string() +
                     " and cannot change within a run; leave the flag out or start a new run");
  }
  if (now.is_number_float()) say_change(key, now.get<double>(), before.get<double>());
}

void say_change(const std::string& key, double now, double before) {
  std::printf("From here on --%s is %g, not %g.\n", key.c_str(), now, before);
}

}  // namespace imago::apps
