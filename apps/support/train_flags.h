// The flags that every training program has, and those a run was started with.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "apps/support/run_folder.h"

// So that not everything that has a run parses CLI11.
namespace CLI {
class App;
}  // namespace CLI

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
};

void add_train_flags(CLI::App& app, TrainFlags& flags);
// As config.json keeps them; --out and --device are not part of a run.
Json to_json(const TrainFlags& flags);

// OUT/config.json, read for --resume.
class SavedFlags {
 public:
  // `fixed`: flags that cannot change within a run. Throws when there is no such file, when it is
  // not JSON, and when it belongs to another program: its "model" is not `model`.
  SavedFlags(const CLI::App& app, const std::string& out, const std::string& model,
             std::set<std::string> fixed);

  // Gives `value` what was saved under the key, unless --key was given: then throws UsageError if
  // it contradicts a fixed one.
  template <class T>
  void take(const std::string& key, T& value) const {
    T before{};
    try {
      before = entry(key).get<T>();
    } catch (const Json::exception&) {
      unusable(key);
    }
    if (!given(key)) {
      value = before;
    } else if (value != before) {
      changed(key);
    }
  }
  // All of TrainFlags. Throws when a value is out of the range of its flag.
  void take(TrainFlags& flags) const;
  // Throws, naming the file, unless a condition on values that were taken holds.
  void require(bool in_range) const;

 private:
  bool given(const std::string& key) const;  // on the command line
  const Json& entry(const std::string& key) const;
  [[noreturn]] void unusable(const std::string& key) const;
  void changed(const std::string& key) const;

  const CLI::App& app_;
  std::filesystem::path file_;
  std::set<std::string> fixed_;
  Json saved_;
};

}  // namespace imago::apps
