// The snippets of docs/recognition.md.
#include <doctest/doctest.h>
#include <imago/imago.h>

#include <cmath>

using namespace imago;

TEST_CASE("recognition: a margin asks for more than the largest logit") {
  const Tensor labels = Tensor::from<std::int64_t>({0}, {1});
  // The cosines of one face with the directions of three people; the first is who it is.
  const Var cosines = Var(Tensor::from<float>({0.6f, 0.5f, -0.2f}, {1, 3}));
  const double plain = loss::cosface(cosines, labels, {.scale = 30, .margin = 0}).item();
  const double margin = loss::cosface(cosines, labels, {.scale = 30, .margin = 0.35}).item();
  CHECK(plain < 0.1);   // the largest is the right one: a softmax is content,
  CHECK(margin > 5.0);  // the margin is not, for 0.6 - 0.35 is below 0.5
}

TEST_CASE("recognition: people on one side of the split alone") {
  const data::Catalogue faces =
      data::procedural_catalogue({.size = 32, .identities = 20, .images_per_identity = 5});
  const data::Split split =
      data::split(faces, {.kind = "identity-disjoint", .share = 0.2, .seed = 1});
  CHECK(split.train.size() == 16 * 5);
  CHECK(split.held_out.size() == 4 * 5);
}

TEST_CASE("recognition: the area under the ROC is a share of comparisons") {
  models::ScoredPairs pairs;
  pairs.similarity = {0.9f, 0.7f, 0.4f, 0.8f, 0.2f, 0.1f};
  pairs.same = {1, 1, 1, 0, 0, 0};
  pairs.a = {0, 1, 2, 0, 1, 2};
  pairs.b = {0, 1, 2, 1, 2, 0};
  pairs.people = 3;
  const models::Verification figures = models::verify(pairs);
  // Of nine comparisons of a genuine with an impostor pair seven come out right.
  CHECK(std::abs(figures.auc.value - 7.0 / 9) < 1e-6);
}
