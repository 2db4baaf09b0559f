// What a run of train_cnn starts from: files that are looked at first, and what the weights of
// --init have seen.
#include <doctest/doctest.h>

#include "apps/support/ancestry.h"
#include "cnn_runs.h"
#include "nn/safetensors.h"
#include "program.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::apps;
using namespace imago::test;

namespace {

// A checkpoint's metadata of a run on `catalogue`.
SafetensorsFile file_of(const CatalogueFlags& catalogue, const std::string& fingerprint) {
  SafetensorsFile file;
  file.path = "start.safetensors";
  file.metadata["catalogue"] = to_json(catalogue).dump();
  file.metadata["catalogue_fingerprint"] = fingerprint;
  return file;
}

bool leaks(const SafetensorsFile& start, const CatalogueFlags& now, const std::string& print) {
  return !leak_in(seen_by(start), now, print).empty();
}

}  // namespace

TEST_CASE("data seen before are the same by fingerprint or seed, and the split decides on a leak") {
  CatalogueFlags photos;
  photos.data = "/photos";
  const SafetensorsFile start = file_of(photos, "01234567");
  CHECK_FALSE(leaks(start, photos, "01234567"));
  CatalogueFlags other = photos;
  other.split_seed = 2;
  CHECK(leaks(start, other, "01234567"));
  CHECK_FALSE(leaks(start, other, "76543210"));  // other images
  other = photos;
  other.held_out = 0.2;
  CHECK(leaks(start, other, "01234567"));
  other = photos;
  other.split = "stratified";
  CHECK(leaks(start, other, "01234567"));

  CatalogueFlags rendered;
  const SafetensorsFile faces = file_of(rendered, "89abcdef");
  CHECK_FALSE(leaks(faces, rendered, "89abcdef"));
  CHECK_FALSE(leaks(faces, photos, "89abcdef"));
  other = rendered;
  other.identities = 100;  // of the same people, others are held out
  CHECK(leaks(faces, other, "00000000"));
  other.data_seed = 2;
  CHECK_FALSE(leaks(faces, other, "89abcdef"));  // the same names, other people
  CHECK_FALSE(leaks(SafetensorsFile{}, rendered, "89abcdef"));
}

TEST_CASE("what was seen before is handed on from start to start") {
  CatalogueFlags first, second;
  first.split_seed = 7;
  second.data_seed = 5;
  SafetensorsFile file = file_of(second, "22222222");
  CHECK(seen_before(file).empty());
  CHECK(to_text({}).empty());
  file.metadata[init_catalogues_key] = to_text(seen_by(file_of(first, "11111111")));
  const std::vector<SeenData> seen = seen_by(file);
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].fingerprint == "22222222");
  CHECK(seen[0].catalogue.data_seed == 5);
  CHECK(seen[1].fingerprint == "11111111");
  CHECK(seen[1].catalogue.split_seed == 7);
  CHECK(seen_before(file).size() == 1);
  // The grandparent's data count.
  CHECK(contains(leak_in(seen, CatalogueFlags{}, "11111111"), "split seed 7"));
  file.metadata[init_catalogues_key] = "[{}]";
  CHECK(contains(error_of([&] { seen_by(file); }), "start.safetensors"));
  file.metadata["catalogue"] = "no JSON";
  CHECK(contains(error_of([&] { seen_by(file); }), "start.safetensors"));
}

TEST_CASE("train_cnn says when --init may have been trained on what is held out, and keeps it") {
  const Playground play;
  const std::string train =
      "train_cnn --image 32 --base 4 --dimensions 8 --identities 8 --images-per-identity 3 "
      "--held-out 0.25 --batch 4 ";
  REQUIRE(play.run(train + "--steps 1 --out one").status == 0);
  const std::string from = " --init one/checkpoint.safetensors ";
  const Outcome same = play.run(train + from + "--steps 1 --out same");
  INFO(same.err);
  REQUIRE(same.status == 0);
  CHECK_FALSE(contains(same.err, "--init"));
  const Outcome two = play.run(train + from + "--split-seed 2 --steps 1 --out two");
  REQUIRE(two.status == 0);
  CHECK(contains(two.err, "train_cnn: --init: the weights of the start were trained on the same"));
  // Two starts later, and after a stop, it is still known.
  REQUIRE(play.run("train_cnn --resume --out two --steps 2").status == 0);
  const Outcome three = play.run(train + " --init two/checkpoint.safetensors --split-seed 2 " +
                                 "--steps 1 --out three");
  REQUIRE(three.status == 0);
  CHECK(contains(three.err, "(identity-disjoint, split seed 1)"));
  CHECK(seen_by(load_safetensors(play / "three/checkpoint.safetensors")).size() == 3);
}

TEST_CASE("train_cnn looks at --out and --init before it opens any data") {
  const Playground play;
  const auto check_first = [&](const std::string& flags, const std::string& part) {
    const Outcome o = play.run("train_cnn --data nowhere --steps 1 " + flags);
    INFO(o.err);
    CHECK(o.status == 1);
    CHECK(one_line(o.err));
    CHECK(contains(o.err, part));
    CHECK_FALSE(contains(o.err, "nowhere"));
  };
  write_bytes(play / "file", "text");
  check_first("--out file/x", "choose another --out");
  check_first("--out /dev/null/x", "cannot create");
  check_first("--out file", "not empty");
  check_first("--out d --init none.safetensors", "none.safetensors");
  check_first("--out d --init file", "file");
  CHECK_FALSE(fs::exists(play / "d"));
}

TEST_CASE("train_cnn --init takes the body of another recogniser, and only of one that fits") {
  const Playground play;
  REQUIRE(play.run(small + "--steps 4 --out first").status == 0);
  const std::string from = small + "--head arcface --seed 5 --steps 1 ";
  REQUIRE(play.run(from + "--out fresh").status == 0);
  const Outcome o = play.run(from + "--init first/checkpoint.safetensors --out second");
  INFO(o.err);
  REQUIRE(o.status == 0);
  // Before its first step it finds the neighbours that the first one found after its last.
  const std::string found = read_bytes(play / "first/samples/00000004.png");
  CHECK(read_bytes(play / "second/samples/00000000.png") == found);
  CHECK(read_bytes(play / "fresh/samples/00000000.png") != found);
  // The run goes on without it.
  fs::remove_all(play / "first");
  CHECK(play.run("train_cnn --resume --out second --steps 2").status == 0);

  const std::string init =
      "train_cnn --image 32 --base 4 --identities 12 --images-per-identity 6 --held-out 0.25 "
      "--batch 8 --steps 1 --out d --init ";
  check_refused(play, init + "second/checkpoint.safetensors", 1, "dimensions");
  check_refused(play, init + "nothing.safetensors", 1, "nothing.safetensors");
  save_safetensors(play / "vae.safetensors", {{"x", Tensor::zeros({1})}},
                   {{"format", "imago-vae-1"}});
  check_refused(play, init + "vae.safetensors", 1, "vae.safetensors");
  CHECK_FALSE(fs::exists(play / "d"));
}

TEST_CASE("train_cnn: --summary prints the layers and trains nothing; --profile changes nothing") {
  const Playground play;
  const Outcome o = play.run("train_cnn --summary --batch 2 --identities 20 --out run");
  INFO(o.err);
  CHECK(o.status == 0);
  CHECK(contains(o.out, "(2, 64, 64, 3)"));
  CHECK(contains(o.out, "Linear"));
  CHECK_FALSE(fs::exists(play / "run"));
  REQUIRE(play.run(small + "--steps 2 --out plain").status == 0);
  REQUIRE(play.run(small + "--steps 2 --out watched --profile --detect-anomaly").status == 0);
  CHECK(read_bytes(play / "plain/checkpoint.safetensors") ==
        read_bytes(play / "watched/checkpoint.safetensors"));
  CHECK(play.run("train_cnn --help").status == 0);
}
