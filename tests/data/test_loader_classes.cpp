// Loaders that balance classes or keep images of a class together.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "data/loader.h"
#include "numbered_images.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::data;
using namespace imago::data::test;
using namespace imago::test;

TEST_CASE("balanced classes come in turns, each image of a class as often as the others") {
  // Of 50 images 5 are of class 7, 15 of class -1 and 30 of class 2.
  std::vector<std::int64_t> classes(50, 2);
  std::fill_n(classes.begin(), 5, 7);
  std::fill_n(classes.begin() + 5, 15, -1);
  const auto class_of = [&](std::int64_t image) {
    return classes[static_cast<std::size_t>(image)];
  };
  const Loader loader(std::make_shared<Numbers>(50), {.batch = 10, .balance = classes});
  CHECK(loader.batches_per_epoch() == 5);
  std::set<std::vector<std::int64_t>> orders;
  std::set<std::int64_t> first_classes;
  for (int epoch = 0; epoch < 6; ++epoch) {
    std::vector<std::int64_t> order;
    for (int p = 0; p < 5; ++p) {
      const auto indices = loader.indices(5 * epoch + p);
      std::vector<std::int64_t> of_batch;
      for (const std::int64_t i : indices) of_batch.push_back(class_of(i));
      const auto count = [&](std::int64_t c) {
        return std::count(of_batch.begin(), of_batch.end(), c);
      };
      const auto [least, most] = std::minmax({count(7), count(-1), count(2)});
      CHECK(most - least <= 2);
      order.insert(order.end(), indices.begin(), indices.end());
    }
    // Every three in a row, from the start, are of three classes.
    for (std::size_t i = 0; i + 3 <= order.size(); i += 3) {
      const std::set<std::int64_t> turn = {class_of(order[i]), class_of(order[i + 1]),
                                           class_of(order[i + 2])};
      CHECK(turn.size() == 3);
    }
    // 16 or 17 samples of each class: its images come equally often, but for one.
    std::vector<std::int64_t> times(50, 0);
    for (const std::int64_t i : order) times[static_cast<std::size_t>(i)] += 1;
    const auto within = [&](int begin, int end, std::int64_t low, std::int64_t high) {
      for (int i = begin; i < end; ++i) {
        CAPTURE(i);
        CHECK(times[static_cast<std::size_t>(i)] >= low);
        CHECK(times[static_cast<std::size_t>(i)] <= high);
      }
    };
    within(0, 5, 3, 4);
    within(5, 20, 1, 2);
    within(20, 50, 0, 1);
    orders.insert(order);
    first_classes.insert(class_of(order[0]));
  }
  CHECK(orders.size() == 6);
  CHECK(first_classes.size() >= 2);  // turns are shuffled too

  // With a single class it is the plain shuffle.
  const Loader one(std::make_shared<Numbers>(50),
                   {.batch = 10, .balance = std::vector<std::int64_t>(50, 4)});
  const Loader plain(std::make_shared<Numbers>(50), {.batch = 10});
  for (int p = 0; p < 10; ++p) CHECK(one.indices(p) == plain.indices(p));
}

TEST_CASE("balanced batches are the same for any workers; a repeated image is augmented anew") {
  std::vector<std::int64_t> classes(40, 0);
  classes[11] = 1;  // the only one of its class: in every turn of two
  const auto numbers = std::make_shared<Numbers>(40);
  Loader alone(numbers, {.batch = 8, .seed = 7, .workers = 0, .balance = classes});
  const auto expected = batches(alone, 12);
  std::set<std::vector<std::uint8_t>> looks;
  int times = 0;
  for (std::size_t p = 0; p < 5; ++p) {  // one epoch
    for (std::int64_t b = 0; b < 8; ++b) {
      if (value(expected[p], b) != 11) continue;
      const auto* pixels = expected[p].data<std::uint8_t>() + b * 48;
      looks.insert({pixels, pixels + 48});
      times += 1;
    }
  }
  CHECK(times == 20);
  CHECK(looks.size() >= 15);  // four random bytes each, mirrored or not
  for (const int workers : {1, 3}) {
    Loader loader(numbers, {.batch = 8, .seed = 7, .workers = workers, .balance = classes});
    loader.seek(3);
    for (std::size_t p = 3; p < 12; ++p) CHECK(same_bits(loader.next(), expected[p]));
  }
}

TEST_CASE("images of a class come together: whole groups, all classes and images equally often") {
  // As above: 5, 15 and 30 images of three classes.
  std::vector<std::int64_t> classes(50, 2);
  std::fill_n(classes.begin(), 5, 7);
  std::fill_n(classes.begin() + 5, 15, -1);
  const Loader loader(std::make_shared<Numbers>(50),
                      {.batch = 8, .balance = classes, .together = 4});
  CHECK(loader.batches_per_epoch() == 6);
  std::set<std::vector<std::int64_t>> orders;
  for (int epoch = 0; epoch < 8; ++epoch) {
    CAPTURE(epoch);
    std::vector<std::int64_t> order, group_classes;
    for (int p = 0; p < 6; ++p) {
      const auto indices = loader.indices(6 * epoch + p);
      for (std::size_t b = 0; b < 8; b += 4) {
        std::set<std::int64_t> of_group, images;
        for (std::size_t i = b; i < b + 4; ++i) {
          of_group.insert(classes[static_cast<std::size_t>(indices[i])]);
          images.insert(indices[i]);
        }
        CHECK(of_group.size() == 1);
        CHECK(images.size() == 4);  // the smallest class has five
        group_classes.push_back(*of_group.begin());
      }
      order.insert(order.end(), indices.begin(), indices.end());
    }
    // Turns of three groups, so 16 of the 48 images are of each class.
    REQUIRE(group_classes.size() == 12);
    for (std::size_t g = 0; g < 12; g += 3) {
      CHECK(std::set<std::int64_t>(&group_classes[g], &group_classes[g] + 3).size() == 3);
    }
    std::vector<int> times(50, 0);
    for (const std::int64_t i : order) times[static_cast<std::size_t>(i)] += 1;
    const auto within = [&](std::size_t begin, std::size_t end, int low, int high) {
      for (std::size_t i = begin; i < end; ++i) {
        CAPTURE(i);
        CHECK(times[i] >= low);
        CHECK(times[i] <= high);
      }
    };
    within(0, 5, 3, 4);
    within(5, 20, 1, 2);
    within(20, 50, 0, 1);
    orders.insert(order);
  }
  CHECK(orders.size() == 8);
}

TEST_CASE("together: a class of fewer images than a group repeats each of them alike") {
  std::vector<std::int64_t> classes(20, 0);
  classes[3] = classes[8] = 1;
  const Loader loader(std::make_shared<Numbers>(20),
                      {.batch = 8, .balance = classes, .together = 4});
  CHECK(loader.batches_per_epoch() == 2);
  for (int p = 0; p < 10; ++p) {
    const auto indices = loader.indices(p);  // a batch is a turn
    CHECK(std::count(indices.begin(), indices.end(), 3) == 2);
    CHECK(std::count(indices.begin(), indices.end(), 8) == 2);
  }
}

TEST_CASE("together: the same batches for any workers, after any start; errors say what to do") {
  std::vector<std::int64_t> classes(40);
  for (std::size_t i = 0; i < 40; ++i) classes[i] = static_cast<std::int64_t>(i % 3);
  const auto numbers = std::make_shared<Numbers>(40);
  const LoaderOptions options{
      .batch = 6, .seed = 7, .workers = 0, .balance = classes, .together = 2};
  Loader alone(numbers, options);
  const auto expected = batches(alone, 15);
  for (const int workers : {1, 2}) {
    LoaderOptions others = options;
    others.workers = workers;
    Loader loader(numbers, others);
    loader.seek(2);
    for (std::size_t p = 2; p < 15; ++p) CHECK(same_bits(loader.next(), expected[p]));
  }
  LoaderOptions single = options;
  single.together = 1;
  Loader apart(numbers, single);
  CHECK_FALSE(same_bits(apart.next(), expected[0]));

  const auto error = [&](int together, const std::vector<std::int64_t>& balance) {
    return error_of(
        [&] { Loader(numbers, {.batch = 6, .balance = balance, .together = together}); });
  };
  CHECK(error(3, classes).empty());
  CHECK(contains(error(0, classes), "whole groups of 0"));
  CHECK(contains(error(-2, classes), "at least 1"));
  CHECK(contains(error(4, classes), "a batch of 6 does not hold whole groups of 4"));
  CHECK(contains(error(12, classes), "divides the batch"));
  CHECK(contains(error(2, {}), "give `balance` too"));
}
