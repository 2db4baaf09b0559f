// Classes in checkpoints, and what the recogniser says of labels.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "apps/support/classes.h"
#include "apps/support/flags.h"
#include "apps/support/label_report.h"
#include "data/labelled_faces.h"
#include "kernels/image/image.h"
#include "models/conditional_gan_trainer.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::apps;
using namespace imago::test;

namespace {

const Classes glasses{"glasses", {"no", "yes"}, {3, 1}};

// What class_named complains of.
std::string usage_error(const Classes& classes, const std::string& text) {
  try {
    class_named(classes, text, "--label");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

SafetensorsFile file_of(const models::ConditionalGanTrainer& trainer) {
  return {"c.safetensors", trainer.state(), trainer.metadata()};
}

// "Draws" real faces of a class, or, when it is wrong, of the other one.
Sampler drawing_faces(const data::Faces& faces, bool wrong) {
  Sampler sampler{.name = "real", .image = 64, .sample = {}};
  sampler.classes = glasses;
  sampler.sample_class = [&faces, wrong](std::int64_t label, std::int64_t count, std::uint64_t) {
    const std::int64_t shown = wrong ? 1 - label : label;
    Tensor images = Tensor::empty({count, 64, 64, 3}, DType::u8, Device::cpu());
    auto* out = images.mutable_data<std::uint8_t>();
    RandomStream no_augmentation(0);
    std::int64_t done = 0;
    for (std::int64_t i = 0; done < count; i += 10) {  // a person each
      if (faces.labels().images[static_cast<std::size_t>(i)] != shown) continue;
      faces.dataset().get(i, no_augmentation, out + done * 64 * 64 * 3);
      done += 1;
    }
    return kernels::normalize_u8(images);
  };
  return sampler;
}

}  // namespace

TEST_CASE("classes are found by name, else by number, and listed where they are not there") {
  CHECK(class_named(glasses, "yes", "--label") == 1);
  CHECK(class_named(glasses, "0", "--label") == 0);
  const Classes numbers{"size", {"1", "0", ""}, {1, 1, 1}};
  CHECK(class_named(numbers, "1", "--label") == 0);  // a name before a number
  CHECK(class_named(numbers, "2", "--label") == 2);
  CHECK(contains(usage_error(glasses, "2"), "--label: there is no class '2' of glasses"));
  CHECK(contains(usage_error(glasses, "-1"), "there are no, yes"));
  CHECK(contains(usage_error(glasses, "99999999999999999999"), "there is no class"));
  CHECK(list_of({"a", ""}) == "a, ''");
  const std::string many = list_of(std::vector<std::string>(23, "x"));
  CHECK(many.ends_with("x, x and 3 more"));
}

TEST_CASE(
    "classes survive a checkpoint, whatever they are called; without names they have numbers") {
  manual_seed(1);
  const models::ConditionalGanTrainer trainer(
      models::make_conditional_gan({.classes = 3, .image = 8, .base = 2, .z = 4}), {});
  SafetensorsFile file = file_of(trainer);
  const Classes numbered = read_classes(file);
  CHECK(numbered.names == std::vector<std::string>{"0", "1", "2"});
  CHECK(numbered.times == std::vector<std::int64_t>{1, 1, 1});
  const Classes odd{"l,a\"b", {"", "\"q\", [x]", "gr\xc3\xbcn"}, {5, 0, 2}};
  add_classes(file.metadata, odd);
  CHECK(read_classes(file) == odd);
  add_classes(file.metadata, glasses);
  CHECK(contains(error_of([&] { read_classes(file); }), "a list of 3, one for each class"));
  add_classes(file.metadata, {"none", {"a", "b", "c"}, {0, 0, 0}});
  CHECK(contains(error_of([&] { read_classes(file); }), "numbers of images"));
  file.metadata["class_names"] = "{";
  CHECK(contains(error_of([&] { read_classes(file); }), "class_names"));
}

TEST_CASE("classes are drawn as often as they come, each sample by itself") {
  const Classes classes{"x", {"a", "b", "never", "c"}, {500, 300, 0, 200}};
  const std::vector<std::int64_t> drawn = draw_classes(classes, 4000, 7);
  const auto share = [&](std::int64_t label) {
    return static_cast<double>(std::count(drawn.begin(), drawn.end(), label)) / 4000;
  };
  CHECK(std::abs(share(0) - 0.5) < 0.04);  // five standard deviations
  CHECK(std::abs(share(1) - 0.3) < 0.04);
  CHECK(share(2) == 0);
  CHECK(std::abs(share(3) - 0.2) < 0.04);
  const std::vector<std::int64_t> few = draw_classes(classes, 100, 7);
  CHECK(std::equal(few.begin(), few.end(), drawn.begin()));
  CHECK(draw_classes(classes, 100, 8) != few);
}

TEST_CASE("a checkpoint of a conditional GAN draws classes by shares, or one of them") {
  manual_seed(1);
  const models::ConditionalGanTrainer trainer(
      models::make_conditional_gan({.classes = 2, .image = 8, .base = 2, .z = 4}), {});
  SafetensorsFile file = file_of(trainer);
  add_classes(file.metadata, glasses);
  const Sampler sampler = trained_sampler(file);
  CHECK(sampler.name == "projection8");
  CHECK(sampler.image == 8);
  REQUIRE(sampler.conditional());
  CHECK(sampler.classes == glasses);
  const Tensor any = sampler.sample(70, 5);
  REQUIRE(any.shape() == Shape{70, 8, 8, 3});
  const Tensor of[] = {sampler.sample_class(0, 70, 5), sampler.sample_class(1, 70, 5)};
  const std::vector<std::int64_t> labels = draw_classes(glasses, 70, 5);
  const auto pixels = [](const Tensor& t, std::int64_t i) {
    const float* p = t.data<float>() + i * 8 * 8 * 3;
    return std::vector<float>(p, p + 8 * 8 * 3);
  };
  for (std::int64_t i = 0; i < 70; ++i) {  // more than one batch of 64
    const std::int64_t label = labels[static_cast<std::size_t>(i)];
    CHECK(pixels(any, i) == pixels(of[label], i));
    CHECK(pixels(any, i) != pixels(of[1 - label], i));
  }
  CHECK(untrained_sampler(file).classes == glasses);
}

TEST_CASE("labels are confirmed where they are obeyed, and not where they are swapped") {
  models::FaceFeatures network = models::face_features();
  const data::Faces faces = data::labelled_faces("procedural", "glasses", {.size = 64, .batch = 1});
  const LabelCheck right = check_labels(network, drawing_faces(faces, false), 40, 3, &faces);
  REQUIRE(right.classes.size() == 2);
  CHECK(right.note.empty());
  for (const ClassCheck& c : right.classes) {
    INFO(c.name);
    CHECK(c.requested == 40);
    CHECK(c.confirmed >= 33);  // it sees nine in ten of the glasses of strangers
    CHECK(c.real == 40);
    CHECK(c.real_confirmed >= 33);
  }
  CHECK(right.all().requested == 80);
  const LabelCheck wrong = check_labels(network, drawing_faces(faces, true), 40, 3, nullptr);
  CHECK(wrong.all().confirmed <= 8);
  CHECK(wrong.all().real == 0);
  CHECK(contains(wrong.note, "no labels of glasses"));
  const Json json = to_json(right);
  CHECK(json.at("classes")[0].at("class") == "no");
  CHECK(json.at("all").at("share").get<double>() >= 0.9);
  CHECK(json.at("all").at("real") == 80);
  CHECK_FALSE(to_json(wrong).at("all").contains("real"));
}

TEST_CASE("attributes tell the classes of labels that are made of them, and of no others") {
  const models::FaceFeatures network({{"glasses", {"none", "clear", "dark"}},
                                      {"cover", {"none", "mask", "hand", "hat", "strands"}}});
  // glasses, cover
  const Tensor values = Tensor::from<std::int64_t>({0, 0, 1, 0, 2, 0, 0, 1, 2, 3, 0, 3}, {6, 2});
  const ClassReader yes_no(network, {"glasses", {"no", "yes"}, {1, 1}});
  CHECK(yes_no.count(values, 0) == 3);
  CHECK(yes_no.count(values, 1) == 3);
  const ClassReader swapped(network, {"glasses", {"yes", "no"}, {1, 1}});
  CHECK(swapped.count(values, 0) == 3);
  // Dark glasses come first; clear ones cover nothing.
  const ClassReader occlusion(network, {"occlusion", {"none", "sunglasses", "hat"}, {1, 1, 1}});
  CHECK(occlusion.count(values, 0) == 2);
  CHECK(occlusion.count(values, 1) == 2);
  CHECK(occlusion.count(values, 2) == 1);
  // A text file of the values of an attribute.
  const ClassReader kinds(network, {"glasses", {"dark", "none"}, {1, 1}});
  CHECK(kinds.count(values, 0) == 2);
  CHECK(kinds.count(values, 1) == 3);
  const auto refusal = [&](const Classes& classes) {
    return error_of([&] { ClassReader(network, classes); });
  };
  CHECK(contains(refusal({"identity", {"0", "1"}, {1, 1}}), "cannot tell the classes of identity"));
  CHECK(contains(refusal({"glasses", {"no", "pink"}, {1, 1}}), "it sees glasses, cover"));
  CHECK(contains(refusal({"beard", {"no", "yes"}, {1, 1}}), "there is no attribute 'beard'"));
  CHECK(contains(refusal({"", {"0", "1"}, {1, 1}}), "this generator"));
}
