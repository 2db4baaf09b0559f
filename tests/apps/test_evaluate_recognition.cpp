// evaluate as a measure of recognition, and the example that asks whether two are the same.
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "apps/support/recognition_plots.h"
#include "apps/support/recognition_tables.h"
#include "data/image.h"
#include "data/procedural/faces.h"
#include "models/recogniser.h"
#include "recognition_runs.h"

using namespace imago;
using namespace imago::test;

namespace {

void check_interval(const apps::Json& figure) {
  const double value = figure.at("value").get<double>();
  CHECK(value >= 0);
  CHECK(value <= 1);
  CHECK(figure.at("low").get<double>() <= figure.at("high").get<double>());
}

void check_svg(const fs::path& file, const std::string& part) {
  const std::string svg = read_bytes(file);
  INFO(file.string());
  CHECK(svg.starts_with("<svg"));
  CHECK(svg.ends_with("</svg>\n"));
  CHECK(contains(svg, part));
  CHECK_FALSE(contains(svg, "nan"));
  CHECK_FALSE(contains(svg, "inf"));
}

// 12 people of 4 images.
const std::string people = " --identities 12 --images-per-identity 4 --resamples 20 ";
const std::string methods = "evaluate --method lbp,eigenfaces,2dpca" + people;

// lfw/p0/p0_0001.png, ...: six people of three images, and eight pairs of the first four.
void write_lfw(const fs::path& folder) {
  const data::ProceduralFaces faces({.size = 32, .identities = 6, .images_per_identity = 3});
  data::FaceImage face;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    faces.get(i, face);
    data::Image image(32, 32);
    image.pixels = face.rgb;
    const std::string person = "p" + std::to_string(i / 3);
    fs::create_directories(folder / "lfw" / person);
    data::save_png(folder / "lfw" / person / (person + "_000" + std::to_string(1 + i % 3) + ".png"),
                   image);
  }
  write_bytes(folder / "pairs.txt",
              "2\t2\n"
              "p0\t1\t2\np1\t1\t2\np0\t1\tp1\t1\np1\t2\tp0\t2\n"
              "p2\t1\t2\np3\t1\t2\np2\t1\tp3\t1\np2\t2\tp3\t2\n");
}

}  // namespace

TEST_CASE("evaluate verifies with methods before deep learning") {
  const Prepared play;
  const std::string command = methods + "--held-out 0.5 --plots plots ";
  const Outcome o = play.succeeds(command + "--json v.json --threads 1");
  INFO(o.out);
  for (const char* line :
       {"verification of 24 images of 6 people", "held-out of",
        "36 pairs of one person, 240 of two; 95% intervals from 20 resamples", "AUC", "EER",
        "TAR at FAR 0.1", "too few pairs", "a second", "fitted to the training part, 24 images"}) {
    CHECK(contains(o.out, line));
  }
  CHECK_FALSE(contains(o.out, "warning"));
  const apps::Json j = play.json("v.json");
  CHECK(j.at("format") == "imago-recognition-1");
  CHECK(j.at("task") == "verification");
  CHECK(j.at("part") == "held-out");
  CHECK(j.at("people") == 6);
  REQUIRE(j.at("rows").size() == 3);
  for (const apps::Json& row : j.at("rows")) {
    INFO(row.dump());
    CHECK(row.at("genuine_pairs") == 36);
    CHECK(row.at("impostor_pairs") == 240);
    for (const char* key : {"auc", "eer", "best_accuracy"}) check_interval(row.at(key));
    REQUIRE(row.at("tar_at_far").size() == 3);
    check_interval(row.at("tar_at_far")[0].at("tar"));
    CHECK(row.at("tar_at_far")[1].at("tar").is_null());
    CHECK(row.at("folds").is_null());
  }
  CHECK(j.at("rows")[1].at("method") == "eigenfaces");
  check_svg(play / "plots/roc.svg", "2dpca");
  // Whatever the threads.
  play.succeeds(command + "--json w.json --threads 2");
  CHECK(read_bytes(play / "v.json") == read_bytes(play / "w.json"));
  // Fewer images are whole people, and worse ones are other ones.
  const Outcome few = play.succeeds("evaluate --method lbp" + people +
                                    "--count 14 --darkness 3 --glare 0.5 --json d.json");
  CHECK(contains(few.out, "verification of 12 images of 3 people"));
  CHECK(contains(few.out, "3 stops darker"));
  CHECK(contains(few.out, "12 of 48 images are measured"));
  play.succeeds("evaluate --method lbp" + people + "--count 14 --json e.json");
  CHECK(play.json("d.json").at("rows")[0].at("auc") != play.json("e.json").at("rows")[0].at("auc"));
}

TEST_CASE("evaluate identifies, against galleries drawn anew, with strangers") {
  const Prepared play;
  const Outcome o = play.succeeds(methods +
                                  "--task identification --gallery-per-person 2 --splits 3 "
                                  "--strangers 0.25 --json i.json --plots plots");
  INFO(o.out);
  for (const char* line : {"identification of 48 images of 12 people", "gallery: 18 images of 9",
                           "also of 3 people who are not in it", "Mean of 3 draws", "rank-1",
                           "fitted to the gallery, 18 images", "probes against a gallery of 18"}) {
    CHECK(contains(o.out, line));
  }
  const apps::Json report = play.json("i.json");  // outlives the loop
  for (const apps::Json& row : report.at("rows")) {
    INFO(row.dump());
    CHECK(row.at("gallery") == 18);
    CHECK(row.at("people") == 9);
    check_interval(row.at("rank1"));
    check_interval(row.at("rank5"));
    CHECK(row.at("rank1").at("value").get<double>() <= row.at("rank5").at("value").get<double>());
    CHECK(row.at("cmc")[0] == row.at("rank1").at("value"));
    CHECK(row.at("cmc").back() == 1);
    CHECK(row.at("draws").at("rank1").at("each").size() == 3);
    CHECK(row.at("open_set").size() == 2);
  }
  check_svg(play / "plots/cmc.svg", "rank");
  // One image each, none of a stranger.
  const Outcome plain = play.succeeds("evaluate --method lbp --task identification" + people);
  CHECK(contains(plain.out, "gallery: 12 images of 12 people (1 of each at most); 36 probes"));
}

TEST_CASE("evaluate takes the pairs of a file as they are") {
  const Prepared play;
  write_lfw(play / ".");
  const Outcome o = play.succeeds(
      "evaluate --method lbp,eigenfaces --data lfw --pairs pairs.txt --resamples 20 --json p.json "
      "--plots plots");
  INFO(o.out);
  CHECK(contains(o.out, "verification of 8 images of 4 people"));
  CHECK(contains(o.out, "4 pairs of one person, 4 of two"));
  CHECK(contains(o.out, "fitted to 6 images of people who are in no pair"));
  CHECK(contains(o.out, "accuracy of folds"));
  const apps::Json j = play.json("p.json");
  CHECK(j.at("part") == "pairs");
  for (const apps::Json& row : j.at("rows")) {
    CHECK(row.at("folds").at("accuracies").size() == 2);
    CHECK(row.at("tar_at_far")[0].at("tar").is_null());
  }
  check_svg(play / "plots/roc.svg", "lbp");
  play.succeeds(
      "evaluate --method 2dpca --data lfw --fit lfw/p5 --fit-crop 0.1,0.1,0.8 "
      "--pairs pairs.txt --resamples 0");
  play.fails("evaluate --method lbp --data lfw --pairs pairs.txt --part all", 2, "--part");
  play.fails("evaluate --method lbp --data lfw --pairs nowhere.txt", 1, "nowhere.txt");
  write_bytes(play / "bad.txt", "1\np0\t1\t9\np0\t1\tp1\t1\n");
  play.fails("evaluate --method lbp --data lfw --pairs bad.txt", 1, "bad.txt");
}

TEST_CASE("evaluate measures a recogniser on the people held out from it") {
  const Prepared play;
  const std::string tiny =
      "train_cnn --image 32 --base 4 --dimensions 16 --identities 12 --batch 8 --sample-every 4 "
      "--steps 4 ";
  play.succeeds(tiny + "--images-per-identity 4 --held-out 0.5 --out run");
  const std::string recogniser = "evaluate --recogniser run/checkpoint.safetensors --resamples 20 ";
  const Outcome o = play.succeeds(recogniser + "--method lbp --json r.json");
  INFO(o.out);
  CHECK(contains(o.out, "verification of 24 images of 6 people at 32x32: held-out"));
  CHECK(contains(o.out, "trained on these data, split in the same way"));
  CHECK_FALSE(contains(o.out, "warning"));
  const apps::Json j = play.json("r.json");
  CHECK(j.at("recognisers_own_data") == true);
  REQUIRE(j.at("rows").size() == 2);
  CHECK(j.at("rows")[0].at("method") == "recogniser");
  CHECK(j.at("rows")[0].at("label") == "residual, softmax");
  check_interval(j.at("rows")[0].at("auc"));

  const Outcome known = play.succeeds(recogniser + "--part train --no-mirror --json t.json");
  CHECK(contains(known.out, "these people were trained on: this says how well it remembers"));
  CHECK(play.json("t.json").at("warning").is_string());
  const Outcome others = play.succeeds(recogniser + "--data-seed 2 --task identification");
  CHECK(contains(others.out, "identification of 48 images of 12 people at 32x32: all"));
  CHECK(contains(others.out, "not the data that the recogniser was trained on"));
  play.fails(recogniser + "--task classification", 1, "knows none of the classes");
  play.succeeds(recogniser + "--task classification --part train");

  play.succeeds(tiny + "--images-per-identity 16 --head expression --out moods");
  const Outcome c = play.succeeds(
      "evaluate --recogniser moods/checkpoint.safetensors --resamples 20 --json c.json --plots "
      "plots");
  INFO(c.out);
  CHECK(contains(c.out, "classification of"));
  CHECK(contains(c.out, "balanced accuracy"));
  const apps::Json row = play.json("c.json").at("rows")[0];
  check_interval(row.at("accuracy"));
  CHECK(row.at("classes").size() == row.at("confusion").size());
  check_svg(play / "plots/confusion.svg", "neutral");
  play.fails("evaluate --recogniser moods/checkpoint.safetensors --task verification", 2,
             "not people");

  // Two pictures: the same one twice, and two people, with a threshold that nobody reaches.
  for (const char* person : {"0", "1"}) {
    play.succeeds("render_faces --grid 1x1 --size 48 --first " + std::string(person) + " --out " +
                  person + ".png");
  }
  const Outcome same = play.succeeds("examples/same_person 0.png 0.png run/checkpoint.safetensors");
  CHECK(contains(same.out, "similarity 1.000, threshold 0.500 (a guess): same person"));
  models::save_recogniser(play / "r.safetensors",
                          models::load_recogniser(play / "run/checkpoint.safetensors"),
                          {{"threshold", "1.5"}});
  ::setenv("IMAGO_WEIGHTS", "/nowhere", 1);
  play.fails("examples/same_person 0.png 1.png", 1, "face_recogniser_v1.safetensors");
  fs::create_directories(play / "weights");
  fs::copy_file(play / "r.safetensors", play / "weights/face_recogniser_v1.safetensors");
  ::setenv("IMAGO_WEIGHTS", (play / "weights").c_str(), 1);
  CHECK(contains(play.succeeds("examples/same_person 0.png 1.png").out,
                 "threshold 1.500: different people"));
  ::unsetenv("IMAGO_WEIGHTS");
  play.fails("examples/same_person 0.png none.png r.safetensors", 1, "none.png");
  play.fails("examples/same_person 0.png", 2, "ONE.png OTHER.png");
}

TEST_CASE("evaluate refuses by name what recognition has no use for") {
  const Prepared play;
  const std::string lbp = "evaluate --method lbp" + people;
  play.fails("evaluate --method pca", 2, "there is no 'pca'");
  play.fails("evaluate --method lbp,lbp", 2, "twice");
  play.fails(lbp + "--generator x.safetensors", 2, "--generator");
  play.fails(lbp + "--neighbours 3", 2, "--neighbours");
  play.fails(lbp + "--features none", 2, "--features");
  play.fails("evaluate --images nowhere --pairs p.txt", 2, "--pairs measures recognition");
  play.fails("evaluate --images nowhere --identities 3", 2, "--identities measures recognition");
  play.fails(lbp + "--fit nowhere", 2, "--fit is for eigenfaces");
  play.fails(lbp + "--no-mirror", 2, "--no-mirror");
  play.fails(lbp + "--strangers 0.5", 2, "--strangers is for --task identification");
  play.fails(lbp + "--task classification", 2, "--task classification");
  play.fails(lbp + "--pairs p.txt", 2, "--data FOLDER");
  play.fails(lbp + "--part test", 2, "--part test");
  play.fails(lbp + "--task identification --gallery-per-person 4", 2, "--gallery-per-person 4");
  play.fails(lbp + "--count 4", 2, "at least 2 people");
  play.fails("evaluate --method 2dpca --fit nowhere --fit-crop 1,2" + people, 2, "--fit-crop");
  play.fails("evaluate --method 2dpca --fit nowhere" + people, 1, "nowhere");
  play.fails("evaluate --recogniser nowhere.safetensors", 1, "nowhere.safetensors");
  play.fails("evaluate --method lbp --data nowhere", 1, "nowhere");
  play.fails(lbp + "--json no/such/a.json", 1, "a.json");
}

TEST_CASE("plots of recognition hold what they are given") {
  const std::string roc =
      apps::roc_svg({{"a & b", {{0, 0, 2}, {0.001, 0.5, 1}, {0.1, 0.8, 0.5}, {1, 1, 0}}}});
  CHECK(contains(roc, "a &amp; b"));
  CHECK(contains(roc, ">0.001<"));  // decades
  CHECK(contains(roc, ">0.1<"));
  CHECK_FALSE(contains(roc, "inf"));
  models::Confusion confusion;
  confusion.classes = {"no", "<yes>"};
  confusion.counts = {{7, 3}, {0, 0}};
  const std::string table = apps::confusion_svg(confusion);
  CHECK(contains(table, "&lt;yes>"));
  CHECK(contains(table, ">7<"));
  CHECK(contains(table, ">3<"));
  CHECK_FALSE(contains(table, "nan"));
  confusion.classes.resize(61);
  CHECK(contains(error_of([&] { apps::confusion_svg(confusion); }), "60 classes at most"));
  CHECK(apps::figure({0.5, 0.25, 0.75}, true) == "0.5000 [0.2500, 0.7500]");
  CHECK(apps::figure({0.5, 0.25, 0.75}, false) == "0.5000");
  CHECK(apps::deviation({1, 2, 3}) == doctest::Approx(1));
}
