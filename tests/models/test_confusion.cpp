// Confusion of classes: by hand, against the golden values, and what cannot be counted.
#include "models/confusion.h"

#include <doctest/doctest.h>

#include <limits>

#include "tests/models/recognition_checks.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

using Classes = std::vector<std::int64_t>;

TEST_CASE("confusion: six images of four classes") {
  // Nobody shows or answers d; c is never answered.
  const Classes truth{0, 0, 0, 1, 1, 2}, answer{0, 0, 1, 1, 0, 1};
  const Confusion c = confusion(truth, answer, {"a", "b", "c", "d"}, {.resamples = 0});
  CHECK(c.counts == std::vector<Classes>{{2, 1, 0, 0}, {1, 1, 0, 0}, {0, 1, 0, 0}, {0, 0, 0, 0}});
  CHECK(c.total() == 6);
  CHECK(c.classes == std::vector<std::string>{"a", "b", "c", "d"});
  CHECK(near(c.accuracy.value, 3.0 / 6));
  CHECK(c.accuracy.low == c.accuracy.value);
  CHECK(near(c.balanced_accuracy.value, (2.0 / 3 + 1.0 / 2 + 0) / 3));
  CHECK(near(c.recall[0].value, 2.0 / 3));
  CHECK(near(c.recall[1].value, 1.0 / 2));
  CHECK(c.recall[2].value == 0);
  CHECK(std::isnan(c.recall[3].value));
  CHECK(near(c.precision[0], 2.0 / 3));
  CHECK(near(c.precision[1], 1.0 / 3));
  CHECK(std::isnan(c.precision[2]));
  CHECK(std::isnan(c.precision[3]));
  CHECK(near(c.f1[0], 2.0 / 3));
  CHECK(near(c.f1[1], 2 * (1.0 / 2) * (1.0 / 3) / (1.0 / 2 + 1.0 / 3)));
  CHECK(c.f1[2] == 0);
  CHECK(std::isnan(c.f1[3]));
}

TEST_CASE("confusion is what numpy counts") {
  const auto file = load_goldens("recognition.safetensors");
  const auto golden = [&](const char* name) { return numbers(file.tensors.at(name)); };
  const Confusion c = confusion(integers(file.tensors.at("truth")),
                                integers(file.tensors.at("answer")), {"a", "b", "c", "d"});
  const auto counts = integers(file.tensors.at("counts"));
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 4; ++j) CHECK(c.counts[i][j] == counts[4 * i + j]);
    CHECK(near(c.recall[i].value, golden("recall")[i]));
    CHECK(near(c.precision[i], golden("precision")[i]));
    CHECK(near(c.f1[i], golden("f1")[i]));
  }
  CHECK(near(c.accuracy.value, golden("right")[0]));
  CHECK(near(c.balanced_accuracy.value, golden("balanced")[0]));
  CHECK(c.accuracy.low < c.accuracy.value);
  CHECK(c.accuracy.high > c.accuracy.value);
  CHECK(c.balanced_accuracy.low < c.balanced_accuracy.value);
  CHECK(c.balanced_accuracy.high > c.balanced_accuracy.value);
}

TEST_CASE("confusion: people are resampled where they are known") {
  // Two people, one always right, one always wrong, with 50 images each.
  Classes truth, answer, people;
  for (int i = 0; i < 100; ++i) {
    truth.push_back(i % 2);
    answer.push_back(i < 50 ? i % 2 : 1 - i % 2);
    people.push_back(i < 50 ? 1000 : -7);
  }
  const Confusion by_people = confusion(truth, answer, {"a", "b"}, {}, people);
  CHECK(by_people.accuracy.value == 0.5);
  CHECK(by_people.accuracy.low == 0);  // a quarter of the draws takes the one twice
  CHECK(by_people.accuracy.high == 1);
  CHECK(by_people.balanced_accuracy.low == 0);
  const Confusion by_images = confusion(truth, answer, {"a", "b"});
  CHECK(by_images.accuracy.low > 0.3);
  CHECK(by_images.accuracy.high < 0.7);
  CHECK(same_with_threads([&] {
    const Confusion c = confusion(truth, answer, {"a", "b"});
    std::vector<double> figures;
    append(figures, c.accuracy);
    append(figures, c.balanced_accuracy);
    return figures;
  }));
}

TEST_CASE("confusion: what cannot be counted") {
  const std::vector<std::string> classes{"a", "b"};
  CHECK(contains(error_of([&] { confusion({}, {}, classes); }), "there are no images"));
  CHECK(contains(error_of([&] { confusion({0, 1}, {0}, classes); }), "2 truths, but 1 answers"));
  CHECK(contains(error_of([&] {
                   confusion({0, 1}, {0, 1}, classes, {}, {4});
                 }),
                 "people of 1 images"));
  CHECK(contains(error_of([&] {
                   confusion({0, 2}, {0, 1}, classes);
                 }),
                 "the truth of image 1 is 2, not one of 2 classes"));
  CHECK(contains(error_of([&] {
                   confusion({0, 1}, {-1, 1}, classes);
                 }),
                 "the answer of image 0 is -1"));
  CHECK(contains(error_of([&] { confusion({0}, {0}, {}); }), "not one of 0 classes"));
}

TEST_CASE("the answer is the largest, and the first of equal ones") {
  const Tensor p = Tensor::from<float>(
      {0.1f, 0.7f, 0.2f, 0.4f, 0.2f, 0.4f, -3.0f, -2.0f, -1.0f, 0.0f, 0.0f, 0.0f}, {4, 3});
  CHECK(answers_of(p) == Classes{1, 0, 2, 0});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(contains(error_of([&] {
                   answers_of(Tensor::from<float>({0, 1, nan, 2}, {2, 2}));
                 }),
                 "the probability of class 0 for image 1 is NaN"));
  CHECK(contains(error_of([&] { answers_of(Tensor::from<float>({0, nan}, {1, 2})); }), "NaN"));
  CHECK(contains(error_of([&] { answers_of(Tensor::from<double>({0, 1}, {1, 2})); }), "of f32"));
  CHECK(contains(error_of([&] { answers_of(Tensor::from<float>({0, 1}, {2})); }), "a matrix"));
  CHECK(contains(error_of([&] { answers_of(Tensor()); }), "a matrix"));
}
