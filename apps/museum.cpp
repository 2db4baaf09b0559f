// Mistakes on show, each beside what is right, and what differs in numbers.
//   museum            lists the exhibits
//   museum gan-loop   shows one
//   museum --all      shows them all
#include <cstdio>
#include <string>

#include "apps/museum/exhibits.h"
#include "apps/support/flags.h"

namespace {

using namespace imago;

void list() {
  std::printf("Exhibits, each shown by: museum NAME (all of them: museum --all)\n");
  for (const museum::Exhibit& exhibit : museum::exhibits()) {
    std::printf("  %-12s %s\n", exhibit.name, exhibit.title);
  }
}

void show(const museum::Exhibit& exhibit) {
  std::printf("== %s: %s\n", exhibit.name, exhibit.title);
  std::fflush(stdout);
  exhibit.show();
}

void show_all() {
  bool first = true;
  for (const museum::Exhibit& exhibit : museum::exhibits()) {
    if (!first) std::printf("\n");
    first = false;
    show(exhibit);
    std::fflush(stdout);
  }
}

const museum::Exhibit& find(const std::string& name) {
  std::string known;
  for (const museum::Exhibit& exhibit : museum::exhibits()) {
    if (name == exhibit.name) return exhibit;
    known += (known.empty() ? "" : ", ") + std::string(exhibit.name);
  }
  throw apps::UsageError("there is no exhibit '" + name + "'; choose one of " + known);
}

}  // namespace

int main(int argc, char** argv) {
  std::string name;
  bool all = false;
  apps::Flags flags("museum", "Mistakes about GANs, CNNs and VAEs, each beside what is right");
  flags.argument("name", name, "exhibit to show; without one, the list");
  flags.on("--all", all, "show all exhibits");
  return flags.run(argc, argv, [&] {
    if (all && !name.empty()) throw apps::UsageError("give either a NAME or --all, not both");
    if (all) {
      show_all();
    } else if (!name.empty()) {
      show(find(name));
    } else {
      list();
    }
    return 0;
  });
}
