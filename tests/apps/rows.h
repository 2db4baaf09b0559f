// The rows of metrics.jsonl that runs of one kind have alike.
#pragma once

#include <doctest/doctest.h>

#include <initializer_list>
#include <map>

#include "apps/support/run_folder.h"
#include "tests/support/files.h"

namespace imago::test {

// By step, without what no two runs have alike.
inline std::map<int, apps::Json> rows_of(const fs::path& run) {
  std::map<int, apps::Json> rows;
  for (apps::Json row : apps::RunFolder(run).read_metrics()) {
    row.erase("images_per_s");
    CHECK_FALSE(rows.contains(row.at("step").get<int>()));
    rows[row.at("step").get<int>()] = row;
  }
  return rows;
}

// Two runs have rows of these steps, and the same ones.
inline void check_same_rows(const fs::path& one, const fs::path& other,
                            std::initializer_list<int> steps) {
  const std::map<int, apps::Json> a = rows_of(one), b = rows_of(other);
  for (const int step : steps) {
    CAPTURE(step);
    REQUIRE(a.contains(step));
    REQUIRE(b.contains(step));
    CHECK(a.at(step) == b.at(step));
  }
}

}  // namespace imago::test
