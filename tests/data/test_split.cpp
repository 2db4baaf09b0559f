#include "data/split.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "tests/support/errors.h"

using namespace imago;
using namespace imago::data;
using namespace imago::test;

namespace {

using Indices = std::vector<std::int64_t>;

// So many images of each class. Those of a class are not next to each other.
Catalogue catalogue_of(const Indices& counts) {
  Catalogue catalogue;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    catalogue.labels.classes.push_back("c" + std::to_string(k));
  }
  const std::int64_t most = *std::max_element(counts.begin(), counts.end());
  for (std::int64_t round = 0; round < most; ++round) {
    for (std::size_t k = 0; k < counts.size(); ++k) {
      if (round < counts[k]) catalogue.labels.images.push_back(static_cast<std::int64_t>(k));
    }
  }
  catalogue.layout = "class-folders";
  return catalogue;
}

// How many of each class are among these.
Indices counts_of(const Catalogue& catalogue, const Indices& indices) {
  Indices counts(catalogue.labels.classes.size());
  for (const std::int64_t i : indices) {
    counts.at(static_cast<std::size_t>(catalogue.labels.images.at(static_cast<std::size_t>(i)))) +=
        1;
  }
  return counts;
}

std::set<std::int64_t> classes_of(const Catalogue& catalogue, const Indices& indices) {
  std::set<std::int64_t> classes;
  for (const std::int64_t i : indices) {
    classes.insert(catalogue.labels.images.at(static_cast<std::size_t>(i)));
  }
  return classes;
}

// Every image is on one side, once, and both sides rise.
void check_whole(const Catalogue& catalogue, const Split& split) {
  for (const Indices* side : {&split.train, &split.held_out}) {
    CHECK_FALSE(side->empty());
    CHECK(std::is_sorted(side->begin(), side->end()));
  }
  Indices all = split.train;
  all.insert(all.end(), split.held_out.begin(), split.held_out.end());
  std::sort(all.begin(), all.end());
  REQUIRE(all.size() == catalogue.labels.images.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    REQUIRE(all[i] == static_cast<std::int64_t>(i));
  }
}

bool same(const Split& a, const Split& b) {
  return a.train == b.train && a.held_out == b.held_out;
}

}  // namespace

TEST_CASE("split: whole people are held out") {
  const Catalogue catalogue = catalogue_of({1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  for (const double share : {0.1, 0.3, 0.52, 0.001, 0.999}) {
    CAPTURE(share);
    const Split parts = split(catalogue, {.share = share});
    check_whole(catalogue, parts);
    const auto train = classes_of(catalogue, parts.train);
    const auto held_out = classes_of(catalogue, parts.held_out);
    for (const std::int64_t k : held_out) CHECK_FALSE(train.contains(k));
    // Never fewer than the two that can be told apart.
    const std::size_t expected = share < 0.2 ? 2 : share < 0.4 ? 3 : share < 0.6 ? 5 : 9;
    CHECK(held_out.size() == expected);
    CHECK(train.size() == 10 - expected);
  }
}

TEST_CASE("split: of four people and more two are held out at least, of fewer one") {
  for (std::int64_t people = 2; people <= 12; ++people) {
    CAPTURE(people);
    const Catalogue catalogue = catalogue_of(Indices(static_cast<std::size_t>(people), 3));
    const Split parts = split(catalogue, {});
    check_whole(catalogue, parts);
    CHECK(classes_of(catalogue, parts.held_out).size() == (people < 4 ? 1 : 2));
  }
}

TEST_CASE("split: classes that no image has are no people to hold out") {
  Indices counts(20, 0);
  counts[3] = counts[9] = counts[19] = 4;
  const Catalogue catalogue = catalogue_of(counts);
  const Split parts = split(catalogue, {.share = 0.4});
  check_whole(catalogue, parts);
  CHECK(parts.held_out.size() == 4);
  check_whole(catalogue, split(catalogue, {.share = 0.001}));
  for (const Indices& few : {Indices{5}, Indices{0, 5, 0}}) {
    CHECK(contains(error_of([&] { split(catalogue_of(few), {}); }), "at least 2 classes"));
  }
}

TEST_CASE("split: of every class a share is held out") {
  const Catalogue catalogue = catalogue_of({2, 3, 0, 10, 40});
  const Split parts = split(catalogue, {.kind = "stratified", .share = 0.3});
  check_whole(catalogue, parts);
  CHECK(counts_of(catalogue, parts.held_out) == Indices{1, 1, 0, 3, 12});
  const Split most = split(catalogue, {.kind = "stratified", .share = 0.99});
  check_whole(catalogue, most);
  CHECK(counts_of(catalogue, most.train) == Indices{1, 1, 0, 1, 1});
  const Split least = split(catalogue, {.kind = "stratified", .share = 0.001});
  CHECK(counts_of(catalogue, least.held_out) == Indices{1, 1, 0, 1, 1});
  CHECK(contains(error_of([] {
                   split(catalogue_of({4, 1, 4}), {.kind = "stratified", .share = 0.3});
                 }),
                 "class 'c1' has 1 image but a stratified split needs 2"));
}

TEST_CASE("split: whole people are held out of classes that people share") {
  // 40 people of 5 images, every fourth of them with a beard, and a class of nobody.
  Catalogue catalogue;
  catalogue.labels.classes = {"none", "nobody", "beard"};
  for (std::int64_t i = 0; i < 200; ++i) {
    catalogue.people.push_back(1000 - i / 5);
    catalogue.labels.images.push_back(i / 5 % 4 == 0 ? 2 : 0);
  }
  const auto people_of = [&](const Indices& indices) {
    std::set<std::int64_t> people;
    for (const std::int64_t i : indices) {
      people.insert(catalogue.people.at(static_cast<std::size_t>(i)));
    }
    return people;
  };
  const auto check_apart = [&](const Split& parts) {
    const auto train = people_of(parts.train);
    for (const std::int64_t p : people_of(parts.held_out)) CHECK_FALSE(train.contains(p));
  };
  const auto of = [&](double share, std::uint64_t seed) {
    return split(catalogue, {.kind = "stratified", .share = share, .seed = seed});
  };
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    CAPTURE(seed);
    const Split parts = of(0.2, seed);
    check_whole(catalogue, parts);
    check_apart(parts);
    CHECK(counts_of(catalogue, parts.held_out) == Indices{30, 0, 10});
  }
  CHECK(same(of(0.2, 1), of(0.2, 1)));
  CHECK_FALSE(same(of(0.2, 1), of(0.2, 2)));
  // Of each class some people, however little is asked for, and never all.
  CHECK(counts_of(catalogue, of(0.001, 1).held_out) == Indices{5, 0, 5});
  CHECK(counts_of(catalogue, of(0.999, 1).train) == Indices{5, 0, 5});

  // So many images of each class, of people who are not held out.
  const Split few =
      split(catalogue, {.kind = "stratified", .share = 0.2, .train_per_class = 7, .seed = 1});
  CHECK(few.held_out == of(0.2, 1).held_out);
  CHECK(counts_of(catalogue, few.train) == Indices{7, 0, 7});
  check_apart(few);
  CHECK(contains(error_of([&] {
                   split(catalogue, {.kind = "stratified", .share = 0.2, .train_per_class = 41});
                 }),
                 "class 'beard' has 40 images of the people to train on"));

  // The only one with a beard cannot be on both sides.
  for (std::size_t i = 5; i < 200; ++i) catalogue.labels.images[i] = 0;
  CHECK(contains(error_of([&] { of(0.2, 1); }), "class 'beard' has 5 images, of too few people"));
  catalogue.people.pop_back();
  CHECK(contains(error_of([&] { of(0.2, 1); }), "200 images, but people of 199"));
  catalogue.people.assign(200, 4);
  CHECK(contains(error_of([&] { of(0.2, 1); }), "at least 2 people"));
}

TEST_CASE("split: so many images of every class are trained on") {
  const Catalogue catalogue = catalogue_of({4, 7, 5});
  const SplitOptions three{.kind = "stratified", .share = 0.9, .train_per_class = 3};
  const Split parts = split(catalogue, three);
  check_whole(catalogue, parts);
  CHECK(counts_of(catalogue, parts.train) == Indices{3, 3, 3});
  CHECK(contains(error_of([&] {
                   split(catalogue_of({4, 7, 3}), three);
                 }),
                 "class 'c2' has 3 images but a stratified split needs 4"));
}

TEST_CASE("split: the parts that a data set comes with") {
  Catalogue catalogue = catalogue_of({3, 3});
  catalogue.parts = {Part::test,  Part::train, Part::validation,
                     Part::train, Part::test,  Part::validation};
  const Split tested = split(catalogue, {.kind = "official"});
  CHECK(tested.train == Indices{1, 3});
  CHECK(tested.held_out == Indices{0, 4});
  const Split validated = split(catalogue, {.kind = "official", .held_out = Part::validation});
  CHECK(validated.train == Indices{1, 3});
  CHECK(validated.held_out == Indices{2, 5});
  const auto error = [&](Part held_out) {
    return error_of([&] { split(catalogue, {.kind = "official", .held_out = held_out}); });
  };
  CHECK(contains(error(Part::train), "train on cannot be held out"));
  std::replace(catalogue.parts.begin(), catalogue.parts.end(), Part::validation, Part::test);
  CHECK(contains(error(Part::validation), "no images in the part validation"));
  std::replace(catalogue.parts.begin(), catalogue.parts.end(), Part::train, Part::validation);
  CHECK(contains(error(Part::test), "no images in the part train"));
  catalogue.parts.clear();
  CHECK(contains(error(Part::test), "layout 'class-folders' has not"));
}

TEST_CASE("split: the seed decides, and nothing else") {
  const Catalogue catalogue = catalogue_of(Indices(40, 20));
  for (const char* kind : {"identity-disjoint", "stratified"}) {
    const auto of = [&](std::uint64_t seed) {
      return split(catalogue, {.kind = kind, .share = 0.5, .seed = seed});
    };
    CHECK(same(of(1), of(1)));
    CHECK_FALSE(same(of(1), of(2)));
    const Split first = of(3);
    CHECK(first.held_out.front() < first.train.back());
    CHECK(first.train.front() < first.held_out.back());
  }
  // Nor are the same places of all classes held out.
  const Split parts = split(catalogue, {.kind = "stratified", .share = 0.5});
  std::set<std::int64_t> places;
  for (const std::int64_t i : parts.held_out) places.insert(i / 40);
  CHECK(places.size() == 20);
}

TEST_CASE("split: options that make no sense are refused") {
  const Catalogue catalogue = catalogue_of({3, 3});
  const auto error = [&](const SplitOptions& o) { return error_of([&] { split(catalogue, o); }); };
  for (const double share : {0.0, 1.0, -0.5, 2.0, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK(contains(error({.share = share}), "must be in (0, 1)"));
  }
  CHECK(contains(error({.kind = "random"}), "no split 'random'; there are identity-disjoint"));
  CHECK(contains(error({.kind = "stratified", .train_per_class = -1}), "cannot train on -1"));
  CHECK(split_kinds() == std::vector<std::string>{"identity-disjoint", "stratified", "official"});
}

TEST_CASE("split: at most so many images of each class, fewer being some of more") {
  const Catalogue catalogue = catalogue_of({2, 9, 30});
  Indices even;
  for (std::int64_t i = 0; i < 41; i += 2) even.push_back(i);
  const Indices there = counts_of(catalogue, even);
  Indices fewer;
  for (const int most : {1, 3, 8, 100}) {
    CAPTURE(most);
    const Indices kept = at_most_per_class(catalogue.labels, even, most, 5);
    CHECK(std::is_sorted(kept.begin(), kept.end()));
    CHECK(std::includes(even.begin(), even.end(), kept.begin(), kept.end()));
    CHECK(std::includes(kept.begin(), kept.end(), fewer.begin(), fewer.end()));
    CHECK(kept == at_most_per_class(catalogue.labels, even, most, 5));
    const Indices counts = counts_of(catalogue, kept);
    for (std::size_t k = 0; k < 3; ++k) {
      CHECK(counts[k] == std::min<std::int64_t>(there[k], most));
    }
    fewer = kept;
  }
  CHECK(fewer == even);
  const Catalogue many = catalogue_of(Indices(10, 20));
  Indices all(200);
  for (std::size_t i = 0; i < 200; ++i) all[i] = static_cast<std::int64_t>(i);
  CHECK(at_most_per_class(many.labels, all, 10, 1) != at_most_per_class(many.labels, all, 10, 2));
  CHECK(contains(error_of([&] { at_most_per_class(many.labels, all, 0, 1); }), "at least 1 image"));
}
