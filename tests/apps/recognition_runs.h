// Small runs of evaluate on recognition.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "apps/support/run_folder.h"
#include "program.h"

namespace imago::test {

struct Prepared : Playground {
  Outcome succeeds(const std::string& command) const {
    const Outcome o = run(command);
    INFO(command << ": " << o.err);
    REQUIRE(o.status == 0);
    return o;
  }
  void fails(const std::string& command, int status, const std::string& part) const {
    const Outcome o = run(command);
    INFO(command << ": " << o.err);
    CHECK(o.status == status);
    CHECK(one_line(o.err));
    CHECK(contains(o.err, part));
  }
  apps::Json json(const std::string& name) const {
    return apps::Json::parse(read_bytes(*this / name));
  }
};

}  // namespace imago::test
