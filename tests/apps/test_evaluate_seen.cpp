// evaluate says when a recogniser is measured on what it was trained on, and fits nothing to what it
// measures.
#include <doctest/doctest.h>

#include "apps/support/catalogue_flags.h"
#include "cnn_runs.h"
#include "models/recogniser.h"
#include "nn/safetensors.h"
#include "recognition_runs.h"

using namespace imago;
using namespace imago::test;

namespace {

const std::string rendered =
    "train_cnn --image 32 --base 4 --dimensions 16 --identities 12 --held-out 0.5 --batch 8 "
    "--sample-every 4 --steps 2 ";
const std::string four = "--images-per-identity 4 ";

std::string measure(const std::string& run) {
  return "evaluate --resamples 0 --recogniser " + run + "/checkpoint.safetensors ";
}

void says(const Prepared& play, const std::string& command, const std::string& part) {
  const Outcome o = play.succeeds(command);
  INFO(command << ": " << o.out);
  CHECK(contains(o.out, part));
}
void does_not_warn(const Prepared& play, const std::string& command) {
  const Outcome o = play.succeeds(command);
  INFO(command << ": " << o.out);
  CHECK_FALSE(contains(o.out, "warning"));
}

}  // namespace

TEST_CASE("evaluate knows rendered people again, however many there are and whatever is asked") {
  const Prepared play;
  play.succeeds(rendered + four + "--out run");
  const std::string run = measure("run");
  does_not_warn(play, run);
  says(play, run + "--identities 24", "warning: 6 of these 24 people were trained on");
  says(play, run + "--identities 24", "another one renders people whom it has not seen");
  says(play, run + "--images-per-identity 6", "6 of these 12 people were trained on");
  does_not_warn(play, run + "--identities 24 --data-seed 2");
  says(play, run + "--split-seed 2 --part held-out", "split in another way");
  says(play, run + "--split-seed 2 --part held-out", "people were trained on");

  // Classes of the same people: a beard is known by the face.
  play.succeeds(rendered + "--images-per-identity 16 --head expression --out moods");
  does_not_warn(play, measure("moods"));
  says(play, measure("moods") + "--images-per-identity 8", "of these 96 images were trained on");
  says(play, measure("moods") + "--part train", "these ");

  // What the weights of the start have seen counts too.
  play.succeeds(rendered + four + "--data-seed 5 --init run/checkpoint.safetensors --out next");
  does_not_warn(play, measure("next"));
  says(play, measure("next") + "--data-seed 1 --identities 24",
       "6 of these 24 people were trained on by the weights that training started from");
}

TEST_CASE("evaluate knows images of a folder again, but takes no number for a name") {
  const Prepared play;
  play.succeeds(rendered + four + "--out run");
  write_people(play / "photos", 6, 8);
  for (int k = 0; k < 6; ++k) {
    fs::rename(play / ("photos/p" + std::to_string(k)), play / ("photos/" + std::to_string(k)));
  }
  // Rendered people are called 0, 1, ... too.
  does_not_warn(play, measure("run") + "--data photos");

  play.succeeds(of_folder + "--data photos --steps 2 --held-out 0.5 --out named");
  does_not_warn(play, measure("named") + "--data photos");
  fs::copy_file(play / "photos/0/1.png", play / "photos/0/9.png");
  says(play, measure("named") + "--data photos", "3 of these 6 people were trained on");

  // A head of classes, stratified over parts, and then a part.
  write_people(play / "faces/train", 3, 4);
  write_people(play / "faces/test", 3, 4);
  play.succeeds(of_folder + "--head expression --data faces --held-out 0.25 --steps 2 --out moods");
  does_not_warn(play, measure("moods") + "--data faces");
  says(play, measure("moods") + "--data faces --part test", "of these 12 images were trained on");
  fs::copy_file(play / "faces/test/p0/1.png", play / "faces/test/p0/9.png");
  says(play, measure("moods") + "--data faces --part test",
       "whether some of the images are among those cannot be told");
}

TEST_CASE("evaluate leaves broken images out as training did") {
  const Prepared play;
  write_people(play / "photos", 6, 4);
  write_bytes(play / "photos/p2/1.png", "no picture");
  play.succeeds(of_folder +
                "--data photos --skip-broken --steps 2 --held-out 0.5 --split-seed 3 --out run");
  const Outcome o = play.succeeds(measure("run") + "--data photos");
  INFO(o.out);
  CHECK(contains(o.out, "trained on these data, split in the same way"));
  CHECK(contains(o.err, "p2"));
  const std::string lbp = "evaluate --resamples 0 --method lbp --data photos ";
  play.fails(lbp, 1, "p2");
  const Outcome skipped = play.succeeds(lbp + "--skip-broken");
  CHECK(contains(skipped.out, "23 images of 6 people"));
  CHECK(contains(skipped.err, "left out"));
  play.fails("evaluate --method lbp --skip-broken", 2, "--skip-broken is for a folder");
}

TEST_CASE("evaluate fits methods to nothing that is measured") {
  const Prepared play;
  write_people(play / "faces/train", 4, 4);
  write_people(play / "faces/test", 4, 3);
  const std::string fits = "evaluate --resamples 0 --method eigenfaces --data faces ";
  says(play, fits + "--part test", "fitted to the training part, 16 images");
  says(play, fits + "--part all", "fitted to images that they are measured on");
  play.fails(fits + "--part test --split-seed 3", 2, "--split-seed has no effect on part test");
  play.fails(fits + "--task identification --held-out 0.5", 2, "--held-out has no effect on part");
  play.fails("evaluate --method lbp --identities 4 --images-per-identity 4 --split-seed 3", 2,
             "--split-seed has no effect on part all");
  play.fails("evaluate --method lbp --positive 1", 2, "--positive makes two classes");
  play.fails("evaluate --method lbp --identities 3 --part held-out", 2,
             "--part all takes everybody");
}

TEST_CASE("evaluate writes the network alone, with its threshold and what it has seen") {
  const Prepared play;
  play.succeeds(rendered + four + "--head cosface --out run");
  const std::string run = measure("run");
  const Outcome o = play.succeeds(run + "--write-weights w.safetensors --json r.json");
  CHECK(contains(o.out, "Wrote w.safetensors"));
  const apps::Json row = play.json("r.json").at("rows")[0];
  const SafetensorsFile weights = load_safetensors(play / "w.safetensors");
  CHECK(std::stod(weights.metadata_entry("threshold")) == row.at("best_threshold").get<double>());
  CHECK(std::stod(weights.metadata_entry("auc")) == row.at("auc").at("value").get<double>());
  CHECK(weights.metadata_entry("trained_with") == "cosface");
  for (const auto& [name, tensor] : weights.tensors) CHECK(name.starts_with("body."));

  // The same embeddings, of the same name, and still known.
  const std::string alone = "evaluate --resamples 0 --recogniser w.safetensors --json a.json ";
  does_not_warn(play, alone);
  apps::Json again = play.json("a.json").at("rows")[0];
  CHECK(again.at("label") == "residual, cosface");
  CHECK(again.at("auc") == row.at("auc"));
  says(play, alone + "--part train", "these people were trained on");
  play.fails(alone + "--task classification --part train", 1, "triplet");

  play.fails(run + "--task identification --write-weights x", 2, "--task verification");
  play.fails("evaluate --method lbp --write-weights x", 2, "--write-weights is for --recogniser");
  play.fails(run + "--write-weights /dev/full/x", 1, "/dev/full");
}

TEST_CASE("the committed weights tell people apart whom they have never seen") {
  const Prepared play;
  const std::string weights = IMAGO_SOURCE_DIR "/models/weights/face_recogniser_v1.safetensors";
  const Outcome o = play.succeeds("evaluate --resamples 0 --recogniser " + weights +
                                  " --identities 12 --images-per-identity 3 --data-seed 99 "
                                  "--json w.json");
  CHECK_FALSE(contains(o.out, "warning"));
  CHECK(play.json("w.json").at("rows")[0].at("auc").at("value").get<double>() > 0.98);
  says(play,
       "evaluate --resamples 0 --recogniser " + weights +
           " --data-seed 7001 --identities 12 --images-per-identity 3",
       "people were trained on");
  CHECK(fs::file_size(weights) < 4'000'000);

  // As the example finds them, with the threshold that they bring.
  play.succeeds("render_faces --grid 1x1 --size 64 --first 0 --out 0.png");
  const Outcome same = play.succeeds("examples/same_person 0.png 0.png");
  CHECK(contains(same.out, "similarity 1.000, threshold 0.531: same person"));
}
