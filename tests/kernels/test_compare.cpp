// Comparisons and where.
#include "kernels/elementwise/compare.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/elementwise/cases.h"
#include "kernels/elementwise/elementwise.h"
#include "tensor/context.h"
#include "tensor/convert.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/orders.h"

using namespace imago;
using namespace imago::kernels;

namespace {

const DType all_dtypes[] = {DType::f32, DType::f64, DType::bf16, DType::i32, DType::i64, DType::u8};
const Comparison all_comparisons[] = {Comparison::equal,       Comparison::not_equal,
                                      Comparison::less,        Comparison::less_equal,
                                      Comparison::logical_and, Comparison::logical_or};

// Few different values, so that many pairs are equal; -0, NaN and infinities in floating dtypes. On
// the host.
Tensor telling(const Shape& shape, DType dtype, std::uint64_t seed) {
  RandomStream stream(seed);
  const double inf = std::numeric_limits<double>::infinity();
  const double values[] = {0, 1, 3, 200, 2, -0.0, -1.5, std::nan(""), inf, -inf};
  Tensor t = Tensor::empty(shape, dtype, Device::cpu());
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      dtype, "telling", [&]<class T> {
        T* p = t.mutable_data<T>();
        for (std::int64_t i = 0; i < t.numel(); ++i) {
          p[i] = convert<T>(values[stream.below(is_floating(dtype) ? 10 : 5)]);
        }
      });
  return t;
}

Tensor mask_like(const Shape& shape, std::uint64_t seed) {
  RandomStream stream(seed);
  Tensor t = Tensor::empty(shape, DType::u8, Device::cpu());
  std::uint8_t* p = t.mutable_data<std::uint8_t>();
  // Any byte but 0 is true.
  for (std::int64_t i = 0; i < t.numel(); ++i) {
    p[i] = static_cast<std::uint8_t>(stream.below(2) * (1 + stream.below(255)));
  }
  return t;
}

struct WhereCase {
  Shape mask, a, b;
};

const WhereCase where_cases[] = {
    {{}, {}, {}},
    {{7}, {7}, {7}},
    {{3, 5, 7, 11}, {3, 5, 7, 11}, {3, 5, 7, 11}},
    {{67, 31}, {67, 31}, {}},  // a number elsewhere
    {{67, 31}, {1}, {67, 31}},
    {{}, {67, 31}, {67, 31}},           // one choice for all
    {{2, 9, 7, 1}, {2, 9, 7, 3}, {3}},  // per pixel, with a colour
    {{4, 1, 1}, {4, 6, 8}, {4, 6, 8}},  // per image
    {{4, 1, 1}, {6, 1}, {1, 8}},        // all repeat
    {{64}, {17, 64}, {17, 1}},          // per channel
    {{5, 1}, {1, 1031}, {}},
    {{2, 0, 3}, {1, 1, 3}, {3}},  // nothing at all
};

}  // namespace

TEST_CASE("compare: every comparison of every dtype in every broadcast") {
  const test::Guarded guarded;
  test::for_each_device([&](Device device) {
    for (const BroadcastCase& shapes : broadcast_cases()) {
      const bool large = shapes.a.numel() > 5000 || shapes.b.numel() > 5000;
      for (const DType dtype : all_dtypes) {
        if (IMAGO_EMULATED && device.is_cuda() && large && dtype != DType::bf16) continue;
        const Tensor a = telling(shapes.a, dtype, 1), b = telling(shapes.b, dtype, 2);
        const Tensor x = a.to(device), y = b.to(device);
        for (const Comparison op : all_comparisons) {
          if (large && op != Comparison::less) continue;
          CAPTURE(name_of(op));
          CAPTURE(dtype);
          CAPTURE(shapes.a);
          CAPTURE(shapes.b);
          const Tensor want = compare_reference(op, a, b);
          if (large || op != Comparison::less) {
            CHECK(same_bits(compare(op, x, y), want));
          } else {
            test::for_each_order(device, [&] { CHECK(same_bits(compare(op, x, y), want)); });
          }
        }
      }
    }
  });
}

TEST_CASE("compare: known answers, NaN among them") {
  test::for_each_device([&](Device) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const Tensor a = Tensor::from<float>({1, 2, 3, nan, -0.0f}, {5});
    const Tensor b = Tensor::from<float>({2, 2, 2, 2, 0}, {5});
    const auto is = [](const Tensor& got, std::initializer_list<std::uint8_t> want) {
      return same_bits(got, Tensor::from<std::uint8_t>(want, {5}));
    };
    CHECK(is(equal(a, b), {0, 1, 0, 0, 1}));
    CHECK(is(not_equal(a, b), {1, 0, 1, 1, 0}));
    CHECK(is(less(a, b), {1, 0, 0, 0, 0}));
    CHECK(is(less_equal(a, b), {1, 1, 0, 0, 1}));
    CHECK(is(greater(a, b), {0, 0, 1, 0, 0}));
    CHECK(is(greater_equal(a, b), {0, 1, 1, 0, 1}));
    CHECK(is(equal(a, 2), {0, 1, 0, 0, 0}));
    CHECK(is(not_equal(a, 2), {1, 0, 1, 1, 1}));
    CHECK(is(less(a, 2), {1, 0, 0, 0, 1}));
    CHECK(is(less_equal(a, 2), {1, 1, 0, 0, 1}));
    CHECK(is(greater(a, 2), {0, 0, 1, 0, 0}));
    CHECK(is(greater_equal(a, 2), {0, 1, 1, 0, 0}));
    CHECK(is(logical_not(a), {0, 0, 0, 0, 1}));
    CHECK(is(logical_and(a, b), {1, 1, 1, 1, 0}));
    CHECK(is(logical_or(a, b), {1, 1, 1, 1, 0}));
    // Numbers that f64 cannot tell apart.
    const std::int64_t big = std::int64_t{1} << 60;
    const Tensor labels = Tensor::from<std::int64_t>({big, big + 1, -3, 7, 0}, {5});
    CHECK(is(equal(labels, static_cast<double>(big)), {1, 0, 0, 0, 0}));
    CHECK(is(less(labels, -2), {0, 0, 1, 0, 0}));
    const Tensor nine = Tensor::full({}, 9, DType::i64);
    CHECK(same_bits(where(less(a, b), nine, labels),
                    Tensor::from<std::int64_t>({9, big + 1, -3, 7, 0}, {5})));
  });
}

TEST_CASE("equal_elements: marks ties, NaN among them, wherever slices begin") {
  const test::Guarded guarded;
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
    Tensor a = test::small_integers({41}, dtype, 1), b = test::small_integers({41}, dtype, 2);
    a = div(a, a);  // NaN where 0, else 1
    b = div(b, b);
    test::for_each_device([&](Device device) {
      for (std::int64_t begin = 0; begin < 9; ++begin) {
        const Tensor got = test::to_f64(
            equal_elements(a.to(device).slice(begin, 41), b.to(device).slice(begin, 41)));
        const Tensor wa = test::to_f64(a), wb = test::to_f64(b);
        for (std::int64_t i = begin; i < 41; ++i) {
          const double x = wa.data<double>()[i], y = wb.data<double>()[i];
          CHECK(got.data<double>()[i - begin] == (std::isnan(x) == std::isnan(y) ? 1 : 0));
        }
      }
      CHECK(equal_elements(Tensor::zeros({0}), Tensor::zeros({0})).numel() == 0);
    });
  }
}

TEST_CASE("where: every dtype, mask and operands repeated along any axis") {
  const test::Guarded guarded;
  test::for_each_device([&](Device device) {
    for (const WhereCase& c : where_cases) {
      for (const DType dtype : all_dtypes) {
        CAPTURE(dtype);
        CAPTURE(c.mask);
        CAPTURE(c.a);
        CAPTURE(c.b);
        const Tensor mask = mask_like(c.mask, 3);
        const Tensor a = telling(c.a, dtype, 4), b = telling(c.b, dtype, 5);
        const Tensor want = where_reference(mask, a, b);
        const Tensor m = mask.to(device), x = a.to(device), y = b.to(device);
        test::for_each_order(device, [&] { CHECK(same_bits(where(m, x, y), want)); });
      }
    }
  });
}

TEST_CASE("compare and where: slices that begin and end anywhere") {
  const test::Guarded guarded;
  test::for_each_device([&](Device device) {
    for (const DType dtype : all_dtypes) {
      const Tensor a = telling({80}, dtype, 6), b = telling({80}, dtype, 7);
      const Tensor mask = mask_like({80}, 8);
      const Tensor less_all = compare_reference(Comparison::less, a, b);
      const Tensor chosen = where_reference(mask, a, b);
      const Tensor x = a.to(device), y = b.to(device), m = mask.to(device);
      for (std::int64_t begin = 0; begin <= 17; ++begin) {
        for (const std::int64_t n : {0, 1, 3, 4, 15, 16, 17, 61}) {
          CAPTURE(dtype);
          CAPTURE(begin);
          CAPTURE(n);
          const std::int64_t end = begin + n;
          CHECK(same_bits(less(x.slice(begin, end), y.slice(begin, end)),
                          less_all.slice(begin, end)));
          CHECK(same_bits(where(m.slice(begin, end), x.slice(begin, end), y.slice(begin, end)),
                          chosen.slice(begin, end)));
        }
      }
    }
  });
}

TEST_CASE("compare and where: the number of threads does not change a bit") {
  const ContextScope scope;
  const Tensor a = telling({70001, 3}, DType::f32, 9), b = telling({3}, DType::f32, 10);
  const Tensor pixels = telling({70001, 1}, DType::f32, 11);
  set_num_threads(1);
  const Tensor one = less(a, b), chosen = where(less(pixels, 1), a, b), scaled = mul(a, pixels);
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    CHECK(same_bits(less(a, b), one));
    CHECK(same_bits(where(less(pixels, 1), a, b), chosen));
    CHECK(same_bits(mul(a, pixels), scaled));
  }
  CHECK(same_bits(one, compare_reference(Comparison::less, a, b)));
}

TEST_CASE("compare and where: messages name what was expected and what came") {
  const Tensor x = Tensor::zeros({2, 3}), bytes = Tensor::zeros({2, 3}, DType::u8);
  CHECK(test::error_of([&] { less(x, bytes); }) ==
        "[less] dtypes differ: f32 (2, 3) and u8 (2, 3); cast one of them");
  CHECK(test::error_of([&] { equal(Tensor(), 1); }) == "[equal] the first argument is undefined");
  CHECK(test::error_of([&] { equal(bytes, 0.5); }) ==
        "[equal] no u8 is 0.5; cast the tensor to a floating dtype first");
  CHECK(test::contains(test::error_of([&] { less(bytes, 256); }), "no u8 is 256"));
  CHECK(test::contains(test::error_of([&] { less(bytes, -1); }), "no u8 is -1"));
  CHECK(test::contains(test::error_of([&] { less(cast(x, DType::i64), 0x1p63); }), "no i64 is"));
  CHECK(test::contains(test::error_of([&] { less(cast(x, DType::i32), std::nan("")); }),
                       "no i32 is nan"));
  CHECK(test::contains(test::error_of([&] { less(x, Tensor::zeros({2})); }), "do not broadcast"));
  CHECK(test::contains(test::error_of([&] { equal_elements(x, Tensor::zeros({3})); }),
                       "of one shape, dtype and device, not (2, 3) f32 on cpu and (3,) f32 on "
                       "cpu"));
  CHECK(test::error_of([&] { where(x, x, x); }) ==
        "[where] the mask is f32, not u8; make it with a comparison");
  CHECK(test::contains(test::error_of([&] { where(bytes, x, bytes); }), "dtypes differ"));
  CHECK(test::contains(test::error_of([&] { where(Tensor::zeros({4}, DType::u8), x, x); }),
                       "do not broadcast"));
}
