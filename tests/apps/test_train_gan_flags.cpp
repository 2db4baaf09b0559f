// train_gan's losses, penalties and remedies: what they write, how they resume, what is refused.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "apps/support/gan_chart.h"
#include "apps/support/gan_report.h"
#include "program.h"

using namespace imago;
using namespace imago::apps;
using namespace imago::test;

namespace {

const std::string small =
    "train_gan --model dcgan16 --base 4 --batch 4 --sample-every 2 --checkpoint-every 2 ";
// Several updates of D, noise that fades, augmentation and two rates, in one run.
const std::string remedies =
    "--loss lsgan --d-steps 2 --lr-d 4e-4 --beta1 0.1 --smooth 0.9 --instance-noise 0.2 "
    "--augment translation,colour ";

void check_refused(const Playground& play, const std::string& command, const std::string& part) {
  const Outcome o = play.run(command);
  INFO(command << ": " << o.err);
  CHECK(o.status == 2);
  CHECK(one_line(o.err));
  CHECK(contains(o.err, part));
}

}  // namespace

TEST_CASE("train_gan with remedies: stopped and resumed it gives the bytes of one run") {
  const Playground play;
  REQUIRE(play.run(small + remedies + "--instance-noise-steps 6 --steps 6 --out whole").status ==
          0);
  // Without that flag the noise fades in the steps first asked for, here as many.
  REQUIRE(play.run(small + remedies + "--steps 6 --out same").status == 0);
  REQUIRE(play.run(small + remedies + "--instance-noise-steps 6 --steps 3 --out parts").status ==
          0);
  // Flags that say what is there already, in other words.
  const Outcome o =
      play.run("train_gan --resume --out parts --steps 6 --augment colour,translation");
  INFO(o.err);
  REQUIRE(o.status == 0);
  const std::string whole = read_bytes(play / "whole/checkpoint.safetensors");
  CHECK(whole == read_bytes(play / "parts/checkpoint.safetensors"));
  CHECK(whole == read_bytes(play / "same/checkpoint.safetensors"));
  const std::string config = read_bytes(play / "same/config.json");
  CHECK(contains(config, "\"instance-noise-steps\": 6"));
  CHECK(contains(config, "\"augment\": \"colour,translation\""));
  CHECK(contains(config, "\"lr-g\": 0.0002"));
  CHECK(contains(read_bytes(play / "whole/metrics.jsonl"), "\"noise\":"));
  CHECK(contains(read_bytes(play / "whole/metrics.jsonl"), "\"variety\":"));

  // What a run writes of its first step comes once: a later start adds no row of its own.
  REQUIRE(play.run("train_gan --resume --out same --steps 8").status == 0);
  std::vector<int> steps;
  for (const Json& row : RunFolder(play / "same").read_metrics()) {
    steps.push_back(row.at("step").get<int>());
  }
  CHECK(steps == std::vector<int>{1, 2, 4, 6, 8});

  check_refused(play, "train_gan --resume --out parts --steps 9 --d-steps 1", "cannot change");
  check_refused(play, "train_gan --resume --out parts --steps 9 --augment cutout", "cannot change");
  const Outcome faster = play.run("train_gan --resume --out parts --steps 7 --lr-g 1e-3");
  CHECK(faster.status == 0);
  CHECK(contains(faster.out, "From here on --lr-g is 0.001, not 0.0002."));
  CHECK_FALSE(contains(faster.out, "--lr-d is"));
  // A rate of both replaces those of one: each that changes is named, here all.
  const Outcome both = play.run("train_gan --resume --out parts --steps 8 --lr 1e-4");
  CHECK(both.status == 0);
  CHECK(contains(both.out, "From here on --lr is 0.0001, not 0.0002."));
  CHECK(contains(both.out, "From here on --lr-g is 0.0001, not 0.001."));
  CHECK(contains(both.out, "From here on --lr-d is 0.0001, not 0.0004."));
  // Now they go together.
  const Outcome one = play.run("train_gan --resume --out parts --steps 9 --lr 3e-4");
  CHECK(one.status == 0);
  CHECK(contains(one.out, "From here on --lr is 0.0003, not 0.0001."));
  CHECK_FALSE(contains(one.out, "--lr-g is"));
}

TEST_CASE("train_gan: a run from before these flags goes on with their defaults") {
  const Playground play;
  REQUIRE(play.run(small + "--steps 4 --out whole").status == 0);
  REQUIRE(play.run(small + "--steps 2 --out old").status == 0);
  Json config = Json::parse(read_bytes(play / "old/config.json"));
  for (const char* key :
       {"lr-g", "lr-d", "beta1", "beta2", "penalty", "penalty-weight", "penalty-every",
        "clip-weights", "d-steps", "smooth", "instance-noise", "instance-noise-steps", "augment"}) {
    REQUIRE(config.contains(key));
    config.erase(key);
  }
  write_bytes(play / "old/config.json", config.dump());
  check_refused(play, "train_gan --resume --out old --steps 4 --d-steps 2", "cannot change");
  const Outcome o = play.run("train_gan --resume --out old --steps 4");
  INFO(o.err);
  REQUIRE(o.status == 0);
  CHECK(read_bytes(play / "whole/checkpoint.safetensors") ==
        read_bytes(play / "old/checkpoint.safetensors"));
  config["smooth"] = 7;
  write_bytes(play / "old/config.json", config.dump());
  const Outcome broken = play.run("train_gan --resume --out old --steps 5");
  CHECK(broken.status == 1);
  CHECK(contains(broken.err, "out of range"));
}

TEST_CASE("train_gan: what a run saved without a use is no flag that was given") {
  const Playground play;
  REQUIRE(play.run(small + "--steps 1 --out run").status == 0);
  Json config = Json::parse(read_bytes(play / "run/config.json"));
  config["penalty-weight"] = 4;
  config["instance-noise-steps"] = 100;
  write_bytes(play / "run/config.json", config.dump());
  const std::string resume = "train_gan --resume --out run --steps 2 ";
  check_refused(play, resume + "--penalty-weight 4", "--penalty-weight needs a penalty");
  check_refused(play, resume + "--instance-noise-steps 100", "--instance-noise too");
  const Outcome o = play.run(resume);
  INFO(o.err);
  CHECK(o.status == 0);
}

TEST_CASE("train_gan: figures and chart say what the loss means") {
  const Playground play;
  const Outcome hinge = play.run(small + "--loss hinge --steps 2 --out hinge");
  INFO(hinge.err);
  REQUIRE(hinge.status == 0);
  CHECK(contains(hinge.out, "scores D(x)"));
  CHECK(contains(read_bytes(play / "hinge/loss.svg"), "2: D cannot tell"));
  CHECK_FALSE(contains(read_bytes(play / "hinge/loss.svg"), "log 2"));
  // seed001's D has no batch norm, as a penalty needs.
  const Outcome w = play.run(
      "train_gan --model seed001 --batch 2 --steps 1 --loss wasserstein --penalty gp --beta1 0 "
      "--beta2 0.9 --out w");
  INFO(w.err);
  REQUIRE(w.status == 0);
  CHECK(contains(w.out, "Wasserstein estimate"));
  CHECK(contains(w.out, "penalty"));
  const std::string row = read_bytes(play / "w/metrics.jsonl");
  for (const char* key : {"\"wasserstein\":", "\"penalty\":", "\"gradient_norm\":"}) {
    CHECK(contains(row, key));
  }
  CHECK(contains(read_bytes(play / "w/loss.svg"), "Wasserstein estimate"));
  REQUIRE(play.run(small + "--loss wasserstein --clip-weights 0.01 --steps 1 --out c").status == 0);
}

TEST_CASE("train_gan: flags that do not go together are refused before anything is written") {
  const Playground play;
  check_refused(play, small + "--loss wasserstein --out a", "clip-weights");
  check_refused(play, small + "--penalty gp --out a", "batch norm");
  check_refused(play, small + "--penalty r1 --out a", "spectral norm");
  check_refused(play, small + "--penalty r2 --out a", "--penalty");
  check_refused(play, small + "--penalty-every 0 --out a", "--penalty-every");
  // Without effect, whatever the value.
  check_refused(play, small + "--penalty-every 4 --out a", "--penalty-every needs a penalty");
  check_refused(play, small + "--penalty-every 1 --out a", "--penalty-every needs a penalty");
  check_refused(play, small + "--penalty-weight 4 --out a", "--penalty-weight needs a penalty");
  check_refused(play, small + "--penalty none --penalty-weight 10 --out a", "give --penalty gp");
  check_refused(play, small + "--lr 1e-3 --lr-g 2e-4 --lr-d 4e-4 --out a", "one of the three");
  check_refused(play, small + "--instance-noise-steps 100 --out a",
                "--instance-noise-steps says when noise has faded");
  check_refused(play, small + "--instance-noise 0 --instance-noise-steps 0 --out a",
                "give --instance-noise too");
  check_refused(play, small + "--loss hinge --smooth 0.9 --out a", "smooth");
  check_refused(play, small + "--smooth nan --out a", "--smooth");
  check_refused(play, small + "--smooth 1.1 --out a", "--smooth");
  check_refused(play, small + "--d-steps 0 --out a", "--d-steps");
  check_refused(play, small + "--instance-noise -1 --out a", "--instance-noise");
  check_refused(play, small + "--clip-weights nan --out a", "--clip-weights");
  check_refused(play, small + "--lr-d 0 --out a", "--lr-d");
  check_refused(play, small + "--beta1 1 --out a", "--beta1");
  check_refused(play, small + "--augment blur --out a", "--augment");
  CHECK_FALSE(fs::exists(play / "a"));
}

TEST_CASE("a run that goes on repeats no warning, and waits no longer for one") {
  const auto row = [](int step, double loss_d) { return Json{{"step", step}, {"loss_d", loss_d}}; };
  std::vector<Json> rows = {row(200, 1.3), row(210, 0.01), row(300, 0.01)};
  rows.back()["variety"] = 0.05;
  rows.push_back({{"step", 350}, {"loss_d", nullptr}});
  models::GanDiagnosis whole(models::GanLoss::nonsaturating, 1), resumed = whole;
  CHECK_FALSE(whole.see_loss_d(200, 1.3));
  CHECK_FALSE(whole.see_loss_d(210, 0.01));
  CHECK_FALSE(whole.see_loss_d(300, 0.01));
  CHECK(whole.see_variety(300, 0.05).has_value());
  see_again(resumed, rows);
  CHECK_FALSE(resumed.see_variety(400, 0.05));  // said before
  CHECK_FALSE(resumed.see_loss_d(400, 0.01));   // 190 steps of the 200 that it takes
  CHECK_FALSE(whole.see_loss_d(400, 0.01));
  const auto now = resumed.see_loss_d(410, 0.01), as_one = whole.see_loss_d(410, 0.01);
  REQUIRE(now.has_value());
  REQUIRE(as_one.has_value());
  CHECK(now->text == as_one->text);
}

TEST_CASE("charts of a GAN run have the lines of its loss") {
  const Json row = {
      {"step", 1}, {"loss_d", 1.0}, {"loss_g", 1.0}, {"d_real", 0.5}, {"d_fake", 0.5}};
  const std::vector<Json> rows(1, row);
  const auto chart = [&](const models::GanTrainerOptions& options) {
    return gan_chart(rows, options);
  };
  CHECK(contains(chart({}), "log 4: D cannot tell"));
  CHECK(contains(chart({.loss = models::GanLoss::minimax}), "-log 2: G"));
  CHECK(contains(chart({.loss = models::GanLoss::lsgan}), "1/4: D cannot tell"));
  CHECK(contains(chart({.loss = models::GanLoss::wasserstein}), "0: D cannot tell"));
  // With smoothing the lines are elsewhere, and no longer named by their numbers.
  const std::string smooth = chart({.real_target = 0.9});
  CHECK(contains(smooth, "D cannot tell"));
  CHECK_FALSE(contains(smooth, "log 4"));
  CHECK_FALSE(contains(smooth, "Penalty"));
}

TEST_CASE("figures of a step: names stay, what a loss or option adds comes after them") {
  GanFigures figures{.loss = models::GanLoss::nonsaturating,
                     .loss_d = 1,
                     .loss_g = 2,
                     .d_real = 0.5,
                     .d_fake = 0.25,
                     .images_per_second = 10};
  CHECK(figures.text() == "loss D 1.000 G 2.000  D(x) 0.50  D(G(z)) 0.25");
  CHECK(figures.row(3).dump() ==
        R"({"step":3,"loss_d":1.0,"loss_g":2.0,"d_real":0.5,"d_fake":0.25,"images_per_s":10.0})");
  figures.loss = models::GanLoss::wasserstein;
  figures.penalty = 0.125;
  figures.gradient_norm = 0.5;
  CHECK(contains(figures.text(), "Wasserstein estimate -1.000"));
  CHECK(contains(figures.text(), "penalty 0.125, gradient 0.50"));
  CHECK(figures.row(3).at("wasserstein") == -1);
  CHECK(figures.finite());
  figures.penalty = std::nan("");
  CHECK_FALSE(figures.finite());
}
