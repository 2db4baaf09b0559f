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

  // Runs build/<preset>/apps/<command line>, after `before` (such as "timeout -s INT 2").
  Outcome run(const std::string& command, const std::string& before = "") const {
    const std::string line = "cd '" + folder_.path().string() + "' && " + before + " " +
                             IMAGO_PROGRAMS + "/" + command + " >out.txt 2>err.txt </dev/null";
    const int status = std::system(line.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            read_bytes(folder_ / "out.txt"), read_bytes(folder_ / "err.txt")};
  }

 private:
  TemporaryFolder folder_;
};

// The whole message is one line: a name, a colon and what went wrong.
inline bool one_line(const std::string& text) {
  return !text.empty() && text.find('\n') == text.size() - 1;
}

}  // namespace imago::test
