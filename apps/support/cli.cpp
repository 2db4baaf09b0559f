#include "apps/support/cli.h"

#include <cstdio>

namespace imago::apps {

int run_program(CLI::App& app, int argc, char** argv, const std::function<int()>& body) {
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
