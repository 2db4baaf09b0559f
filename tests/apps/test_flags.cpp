// The flags of the programs: what each kind refuses, and what --help shows.
#include <doctest/doctest.h>

#include <initializer_list>
#include <regex>

#include "program.h"

using namespace imago::test;

namespace {

// What --help writes of a flag before `explained`, where its explanation begins.
std::string shown(const std::string& help, const std::string& flag, const std::string& explained) {
  const std::size_t from = help.find("  " + flag + " "), to = help.find(explained, from);
  REQUIRE(from != std::string::npos);
  REQUIRE(to != std::string::npos);
  return help.substr(from, to - from);
}

bool has_default(const std::string& text, const std::string& value) {
  return std::regex_search(text, std::regex("[=\\[]" + value + "\\b"));
}

}  // namespace

TEST_CASE("every kind of flag refuses what it cannot take, and names the flag") {
  const Playground play;
  const auto refused = [&](const std::string& command, std::initializer_list<const char*> parts) {
    const Outcome o = play.run(command);
    INFO(command << ": " << o.err);
    CHECK(o.status == 2);
    CHECK(one_line(o.err));
    CHECK(o.err.starts_with(command.substr(0, command.find(' ')) + ": "));
    for (const char* part : parts) CHECK_MESSAGE(contains(o.err, part), part);
  };
  refused("render_faces --zoom 17", {"--zoom: Value 17 not in range", "16"});
  refused("render_faces --zoom 99999999999", {"--zoom: Value 99999999999 not in range"});
  refused("render_faces --first=-1", {"--first: ", "-1"});
  refused("render_faces --first 1.5", {"--first", "1.5"});
  refused("train_features --steps 0", {"--steps: Value 0 not in range", "2147483647"});
  refused("train_features --lr nan", {"--lr: 'nan' is not a number from 1e-08 to 1"});
  refused("train_gan --lr-g 2", {"--lr-g: '2' is not a number from 1e-08 to 1"});
  refused("train_gan --seed=-1", {"--seed: '-1' is not a whole number from 0 to 2^64 - 1"});
  refused("train_gan --seed 0x10", {"--seed: '0x10' is not a whole number"});
  refused("train_gan --labels ''", {"--labels: must be a label or a text file, not empty"});
  refused("train_gan --augment sepia", {"--augment: ", "sepia"});
  refused("train_gan --loss sad", {"--loss: sad not in", "hinge"});
  refused("train_vae --image 48", {"--image: 48 not in", "64"});
  refused("train_vae --batch", {"--batch"});
  refused("generate", {"--checkpoint is required"});
  refused("museum gan-loop more", {"more", "--help lists the flags"});
}

TEST_CASE("--help shows defaults, but for texts that are empty and numbers that stand for none") {
  const Playground play;
  const Outcome generate = play.run("generate --help");
  CHECK(generate.status == 0);
  CHECK(has_default(shown(generate.out, "--out", "A .png file"), "generated.png"));
  CHECK(has_default(shown(generate.out, "--seed", "Of the noise"), "1"));
  CHECK_FALSE(has_default(shown(generate.out, "--count", "Number of images"), "0"));
  CHECK_FALSE(has_default(shown(generate.out, "--grid", "ROWSxCOLUMNS"), ""));
  const Outcome gan = play.run("train_gan --help");
  CHECK(gan.status == 0);
  CHECK(has_default(shown(gan.out, "--batch", "Images of each update"), "64"));
  CHECK(has_default(shown(gan.out, "--penalty", "On D's gradient"), "none"));
  CHECK(has_default(shown(gan.out, "--augment", "DiffAugment"), "none"));
}
