// Conditional GANs from flags to labels that are confirmed: train_gan --labels, generate --label,
// evaluate.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/support/run_folder.h"
#include "data/image.h"
#include "nn/safetensors.h"
#include "program.h"
#include "rows.h"

using namespace imago;
using namespace imago::test;
using apps::Json;
using apps::RunFolder;

namespace {

const std::string small =
    "train_gan --labels glasses --base 2 --batch 4 --sample-every 2 --checkpoint-every 2 ";

struct Prepared : Playground {
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
  Json json(const std::string& name) const { return Json::parse(read_bytes(*this / name)); }

  // photos/0.png ... of one colour each, 8 of class "dull" and 2 of class "bright", in labels.csv.
  void take_photos() const {
    fs::create_directories(*this / "photos");
    std::string lines = "path,label\n";
    for (int i = 0; i < 10; ++i) {
      const std::string name = "photos/" + std::to_string(i) + ".png";
      data::Image image(32, 32);
      std::fill(image.pixels.begin(), image.pixels.end(), std::uint8_t(i < 8 ? 10 * i : 240));
      data::save_png(*this / name, image);
      lines += name + (i < 8 ? ",dull\n" : ",bright\n");
    }
    write_bytes(*this / "labels.csv", lines);
  }
};

}  // namespace

TEST_CASE("train_gan --labels writes what it promises, and says what it trains on") {
  const Prepared play;
  const Outcome o = play.succeeds(small + "--steps 4 --out run");
  for (const char* text :
       {"resnet32 (base 2, acgan) on", "2 classes of glasses: no, yes; each is shown equally often",
        "step 4/4", "scores D(x)", "classes of real"}) {
    CHECK_MESSAGE(contains(o.out, text), text);
  }
  for (const char* file : {"config.json", "metrics.jsonl", "loss.svg", "checkpoint.safetensors",
                           "samples/00000000.png", "samples/00000004.png"}) {
    INFO(file);
    CHECK(fs::file_size(play / "run" / file) > 0);
  }
  const Json config = play.json("run/config.json");
  CHECK(config.at("model") == "resnet32");
  CHECK(config.at("labels") == "glasses");
  CHECK(config.at("conditioning") == "acgan");
  CHECK(config.at("loss") == "hinge");
  CHECK(config.at("lr-d").get<double>() > config.at("lr-g").get<double>());
  CHECK(config.at("balance-classes") == true);
  CHECK_FALSE(config.contains("augment"));
  const std::vector<Json> rows = RunFolder(play / "run").read_metrics();
  REQUIRE(!rows.empty());
  CHECK(rows.back().at("step") == 4);
  for (const char* key : {"loss_d", "loss_g", "class_real", "class_fake", "variety"}) {
    INFO(key);
    CHECK(rows.back().at(key).is_number());
  }
  const std::string chart = read_bytes(play / "run/loss.svg");
  CHECK(contains(chart, "log 2: guesses"));
  CHECK(contains(chart, "2: D cannot tell"));
  // A row a class.
  const data::Image picture = data::load_image(play / "run/samples/00000004.png");
  CHECK(picture.height == 2 * 32 + 2);
  CHECK(picture.width == 8 * 32 + 7 * 2);
  const SafetensorsFile file = load_safetensors(play / "run/checkpoint.safetensors");
  CHECK(file.metadata_entry("class_names") == R"(["no","yes"])");
  CHECK(file.metadata_entry("label") == R"("glasses")");
  CHECK(file.metadata_entry("batch") == "4");
  CHECK_FALSE(
      contains(read_bytes(play / "run/checkpoint.safetensors"), play.operator/("").string()));
}

TEST_CASE("train_gan --labels: N steps, stop, resume and M steps give the bytes of N + M steps") {
  const Prepared play;
  for (const std::string flags : {"", "--conditioning projection --loss nonsaturating --ema 0",
                                  "--no-balance-classes --class-weight 2 --classify-fakes"}) {
    INFO(flags);
    const std::string train = small + flags + " --seed 3 ";
    play.succeeds(train + "--steps 4 --out whole");
    play.succeeds(train + "--steps 2 --out parts --threads 1");
    const std::string half = read_bytes(play / "parts/checkpoint.safetensors");
    const Outcome o = play.succeeds("train_gan --resume --out parts --steps 4 --threads 3");
    CHECK(contains(o.out, "Going on after step 2"));
    const std::string whole = read_bytes(play / "whole/checkpoint.safetensors");
    CHECK(whole == read_bytes(play / "parts/checkpoint.safetensors"));
    CHECK(whole != half);
    CHECK(read_bytes(play / "whole/samples/00000004.png") ==
          read_bytes(play / "parts/samples/00000004.png"));
    check_same_rows(play / "whole", play / "parts", {1, 2, 4});
    fs::remove_all(play / "whole");
    fs::remove_all(play / "parts");
  }
}

TEST_CASE("train_gan --labels FILE: a folder, its classes, and what may not change within a run") {
  const Prepared play;
  play.take_photos();
  const std::string train =
      "train_gan --data photos --labels labels.csv --base 2 --batch 4 --out run ";
  const Outcome o = play.succeeds(train + "--steps 2");
  CHECK(contains(o.out, "2 classes of labels: bright, dull"));
  const SafetensorsFile file = load_safetensors(play / "run/checkpoint.safetensors");
  CHECK(file.metadata_entry("class_images") == "[2,8]");
  CHECK_FALSE(contains(file.metadata_entry("label"), "/"));  // no path in a checkpoint
  play.succeeds("train_gan --resume --out run --steps 3 --labels ./labels.csv");
  play.fails("train_gan --resume --out run --steps 4 --labels glasses", 2, "cannot change");
  play.fails("train_gan --resume --out run --steps 4 --class-weight 9", 2, "cannot change");
  play.fails("train_gan --resume --out run --steps 4 --augment colour", 2, "--augment");
  play.fails("train_gan --resume --out run --steps 4 --skip-broken", 2,
             "--skip-broken does not go with --labels");
  play.succeeds("train_gan --model dcgan16 --base 4 --batch 4 --steps 1 --out plain");
  play.fails("train_gan --resume --out plain --steps 2 --labels glasses", 2, "cannot change");
  // What the file itself says is not the command line's fault.
  const std::string saved = read_bytes(play / "run/config.json");
  Json config = Json::parse(saved);
  config["skip-broken"] = true;
  write_bytes(play / "run/config.json", config.dump());
  play.fails("train_gan --resume --out run --steps 4", 1, "holds a value out of range");
  write_bytes(play / "run/config.json", saved);
  // One of the images changes its class: that is said, and the run goes on.
  std::string lines = read_bytes(play / "labels.csv");
  const std::size_t first = lines.find("0.png,dull");
  REQUIRE(first != std::string::npos);
  std::string others = lines;
  others.replace(first, 10, "0.png,bright");
  write_bytes(play / "labels.csv", others);
  const Outcome moved = play.succeeds("train_gan --resume --out run --steps 4");
  CHECK(one_line(moved.err));
  CHECK(contains(moved.err,
                 "the classes bright, dull have 3, 7 images now, 2, 8 when the run was saved"));
  const Outcome same = play.succeeds("train_gan --resume --out run --steps 5");
  CHECK(same.err.empty());
  // The same images, called otherwise.
  for (std::size_t at = 0; (at = lines.find("bright", at)) != std::string::npos;) {
    lines.replace(at, 6, "light");
  }
  write_bytes(play / "labels.csv", lines);
  play.fails("train_gan --resume --out run --steps 6", 1,
             "was trained on the classes bright, dull");
}

TEST_CASE("train_gan --labels: flags that do not go together are named, and nothing is written") {
  const Prepared play;
  play.take_photos();
  for (const char* flag :
       {"--penalty r1", "--penalty-weight 3", "--penalty-every 4", "--clip-weights 0.1",
        "--d-steps 2", "--smooth 0.9", "--instance-noise 0.1", "--instance-noise-steps 5",
        "--augment colour"}) {
    const std::string name = std::string(flag).substr(0, std::string(flag).find(' '));
    play.fails(small + flag + " --out a", 2, name + " does not go with --labels");
  }
  for (const char* flag : {"--conditioning projection", "--class-weight 2", "--classify-fakes",
                           "--balance-classes", "--no-balance-classes"}) {
    play.fails("train_gan --steps 1 --out a " + std::string(flag), 2, "is for --labels");
  }
  for (const char* flag : {"--class-weight 2", "--classify-fakes"}) {
    play.fails(small + "--conditioning projection --out a " + flag, 2, "for --conditioning acgan");
  }
  play.fails(small + "--model dcgan32 --out a", 2, "--model dcgan32 does not go with --labels");
  play.fails(small + "--loss lsgan --out a", 2, "--loss lsgan does not go with --labels");
  play.fails(small + "--conditioning concat --out a", 2, "--conditioning");
  play.fails(small + "--class-weight nan --out a", 2, "--class-weight");
  play.fails("train_gan --labels hat --out a", 2,
             "no label 'hat'; choose one of identity, glasses");
  play.fails("train_gan --labels '' --out a", 2, "--labels");
  play.fails("train_gan --data photos --labels glasses --out a", 2, "a label of procedural faces");
  play.fails("train_gan --data photos --labels labels.csv --skip-broken --out a", 2,
             "--skip-broken does not go with --labels");
  play.fails("train_gan --data photos --labels none.csv --out a", 1, "none.csv");
  play.fails("train_gan --data photos --labels 'gr\xfcn.csv' --out a", 2, "--labels");
  write_bytes(play / "latin1.csv", "photos/0.png,gr\xfcn\n");
  play.fails("train_gan --data photos --labels latin1.csv --batch 4 --out a", 1,
             "latin1.csv, line 1: the class is not UTF-8");
  write_bytes(play / "few.csv", "photos/0.png,dull\n");
  play.fails("train_gan --data photos --labels few.csv --batch 4 --out a", 1, "has no line for");
  std::string lines;
  for (int i = 0; i < 10; ++i) lines += "photos/" + std::to_string(i) + ".png,dull\n";
  write_bytes(play / "one.csv", lines);
  play.fails("train_gan --data photos --labels one.csv --base 2 --batch 4 --out a", 1,
             "all images are of one class, dull");
  CHECK_FALSE(fs::exists(play / "a"));
}

TEST_CASE("train_gan --labels --summary prints both networks and trains nothing") {
  const Prepared play;
  const Outcome o =
      play.succeeds("train_gan --labels glasses --base 4 --batch 2 --summary --out a");
  CHECK(contains(o.out, "Generator\n"));
  CHECK(contains(o.out, "Discriminator\n"));
  CHECK(contains(o.out, "ConditionalUpBlock"));
  CHECK(contains(o.out, "(2, 32, 32, 3)"));
  CHECK_FALSE(fs::exists(play / "a"));
}

TEST_CASE("generate --label draws a class, by name or number, or a row of each") {
  const Prepared play;
  play.succeeds(small + "--steps 2 --out run");
  const std::string from = "generate --checkpoint run/checkpoint.safetensors --seed 4 ";
  const Outcome all = play.succeeds(from + "--label all --count 3 --out all.png");
  CHECK(contains(all.out, "3 images of each from the same noise: no, yes"));
  const data::Image grid = data::load_image(play / "all.png");
  CHECK(grid.height == 2 * 32 + 2);
  CHECK(grid.width == 3 * 32 + 2 * 2);
  CHECK(contains(play.succeeds(from + "--label yes --count 3 --out yes").out,
                 "All are of class yes"));
  play.succeeds(from + "--label 1 --count 3 --out one");
  play.succeeds(from + "--label no --count 5 --out no");
  play.succeeds(from + "--label all --count 3 --out each");
  const auto bytes = [&](const std::string& file) { return read_bytes(play / file); };
  CHECK(bytes("yes/000002.png") == bytes("one/000002.png"));
  CHECK(bytes("yes/000002.png") != bytes("no/000002.png"));
  // Class after class, each with the noise of the others.
  CHECK(bytes("each/000002.png") == bytes("no/000002.png"));
  CHECK(bytes("each/000004.png") == bytes("yes/000001.png"));
  CHECK_FALSE(fs::exists(play / "each/000006.png"));
  // Without a label each image is of a class of its own, whatever the others are.
  const Outcome any = play.succeeds(from + "--count 24 --out any");
  CHECK(contains(any.out, "as often as it comes in the training data (no, yes)"));
  play.succeeds(from + "--label yes --count 24 --out all-yes");
  play.succeeds(from + "--label no --count 24 --out all-no");
  int yes = 0;
  for (int i = 0; i < 24; ++i) {
    const std::string name = (i < 10 ? "/00000" : "/0000") + std::to_string(i) + ".png";
    const bool is_yes = bytes("any" + name) == bytes("all-yes" + name);
    CHECK((is_yes || bytes("any" + name) == bytes("all-no" + name)));
    yes += is_yes;
  }
  CHECK(yes >= 1);
  CHECK(yes <= 23);

  // A class that is called all is drawn by its number.
  play.take_photos();
  std::string lines = read_bytes(play / "labels.csv");
  for (std::size_t at = 0; (at = lines.find("bright", at)) != std::string::npos;) {
    lines.replace(at, 6, "all");
  }
  write_bytes(play / "labels.csv", lines);
  play.succeeds(
      "train_gan --data photos --labels labels.csv --base 2 --batch 4 --steps 1 --out mine");
  const std::string mine = "generate --checkpoint mine/checkpoint.safetensors --count 2 ";
  CHECK(contains(play.succeeds(mine + "--label all").out, "from the same noise: all, dull"));
  CHECK(contains(play.succeeds(mine + "--label 0").out, "All are of class all"));

  play.fails(from + "--label maybe", 2, "there is no class 'maybe' of glasses; there are no, yes");
  play.fails(from + "--label 2", 2, "there is no class '2'");
  play.fails(from + "--label all --grid 2x2", 2, "--grid does not go with --label all");
  play.succeeds("train_gan --model dcgan16 --base 4 --batch 4 --steps 1 --out plain");
  for (const char* label : {"yes", "all"}) {
    play.fails("generate --checkpoint plain/checkpoint.safetensors --label " + std::string(label),
               2, "holds dcgan16, which knows no classes");
  }
}

TEST_CASE("evaluate scores a conditional generator and tells whether labels are obeyed") {
  const Prepared play;
  play.succeeds(small + "--steps 2 --out run");
  const std::string evaluate = "evaluate --generator run/checkpoint.safetensors --count 8 ";
  const Outcome o = play.succeeds(evaluate + "--per-class 6 --json a.json --threads 1");
  for (const char* text : {"acgan32 after 2 steps", "untrained generator",
                           "labels of glasses, as face_features version 1", "requested", "all "}) {
    CHECK_MESSAGE(contains(o.out, text), text);
  }
  const Json labels = play.json("a.json").at("labels");
  CHECK(labels.at("label") == "glasses");
  REQUIRE(labels.at("classes").size() == 2);
  for (const Json& one : labels.at("classes")) {
    CHECK(one.at("requested") == 6);
    CHECK(one.at("confirmed").get<int>() <= 6);
    CHECK(one.at("real") == 6);
  }
  CHECK(labels.at("classes")[1].at("class") == "yes");
  CHECK(labels.at("all").at("requested") == 12);
  CHECK(labels.at("all").at("confirmed").get<int>() ==
        labels.at("classes")[0].at("confirmed").get<int>() +
            labels.at("classes")[1].at("confirmed").get<int>());
  play.succeeds(evaluate + "--per-class 6 --json b.json --threads 2");
  CHECK(read_bytes(play / "a.json") == read_bytes(play / "b.json"));

  CHECK(contains(play.succeeds(evaluate + "--features none").out, "it takes features"));
  play.take_photos();
  const Outcome folder = play.succeeds(evaluate + "--data photos --per-class 2");
  CHECK(contains(folder.out, "labels of glasses"));
  CHECK(contains(folder.out, "these have no labels of glasses"));
  // Classes that the features do not know.
  play.succeeds(
      "train_gan --data photos --labels labels.csv --base 2 --batch 4 --steps 1 --out mine");
  const Outcome mine = play.succeeds(
      "evaluate --generator mine/checkpoint.safetensors --data photos --labels labels.csv "
      "--count 8 --json c.json");
  CHECK(contains(mine.out, "labels are not confirmed"));
  CHECK(contains(mine.out, "cannot tell the classes of labels (bright, dull)"));
  CHECK(play.json("c.json").at("labels").contains("note"));

  play.fails(evaluate + "--labels labels.csv", 2, "--labels is for the images of a folder");
  play.fails("evaluate --images photos --data photos --labels labels.csv", 2, "--labels");
  play.succeeds("train_gan --model dcgan32 --base 4 --batch 4 --steps 1 --out plain");
  play.fails("evaluate --generator plain/checkpoint.safetensors --data photos --labels labels.csv",
             2, "knows no classes");
}
