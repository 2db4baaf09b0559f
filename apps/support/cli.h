// What every program does the same way: flags, exit codes, one line per error.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <stdexcept>
#include <string>

namespace imago::apps {

// A flag value that parsed but cannot be used. Ends the program with 2, as an unknown flag does.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Parses, then runs `body`. Returns 0, 2 after a bad flag or flag value, 1 after any other error;
// both with one line on stderr. --help and --version return 0.
int run_program(CLI::App& app, int argc, char** argv, const std::function<int()>& body);

struct Grid {
  int rows = 0, columns = 0;
};

// "8x10" is 8 rows of 10; each from 1 to 1000. Throws UsageError otherwise.
Grid parse_grid(const std::string& text);

}  // namespace imago::apps
