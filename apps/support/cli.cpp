#include "apps/support/cli.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace imago::apps {

namespace {

// Threads that wait for each other should sleep, not spin: spinning costs the loader's workers their
// cores, and on a busy machine a step has been seen to take 17 times as long. OpenMP decides that
// before main, so the program starts itself once more.
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
