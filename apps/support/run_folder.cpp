#include "apps/support/run_folder.h"

#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <span>
#include <sstream>

#include "tensor/error.h"
#include "tensor/write_file.h"

namespace imago::apps {

namespace fs = std::filesystem;

Json json_number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

bool RunFolder::in_use() const {
  std::error_code error;
  return fs::exists(folder_, error) &&
         !(fs::is_directory(folder_, error) && fs::is_empty(folder_, error));
}

void RunFolder::check_new(const char* program) const {
  check(!in_use(), program, folder_.string(),
        " is not empty; go on with --resume, or choose another --out");
  // What there is of the way to it decides.
  std::error_code error;
  fs::path there = fs::absolute(folder_).lexically_normal();
  while (!fs::exists(there, error) && there.has_relative_path()) there = there.parent_path();
  check(fs::is_directory(there, error) && ::access(there.c_str(), W_OK | X_OK) == 0, program,
        "cannot create ", folder_, ": ", there,
        " is no folder that can be written into; choose another --out");
}

void RunFolder::create() const {
  std::error_code error;
  fs::create_directories(folder_ / "samples", error);
  if (error) {
    fail("run folder", "cannot create ", folder_ / "samples", ": ", error.message(),
         "; choose another --out");
  }
}

fs::path RunFolder::sample(std::int64_t step) const {
  char name[32];
  std::snprintf(name, sizeof name, "%08lld.png", static_cast<long long>(step));
  return folder_ / "samples" / name;
}

void RunFolder::add_metrics(const Json& row) {
  std::ofstream out(metrics(), std::ios::app);
  out << row.dump() << '\n';
  out.flush();
  check(out.good(), "metrics", "cannot write ", metrics(), "; is the disk full?");
}

std::vector<Json> RunFolder::read_metrics() const {
  std::vector<Json> rows;
  if (!fs::exists(metrics())) return rows;
  const std::string text = read_text(metrics());
  // A run that was killed while writing leaves half a line at the end; only whole lines count.
  std::istringstream lines(text.substr(0, text.rfind('\n') + 1));
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    Json row = Json::parse(line, nullptr, false);
    check(!row.is_discarded() && row.is_object() && row.contains("step"), "metrics", metrics(),
          ", line ", number, " is not a row of metrics; remove it and try again");
    rows.push_back(std::move(row));
  }
  return rows;
}

void RunFolder::truncate_metrics(std::int64_t step) {
  std::string kept;
  for (const Json& row : read_metrics()) {
    if (row["step"].get<std::int64_t>() <= step) kept += row.dump() + '\n';
  }
  write_text(metrics(), kept);
}

std::string read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  check(in.good(), "read", "cannot open ", file);
  std::string text(std::istreambuf_iterator<char>(in), {});
  check(!in.bad(), "read", "cannot read ", file);
  return text;
}

void write_text(const fs::path& file, const std::string& text) {
  write_file("write", file, std::as_bytes(std::span(text)));
}

}  // namespace imago::apps
