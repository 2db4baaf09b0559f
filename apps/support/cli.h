// What every program does the same way: flags, exit codes, one line per error.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

// So that not everything that has a run parses CLI11.
namespace CLI {
class App;
class Validator;
}  // namespace CLI

namespace imago::apps {

// A flag value that parsed but cannot be used. Ends the program with 2, as an unknown flag does.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Parses, then runs `body` and returns what it returns: 0, or 130 after Ctrl-C. A bad flag or flag
// value gives 2, any other error 1 (a full disk behind stdout too), both with one line on stderr.
int run_program(CLI::App& app, int argc, char** argv, const std::function<int()>& body);

// For flags: a number within [low, high], which NaN is not; and a whole number from 0 to 2^64 - 1
// written in digits.
CLI::Validator number_within(double low, double high);
CLI::Validator whole_number();

// A path as one word of a shell command.
std::string quoted(const std::string& path);

struct Grid {
  int rows = 0, columns = 0;
};

// "8x10" is 8 rows of 10; each from 1 to 1000. Throws UsageError otherwise.
Grid parse_grid(const std::string& text);

}  // namespace imago::apps
