// Small runs of train_cnn.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "program.h"

namespace imago::test {

// 12 people of 6 images.
inline const std::string tiny =
    "train_cnn --image 32 --base 4 --dimensions 16 --identities 12 --images-per-identity 6 "
    "--batch 8 --sample-every 4 --checkpoint-every 2 ";
inline const std::string small = tiny + "--held-out 0.25 ";

inline void check_refused(const Playground& play, const std::string& command, int status,
                          const std::string& part) {
  const Outcome o = play.run(command);
  INFO(command << ": " << o.err);
  CHECK(o.status == status);
  CHECK(one_line(o.err));
  CHECK(contains(o.err, part));
}

}  // namespace imago::test
