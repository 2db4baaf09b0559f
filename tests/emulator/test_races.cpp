// Planted races that ThreadSanitizer must find: see tests/races/races.cu. The program is built with
// -fsanitize=thread in every build, so these cases run in every build.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cstdio>
#include <string>

#include "tests/support/errors.h"

using imago::test::contains;

namespace {

struct Outcome {
  int status;
  std::string text;
};

Outcome run(const std::string& name, const std::string& which) {
  const std::string command =
      std::string("TSAN_OPTIONS=exitcode=66 '") + IMAGO_RACES + "' " + name + " " + which + " 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Outcome outcome;
  char buffer[4096];
  for (std::size_t n; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    outcome.text.append(buffer, n);
  }
  const int status = pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

// The right kernel runs in silence; the wrong one is reported, with the kernel and the two threads.
void check_race(const std::string& name) {
  CAPTURE(name);
  const Outcome right = run(name, "right");
  CHECK(right.text == "");
  CHECK(right.status == 0);
  const Outcome wrong = run(name, "wrong");
  CHECK(wrong.status == 66);
  CHECK(contains(wrong.text, "WARNING: ThreadSanitizer: data race"));
  CHECK(contains(wrong.text, "#0 " + name + "<false>"));
  const std::string block = " 'block (";
  const auto first = wrong.text.find(block);
  REQUIRE(first != std::string::npos);
  CHECK(wrong.text.find(block, first + 1) != std::string::npos);
}

}  // namespace

TEST_CASE("ThreadSanitizer finds a race between two warps") {
  check_race("two_warps");
  CHECK(contains(run("two_warps", "wrong").text, "'block (0, 0, 0) thread ("));
}

TEST_CASE("ThreadSanitizer finds a race between the lanes of a warp") {
  check_race("one_warp");
}

TEST_CASE("ThreadSanitizer finds a missing barrier at the end of a loop") {
  check_race("next_round");
}

TEST_CASE("ThreadSanitizer finds blocks that count without atomics") {
  check_race("two_blocks");
}

TEST_CASE("ThreadSanitizer finds a ticket that was drawn too soon") {
  check_race("last_block");
}

TEST_CASE("ThreadSanitizer finds the use of another thread's copy") {
  check_race("neighbours_copy");
}

TEST_CASE("ThreadSanitizer finds a buffer that is not handed back") {
  check_race("one_way");
}

TEST_CASE("ThreadSanitizer finds a block barrier where the grid's is needed") {
  check_race("whole_grid");
}

TEST_CASE("ThreadSanitizer is silent about blocks and launches that follow each other") {
  const Outcome outcome = run("launches", "right");
  CHECK(outcome.text == "");
  CHECK(outcome.status == 0);
}
