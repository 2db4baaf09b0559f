// train_translation, translate and evaluate --translator, at tiny sizes.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/support/translation_data.h"
#include "data/image.h"
#include "data/transform.h"
#include "program.h"
#include "rows.h"

using namespace imago::test;

namespace {

const std::string tiny =
    "train_translation --image 16 --base 2 --batch 4 --sample-every 4 --checkpoint-every 2 ";

void check_fails(const Playground& play, const std::string& command, int status,
                 const std::string& part) {
  const Outcome o = play.run(command);
  INFO(command << ": " << o.err);
  CHECK(o.status == status);
  CHECK(one_line(o.err));
  CHECK(contains(o.err, part));
}

void succeeds(const Playground& play, const std::string& command) {
  const Outcome o = play.run(command);
  INFO(command << ": " << o.err);
  REQUIRE(o.status == 0);
}

// [x, y) and [x, y) of the smallest box that holds all pixels in which two pictures of one size
// differ: columns, then rows; all 0 where they are equal.
std::array<int, 4> changed_box(const imago::data::Image& before, const imago::data::Image& after) {
  REQUIRE(before.width == after.width);
  REQUIRE(before.height == after.height);
  std::array<int, 4> box = {before.width, 0, before.height, 0};
  for (int y = 0; y < before.height; ++y) {
    for (int x = 0; x < before.width; ++x) {
      if (std::equal(before.at(x, y), before.at(x, y) + 3, after.at(x, y))) continue;
      box = {std::min(box[0], x), std::max(box[1], x + 1), std::min(box[2], y),
             std::max(box[3], y + 1)};
    }
  }
  return box[1] == 0 ? std::array<int, 4>{} : box;
}

// Smooth, and different everywhere.
imago::data::Image slope(int width, int height) {
  imago::data::Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) {
        image.at(x, y)[c] = static_cast<std::uint8_t>(10 + 3 * x + 2 * y + 5 * c);
      }
    }
  }
  return image;
}

}  // namespace

TEST_CASE("train_translation writes what it promises, for every task") {
  const Playground play;
  for (const std::string task : {"inpaint", "lowlight", "matte"}) {
    INFO(task);
    const Outcome o = play.run(tiny + "--task " + task + " --steps 5 --out " + task);
    INFO(o.err);
    REQUIRE(o.status == 0);
    CHECK(contains(o.out, "step 5/5"));
    CHECK(contains(o.out, "of the discriminators"));
    CHECK(contains(o.out, "Not trained on, 64 procedural faces of 64 people"));
    CHECK(contains(o.out, "PSNR"));
    CHECK(contains(o.out, "SSIM"));
    for (const char* file : {"config.json", "loss.svg", "checkpoint.safetensors"}) {
      INFO(file);
      CHECK(fs::file_size(play / task / file) > 0);
    }
    const std::string metrics = read_bytes(play / task / "metrics.jsonl");
    for (const char* key : {"{\"step\":5,\"loss\":", "\"l1\":", "\"l2\":", "\"loss_d_global\":",
                            "\"loss_d_local\":", "\"d_real\":", "\"psnr\":", "\"ssim\":"}) {
      INFO(key);
      CHECK(contains(metrics, key));
    }
    // Eight rows of four people: input, result, truth.
    const imago::data::Image sheet = imago::data::load_image(play / task / "samples/00000005.png");
    CHECK(sheet.height == 8 * 16 + 7 * 2);
    CHECK(sheet.width == 12 * 16 + 11 * 2);
    CHECK(contains(read_bytes(play / task / "loss.svg"), "PSNR"));
  }
}

TEST_CASE("train_translation: N steps, stop, resume and M steps give the bytes of N + M steps") {
  const Playground play;
  for (const std::string flags : {"--task inpaint --loss nonsaturating --lr-d 0.001",
                                  "--task lowlight --adversarial 0 --l1 0 --l2 1 --ema 0"}) {
    INFO(flags);
    const std::string train = tiny + flags + " --seed 3 ";
    succeeds(play, train + "--steps 6 --out whole");
    succeeds(play, train + "--steps 3 --out parts --threads 1");
    const std::string half = read_bytes(play / "parts/checkpoint.safetensors");
    const Outcome o = play.run("train_translation --resume --out parts --steps 6 --threads 3");
    INFO(o.err);
    REQUIRE(o.status == 0);  // the second one too, whose config.json has a --loss of no use
    CHECK(contains(o.out, "Going on after step 3"));
    const std::string whole = read_bytes(play / "whole/checkpoint.safetensors");
    CHECK(whole == read_bytes(play / "parts/checkpoint.safetensors"));
    CHECK(whole != half);
    CHECK(read_bytes(play / "whole/samples/00000006.png") ==
          read_bytes(play / "parts/samples/00000006.png"));
    check_same_rows(play / "whole", play / "parts", {1, 4, 6});
    CHECK(contains(play.run("train_translation --resume --out parts").out, "Nothing to do"));
    fs::remove_all(play / "whole");
    fs::remove_all(play / "parts");
  }
}

TEST_CASE("train_translation: Ctrl-C saves and says how to go on") {
  const Playground play;
  const Outcome o =
      play.run_until("run/checkpoint.safetensors", "INT", tiny + "--steps 1000000 --out run");
  CHECK(o.status == 130);
  CHECK(contains(o.out, "Stopped after step"));
  CHECK(contains(o.out, "train_translation --resume --out run"));
  CHECK(fs::exists(play / "run/loss.svg"));
}

TEST_CASE("train_translation holds out a part of a folder; a folder has no mattes") {
  const Playground play;
  fs::create_directories(play / "photos");
  for (int person = 0; person < 11; ++person) {
    const std::string number = std::to_string(person);
    succeeds(play, "render_faces --grid 1x1 --size 20 --first " + number + " --out photos/" +
                       number + ".png");
  }
  const Outcome o = play.run(tiny + "--task lowlight --data photos --steps 2 --out run");
  INFO(o.err);
  REQUIRE(o.status == 0);
  CHECK(contains(o.out, "on 10 of 11 images of"));
  CHECK(contains(o.out, "Not trained on, 1 of 11 images of"));
  check_fails(play, tiny + "--task matte --data photos --steps 2 --out m", 2, "no mattes");
  CHECK_FALSE(fs::exists(play / "m"));
  check_fails(play, tiny + "--data nowhere --out n", 1, "nowhere");
}

TEST_CASE("no broken image is replaced across the line between training and held-out images") {
  using namespace imago;
  const Playground play;
  fs::create_directories(play / "photos");
  for (int i = 0; i < 20; ++i) {
    data::Image image(16, 16);
    std::fill(image.pixels.begin(), image.pixels.end(), static_cast<std::uint8_t>(10 * i));
    data::save_png(play / ("photos/" + std::string(i < 10 ? "0" : "") + std::to_string(i) + ".png"),
                   image);
  }
  // The last of each part: the next good image of the folder is in the other one.
  write_bytes(play / "photos/17.png", "nonsense");
  write_bytes(play / "photos/19.png", "nonsense");
  const apps::TranslationData parts = apps::open_translation_data(
      models::TranslationTask::low_light, (play / "photos").string(), 16, true);
  REQUIRE(parts.training->size() == 18);
  REQUIRE(parts.held_out->size() == 2);
  const auto grey = [](const data::Dataset& dataset, std::int64_t index) {
    std::vector<std::uint8_t> pixels(16 * 16 * 3);
    RandomStream no_augmentation(0);
    dataset.get(index, no_augmentation, pixels.data());
    return int{pixels[0]};
  };
  for (int i = 0; i < 17; ++i) CHECK(grey(*parts.training, i) == 10 * i);
  CHECK(grey(*parts.training, 17) == 0);
  CHECK(grey(*parts.held_out, 0) == 180);
  CHECK(grey(*parts.held_out, 1) == 180);
}

TEST_CASE("train_translation and translate say what is wrong in one line") {
  const Playground play;
  check_fails(play, "train_translation --stepz 3", 2, "--stepz");
  check_fails(play, "train_translation --image 48", 2, "--image");
  check_fails(play, "train_translation --task colour", 2, "lowlight");
  check_fails(play, tiny + "--l1 nan --out d", 2, "--l1");
  check_fails(play, tiny + "--l1 0 --adversarial 0 --out d", 2, "nothing to learn");
  check_fails(play, tiny + "--adversarial 0 --loss hinge --out d", 2,
              "--loss is of the discriminators");
  check_fails(play, tiny + "--adversarial 0 --lr-d 0.001 --out d", 2,
              "--lr-d is of the discriminators, and with --adversarial 0 there are none");
  CHECK_FALSE(fs::exists(play / "d"));
  check_fails(play, "train_translation --resume --out nothing", 1, "nothing");
  succeeds(play, tiny + "--steps 2 --out run");
  check_fails(play, tiny + "--steps 4 --out run", 1, "not empty");
  check_fails(play, "train_translation --resume --out run --task matte", 2,
              "cannot change within a run");
  check_fails(play, "train_vae --resume --out run", 1, "\"translation\", which train_vae does not");
  const Outcome slower = play.run("train_translation --resume --out run --steps 3 --lr 1e-4");
  CHECK(slower.status == 0);
  CHECK(contains(slower.out, "From here on --lr is 0.0001, not 0.0005."));

  succeeds(play, "render_faces --grid 1x1 --size 40 --out photo.png");
  const std::string apply = "translate --checkpoint run/checkpoint.safetensors --in photo.png ";
  check_fails(play, apply, 2, "--hole");
  check_fails(play, apply + "--hole 1,2,3", 2, "X,Y,WIDTH,HEIGHT");
  check_fails(play, apply + "--hole 1,2,3,4,5", 2, "X,Y,WIDTH,HEIGHT");
  check_fails(play, apply + "--hole 1,2,0,4", 2, "X,Y,WIDTH,HEIGHT");
  check_fails(play, apply + "--hole 40,2,8,4", 2, "middle square");
  check_fails(play, apply + "--hole 1,2,3,4 --out a.jpg", 2, ".png");
  check_fails(play, "translate --checkpoint photo.png --in photo.png", 1, "photo.png");
  succeeds(play, "train_gan --model dcgan16 --base 4 --batch 4 --steps 1 --out gan");
  succeeds(play, "train_vae --image 16 --base 2 --latent 4 --batch 4 --steps 1 --out vae");
  succeeds(play, "train_gan --labels glasses --base 2 --batch 4 --steps 1 --out classes");
  // Who has the wrong program is told the right one.
  for (const std::string drawn : {"gan", "vae", "classes"}) {
    for (const char* with : {"translate --in photo.png --checkpoint ", "evaluate --translator "}) {
      check_fails(play, with + drawn + "/checkpoint.safetensors", 1,
                  "not a checkpoint of train_translation; generate and evaluate --generator");
    }
  }
  for (const char* with : {"generate --checkpoint ", "evaluate --generator "}) {
    check_fails(play, with + std::string("run/checkpoint.safetensors"), 1,
                "holds an image-to-image network, written by train_translation, and is not a GAN "
                "checkpoint of Imago; translate and evaluate --translator take it");
  }
}

TEST_CASE("translate fills a hole and leaves every other pixel alone; a matte is grey") {
  const Playground play;
  succeeds(play, tiny + "--steps 2 --out run");
  succeeds(play, tiny + "--task matte --steps 2 --out matte");
  succeeds(play, "render_faces --grid 1x1 --size 16 --out same.png");
  const std::string apply = "translate --checkpoint run/checkpoint.safetensors --in same.png ";
  succeeds(play, apply + "--hole 4,5,6,7 --out filled.png");
  const imago::data::Image before = imago::data::load_image(play / "same.png");
  const imago::data::Image after = imago::data::load_image(play / "filled.png");
  REQUIRE(after.width == 16);
  REQUIRE(after.height == 16);
  int changed_inside = 0, changed_outside = 0;
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) {
      const bool inside = x >= 4 && x < 10 && y >= 5 && y < 12;
      bool same = true;
      for (int c = 0; c < 3; ++c) same = same && before.at(x, y)[c] == after.at(x, y)[c];
      (inside ? changed_inside : changed_outside) += !same;
    }
  }
  CHECK(changed_outside == 0);
  CHECK(changed_inside > 6 * 7 / 2);
  succeeds(play, "render_faces --grid 1x1 --size 32 --out large.png");
  succeeds(play, "translate --checkpoint matte/checkpoint.safetensors --in large.png --out m.png");
  const imago::data::Image matte = imago::data::load_image(play / "m.png");
  CHECK(matte.at(3, 4)[0] == matte.at(3, 4)[1]);
  CHECK(matte.at(3, 4)[0] == matte.at(3, 4)[2]);
}

TEST_CASE("translate finds the pixels of a hole in photographs of any shape") {
  const Playground play;
  succeeds(play, tiny + "--steps 2 --out run");
  struct Case {
    int width, height;
    const char* hole;
    std::array<int, 4> changed;  // columns [x, y) and rows [x, y) of the 16 x 16 result
  };
  for (const Case& c : {
           // 2 pixels of 32 are one of 16, and one that is touched is missing.
           Case{32, 32, "8,10,12,14", {4, 10, 5, 12}},
           Case{32, 32, "9,11,11,12", {4, 10, 5, 12}},
           // The middle square begins at 8,0.
           Case{48, 32, "16,10,12,14", {4, 10, 5, 12}},
           Case{48, 32, "0,0,12,8", {0, 2, 0, 4}},
           Case{48, 32, "36,20,12,12", {14, 16, 10, 16}},
           // At 0,8, and of 24 x 24: 3 of its pixels are two.
           Case{24, 40, "6,14,6,9", {4, 8, 4, 10}},
       }) {
    CAPTURE(c.width);
    CAPTURE(c.hole);
    imago::data::save_png(play / "in.png", slope(c.width, c.height));
    succeeds(play, std::string("translate --checkpoint run/checkpoint.safetensors --in in.png "
                               "--out out.png --hole ") +
                       c.hole);
    const imago::data::Image before =
        imago::data::square(imago::data::load_image(play / "in.png"), 16);
    const std::array<int, 4> changed =
        changed_box(before, imago::data::load_image(play / "out.png"));
    for (std::size_t i = 0; i < 4; ++i) {
      CAPTURE(i);
      CHECK(changed[i] == c.changed[i]);
    }
  }
}

TEST_CASE("evaluate compares image-to-image networks on people they have not met") {
  const Playground play;
  succeeds(play, tiny + "--steps 2 --out gan");
  succeeds(play, tiny + "--adversarial 0 --l1 0 --l2 1 --steps 2 --out l2");
  succeeds(play, tiny + "--task matte --steps 2 --out matte");
  succeeds(play,
           "train_features --identities 4 --images 4 --held-out 1 --steps 2 --batch 8 --out "
           "f.safetensors");
  const std::string evaluate = "evaluate --features f.safetensors --count 9 ";
  const std::string both = evaluate +
                           "--translator gan/checkpoint.safetensors --against "
                           "l2/checkpoint.safetensors ";
  const Outcome o = play.run(both + "--json a.json --sheet s.png --threads 1");
  INFO(o.err);
  REQUIRE(o.status == 0);
  for (const char* line : {"9 procedural people whom nobody trained on, inpaint at 16x16",
                           "face_features version 1, weights ", "PSNR dB", "identity",
                           "nothing done", "gan/checkpoint.safetensors after 2 steps",
                           "l2/checkpoint.safetensors after 2 steps", "note: "}) {
    INFO(line);
    CHECK(contains(o.out, line));
  }
  const nlohmann::json j = nlohmann::json::parse(read_bytes(play / "a.json"));
  CHECK(j.at("format") == "imago-translation-scores-1");
  CHECK(j.at("task") == "inpaint");
  CHECK(j.at("people") == 9);
  REQUIRE(j.at("rows").size() == 2);
  for (const auto& row : {j.at("rows")[0], j.at("rows")[1], j.at("untouched")}) {
    CHECK(row.at("psnr").get<double>() > 0);
    CHECK(row.at("ssim").get<double>() <= 1);
    CHECK(row.at("frechet_distance").get<double>() >= 0);
    CHECK(row.at("identity_similarity").get<double>() <= 1);
  }
  // Four rows of two people: input, two results, truth.
  const imago::data::Image sheet = imago::data::load_image(play / "s.png");
  CHECK(sheet.height == 4 * 16 + 3 * 2);
  CHECK(sheet.width == 8 * 16 + 7 * 2);
  succeeds(play, both + "--json b.json --sheet t.png --threads 2");
  CHECK(read_bytes(play / "a.json") == read_bytes(play / "b.json"));
  CHECK(read_bytes(play / "s.png") == read_bytes(play / "t.png"));

  const Outcome alone = play.run(evaluate + "--translator matte/checkpoint.safetensors");
  INFO(alone.err);
  CHECK(alone.status == 0);
  CHECK_FALSE(contains(alone.out, "nothing done"));
  check_fails(play, both + "--images photos", 2, "either");
  check_fails(play, evaluate + "--against l2/checkpoint.safetensors --images photos", 2,
              "--against");
  check_fails(play, both + "--data photos", 2, "--data");
  check_fails(play, both + "--neighbours 3", 2, "--neighbours is for --generator and --images");
  check_fails(play, both + "--per-class 5", 2, "--per-class is for --generator, not");
  check_fails(play, both + "--labels a.csv", 2, "--labels is for --generator, not");
  check_fails(play, "evaluate --count 5 --translator gan/checkpoint.safetensors", 2, "at least 8");
  check_fails(play,
              evaluate +
                  "--translator gan/checkpoint.safetensors --against "
                  "matte/checkpoint.safetensors",
              1, "same question");
}

TEST_CASE("train_translation: --summary prints the layers and trains nothing") {
  const Playground play;
  const Outcome o = play.run("train_translation --summary --batch 2 --out run");
  CHECK(o.status == 0);
  CHECK(contains(o.out, "(2, 32, 32, 4)"));
  CHECK(contains(o.out, "Translator"));
  CHECK(contains(o.out, "(2, 16, 16, 3)"));
  CHECK_FALSE(fs::exists(play / "run"));
  CHECK(play.run("translate --help").status == 0);
}
