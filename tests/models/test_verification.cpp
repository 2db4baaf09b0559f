// Verification: by hand, against pairs compared one by one, and the values of scripts/goldens/
// recognition.py.
#include "models/verification.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/random_stream.h"
#include "tests/models/recognition_checks.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

void add(ScoredPairs& pairs, float similarity, std::int32_t a, std::int32_t b) {
  pairs.similarity.push_back(similarity);
  pairs.same.push_back(a == b);
  pairs.a.push_back(a);
  pairs.b.push_back(b);
  pairs.people = std::max({pairs.people, a + 1, b + 1});
}

ScoredPairs seven_pairs() {
  ScoredPairs pairs;
  add(pairs, 0.1f, 0, 1);
  add(pairs, 0.8f, 1, 1);
  add(pairs, 0.5f, 0, 2);
  add(pairs, 0.9f, 0, 0);
  add(pairs, 0.8f, 1, 2);
  add(pairs, 0.4f, 2, 2);
  add(pairs, 0.1f, 1, 0);
  return pairs;
}

// All pairs of `images` images of `people` people, with similarities of `steps` kinds, both signs.
ScoredPairs random_pairs(int images, std::int32_t people, std::uint32_t steps, std::uint64_t seed) {
  RandomStream random(seed);
  ScoredPairs pairs;
  for (std::int32_t i = 0; i < images; ++i) {
    for (std::int32_t j = i + 1; j < images; ++j) {
      const float more = i % people == j % people ? 0.3f * static_cast<float>(steps) : 0.0f;
      const float level = static_cast<float>(random.below(steps)) + std::floor(more);
      add(pairs, (level - static_cast<float>(steps / 2)) / 64, i % people, j % people);
    }
  }
  return pairs;
}

// The area where each pair counts weight[i] times, by comparing all with all.
double brute_auc(const ScoredPairs& pairs, const std::vector<double>& weight) {
  double won = 0, all = 0;
  for (std::size_t g = 0; g < pairs.size(); ++g) {
    if (!pairs.same[g] || weight[g] == 0) continue;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (pairs.same[i]) continue;
      const float a = pairs.similarity[g], b = pairs.similarity[i];
      won += weight[g] * weight[i] * (a > b ? 1.0 : a == b ? 0.5 : 0.0);
      all += weight[g] * weight[i];
    }
  }
  return won / all;
}

struct Rates {
  double far = 0, tar = 0;
};

Rates rates_at(const ScoredPairs& pairs, const std::vector<double>& weight, double threshold) {
  double accepted[2] = {0, 0}, all[2] = {0, 0};
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    all[pairs.same[i]] += weight[i];
    if (pairs.similarity[i] >= threshold) accepted[pairs.same[i]] += weight[i];
  }
  return {accepted[0] / all[0], accepted[1] / all[1]};
}

// AUC, EER, balanced accuracy, TAR at FAR 0.1: every threshold anew, from above.
std::vector<double> brute_figures(const ScoredPairs& pairs, const std::vector<double>& weight) {
  std::vector<float> scores = pairs.similarity;
  std::sort(scores.begin(), scores.end(), std::greater<>());
  scores.erase(std::unique(scores.begin(), scores.end()), scores.end());
  double eer = -1, accuracy = 0.5, tar = 0;
  Rates last;
  for (const float threshold : scores) {
    const Rates now = rates_at(pairs, weight, threshold);
    accuracy = std::max(accuracy, (now.tar + 1 - now.far) / 2);
    if (now.far <= 0.1) tar = now.tar;
    const double before = last.far - (1 - last.tar), after = now.far - (1 - now.tar);
    if (eer < 0 && after > -1e-14) {
      eer = last.far + (now.far - last.far) * before / (before - after);
    }
    last = now;
  }
  return {brute_auc(pairs, weight), eer, accuracy, tar};
}

std::vector<double> figures(const Verification& v) {
  std::vector<double> all;
  for (const Interval& interval : {v.auc, v.eer, v.accuracy}) append(all, interval);
  for (const TarAtFar& at : v.tar_at_far) {
    append(all, at.tar);
    all.push_back(at.threshold);
  }
  all.push_back(v.accuracy_threshold);
  for (const RocPoint& p : v.roc) all.insert(all.end(), {p.far, p.tar, p.threshold});
  if (v.folds) {
    all.insert(all.end(), v.folds->folds.begin(), v.folds->folds.end());
    all.insert(all.end(), v.folds->thresholds.begin(), v.folds->thresholds.end());
  }
  return all;
}

}  // namespace

TEST_CASE("verification of seven pairs") {
  const Verification v = verify(seven_pairs(), {.resamples = 0});
  CHECK(v.genuine == 3);
  CHECK(v.impostor == 4);
  // 0.9 is above all four, 0.8 above three and equal to one, 0.4 above two.
  CHECK(near(v.auc.value, (4 + 3.5 + 2) / 12));
  CHECK(v.auc.low == v.auc.value);
  CHECK(v.auc.high == v.auc.value);
  // From (1/4, 2/3) to (2/4, 2/3): there FRR is 1/3.
  CHECK(near(v.eer.value, 1.0 / 3));
  // At 0.4 all three are accepted, and two of the four.
  CHECK(near(v.accuracy.value, 0.75));
  CHECK(near(v.accuracy_threshold, (double{0.4f} + double{0.1f}) / 2));
  const double far[] = {0, 0, 1.0 / 4, 2.0 / 4, 2.0 / 4, 1};
  const double tar[] = {0, 1.0 / 3, 2.0 / 3, 2.0 / 3, 1, 1};
  const float threshold[] = {std::nextafter(0.9f, infinity), 0.9f, 0.8f, 0.5f, 0.4f, 0.1f};
  REQUIRE(v.roc.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(near(v.roc[i].far, far[i]));
    CHECK(near(v.roc[i].tar, tar[i]));
    CHECK(v.roc[i].threshold == double{threshold[i]});
  }
  REQUIRE(v.tar_at_far.size() == 3);
  for (const TarAtFar& at : v.tar_at_far) {
    CHECK_FALSE(at.supported);
    CHECK(is_nan(at.tar));
    CHECK(std::isnan(at.threshold));
  }
  CHECK_FALSE(v.folds.has_value());
}

TEST_CASE("the area is that of all pairs of pairs") {
  for (const std::uint32_t steps : {3u, 40u, 100000u}) {
    CAPTURE(steps);
    ScoredPairs pairs = random_pairs(26, 5, steps, steps);
    pairs.similarity[0] = -0.0f;
    pairs.similarity[1] = 0.0f;
    const std::vector<double> once(pairs.size(), 1);
    CHECK(near(roc_auc(pairs), brute_auc(pairs, once)));
    const Verification v = verify(pairs, {.resamples = 0});
    CHECK(near(v.auc.value, brute_auc(pairs, once)));
    CHECK(best_balanced_accuracy(pairs) == v.accuracy.value);
  }
  ScoredPairs zeros;  // +0 and -0 are equal
  add(zeros, 0.0f, 0, 0);
  add(zeros, -0.0f, 0, 1);
  CHECK(roc_auc(zeros) == 0.5);
  zeros.a.clear(), zeros.b.clear();  // it does not ask who they are
  CHECK(roc_auc(zeros) == 0.5);
  zeros.similarity = {-2.0f, -1.0f};
  CHECK(roc_auc(zeros) == 0);
  CHECK(best_balanced_accuracy(zeros) == 0.5);  // saying the same of all
  zeros.similarity = {-1.0f, -2.0f};
  CHECK(roc_auc(zeros) == 1);
  CHECK(best_balanced_accuracy(zeros) == 1);
}

TEST_CASE("verification is what numpy finds") {
  const auto file = load_goldens("recognition.safetensors");
  const auto golden = [&](const char* name) { return numbers(file.tensors.at(name)); };
  ScoredPairs pairs = all_pairs(file.tensors.at("similarity"), integers(file.tensors.at("people")));
  CHECK(pairs.people == 12);
  REQUIRE(pairs.size() == 48 * 47 / 2);
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs.fold.push_back(static_cast<int>(i % 10));
  const Verification v = verify(pairs, {.resamples = 20});
  CHECK(near(v.auc.value, golden("auc")[0]));
  CHECK(near(v.eer.value, golden("eer")[0]));
  CHECK(near(v.accuracy.value, golden("accuracy")[0]));
  CHECK(near(v.accuracy_threshold, golden("accuracy_threshold")[0]));
  for (const Interval& interval : {v.auc, v.accuracy, v.tar_at_far[0].tar}) {
    CHECK(interval.low < interval.high);
  }
  const auto roc = golden("roc");
  REQUIRE(v.roc.size() == roc.size() / 3);
  for (std::size_t i = 0; i < v.roc.size(); ++i) {
    CHECK(near(v.roc[i].far, roc[3 * i]));
    CHECK(near(v.roc[i].tar, roc[3 * i + 1]));
    CHECK(near(v.roc[i].threshold, roc[3 * i + 2]));
  }
  REQUIRE(v.tar_at_far.size() == 3);
  CHECK(v.tar_at_far[0].far == 1e-1);
  CHECK(v.tar_at_far[1].far == 1e-2);
  CHECK(v.tar_at_far[2].far == 1e-3);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(v.tar_at_far[i].supported);
    CHECK(near(v.tar_at_far[i].tar.value, golden("tar")[2 * i]));
    CHECK(near(v.tar_at_far[i].threshold, golden("tar")[2 * i + 1]));
  }
  CHECK_FALSE(v.tar_at_far[2].supported);
  REQUIRE(v.folds.has_value());
  REQUIRE(v.folds->folds.size() == 10);
  for (std::size_t i = 0; i < 10; ++i) {
    CHECK(near(v.folds->folds[i], golden("fold_accuracy")[i]));
    CHECK(near(v.folds->thresholds[i], golden("fold_thresholds")[i]));
  }
  CHECK(near(v.folds->mean.value, golden("fold_mean")[0]));
  CHECK(near(v.folds->standard_error, golden("fold_error")[0]));
}

TEST_CASE(
    "a resample counts pairs of two people by the product, of one person once for each draw") {
  const ScoredPairs pairs = random_pairs(27, 9, 60, 4);
  const BootstrapOptions options{.resamples = 20, .seed = 6};
  const std::vector<Interval> expected = bootstrap_all(
      9,
      [&](std::span<const int> times) {
        std::vector<double> weight;
        for (std::size_t i = 0; i < pairs.size(); ++i) {
          const double a = times[static_cast<std::size_t>(pairs.a[i])];
          weight.push_back(pairs.same[i] ? a : a * times[static_cast<std::size_t>(pairs.b[i])]);
        }
        return brute_figures(pairs, weight);
      },
      options);
  const Verification v = verify(pairs, options);
  CHECK(near(v.auc, expected[0]));
  CHECK(near(v.eer, expected[1]));
  CHECK(near(v.accuracy, expected[2]));
  REQUIRE(v.tar_at_far[0].supported);
  CHECK(near(v.tar_at_far[0].tar, expected[3]));
  CHECK(v.auc.low < v.auc.high);
}

TEST_CASE("a rate that no threshold keeps, and one that is kept exactly") {
  ScoredPairs pairs;
  for (std::int32_t i = 0; i < 100; ++i) add(pairs, 1.0f, i, i + 1);
  add(pairs, 0.5f, 0, 0);
  const Verification none = verify(pairs, {.resamples = 0});
  CHECK(none.tar_at_far[0].supported);  // 10 of 100
  CHECK_FALSE(none.tar_at_far[1].supported);
  CHECK(none.tar_at_far[0].tar.value == 0);
  CHECK(none.tar_at_far[0].threshold == double{std::nextafter(1.0f, infinity)});
  CHECK(none.accuracy.value == 0.5);

  // 10 impostors above the genuine pair are 0.1 of them; an eleventh is too many.
  pairs.similarity.assign(101, 0.0f);
  for (std::size_t i = 0; i < 10; ++i) pairs.similarity[i] = 0.75f;
  pairs.similarity[100] = 0.5f;
  const Verification kept = verify(pairs, {.resamples = 0});
  CHECK(kept.tar_at_far[0].tar.value == 1);
  CHECK(kept.tar_at_far[0].threshold == 0.5);
  pairs.similarity[10] = 0.75f;
  CHECK(verify(pairs, {.resamples = 0}).tar_at_far[0].tar.value == 0);
}

TEST_CASE("of many points of the curve at most 1000 are kept, its ends and low rates among them") {
  const ScoredPairs pairs = random_pairs(80, 10, 1u << 22, 8);
  REQUIRE(pairs.size() == 3160);
  const std::vector<RocPoint> roc = verify(pairs, {.resamples = 0}).roc;
  CHECK(roc.size() <= 1000);
  CHECK(roc.size() > 600);
  CHECK(roc.front().far == 0);
  CHECK(roc.front().tar == 0);
  CHECK(roc.back().far == 1);
  CHECK(roc.back().tar == 1);
  std::vector<float> scores = pairs.similarity;
  std::sort(scores.begin(), scores.end(), std::greater<>());
  const std::vector<double> once(pairs.size(), 1);
  for (std::size_t i = 1; i < roc.size(); ++i) {
    CHECK(roc[i].threshold < roc[i - 1].threshold);
    if (i <= 20) CHECK(roc[i].threshold == double{scores[i - 1]});
    if (i % 50 != 0) continue;
    const Rates rates = rates_at(pairs, once, roc[i].threshold);
    CHECK(near(roc[i].far, rates.far));
    CHECK(near(roc[i].tar, rates.tar));
  }
}

TEST_CASE("folds: the threshold is the best of the others, in the widest of equally good gaps") {
  ScoredPairs pairs;
  add(pairs, 0.6f, 0, 0);
  add(pairs, 0.4f, 0, 1);
  add(pairs, 0.35f, 1, 1);
  add(pairs, 0.9f, 2, 2);
  add(pairs, 0.8f, 2, 3);
  add(pairs, 0.55f, 3, 3);
  add(pairs, 0.1f, 3, 2);
  pairs.fold = {0, 0, 0, 1, 1, 1, 1};
  const FoldAccuracy folds = *verify(pairs, {.resamples = 0}).folds;
  REQUIRE(folds.folds.size() == 2);
  // Fold 1 has 3 of 4 right between 0.9 and 0.8 and between 0.55 and 0.1.
  CHECK(near(folds.thresholds[0], (double{0.55f} + double{0.1f}) / 2));
  CHECK(near(folds.folds[0], 2.0 / 3));
  // Fold 0 has 2 of 3 right between 0.6 and 0.4, and below everything, where there is no gap.
  CHECK(near(folds.thresholds[1], (double{0.6f} + double{0.4f}) / 2));
  CHECK(near(folds.folds[1], 3.0 / 4));
  CHECK(near(folds.mean.value, 17.0 / 24));
  // Both are 1/24 from the mean: a deviation of sqrt(2) / 24, by sqrt(2).
  CHECK(near(folds.standard_error, 1.0 / 24));
}

TEST_CASE("pairs of images and their people") {
  const Tensor similarity = Tensor::from<float>({9, 1, 2, 9, 9, 3, 9, 9, 9}, {3, 3});
  const ScoredPairs pairs = all_pairs(similarity, {70, -5, 70});
  CHECK(pairs.similarity == std::vector<float>{1, 2, 3});
  CHECK(pairs.same == std::vector<std::uint8_t>{0, 1, 0});
  CHECK(pairs.a == std::vector<std::int32_t>{1, 1, 0});
  CHECK(pairs.b == std::vector<std::int32_t>{0, 1, 1});
  CHECK(pairs.people == 2);
  CHECK(pairs.fold.empty());
  CHECK(contains(error_of([&] { all_pairs(similarity, {1, 2}); }), "3 images, but people of 2"));
  CHECK(contains(error_of([&] { all_pairs(similarity.slice(0, 2), {1, 2}); }), "(2, 3)"));
  CHECK(contains(error_of([&] {
                   all_pairs(Tensor::from<float>({1}, {1, 1}), {1});
                 }),
                 "at least 2"));
  CHECK(contains(error_of([&] { all_pairs(Tensor(), {}); }), "matrix (N, N) of f32"));
  CHECK(contains(error_of([&] { all_pairs(Tensor::from<double>({1}, {1, 1}), {1}); }), "of f32"));
}

TEST_CASE("verification is the same bits with 1, 2 and 3 threads") {
  ScoredPairs pairs = random_pairs(40, 8, 100, 12);
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs.fold.push_back(static_cast<int>(i % 5));
  CHECK(same_with_threads([&] {
    std::vector<double> all = figures(verify(pairs, {.resamples = 31}));
    // Its NaNs, of rates that are not supported, are compared as bytes, too.
    return all;
  }));
}

TEST_CASE("verification: what it cannot do") {
  const auto error = [](auto&& change) {
    ScoredPairs pairs = seven_pairs();
    change(pairs);
    return error_of([&] { verify(pairs); });
  };
  using P = ScoredPairs&;
  CHECK(error([](P) {}).empty());
  CHECK(contains(error([](P p) { p.same.pop_back(); }), "7 similarities, but 6 answers"));
  CHECK(contains(error([](P p) { p.similarity[3] = std::nanf(""); }), "similarity of pair 3 is"));
  CHECK(contains(error([](P p) { p.similarity[2] = infinity; }), "similarity of pair 2 is inf"));
  CHECK(contains(error([](P p) { p.same[1] = 2; }), "same must be 0 or 1, not 2"));
  CHECK(contains(error([](P p) { p.same.assign(7, 1); }), "7 of 7 are of one"));
  CHECK(contains(error([](P p) { p.same.assign(7, 0); }), "0 of 7 are of one"));
  CHECK(contains(error([](P p) { p = {}; }), "0 of 0 are of one"));
  CHECK(contains(error([](P p) { p.a.pop_back(); }), "7 pairs, but people of 6 and 7"));
  CHECK(contains(error([](P p) { p.people = 2; }), "of persons 0 and 2, of 2"));
  CHECK(contains(error([](P p) { p.b[0] = -1; }), "of persons 0 and -1"));
  CHECK(contains(error([](P p) { p.b[0] = 0; }),
                 "pair 0 is of persons 0 and 0, but said to be of two"));
  CHECK(contains(error([](P p) { p.b[3] = 1; }), "of persons 0 and 1, but said to be of one"));
  CHECK(contains(error([](P p) { p.fold = {0, 1}; }), "7 pairs, but folds of 2"));
  CHECK(contains(error([](P p) { p.fold.assign(7, 0); }), "at least 2, but they are 0 to 0"));
  CHECK(contains(error([](P p) { p.fold = {0, 1, 0, 1, -1, 0, 1}; }), "they are -1 to 1"));
  CHECK(contains(error([](P p) { p.fold = {0, 2, 0, 2, 2, 0, 0}; }), "fold 1 of 3 has no pairs"));
  CHECK(contains(error([](P p) { p.fold = {0, 1, 0, 1, 1, 0, 99}; }), "they are 0 to 99"));
  ScoredPairs bad = seven_pairs();
  bad.similarity[0] = -infinity;
  CHECK(contains(error_of([&] { roc_auc(bad); }), "[roc_auc]"));
  CHECK(contains(error_of([&] { best_balanced_accuracy(bad); }), "[best_balanced_accuracy]"));
  CHECK(contains(error_of([&] { verify(seven_pairs(), {.resamples = -1}); }), "negative"));
}
