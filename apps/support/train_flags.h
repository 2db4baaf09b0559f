// The flags that every training program has, and those a run was started with.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "apps/support/flags.h"
#include "apps/support/run_folder.h"

namespace imago::apps {

struct TrainFlags {
  std::string data = "procedural";  // a folder of images, or "procedural"
  std::int64_t steps = 2000;
  int batch = 64;
  double lr = 1e-3;
  std::uint64_t seed = 1;
  std::string out;
  std::int64_t sample_every = 200;
  std::int64_t checkpoint_every = 500;
  int threads = 0;  // 0: all cores
  std::string device = "auto";
  bool skip_broken = false;
  bool resume = false;
};

// Of scores during training (apps/support/training_scores.h), for programs that make them.
struct ScoreFlags {
  std::int64_t every = 0;   // steps between scores; 0: none
  std::int64_t images = 0;  // of each kind; 0: what there are, up to 1000
};

void add_score_flags(Flags& flags, ScoreFlags& values);
// After parsing and taking: the number of images is settled, so that it is saved and stays. Opens
// the data where there are scores to make. Throws UsageError where there are too few images for
// them, and for a number of images without steps to score at.
void settle(ScoreFlags& flags, const TrainFlags& train);
Json to_json(const ScoreFlags& flags);

void add_train_flags(Flags& flags, TrainFlags& values);
// After parsing: the folder of images gets its full path. Throws UsageError where --out is empty.
void settle(TrainFlags& flags);
// Before anything is computed: Ctrl-C is caught, and threads, device and seed are those asked for.
void prepare(const TrainFlags& flags);
// As config.json keeps them; --out, --device and --resume are not part of a run.
Json to_json(const TrainFlags& flags);

// OUT/config.json, read for --resume.
class SavedFlags {
 public:
  // `fixed`: flags that cannot change within a run. Throws when there is no such file, when it is
  // not JSON, and when it belongs to another program: its "model" is none of `models`.
  SavedFlags(const Flags& flags, const std::string& out, const std::vector<std::string>& models,
             std::set<std::string> fixed);

  bool given(const std::string& key) const;
  // What was saved under the key; throws where there is nothing.
  template <class T>
  T value_of(const std::string& key) const {
    try {
      return entry(key).get<T>();
    } catch (const Json::exception&) {
      unusable(key);
    }
  }
  // The same for a flag that is younger than some runs: these had `fallback`.
  template <class T>
  T value_of(const std::string& key, const T& fallback) const {
    return saved_.contains(key) ? value_of<T>(key) : fallback;
  }

  // Gives `value` what was saved under the key, unless --key was given: then throws UsageError if
  // it contradicts a fixed one, and says so if it changes a number.
  template <class T>
  void take(const std::string& key, T& value) const {
    take_or_keep(key, value, value_of<T>(key));
  }
  template <class T>
  void take(const std::string& key, T& value, const T& fallback) const {
    take_or_keep(key, value, value_of(key, fallback));
  }
  // All of TrainFlags. Throws when a value is out of the range of its flag.
  void take(TrainFlags& flags) const;
  // All of ScoreFlags, which some runs are older than. Throws UsageError for another number of
  // images than the run's scores were made of.
  void take(ScoreFlags& flags) const;
  // Throws, naming the file, unless a condition on values that were taken holds; `why` it does not
  // may be told too.
  void require(bool in_range, const std::string& why = "") const;

 private:
  template <class T>
  void take_or_keep(const std::string& key, T& value, const T& before) const {
    if (!given(key)) {
      value = before;
    } else if (value != before) {
      changed(key, value, before);
    }
  }
  const Json& entry(const std::string& key) const;
  [[noreturn]] void unusable(const std::string& key) const;
  void changed(const std::string& key, const Json& now, const Json& before) const;

  const Flags& flags_;
  std::filesystem::path file_;
  std::set<std::string> fixed_;
  Json saved_;
};

// Tells the user of a rate that is another one than in the run so far.
void say_change(const std::string& key, double now, double before);

}  // namespace imago::apps
