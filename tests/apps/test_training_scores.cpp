// Scores during training: what is written, that nothing else changes, and that a run which stops
// and goes on has the same ones.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "apps/support/train_loop.h"
#include "apps/support/training_scores.h"
#include "data/faces.h"
#include "program.h"
#include "rows.h"

using namespace imago;
using namespace imago::apps;
using namespace imago::test;

namespace {

const std::string small =
    "train_gan --model dcgan16 --base 4 --batch 4 --sample-every 2 --checkpoint-every 3 --seed 3 ";
const std::string scored = "--score-every 2 --score-images 16 ";

int best_of(const std::map<int, Json>& rows) {
  int best = 0;
  for (const auto& [step, row] : rows) {
    if (step == 0 || !row.contains("frechet")) continue;
    if (best == 0 || row.at("frechet") < rows.at(best).at("frechet")) best = step;
  }
  return best;
}

// From "Best score" to the name of the file.
std::string verdict_in(const std::string& out) {
  const std::size_t begin = out.find("Best score");
  REQUIRE(begin != std::string::npos);
  return out.substr(begin, out.find(';', begin) - begin);
}

void write_rows(const fs::path& run, const std::vector<Json>& rows) {
  std::string text;
  for (const Json& row : rows) text += row.dump() + "\n";
  write_bytes(run / "metrics.jsonl", text);
}

void check_refused(const Playground& play, const std::string& command, int status,
                   const std::string& part) {
  const Outcome o = play.run(command);
  INFO(command << ": " << o.err);
  CHECK(o.status == status);
  CHECK(one_line(o.err));
  CHECK(contains(o.err, part));
}

}  // namespace

TEST_CASE("train_gan scores at the steps asked for, keeps the best, and trains as without") {
  const Playground play;
  const Outcome o = play.run(small + scored + "--steps 5 --out run");
  INFO(o.out << o.err);
  REQUIRE(o.status == 0);
  for (const char* part :
       {"Scores every 2 steps: 16 images drawn from the same noise against 16 of procedural",
        "on 128 features of face_features version 1, weights ", "note: with no more images",
        "Before training: Fréchet distance ", "Step 2: Fréchet distance ",
        "Step 4: ", "kernel distance ", "sliced Wasserstein of features ", "precision ", "recall ",
        "density ", "coverage ", "  distance ", "Best score: a Fréchet distance of ",
        "before training; run/best.safetensors"}) {
    CHECK_MESSAGE(contains(o.out, part), part);
  }
  CHECK_FALSE(contains(o.out, "FID"));

  const std::map<int, Json> rows = rows_of(play / "run");
  for (const int step : {0, 2, 4}) {
    CAPTURE(step);
    REQUIRE(rows.contains(step));
    const Json& row = rows.at(step);
    CHECK(row.at("frechet").get<double>() > 0);
    CHECK(row.at("kernel_distance").is_number());
    CHECK(row.at("kernel_distance_error").is_null());  // of a single block
    CHECK(row.at("sliced_wasserstein_of_features").get<double>() > 0);
    CHECK(row.at("frechet_at_infinity").is_number());
    for (const char* share : {"precision", "recall", "coverage"}) {
      CHECK(row.at(share).get<double>() >= 0);
      CHECK(row.at(share).get<double>() <= 1);
    }
    CHECK(row.at("density").get<double>() >= 0);
    CHECK(row.at("score_images") == 16);
    CHECK(row.at("score_features").get<std::string>().starts_with("face_features version 1"));
  }
  CHECK_FALSE(rows.at(0).contains("loss_d"));
  CHECK(rows.at(2).contains("loss_d"));
  for (const int step : {1, 5}) CHECK_FALSE(rows.at(step).contains("frechet"));
  CHECK(rows.at(2).at("frechet") != rows.at(4).at("frechet"));
  const std::string chart = read_bytes(play / "run/loss.svg");
  for (const char* title :
       {"Fréchet distance, face_features version 1, weights ", "Kernel distance, ",
        "Sliced Wasserstein distance, ", "Shares of the samples"}) {
    CHECK_MESSAGE(contains(chart, title), title);
  }
  const Json config = Json::parse(read_bytes(play / "run/config.json"));
  CHECK(config.at("score-every") == 2);
  CHECK(config.at("score-images") == 16);

  // Without scores the same steps give the same state, of the last step and of the best one.
  REQUIRE(play.run(small + "--steps 5 --out plain").status == 0);
  CHECK(read_bytes(play / "run/checkpoint.safetensors") ==
        read_bytes(play / "plain/checkpoint.safetensors"));
  CHECK_FALSE(fs::exists(play / "plain/best.safetensors"));
  CHECK_FALSE(contains(read_bytes(play / "plain/loss.svg"), "Kernel distance"));
  const std::string best = std::to_string(best_of(rows));
  CHECK(contains(verdict_in(o.out), " after step " + best + ","));
  REQUIRE(play.run(small + "--steps " + best + " --out until").status == 0);
  CHECK(read_bytes(play / "run/best.safetensors") ==
        read_bytes(play / "until/checkpoint.safetensors"));
  CHECK(play.run("generate --checkpoint run/best.safetensors --count 2 --out two.png").status == 0);
}

TEST_CASE("a run that stops and goes on has the scores of one that does not, and its best") {
  const Playground play;
  const Outcome whole = play.run(small + scored + "--steps 8 --out whole --threads 2");
  REQUIRE(whole.status == 0);
  REQUIRE(play.run(small + scored + "--steps 3 --out parts --threads 1").status == 0);
  const Outcome parts = play.run("train_gan --resume --out parts --steps 8 --threads 3");
  INFO(parts.out << parts.err);
  REQUIRE(parts.status == 0);
  CHECK(parts.err.empty());
  CHECK(contains(parts.out, "Scores every 2 steps: 16 images"));
  CHECK_FALSE(contains(parts.out, "Before training"));
  check_same_rows(play / "whole", play / "parts", {0, 1, 2, 4, 6, 8});
  CHECK_FALSE(rows_of(play / "parts").at(3).contains("frechet"));  // where it stopped
  CHECK(verdict_in(whole.out) == verdict_in(parts.out));
  CHECK(read_bytes(play / "whole/best.safetensors") == read_bytes(play / "parts/best.safetensors"));
  CHECK(read_bytes(play / "whole/checkpoint.safetensors") ==
        read_bytes(play / "parts/checkpoint.safetensors"));
}

TEST_CASE("a conditional run that stops and goes on has the scores of one that does not") {
  const Playground play;
  const std::string train =
      "train_gan --labels glasses --base 2 --batch 4 --sample-every 2 --checkpoint-every 3 --seed "
      "3 " +
      scored;
  const Outcome whole = play.run(train + "--steps 6 --out whole --threads 2");
  INFO(whole.err);
  REQUIRE(whole.status == 0);
  REQUIRE(play.run(train + "--steps 3 --out parts --threads 1").status == 0);
  const Outcome parts = play.run("train_gan --resume --out parts --steps 6 --threads 2");
  INFO(parts.err);
  REQUIRE(parts.status == 0);
  CHECK(contains(parts.out, "Scores every 2 steps: 16 images"));
  const Json config = Json::parse(read_bytes(play / "parts/config.json"));
  CHECK(config.at("score-every") == 2);
  CHECK(config.at("score-images") == 16);
  check_same_rows(play / "whole", play / "parts", {0, 1, 2, 4, 6});
  const std::map<int, Json> rows = rows_of(play / "whole");
  for (const int step : {0, 2, 4, 6}) CHECK(rows.at(step).at("frechet").is_number());
  CHECK(verdict_in(whole.out) == verdict_in(parts.out));
  CHECK(read_bytes(play / "whole/best.safetensors") == read_bytes(play / "parts/best.safetensors"));
  CHECK(read_bytes(play / "whole/checkpoint.safetensors") ==
        read_bytes(play / "parts/checkpoint.safetensors"));
}

TEST_CASE("a killed run never has a best step that its checkpoint does not reach") {
  const Playground play;
  const Outcome killed = play.run_until("killed/best.safetensors", "KILL",
                                        small + scored + "--steps 100000 --out killed");
  REQUIRE(killed.status == 137);
  const SafetensorsFile best = load_safetensors(play / "killed/best.safetensors");
  const SafetensorsFile last = load_safetensors(play / "killed/checkpoint.safetensors");
  const int steps = std::stoi(last.metadata_entry("step"));
  CHECK(std::stoi(best.metadata_entry("step")) <= steps);
  const std::string more = std::to_string(steps + 3);
  REQUIRE(play.run("train_gan --resume --out killed --steps " + more).status == 0);
  REQUIRE(play.run(small + scored + "--steps " + more + " --out whole").status == 0);
  CHECK(read_bytes(play / "killed/best.safetensors") ==
        read_bytes(play / "whole/best.safetensors"));
}

TEST_CASE("what is the best, and whether it is there, is taken from the rows of a run") {
  const Playground play;
  REQUIRE(play.run(small + scored + "--steps 4 --out run").status == 0);
  const std::vector<Json> rows = RunFolder(play / "run").read_metrics();
  const std::string state = read_bytes(play / "run/checkpoint.safetensors");
  const auto with = [&](int step, const char* key, const Json& value) {
    std::vector<Json> changed = rows;
    for (Json& row : changed) {
      if (row.at("step") == step) row[key] = value;
    }
    write_rows(play / "run", changed);
    write_bytes(play / "run/checkpoint.safetensors", state);
    fs::remove(play / "run/best.safetensors");
    return play.run("train_gan --resume --out run --steps 5");
  };
  // The checkpoint is of that step: stopped between the two files.
  const Outcome mended = with(4, "frechet", 1e-6);
  INFO(mended.err);
  CHECK(mended.status == 0);
  CHECK(mended.err.empty());
  CHECK(read_bytes(play / "run/best.safetensors") == state);
  CHECK(contains(mended.out, "after step 4"));
  // It is gone, and said to be.
  const Outcome lost = with(2, "frechet", 1e-6);
  CHECK(lost.status == 0);
  CHECK(one_line(lost.err));
  CHECK(contains(lost.err, "best.safetensors is not that of step 2"));
  CHECK_FALSE(fs::exists(play / "run/best.safetensors"));
  // Scores of other features are no scores of this run.
  const Outcome other = with(2, "score_features", "face_features version 0");
  CHECK(other.status == 1);
  CHECK(one_line(other.err));
  CHECK(contains(other.err, "face_features version 0"));
  CHECK(contains(other.err, "--score-every 0"));
  // Nor are those of another number of images.
  const Outcome more = with(2, "score_images", 20);
  CHECK(more.status == 1);
  CHECK(one_line(more.err));
  CHECK(contains(more.err, "scored on 20 images of each kind so far, and would be on 16 now"));
  CHECK(contains(more.err, "--score-every 0"));
}

TEST_CASE("a run whose images have become fewer than its scores need says the way out") {
  const Playground play;
  fs::create_directories(play / "photos");
  for (int i = 0; i < 16; ++i) {
    const std::string number = std::to_string(i);
    const std::string face = "--first " + number + " --out photos/" + number + ".png";
    REQUIRE(play.run("render_faces --grid 1x1 --size 16 " + face).status == 0);
  }
  const Outcome first = play.run(small + scored + "--data photos --steps 2 --out run");
  INFO(first.err);
  REQUIRE(first.status == 0);
  for (int i = 8; i < 16; ++i) fs::remove(play / ("photos/" + std::to_string(i) + ".png"));
  check_refused(play, "train_gan --resume --out run --steps 3", 2, "photos holds only 8 images");
  check_refused(play, "train_gan --resume --out run --steps 3", 2, "--score-every 0");
  CHECK(play.run("train_gan --resume --out run --steps 3 --score-every 0").status == 0);
}

TEST_CASE("scores can begin, and end, in the middle of a run") {
  const Playground play;
  REQUIRE(play.run(small + "--steps 3 --out run").status == 0);
  Json config = Json::parse(read_bytes(play / "run/config.json"));
  for (const char* key : {"score-every", "score-images"}) {
    REQUIRE(config.contains(key));
    config.erase(key);  // as of a run that is older than they are
  }
  write_bytes(play / "run/config.json", config.dump());
  const Outcome on = play.run("train_gan --resume --out run --steps 6 " + scored);
  INFO(on.err);
  REQUIRE(on.status == 0);
  CHECK_FALSE(rows_of(play / "run").contains(0));
  CHECK(rows_of(play / "run").at(4).contains("frechet"));
  check_refused(play, "train_gan --resume --out run --steps 8 --score-images 20", 2,
                "do not compare");
  const std::string best = read_bytes(play / "run/best.safetensors");
  const Outcome off = play.run("train_gan --resume --out run --steps 8 --score-every 0");
  REQUIRE(off.status == 0);
  CHECK_FALSE(contains(off.out, "Best score"));
  CHECK_FALSE(rows_of(play / "run").at(8).contains("frechet"));
  CHECK(read_bytes(play / "run/best.safetensors") == best);
  // Rows from when there were fewer scores, and another name of one, stay as they are.
  std::vector<Json> older = RunFolder(play / "run").read_metrics();
  for (Json& row : older) {
    if (!row.contains("frechet")) continue;
    row["kid"] = row.at("kernel_distance");
    for (const char* key :
         {"kernel_distance", "kernel_distance_error", "sliced_wasserstein_of_features"}) {
      CHECK(row.erase(key) == 1);
    }
  }
  write_rows(play / "run", older);
  check_refused(play, "train_gan --resume --out run --steps 9 --score-images 16", 2,
                "say when, with --score-every");
  // And every third step from here on, of as many images as before.
  const Outcome again = play.run("train_gan --resume --out run --steps 9 --score-every 3");
  REQUIRE(again.status == 0);
  CHECK(again.err.empty());
  const std::map<int, Json> rows = rows_of(play / "run");
  CHECK(rows.at(9).at("score_images") == 16);
  CHECK(rows.at(4).contains("kid"));
  CHECK_FALSE(rows.at(4).contains("kernel_distance"));
  CHECK(rows.at(9).contains("kernel_distance"));
  CHECK(rows.at(9).contains("sliced_wasserstein_of_features"));
  CHECK_FALSE(rows.at(9).contains("kid"));
}

TEST_CASE("train_vae scores its samples too, and goes on exactly") {
  const Playground play;
  const std::string vae =
      "train_vae --image 16 --base 2 --latent 4 --batch 4 --iwae 0 --sample-every 4 "
      "--score-every 2 --score-images 9 ";
  const Outcome whole = play.run(vae + "--steps 4 --out whole");
  INFO(whole.err);
  REQUIRE(whole.status == 0);
  CHECK(contains(whole.out, "against 9 of procedural"));
  REQUIRE(play.run(vae + "--steps 2 --out parts").status == 0);
  REQUIRE(play.run("train_vae --resume --out parts --steps 4").status == 0);
  const std::map<int, Json> a = rows_of(play / "whole"), b = rows_of(play / "parts");
  CHECK(a.at(4).at("frechet").get<double>() > 0);
  CHECK(a.at(4) == b.at(4));
  CHECK(a.at(2).at("frechet") == b.at(2).at("frechet"));
  CHECK(read_bytes(play / "whole/best.safetensors") == read_bytes(play / "parts/best.safetensors"));
  CHECK(contains(read_bytes(play / "whole/loss.svg"), "Kernel distance, "));
}

TEST_CASE("scores that cannot be made are refused before anything is written") {
  const Playground play;
  fs::create_directories(play / "photos");
  REQUIRE(play.run("render_faces --grid 1x1 --size 16 --out a.png").status == 0);
  for (int i = 0; i < 12; ++i) {
    fs::copy(play / "a.png", play / ("photos/" + std::to_string(i) + ".png"));
  }
  const std::string train = small + "--steps 2 --out run ";
  check_refused(play, train + "--score-images 16", 2, "--score-every");
  check_refused(play, train + "--score-every -1", 2, "--score-every");
  check_refused(play, train + "--score-every 1 --score-images 7", 2, "at least 8 images");
  check_refused(play, train + "--score-every 1 --score-images 13 --data photos", 2,
                "photos holds only 12 images");
  for (int i = 4; i < 12; ++i) fs::remove(play / ("photos/" + std::to_string(i) + ".png"));
  check_refused(play, train + "--score-every 1 --data photos", 2, "at least 8 images");
  ::setenv("IMAGO_WEIGHTS", "/nowhere", 1);
  const Outcome none = play.run(train + scored);
  ::unsetenv("IMAGO_WEIGHTS");
  CHECK(none.status == 1);
  CHECK(one_line(none.err));
  CHECK(contains(none.err, "/nowhere"));
  CHECK_FALSE(fs::exists(play / "run"));
}

TEST_CASE("JSON has null for what is not finite") {
  const double infinite = std::numeric_limits<double>::infinity();
  for (const double value : {std::nan(""), infinite, -infinite}) {
    CHECK(json_number(value).is_null());
  }
  CHECK(json_number(-1.5) == -1.5);
}

TEST_CASE("a model that draws the real images scores as they do; its noise is always the same") {
  constexpr std::int64_t images = 70, length = 5;  // more than are drawn at a time
  TrainFlags train;
  train.seed = 7;
  const data::Faces faces("procedural", {.size = 16, .batch = images, .seed = 7, .flip = false});
  const Tensor real = faces.first_batch(Device::cpu());
  const Tensor noise = fixed_noise(7, length, images, 1);
  CHECK_FALSE(same_bits(noise.slice(0, 64), fixed_noise(7, length)));
  std::vector<std::int64_t> firsts;
  TrainingScores scores({.every = 3, .images = images}, train, 16, length,
                        [&](const Tensor& z, std::int64_t first) {
                          const std::int64_t end = first + z.size(0);
                          firsts.push_back(first);
                          CHECK(same_bits(z, noise.slice(first, end)));
                          return real.slice(first, end);
                        });
  CHECK(scores.due(0));
  CHECK(scores.due(6));
  CHECK_FALSE(scores.due(7));
  CHECK(contains(error_of([&] { scores.measure(3); }), "prepare() comes first"));
  scores.prepare();
  CHECK(scores.figure().empty());
  CHECK(scores.verdict().empty());
  const Json row = scores.measure(3);
  CHECK(firsts == std::vector<std::int64_t>{0, 64});
  CHECK(row.at("frechet").get<double>() <= 1e-6);
  CHECK(row.at("sliced_wasserstein_of_features").get<double>() <= 1e-5);
  CHECK(row.at("precision") == 1);
  CHECK(row.at("coverage") == 1);
  CHECK(scores.best_step() == 3);
  // An equal score later is not a better one.
  CHECK(scores.measure(6).at("frechet") == row.at("frechet"));
  CHECK(scores.best_step() == 3);
  CHECK(contains(scores.verdict(), "after step 3"));

  TrainingScores again({.every = 3, .images = images}, train, 16, length, nullptr);
  again.prepare();
  std::vector<Json> seen(3, row);
  for (std::size_t i = 0; i < 3; ++i) seen[i]["step"] = 3 * (i + 1);
  seen[0]["frechet"] = std::nan("");
  seen[1]["frechet"] = 2.5;
  seen[2]["frechet"] = -std::numeric_limits<double>::infinity();
  again.see_again(std::vector<Json>(1, seen[0]));
  CHECK(again.best_step() == 0);
  CHECK(again.figure().empty());
  again.see_again(seen);
  CHECK(again.best_step() == 6);
  CHECK(contains(again.figure(), "2.500"));
  seen[1]["score_images"] = 71;
  CHECK(contains(error_of([&] { again.see_again(seen); }), "scored on 71 images"));

  std::vector<Json> rows(1, Json::object());
  rows[0]["step"] = 3;
  CHECK(score_panels(rows).empty());
  rows[0].update(row);
  CHECK(score_panels(rows).size() == 4);
  // Scores that no row has are no panels.
  rows[0].erase("kernel_distance");
  rows[0].erase("sliced_wasserstein_of_features");
  CHECK(score_panels(rows).size() == 2);
}
