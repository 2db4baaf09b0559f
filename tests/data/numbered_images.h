// A data set of numbers to see the order of a loader by.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "data/dataset.h"
#include "data/loader.h"
#include "tensor/error.h"
#include "tensor/tensor.h"

namespace imago::data::test {

// Image i is filled with i, its left column with a number drawn from the augmentation stream.
class Numbers : public Dataset {
 public:
  explicit Numbers(std::int64_t n, std::int64_t broken = -1) : n_(n), broken_(broken) {}
  std::int64_t size() const override { return n_; }
  int image_size() const override { return 4; }
  std::string describe() const override { return "numbers"; }
  void get(std::int64_t index, RandomStream& augment, std::uint8_t* out) const override {
    ++calls;
    if (slow) std::this_thread::sleep_for(std::chrono::milliseconds(1 + index % 3));
    check(index != broken_, "load_image", "photos/", index, ".jpg: broken");
    std::fill_n(out, 48, static_cast<std::uint8_t>(index));
    for (int y = 0; y < 4; ++y) out[12 * y] = static_cast<std::uint8_t>(augment.below(256));
  }

  mutable std::atomic<int> calls{0};
  bool slow = false;

 private:
  std::int64_t n_, broken_;
};

inline std::vector<Tensor> batches(Loader& loader, int count) {
  std::vector<Tensor> out;
  for (int i = 0; i < count; ++i) out.push_back(loader.next());
  return out;
}

// The value of image b of a batch, whether mirrored or not.
inline int value(const Tensor& batch, std::int64_t b) {
  return batch.data<std::uint8_t>()[b * 48 + 4];
}

}  // namespace imago::data::test
