#include "data/loader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <set>

#include "data/transform.h"
#include "numbered_images.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::data;
using namespace imago::data::test;
using namespace imago::test;

TEST_CASE("each epoch shows every image once, in another order, without an incomplete batch") {
  Loader loader(std::make_shared<Numbers>(23), {.batch = 5, .workers = 2});
  CHECK(loader.batches_per_epoch() == 4);
  std::set<std::vector<int>> orders;
  std::vector<int> left_out(23);
  for (int epoch = 0; epoch < 6; ++epoch) {
    std::vector<int> order;
    for (int p = 0; p < 4; ++p) {
      const Tensor batch = loader.next();
      REQUIRE(batch.shape() == Shape{5, 4, 4, 3});
      REQUIRE(batch.dtype() == DType::u8);
      const auto indices = loader.indices(loader.position() - 1);
      for (int b = 0; b < 5; ++b) {
        order.push_back(value(batch, b));
        CHECK(value(batch, b) == indices[static_cast<std::size_t>(b)]);
      }
    }
    orders.insert(order);
    CHECK(std::set<int>(order.begin(), order.end()).size() == 20);
  }
  CHECK(orders.size() == 6);
  CHECK(loader.position() == 24);
}

TEST_CASE("the order is a fair shuffle") {
  Loader loader(std::make_shared<Numbers>(6), {.batch = 6, .workers = 0, .flip = false});
  int seen[6][6] = {};
  for (int epoch = 0; epoch < 3000; ++epoch) {
    const auto order = loader.indices(epoch);
    for (std::size_t place = 0; place < 6; ++place) {
      seen[place][order[place]] += 1;
    }
  }
  // 500 expected, standard deviation 20.4.
  for (const auto& row : seen) {
    for (const int n : row) CHECK(std::abs(n - 500) < 100);
  }
}

TEST_CASE("any number of workers and any prefetch deliver the same bytes") {
  auto numbers = std::make_shared<Numbers>(50);
  Loader alone(numbers, {.batch = 8, .seed = 7, .workers = 0});
  const auto expected = batches(alone, 20);
  for (const int workers : {1, 3}) {
    for (const int prefetch : {1, 4}) {
      Loader loader(numbers, {.batch = 8, .seed = 7, .workers = workers, .prefetch = prefetch});
      const auto got = batches(loader, 20);
      for (std::size_t i = 0; i < 20; ++i) {
        CAPTURE(i);
        CHECK(same_bits(got[i], expected[i]));
      }
    }
  }
  Loader other(numbers, {.batch = 8, .seed = 8, .workers = 0});
  CHECK(!same_bits(other.next(), expected[0]));
  // The same images come differently augmented in the next epoch: 6 batches each.
  std::set<std::vector<std::uint8_t>> looks;
  for (const Tensor& batch : expected) {
    for (std::int64_t b = 0; b < 8; ++b) {
      const auto* p = batch.data<std::uint8_t>() + b * 48;
      if (value(batch, b) == 3) looks.insert({p, p + 48});
    }
  }
  CHECK(looks.size() >= 2);
}

TEST_CASE("half of the samples are mirrored; without flip none is") {
  class Half : public Numbers {
   public:
    using Numbers::Numbers;
    void get(std::int64_t, RandomStream&, std::uint8_t* out) const override {
      for (int i = 0; i < 48; ++i) out[i] = i % 12 < 6 ? 0 : 200;
    }
  };
  int mirrored = 0;
  Loader loader(std::make_shared<Half>(1000), {.batch = 1000, .workers = 1});
  const Tensor batch = loader.next();
  for (int b = 0; b < 1000; ++b) mirrored += batch.data<std::uint8_t>()[48 * b] == 200;
  CHECK(std::abs(mirrored - 500) < 80);  // five standard deviations
  Loader plain(std::make_shared<Half>(1000), {.batch = 1000, .workers = 1, .flip = false});
  const Tensor same = plain.next();
  for (int b = 0; b < 1000; ++b) REQUIRE(same.data<std::uint8_t>()[48 * b] == 0);
}

TEST_CASE("without shuffling the order is that of the data set") {
  Loader loader(std::make_shared<Numbers>(10), {.batch = 4, .workers = 2, .shuffle = false});
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (int p = 0; p < 2; ++p) {
      const Tensor batch = loader.next();
      for (int b = 0; b < 4; ++b) CHECK(value(batch, b) == 4 * p + b);
    }
  }
}

TEST_CASE("resuming at a position continues exactly, in the middle of an epoch too") {
  auto numbers = std::make_shared<Numbers>(50);
  const LoaderOptions options{.batch = 8, .seed = 3, .workers = 2};
  Loader whole(numbers, options);
  const auto expected = batches(whole, 15);
  for (const int position : {1, 5, 6, 9}) {
    Loader resumed(numbers, options);
    resumed.seek(position);
    for (int p = position; p < 15; ++p) {
      CHECK(resumed.position() == p);
      CHECK(same_bits(resumed.next(), expected[static_cast<std::size_t>(p)]));
    }
  }
  // Back and forth, each time with batches of the old place in the making.
  auto slow = std::make_shared<Numbers>(50);
  slow->slow = true;
  Loader wandering(slow, {.batch = 8, .seed = 3, .workers = 2, .prefetch = 2});
  for (const int position : {0, 13, 4, 3, 6, 1}) {
    wandering.seek(position);
    for (int p = position; p < position + 2; ++p) {
      CHECK(same_bits(wandering.next(), expected[static_cast<std::size_t>(p)]));
    }
  }
}

TEST_CASE("a worker's exception reaches the caller at its batch, with the file's name") {
  for (const int workers : {0, 1, 3}) {
    auto numbers = std::make_shared<Numbers>(40, 17);
    Loader loader(numbers, {.batch = 4, .seed = 5, .workers = workers});
    std::int64_t place = 0;
    for (;; ++place) {
      const auto indices = loader.indices(place);
      if (std::find(indices.begin(), indices.end(), 17) != indices.end()) break;
    }
    for (std::int64_t p = 0; p < place; ++p) loader.next();
    for (int again = 0; again < 2; ++again) {
      CHECK(error_of([&] { loader.next(); }) == "[load_image] photos/17.jpg: broken");
      CHECK(loader.position() == place);
    }
    loader.seek(place + 1);
    CHECK(loader.next().size(0) == 4);
  }
}

TEST_CASE("loaders can be destroyed at any time") {
  for (const int taken : {0, 1, 3}) {
    for (const int workers : {0, 1, 3}) {
      auto numbers = std::make_shared<Numbers>(64, taken == 3 ? 5 : -1);
      numbers->slow = true;
      Loader loader(numbers, {.batch = 16, .workers = workers, .prefetch = 2});
      try {
        batches(loader, taken);
      } catch (const Error&) {
      }
    }
  }
  // Destruction does not wait for the batches in the making.
  auto numbers = std::make_shared<Numbers>(600);
  numbers->slow = true;
  {
    Loader loader(numbers, {.batch = 200, .workers = 1, .prefetch = 2});
    loader.next();
  }
  CHECK(numbers->calls >= 200);
  CHECK(numbers->calls < 400);
}

TEST_CASE("no more batches are prepared than the ring holds") {
  auto numbers = std::make_shared<Numbers>(100);
  Loader loader(numbers, {.batch = 10, .workers = 2, .prefetch = 3});
  loader.next();
  for (int wait = 0; wait < 500 && numbers->calls < 40; ++wait) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(numbers->calls == 40);  // the one taken and three waiting
}

TEST_CASE("options out of range are errors that say what to do") {
  auto numbers = std::make_shared<Numbers>(12);
  const auto error = [&](const LoaderOptions& options) {
    return error_of([&] { Loader(numbers, options); });
  };
  CHECK(error({.batch = 128}) ==
        "[loader] numbers: has 12 images but the batch is 128; use a smaller batch");
  CHECK(contains(error({.batch = 0}), "batch"));
  CHECK(contains(error({.batch = 4, .workers = -1}), "workers"));
  CHECK(contains(error({.batch = 4, .prefetch = 0}), "prefetch"));
  CHECK(contains(error_of([&] { Loader(nullptr, {}); }), "no data set"));
  CHECK(contains(error({.batch = 4, .balance = {0, 1}}), "classes to balance for 2"));
  CHECK(contains(error({.batch = 4, .shuffle = false, .balance = std::vector<std::int64_t>(12, 0)}),
                 "shuffle them"));
  Loader loader(numbers, {.batch = 12});
  CHECK(contains(error_of([&] { loader.seek(-1); }), "position -1"));
  CHECK(loader.next().size(0) == 12);
}
