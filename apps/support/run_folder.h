// The folder a training run writes into: config.json, metrics.jsonl, samples/,
// loss.svg and checkpoint.safetensors; with --profile also profile.txt and trace.json, with
// --score-every also best.safetensors.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace imago::apps {

using Json = nlohmann::ordered_json;

// A value that may be NaN or infinite, which JSON cannot say: null then.
Json json_number(double value);

class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Creates the folder when needed. Throws naming it when that is impossible.
  void create() const;
  // Of a run that is to begin, before anything is computed for it: throws, naming the folder, when
  // there is something in it or it cannot be created. Creates nothing.
  void check_new(const char* program) const;
  // True when there is something in it.
  bool in_use() const;

  const std::filesystem::path& path() const { return folder_; }
  std::filesystem::path config() const { return folder_ / "config.json"; }
  std::filesystem::path metrics() const { return folder_ / "metrics.jsonl"; }
  std::filesystem::path chart() const { return folder_ / "loss.svg"; }
  std::filesystem::path profile() const { return folder_ / "profile.txt"; }
  std::filesystem::path trace() const { return folder_ / "trace.json"; }
  std::filesystem::path checkpoint() const { return folder_ / "checkpoint.safetensors"; }
  std::filesystem::path best() const { return folder_ / "best.safetensors"; }
  // samples/00001500.png: names sort by step.
  std::filesystem::path sample(std::int64_t step) const;

  // Adds one line to metrics.jsonl.
  void add_metrics(const Json& row);
  // All rows so far; throws naming file and line when one is not JSON.
  std::vector<Json> read_metrics() const;
  // Drops the rows after `step` (a run that is resumed from an
  // earlier checkpoint writes them again).
  void truncate_metrics(std::int64_t step);

 private:
  std::filesystem::path folder_;
};

// Whole files of text. Writing goes through a temporary name, so that a full disk loses nothing.
std::string read_text(const std::filesystem::path& file);
void write_text(const std::filesystem::path& file, const std::string& text);

}  // namespace imago::apps
