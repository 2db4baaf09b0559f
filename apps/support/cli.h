// What every program does the same way: flags, exit codes, one line per error.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <functional>

namespace imago::apps {

// A flag value that parsed but cannot be used. Ends the program with 2, as an unknown flag does.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Parses, then runs `body`. Returns 0, 2 after a bad flag or flag value, 1 after any other error;
// both with one line on stderr. --help and --version return 0.
inline int run_program(CLI::App& app, int argc, char** argv, const std::function<int()>& body) {
  const auto report = [&](const char* what) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), what);
  };
  try {
    app.parse(argc, argv);
    return body();
  } catch (const CLI::Success& done) {
    return app.exit(done);
  } catch (const CLI::ParseError& error) {
    report(error.what());
    return 2;
  } catch (const UsageError& error) {
    report(error.what());
    return 2;
  } catch (const std::exception& error) {
    report(error.what());
    return 1;
  }
}

}  // namespace imago::apps
