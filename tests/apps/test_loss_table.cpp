// What docs/gan_losses.md says each loss is trained with, and scripts/loss_table.py trains it with,
// is what train_gan takes.
#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

#include "program.h"

using namespace imago::test;

namespace {

// The flags in the table between the markers of the chapter: "| loss | `--model ...` | why |".
std::vector<std::string> flags_of_chapter() {
  std::istringstream lines(read_bytes(fs::path(IMAGO_SOURCE_DIR) / "docs/gan_losses.md"));
  const std::string open = "`--model ";
  std::vector<std::string> flags;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t begin = line.find(open);
    if (!line.starts_with("| ") || begin == std::string::npos) continue;
    flags.push_back(line.substr(begin + 1, line.find('`', begin + 1) - begin - 1));
  }
  return flags;
}

}  // namespace

TEST_CASE("train_gan takes the flags of every loss in the chapter on losses") {
  const std::vector<std::string> all = flags_of_chapter();
  CHECK(all.size() == 7);
  const Playground play;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Outcome o =
        play.run("train_gan " + all[i] + " --base 2 --batch 2 --steps 1 --seed 1 --out run" +
                 std::to_string(i));
    INFO(all[i] << ": " << o.err);
    CHECK(o.status == 0);
  }
}
