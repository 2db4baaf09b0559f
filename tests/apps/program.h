// Running the built programs in a folder of their own.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <string>

#include "tests/support/errors.h"
#include "tests/support/files.h"

namespace imago::test {

struct Outcome {
  int status;  // exit status, or 128 + signal
  std::string out, err;
};

// A fresh folder that goes away with its owner; programs run inside it.
class Playground {
 public:
  fs::path operator/(const std::string& name) const { return folder_ / name; }

  // Runs build/<preset>/apps/<command line>.
  Outcome run(const std::string& command) const { return shell(program(command) + streams); }

  // The same, but sends a signal ("INT", "KILL") shortly after `file` has appeared.
  Outcome run_until(const std::string& file, const std::string& signal,
                    const std::string& command) const {
    return shell(program(command) + streams + " & pid=$!; until [ -e '" + file +
                 "' ] || ! kill -0 $pid 2>err2.txt; do sleep 0.02; done; sleep 0.2; kill -" +
                 signal + " $pid; wait $pid");
  }

 private:
  static constexpr const char* streams = " >out.txt 2>err.txt </dev/null";

  static std::string program(const std::string& command) {
    return std::string(IMAGO_PROGRAMS) + "/" + command;
  }
  Outcome shell(const std::string& line) const {
    const std::string inside = "cd '" + folder_.path().string() + "' && { " + line + "; }";
    const int status = std::system(inside.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            read_bytes(folder_ / "out.txt"), read_bytes(folder_ / "err.txt")};
  }

  TemporaryFolder folder_;
};

// The whole message is one line: a name, a colon and what went wrong.
inline bool one_line(const std::string& text) {
  return !text.empty() && text.find('\n') == text.size() - 1;
}

}  // namespace imago::test
