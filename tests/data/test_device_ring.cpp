// Batches on the CUDA device are the loader's, in every order in which streams may run.
#if IMAGO_WITH_DEVICE
#include "data/device_ring.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>

#include "tests/support/orders.h"

using namespace imago;
using namespace imago::data;

namespace {

// Image i is all i; the one numbered `broken` cannot be loaded.
class Numbers final : public Dataset {
 public:
  explicit Numbers(std::int64_t broken = -1) : broken_(broken) {}
  std::int64_t size() const override { return 40; }
  int image_size() const override { return 4; }
  void get(std::int64_t index, RandomStream&, std::uint8_t* out) const override {
    if (index == broken_) throw std::runtime_error("broken image");
    std::fill(out, out + 4 * 4 * 3, static_cast<std::uint8_t>(index));
  }
  std::string describe() const override { return "numbers"; }

 private:
  std::int64_t broken_;
};

LoaderOptions options(int workers) {
  return {.batch = 3, .seed = 2, .workers = workers, .prefetch = 4};
}

}  // namespace

TEST_CASE("a device ring delivers the batches of its loader, copied ahead or not") {
  const auto numbers = std::make_shared<Numbers>();
  test::for_each_order(Device::cuda(), [&] {
    for (const int workers : {0, 2}) {
      Loader plain(numbers, options(0)), loader(numbers, options(workers));
      DeviceRing ring(loader, Device::cuda());
      std::vector<Tensor> copies, expected;
      constexpr int steps = 30;
      for (int step = 0; step < steps; ++step) {
        const Tensor batch = ring.next();
        REQUIRE(batch.device() == Device::cuda());
        copies.push_back(
            batch.clone());  // work that may run long after the next batch is asked for
        if (step % 3 > 0) ring.prefetch(steps);
        expected.push_back(plain.next());
      }
      CHECK(loader.position() == steps);
      for (int step = 0; step < steps; ++step) {
        CAPTURE(step);
        CHECK(same_bits(copies[static_cast<std::size_t>(step)],
                        expected[static_cast<std::size_t>(step)]));
      }
    }
  });
}

TEST_CASE("a device ring throws an error of the loader at its batch, not before") {
  Loader loader(std::make_shared<Numbers>(7), options(2));
  DeviceRing ring(loader, Device::cuda());
  Loader plain(std::make_shared<Numbers>(), options(0));
  bool thrown = false;
  for (int step = 0; step < 13 && !thrown; ++step) {
    const auto indices = plain.indices(step);
    const bool broken = std::find(indices.begin(), indices.end(), 7) != indices.end();
    if (broken) {
      CHECK_THROWS_WITH(ring.next(), "broken image");
      thrown = true;
    } else {
      ring.next();
      ring.prefetch(13);
    }
  }
  CHECK(thrown);
}

#endif
