#include "apps/support/cli.h"

#include <unistd.h>
#include <CLI/CLI.hpp>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace imago::apps {

namespace {

// Threads that wait for each other should sleep, not spin: spinning costs the loader's workers
// their cores, and on a busy machine a step has been seen to take 17 times as long. OpenMP decides
// that before main, so the program starts itself once more.
void let_waiting_threads_sleep(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  ::setenv("OMP_WAIT_POLICY", "passive", 1);
  ::execv("/proc/self/exe", argv);  // where that is impossible, go on as we are
}

}  // namespace

int run_program(CLI::App& app, int argc, char** argv, const std::function<int()>& body) {
  let_waiting_threads_sleep(argv);
  const auto report = [&](const char* what) {
    std::string line;
    for (const char* c = what; *c; ++c) line += *c == '\n' ? std::string("; ") : std::string(1, *c);
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), line.c_str());
  };
  try {
    app.parse(argc, argv);
    const int status = body();
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      report("cannot write to standard output; is the disk full?");
      return 1;
    }
    return status;
  } catch (const CLI::Success& done) {
    return app.exit(done);
  } catch (const CLI::ExtrasError& error) {
    report((std::string(error.what()) + "; --help lists the flags").c_str());
    return 2;
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

CLI::Validator number_within(double low, double high) {
  const std::string range = CLI::detail::to_string(low) + " to " + CLI::detail::to_string(high);
  return CLI::Validator(
      [=](std::string& text) {
        double value = 0;
        const bool inside = CLI::detail::lexical_cast(text, value) && value >= low && value <= high;
        return inside ? std::string() : "'" + text + "' is not a number from " + range;
      },
      "NUMBER " + range);
}

CLI::Validator whole_number() {
  return CLI::Validator(
      [](std::string& text) {
        std::uint64_t value = 0;
        const char* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, value);
        const bool fits = error == std::errc() && stop == end;
        return fits ? std::string() : "'" + text + "' is not a whole number from 0 to 2^64 - 1";
      },
      "WHOLE NUMBER");
}

std::string quoted(const std::string& path) {
  const char* const plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+,:@";
  if (!path.empty() && path.find_first_not_of(plain) == std::string::npos) return path;
  std::string word = "'";
  for (const char c : path) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

Grid parse_grid(const std::string& text) {
  Grid grid;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%dx%d%c", &grid.rows, &grid.columns, &rest) != 2 ||
      grid.rows < 1 || grid.columns < 1 || grid.rows > 1000 || grid.columns > 1000) {
    throw UsageError("--grid: '" + text + "' is not ROWSxCOLUMNS, such as 8x8");
  }
  return grid;
}

}  // namespace imago::apps
