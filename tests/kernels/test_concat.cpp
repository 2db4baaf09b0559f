#include <doctest/doctest.h>

#include <vector>

#include "kernels/concat/concat.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::kernels;

TEST_CASE("concat: the parts come back by slicing, in every dtype") {
  const test::Guarded guarded;
  test::for_each_device([&](Device device) {
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
      const std::vector<Tensor> parts{
          test::normals({2, 3, 5}, dtype, 1), test::normals({1, 3, 5}, dtype, 2),
          Tensor::zeros({0, 3, 5}, dtype), test::normals({7, 3, 5}, dtype, 3)};
      const Tensor all = concat(parts);
      CHECK(all.shape() == Shape{10, 3, 5});
      CHECK(all.device() == device);
      CHECK(same_bits(all.slice(0, 2), parts[0]));
      CHECK(same_bits(all.slice(2, 3), parts[1]));
      CHECK(same_bits(all.slice(3, 10), parts[3]));
      CHECK_FALSE(concat(std::span(parts).first(1)).shares_storage(parts[0]));
    }
    const std::vector<Tensor> labels{Tensor::from<std::int64_t>({1, 2}, {2}),
                                     Tensor::from<std::int64_t>({3}, {1})};
    CHECK(same_bits(concat(labels), Tensor::from<std::int64_t>({1, 2, 3}, {3})));
  });
}

TEST_CASE("concat: messages name what was expected and what came") {
  const auto join = [](std::vector<Tensor> parts) {
    return test::error_of([&] { concat(parts); });
  };
  CHECK(join({}) == "[concat] needs at least one part");
  CHECK(join({Tensor::zeros({2, 3}), Tensor::zeros({2, 4})}) ==
        "[concat] part 1 is (2, 4) but part 0 is (2, 3); all extents but the first agree");
  CHECK(join({Tensor::zeros({2}), Tensor::zeros({2}, DType::f64)}) ==
        "[concat] part 1 is f64 on cpu but part 0 is f32 on cpu");
  CHECK(join({Tensor::scalar(1)}) ==
        "[concat] part 0 needs at least one dimension, the one to join along");
}
