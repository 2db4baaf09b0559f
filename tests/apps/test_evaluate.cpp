// evaluate with features, on weights that were trained for a moment.
#include <doctest/doctest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "apps/support/score_report.h"
#include "data/image.h"
#include "program.h"

using namespace imago::test;

namespace {

// A folder with a small generator, run/checkpoint.safetensors, weights of features, f.safetensors,
// and photos/, 20 procedural faces of 16 x 16, as data.
struct Prepared : Playground {
  Prepared() {
    succeeds("train_gan --model dcgan16 --base 4 --batch 4 --steps 2 --out run");
    fs::create_directories(*this / "photos");
    for (int person = 0; person < 20; ++person) {
      const std::string number = std::to_string(person);
      succeeds("render_faces --grid 1x1 --size 16 --first " + number + " --out photos/" + number +
               ".png");
    }
    succeeds(train + "--out f.safetensors");
  }

  Outcome succeeds(const std::string& command) const {
    const Outcome o = run(command);
    INFO(command << ": " << o.err);
    REQUIRE(o.status == 0);
    return o;
  }
  void fails(const std::string& command, int status, const std::string& part) const {
    const Outcome o = run(command);
    INFO(command << ": " << o.err);
    CHECK(o.status == status);
    CHECK(one_line(o.err));
    CHECK(contains(o.err, part));
  }
  nlohmann::json json(const std::string& name) const {
    return nlohmann::json::parse(read_bytes(*this / name));
  }

  const std::string train =
      "train_features --identities 4 --images 4 --held-out 1 --steps 2 --batch 8 ";
};

const std::string generator = "evaluate --generator run/checkpoint.safetensors --data photos ";

}  // namespace

TEST_CASE("evaluate scores a generator on features, writes JSON and a sheet of neighbours") {
  const Prepared play;
  const Outcome o = play.succeeds(generator +
                                  "--count 16 --features f.safetensors --neighbours 3 "
                                  "--json a.json --sheet s.png --threads 1");
  for (const char* line :
       {"sliced Wasserstein distance to real", "mean pairwise distance of samples",
        "energy that alternates between pixels",
        "on 128 features of face_features version 1, weights ", "chet distance",
        "untrained generator", "extrapolated", "kernel distance  ",
        "sliced Wasserstein of features", "128 directions", "precision", "k = 3", "glasses x beard",
        "note: "}) {
    INFO(o.out);
    CHECK(contains(o.out, line));
  }
  CHECK_FALSE(contains(o.out, "FID "));
  const nlohmann::json j = play.json("a.json");
  CHECK(j.at("format") == "imago-scores-1");
  CHECK(j.at("model") == "dcgan16");
  CHECK(j.at("step") == "2");
  CHECK(j.at("count") == 16);
  const auto& s = j.at("scores");
  CHECK(s.at("features").get<std::string>().starts_with("face_features version 1, weights "));
  CHECK(s.at("frechet_distance").get<double>() >= 0);
  CHECK(s.at("frechet_distance_untrained").get<double>() >= 0);
  CHECK(s.at("frechet_by_size").size() == 3);
  CHECK(s.at("frechet_by_size")[2].at("samples") == 16);
  CHECK(s.at("kernel_distance_error").is_null());  // of a single block
  CHECK(s.at("sliced_wasserstein_of_features").get<double>() > 0);
  CHECK(s.at("sliced_wasserstein_directions") == 128);
  for (const char* share : {"precision", "recall", "coverage"}) {
    CHECK(s.at(share).get<double>() >= 0);
    CHECK(s.at(share).get<double>() <= 1);
  }
  CHECK(j.at("pixels").at("sliced_wasserstein").get<double>() > 0);
  for (const char* key :
       {"checkerboard_energy", "checkerboard_energy_of_real", "checkerboard_energy_untrained"}) {
    CHECK(j.at("pixels").at(key).get<double>() > 0);
    CHECK(j.at("pixels").at(key).get<double>() < 1);
  }
  CHECK(j.at("modes").at("attributes").size() == 4);
  CHECK(j.at("modes").at("covered").get<int>() <= j.at("modes").at("modes").get<int>());
  // Eight rows of a sample and its five nearest, gaps of two.
  const imago::data::Image sheet = imago::data::load_image(play / "s.png");
  CHECK(sheet.height == 8 * 16 + 7 * 2);
  CHECK(sheet.width == 6 * 16 + 5 * 2);

  play.succeeds(generator +
                "--count 16 --features f.safetensors --neighbours 3 --json b.json --sheet t.png "
                "--threads 2");
  CHECK(read_bytes(play / "a.json") == read_bytes(play / "b.json"));
  CHECK(read_bytes(play / "s.png") == read_bytes(play / "t.png"));
}

TEST_CASE(
    "evaluate scores a folder of images; training images are beside themselves on the sheet") {
  const Prepared play;
  const Outcome o = play.succeeds(
      "evaluate --images photos --data photos --features f.safetensors --json a.json --sheet "
      "s.png");
  CHECK(contains(o.out, "20 images of photos against photos"));
  CHECK_FALSE(contains(o.out, "untrained"));
  const nlohmann::json j = play.json("a.json");
  CHECK(j.at("images") == "photos");
  CHECK(j.at("count") == 20);
  CHECK_FALSE(j.at("scores").contains("frechet_distance_untrained"));
  // With one seed both sides are the same images in the same order, none of them mirrored.
  CHECK(j.at("pixels").at("sliced_wasserstein").get<double>() <= 1e-9);
  CHECK(j.at("pixels").at("mean_pairwise_distance") ==
        j.at("pixels").at("mean_pairwise_distance_of_real"));
  CHECK(j.at("pixels").at("checkerboard_energy") ==
        j.at("pixels").at("checkerboard_energy_of_real"));
  CHECK(j.at("scores").at("frechet_distance").get<double>() <= 1e-6);
  CHECK(j.at("scores").at("sliced_wasserstein_of_features").get<double>() <= 1e-5);
  CHECK(j.at("scores").at("precision") == 1);
  CHECK(j.at("scores").at("coverage") == 1);
  // Every picture of the folder is a training image: the nearest beside it is itself, pixel by
  // pixel.
  const imago::data::Image sheet = imago::data::load_image(play / "s.png");
  int same = 0, pixels = 0;
  for (int row = 0; row < 8; ++row) {
    for (int y = 0; y < 16; ++y) {
      for (int x = 0; x < 16; ++x, ++pixels) {
        const auto* sample = sheet.at(x, row * 18 + y);
        const auto* nearest = sheet.at(x + 18, row * 18 + y);
        same += sample[0] == nearest[0] && sample[1] == nearest[1] && sample[2] == nearest[2];
      }
    }
  }
  CHECK(same == pixels);
  // At another size, and without features.
  CHECK(contains(play.succeeds("evaluate --images photos --size 24 --data photos --count 9 "
                               "--features none")
                     .out,
                 "9 images of photos"));
}

TEST_CASE("evaluate and train_features say what is wrong in one line") {
  const Prepared play;
  play.fails("evaluate --data photos", 2, "--generator CHECKPOINT or --images FOLDER");
  play.fails(generator + "--images photos", 2, "either");
  play.fails(generator + "--features none --sheet s.png", 2, "--sheet");
  play.fails(generator + "--features none --neighbours 5", 2, "--neighbours is of scores on");
  play.fails(generator + "--features none --per-class 5", 2,
             "--per-class is of scores on features");
  play.fails("evaluate --images photos --data photos --per-class 5", 2,
             "--per-class is for a conditional --generator, not for --images");
  play.fails(generator + "--per-class 5", 2,
             "--per-class: run/checkpoint.safetensors holds dcgan16, which knows no classes");
  play.fails(generator + "--size 32", 2, "--size");
  play.fails(generator + "--count 7 --features f.safetensors", 2, "at least 8");
  play.fails(generator + "--count 12 --neighbours 12 --features f.safetensors", 2, "at least 13");
  play.fails(generator + "--count 21 --features f.safetensors", 2, "holds only 20");
  play.fails("evaluate --images nowhere --features f.safetensors", 1, "nowhere");
  play.fails(generator + "--features nowhere.safetensors", 1, "nowhere.safetensors");
  play.fails(generator + "--features run/checkpoint.safetensors", 1, "train_features");
  play.fails(generator + "--count 16 --features f.safetensors --json no/such/a.json", 1, "a.json");
  ::setenv("IMAGO_WEIGHTS", "/nowhere", 1);
  play.fails(generator, 1, "/nowhere");
  ::unsetenv("IMAGO_WEIGHTS");
  play.fails("train_features --identities 1", 2, "--identities");
  play.fails("train_features --identities 2 --images 2 --batch 8 --out x.safetensors", 1, "batch");
  CHECK_FALSE(fs::exists(play / "x.safetensors"));
}

TEST_CASE("train_features writes the same weights every time, and says how good they are") {
  const Prepared play;
  const Outcome o = play.succeeds(play.train + "--out g.safetensors --threads 1");
  CHECK(contains(o.out, "step 2/2"));
  CHECK(contains(o.out, "s a step"));
  CHECK(contains(o.out, "glasses"));
  CHECK(contains(o.out, "the commonest answer"));
  CHECK(read_bytes(play / "f.safetensors") == read_bytes(play / "g.safetensors"));
  const std::string bytes = read_bytes(play / "g.safetensors");
  for (const char* key : {"\"identity_accuracy\"", "\"steps\":\"2\"", "\"version\":\"1\"",
                          "procedural faces of 4 people"}) {
    CHECK(contains(bytes, key));
  }
  CHECK(bytes.size() < 2'400'000);
}

TEST_CASE("where there is no mode, a note says so") {
  imago::apps::Modes modes;
  modes.attributes = {{"glasses", {"none", "clear", "dark"}}};
  CHECK(contains(imago::apps::note_on(modes), "nothing to cover"));
  CHECK(contains(imago::apps::to_json(modes).at("note").get<std::string>(), "take more images"));
  modes.coverage.modes = 1;
  CHECK(imago::apps::note_on(modes).empty());
  CHECK_FALSE(imago::apps::to_json(modes).contains("note"));
}
