// Running the built programs in a folder of their own.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <unistd.h>

namespace imago::test {

namespace fs = std::filesystem;

inline std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Outcome {
  int status;  // exit status, or 128 + signal
  std::string out, err;
};

// A fresh folder that goes away with its owner; programs run inside it.
class Playground {
 public:
  Playground() : folder_(fs::temp_directory_path() / ("imago-apps-" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~Playground() { fs::remove_all(folder_); }

  fs::path operator/(const std::string& name) const { return folder_ / name; }

  // Runs build/<preset>/apps/<command line>, after `before` (such as "timeout -s INT 2").
  Outcome run(const std::string& command, const std::string& before = "") const {
    const std::string line = "cd '" + folder_.string() + "' && " + before + " " + IMAGO_PROGRAMS +
                             "/" + command + " >out.txt 2>err.txt </dev/null";
    const int status = std::system(line.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            text_of(folder_ / "out.txt"), text_of(folder_ / "err.txt")};
  }

 private:
  fs::path folder_;
};

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The whole message is one line: a name, a colon and what went wrong.
inline bool one_line(const std::string& text) {
  return !text.empty() && text.find('\n') == text.size() - 1;
}

}  // namespace imago::test
