#include <doctest/doctest.h>

#include <algorithm>

#include "apps/support/run_folder.h"
#include "cnn_runs.h"
#include "nn/safetensors.h"
#include "program.h"
#include "rows.h"

using namespace imago;
using namespace imago::test;

namespace {

apps::Json config_of(const fs::path& run) {
  return apps::Json::parse(read_bytes(run / "config.json"));
}

void check_keys(const apps::Json& row, std::initializer_list<const char*> there,
                std::initializer_list<const char*> missing) {
  for (const char* key : there) {
    INFO(key);
    REQUIRE(row.contains(key));
    CHECK(row.at(key).is_number());
  }
  for (const char* key : missing) {
    INFO(key);
    CHECK_FALSE(row.contains(key));
  }
}

void check_share(const apps::Json& value) {
  CHECK(value.get<double>() >= 0);
  CHECK(value.get<double>() <= 1);
}

}  // namespace

TEST_CASE("train_cnn writes what it promises") {
  const Playground play;
  const Outcome o = play.run(small + "--steps 6 --out run");
  INFO(o.err);
  REQUIRE(o.status == 0);
  CHECK(contains(o.out, "Training on 9 people (54 images); held out: 3 people (18 images)"));
  CHECK(contains(o.out, "Measured on all pairs of 18 held-out images of 3 people"));
  CHECK(contains(o.out, "residual 32x32, embeddings of 16 numbers, head softmax"));
  CHECK(contains(o.out, "step 6/6"));
  CHECK(contains(o.out, "% right"));
  CHECK(contains(o.out, "held out: AUC "));
  CHECK(contains(o.out, "% of pairs"));
  for (const char* file : {"config.json", "metrics.jsonl", "loss.svg", "checkpoint.safetensors",
                           "samples/00000000.png", "samples/00000004.png"}) {
    INFO(file);
    CHECK(fs::file_size(play / "run" / file) > 0);
  }
  // 8 rows of a face and five others.
  const data::Image picture = data::load_image(play / "run/samples/00000006.png");
  CHECK(picture.width == 6 * 32 + 5 * 2);
  CHECK(picture.height == 8 * 32 + 7 * 2);

  const auto rows = rows_of(play / "run");
  REQUIRE(rows.contains(1));
  check_keys(rows.at(1), {"loss", "training_accuracy"}, {"auc", "held_out_accuracy"});
  for (const int step : {4, 6}) {
    REQUIRE(rows.contains(step));
    check_keys(rows.at(step),
               {"loss", "training_accuracy", "auc", "verification_accuracy", "mean_cosine"},
               {"held_out_accuracy", "balanced_accuracy"});
    check_share(rows.at(step).at("training_accuracy"));
    check_share(rows.at(step).at("auc"));
    check_share(rows.at(step).at("verification_accuracy"));
  }
  const std::string chart = read_bytes(play / "run/loss.svg");
  CHECK(contains(chart, "Share of right answers"));
  CHECK(contains(chart, "Verification of held-out people"));
  CHECK(contains(chart, "held-out pairs"));
  CHECK_FALSE(contains(chart, "always the commonest"));

  const SafetensorsFile file = load_safetensors(play / "run/checkpoint.safetensors");
  CHECK(file.metadata_entry("head") == "softmax");
  const apps::Json catalogue = apps::Json::parse(file.metadata_entry("catalogue"));
  CHECK(catalogue.at("procedural") == true);
  CHECK(catalogue.at("identities") == 12);
  CHECK(catalogue.at("split") == "identity-disjoint");
  CHECK_FALSE(catalogue.contains("data"));
  CHECK_FALSE(catalogue.contains("labels"));
  CHECK(file.metadata_entry("catalogue_fingerprint").size() == 8);
  CHECK_FALSE(
      contains(read_bytes(play / "run/checkpoint.safetensors"), play.operator/("").string()));
}

TEST_CASE("train_cnn: heads for people have their own defaults and figures") {
  const Playground play;
  const auto trained = [&](const std::string& flags, const std::string& out) {
    const Outcome o = play.run(small + flags + " --steps 4 --out " + out);
    INFO(flags << ": " << o.err);
    REQUIRE(o.status == 0);
    check_keys(rows_of(play / out).at(4), {"loss", "auc", "mean_cosine"}, {"held_out_accuracy"});
    return config_of(play / out);
  };
  CHECK(trained("--head cosface", "cosface").at("margin") == 0.35);
  const apps::Json arcface = trained("--head arcface --grey --network vgg", "arcface");
  CHECK(arcface.at("margin") == 0.5);
  CHECK(arcface.at("schedule-steps") == 4);
  const apps::Json triplet = trained("--head triplet", "triplet");
  CHECK(triplet.at("margin") == 0.2);
  CHECK(triplet.at("balance") == true);
  CHECK(triplet.at("per-person") == 4);
  check_keys(rows_of(play / "triplet").at(4), {}, {"training_accuracy"});
  CHECK(rows_of(play / "arcface").at(4).contains("training_accuracy"));
  const apps::Json sgd = trained("--optimizer sgd --balance --per-person 2 --augment none", "sgd");
  CHECK(sgd.at("lr") == 0.02);
  CHECK(sgd.at("weight-decay") == 0.0005);
}

TEST_CASE("train_cnn: heads for classes are measured by their answers") {
  const Playground play;
  const auto check_run = [&](const std::string& flags, const std::string& out) {
    const Outcome o = play.run(small + flags + " --steps 4 --out " + out);
    INFO(flags << ": " << o.err);
    REQUIRE(o.status == 0);
    CHECK(contains(o.out, " people): nobody is in both\n"));
    CHECK(contains(o.out, "Measured on the classes of"));
    CHECK(contains(o.out, "held out: "));
    CHECK(config_of(play / out).at("split") == "stratified");
    const apps::Json row = rows_of(play / out).at(4);
    check_keys(row, {"training_accuracy", "held_out_accuracy", "balanced_accuracy"},
               {"auc", "mean_cosine"});
    check_share(row.at("held_out_accuracy"));
    check_share(row.at("balanced_accuracy"));
    CHECK(data::load_image(play / out / "samples/00000004.png").width == 8 * 32 + 7 * 2);
    const std::string chart = read_bytes(play / out / "loss.svg");
    CHECK(contains(chart, "always the commonest"));
    CHECK_FALSE(contains(chart, "Verification"));
  };
  check_run("--head expression", "expression");
  CHECK(config_of(play / "expression").at("label") == "expression");
  CHECK(contains(read_bytes(play / "expression/checkpoint.safetensors"), "surprise"));
  check_run("--head binary --label expression --positive happy", "binary");
  CHECK(contains(read_bytes(play / "binary/checkpoint.safetensors"), "other"));

  // People who are all trained on can be measured either way.
  REQUIRE(play.run(small + "--split stratified --steps 4 --out both").status == 0);
  check_keys(rows_of(play / "both").at(4),
             {"auc", "mean_cosine", "held_out_accuracy", "balanced_accuracy"}, {});
}

TEST_CASE("train_cnn: N steps, stop, resume and M steps give the bytes of N + M steps") {
  const Playground play;
  for (const std::string flags : {"--split stratified --dropout 0.2", "--head triplet --ema 0"}) {
    INFO(flags);
    const std::string train = small + flags + " --seed 3 ";
    REQUIRE(play.run(train + "--steps 6 --out whole").status == 0);
    REQUIRE(play.run(train + "--steps 3 --schedule-steps 6 --out parts --threads 1").status == 0);
    const std::string half = read_bytes(play / "parts/checkpoint.safetensors");
    const Outcome o = play.run("train_cnn --resume --out parts --steps 6 --threads 3");
    INFO(o.err);
    REQUIRE(o.status == 0);
    CHECK(contains(o.out, "Going on after step 3"));
    const std::string whole = read_bytes(play / "whole/checkpoint.safetensors");
    CHECK(whole == read_bytes(play / "parts/checkpoint.safetensors"));
    CHECK(whole != half);
    for (const char* picture : {"00000004.png", "00000006.png"}) {
      CHECK(read_bytes(play / "whole/samples" / picture) ==
            read_bytes(play / "parts/samples" / picture));
    }
    // The stop was between two figures of training. It took some of its own, so what they warn of
    // may have been said earlier.
    auto all = rows_of(play / "whole"), both = rows_of(play / "parts");
    for (const int step : {1, 4, 6}) {
      CAPTURE(step);
      all.at(step).erase("warnings");
      both.at(step).erase("warnings");
      CHECK(all.at(step) == both.at(step));
    }
    CHECK(contains(play.run("train_cnn --resume --out parts").out, "Nothing to do"));
    fs::remove_all(play / "whole");
    fs::remove_all(play / "parts");
  }
}

TEST_CASE("train_cnn: what a run is cannot change within it, and other programs refuse it") {
  const Playground play;
  REQUIRE(play.run(small + "--steps 2 --out run").status == 0);
  const std::string resume = "train_cnn --resume --out run --steps 4 ";
  for (const char* flag : {"--identities 13", "--split-seed 2", "--head arcface", "--lr 0.1",
                           "--augment none", "--schedule-steps 4", "--dimensions 8"}) {
    check_refused(play, resume + flag, 2, "cannot change within a run");
  }
  check_refused(play, resume + "--init run/checkpoint.safetensors", 2, "--init is for a fresh");
  check_refused(play, "train_vae --resume --out run", 1, "\"cnn\", which train_vae does not");
  check_refused(play, small + "--steps 4 --out run", 1, "not empty");
  apps::Json config = config_of(play / "run");
  config["split"] = "by-moonlight";
  write_bytes(play / "run/config.json", config.dump());
  check_refused(play, resume, 1, "out of range");
}

TEST_CASE("train_cnn: people of a folder, some of them excluded, some images broken") {
  const Playground play;
  write_people(play / "photos", 6, 8);
  const Outcome o = play.run(of_folder + "--data photos --steps 4 --out run");
  INFO(o.err);
  REQUIRE(o.status == 0);
  CHECK(contains(o.out, "Training on 4 people (32 images); held out: 2 people (16 images)"));
  CHECK(rows_of(play / "run").at(4).contains("auc"));
  CHECK(config_of(play / "run").at("data") == (play / "photos").string());

  // One person alone cannot be told from others.
  write_people(play / "three", 3, 8);
  const Outcome alone = play.run(of_folder + "--data three --steps 4 --out alone");
  INFO(alone.err);
  REQUIRE(alone.status == 0);
  CHECK(contains(alone.out, "Training on 2 people (16 images); held out: 1 person (8 images)"));
  CHECK(one_line(alone.err));
  CHECK(contains(alone.err, "--held-out"));
  CHECK_FALSE(rows_of(play / "alone").at(4).contains("auc"));

  write_bytes(play / "pairs.txt", "1\np0\t1\t2\np0\t1\tp3\t2\n");
  const std::string all = of_folder + "--data photos --split stratified --held-out 0.25 --steps 2 ";
  const Outcome without = play.run(all + "--exclude-pairs pairs.txt --out without");
  INFO(without.err);
  REQUIRE(without.status == 0);
  CHECK(contains(without.out,
                 "Training on 4 people (24 images), without 2 people of a list of "
                 "pairs; held out: 6 people (12 images)"));
  CHECK(contains(without.out, "on the classes of 8 held-out images"));
  write_bytes(play / "strangers.txt", "1\nq0\t1\t2\nq0\t1\tq3\t2\n");
  check_refused(play, all + "--exclude-pairs strangers.txt --out d", 1, "strangers.txt");

  const Outcome one = play.run(
      "train_cnn --image 32 --base 4 --batch 4 --data photos --split stratified --held-out 0.25 "
      "--steps 1 --images-per-person 1 --out one");
  INFO(one.err);
  REQUIRE(one.status == 0);
  CHECK(contains(one.out, "Training on 6 people (6 images)"));
  CHECK(one_line(one.err));
  CHECK(contains(one.err, "6 of 6 people have one image alone"));

  // Other images would be held out now: the run must not go on with them.
  fs::rename(play / "photos/p2/1.png", play / "photos/p2/0.png");
  check_refused(play, "train_cnn --resume --out without --steps 4", 1, "other images");

  for (const auto& entry : fs::directory_iterator(play / "photos/p2")) {
    write_bytes(entry.path(), "no picture");
  }
  check_refused(play, all + "--out d", 1, "p2");
  const Outcome skipping = play.run(all + "--skip-broken --out skipping");
  INFO(skipping.err);
  REQUIRE(skipping.status == 0);
  CHECK(std::count(skipping.err.begin(), skipping.err.end(), '\n') == 8);
  CHECK(contains(skipping.err, "left out: "));
  CHECK(contains(skipping.err, "p2"));
  CHECK(contains(skipping.out, "Training on 5 people (30 images)"));
  CHECK_FALSE(fs::exists(play / "d"));
}

TEST_CASE("train_cnn: classes of a folder in parts are split as these are, unless told otherwise") {
  const Playground play;
  write_people(play / "faces/train", 3, 4);
  write_people(play / "faces/test", 3, 3);
  const std::string train = of_folder + "--head expression --data faces --steps 2 ";
  const Outcome o = play.run(train + "--out run");
  INFO(o.err);
  REQUIRE(o.status == 0);
  CHECK(contains(o.out,
                 "Training on 3 classes (12 images); held out: 3 classes (9 images) for "
                 "test"));
  CHECK(config_of(play / "run").at("split") == "official");
  CHECK(play.run("train_cnn --resume --out run --steps 3").status == 0);
  const Outcome stratified = play.run(train + "--held-out 0.3 --out stratified");
  INFO(stratified.err);
  REQUIRE(stratified.status == 0);
  CHECK(config_of(play / "stratified").at("split") == "stratified");
  CHECK(contains(stratified.out, "held out: 3 classes (6 images)"));
  write_people(play / "faces/validation", 3, 2);
  const Outcome validated = play.run(train + "--out validated");
  REQUIRE(validated.status == 0);
  CHECK(contains(validated.out, "held out: 3 classes (6 images) for validation"));
}

TEST_CASE("train_cnn: mistakes end with 2 for flags, 1 for the rest, and one line") {
  const Playground play;
  const auto refused = [&](const std::string& flags, const std::string& part) {
    check_refused(play, tiny + flags + " --steps 1 --out d", 2, part);
  };
  check_refused(play, "train_cnn --head sphere", 2, "--head");
  refused("--crop 0,0,1", "--crop is for a folder");
  refused("--layout csv", "--layout is for a folder");
  refused("--attribute Eyeglasses", "--attribute is for a folder");
  refused("--nuisances pose,smell", "there is no 'smell'");
  refused("--scale 10", "--scale has no effect with --head softmax");
  refused("--margin 0.1", "--margin has no effect with --head softmax");
  refused("--head binary --label-smoothing 0.1", "--label-smoothing has no effect");
  refused("--head triplet --label-smoothing 0.1", "--label-smoothing has no effect");
  refused("--head arcface --margin 1.6", "--margin of arcface");
  refused("--head cosface --margin 1.1", "--margin of cosface");
  refused("--head triplet --margin 0", "--margin of triplet");
  refused("--per-person 2", "--per-person needs --balance");
  refused("--balance --per-person 1", "--per-person");
  refused("--head triplet --per-person 3", "--per-person 3 does not divide --batch 8");
  refused("--head triplet --per-person 8", "half of --batch");
  refused("--head expression --split identity-disjoint", "take --split stratified");
  refused("--split official", "procedural faces have none");
  refused("--split official --split-seed 3", "--split-seed has no effect");
  refused("--train-per-class 3", "--train-per-class is of --split stratified");
  refused("--split stratified --train-per-class 3 --held-out 0.2", "--held-out has no effect");
  refused("--positive 3", "--positive makes two classes");
  for (const char* head : {"softmax", "arcface", "triplet"}) {
    refused("--head " + std::string(head) + " --label glasses", "tells people apart");
  }
  refused("--label expression --split stratified", "take --label identity");
  refused("--head binary --label beard --positive none", "no class 'none'; there are no, yes");
  refused("--head binary", "choose one of them with --positive");
  refused("--exclude-pairs pairs.txt", "--exclude-pairs is for people of a folder");
  refused("--head expression --exclude-pairs pairs.txt", "--exclude-pairs names people");
  refused("--skip-broken", "--skip-broken is for a folder");
  check_refused(play, "train_cnn --network seed003 --base 8", 2, "--base has no effect");
  check_refused(play, "train_cnn --image 40", 2, "multiple of 16");
  check_refused(play, "train_cnn --out ''", 2, "--out");

  const std::string folder = of_folder + "--data photos --out d ";
  check_refused(play, folder + "--identities 3", 2, "--identities is for procedural faces");
  check_refused(play, folder + "--label glasses", 2, "--label is for procedural faces");
  check_refused(play, folder + "--crop 0.5,0.5,0.6", 2, "--crop");
  check_refused(play, folder + "--crop 0.5,0.5", 2, "--crop");
  check_refused(play, folder + "--attribute Eyeglasses", 2, "with --labels");
  check_refused(play, folder + "--layout csv", 2, "name it with --labels");
  check_refused(play, folder + "--layout class-folders --labels a.txt", 2,
                "--labels has no effect");
  check_refused(play, folder + "--layout attribute-file --labels a.txt", 2, "--attribute");
  check_refused(play, folder + "--labels a.txt --attribute Hat", 2, "tells people apart");
  write_people(play / "pictures", 1, 6);
  std::string list = "6\nBlurry Smiling\n";
  for (int i = 1; i <= 6; ++i) {
    list += "p0/" + std::to_string(i) + ".png 1 " + (i % 2 == 0 ? "1\n" : "-1\n");
  }
  write_bytes(play / "list.txt", list);
  const std::string with_list =
      of_folder + "--data pictures --head binary --labels list.txt --out d ";
  check_refused(play, with_list, 2, "choose one with --attribute, of Blurry, Smiling");
  check_refused(play, with_list + "--attribute Foo", 2, "no 'Foo' in");
  check_refused(play, with_list + "--attribute Smiling --positive none", 2, "no class 'none'");
  write_bytes(play / "people.txt", "p0/1.png 1\n");
  check_refused(play,
                of_folder + "--data pictures --head binary --labels people.txt --attribute Foo", 2,
                "--attribute is of a file of attributes");
  // A list of more images than are here, of which some are here that it does not name.
  write_bytes(play / "list.txt", list + "p0/7.png 1 1\np0/8.png 1 1\n");
  write_people(play / "pictures/more", 1, 1);
  const Outcome part = play.run(
      "train_cnn --image 32 --base 4 --dimensions 16 --batch 4 --data pictures --head binary "
      "--labels list.txt --attribute Smiling --steps 1 --held-out 0.3 --out part");
  INFO(part.err);
  CHECK(part.status == 0);
  CHECK(contains(part.err, "names 8 images of which 2 are not here; 1 others of"));
  CHECK(contains(part.out, "Training on 2 classes (4 images)"));
  check_refused(play, folder, 1, "photos");
  check_refused(play, "train_cnn --resume --out nothing", 1, "nothing");
  CHECK_FALSE(fs::exists(play / "d"));
}
