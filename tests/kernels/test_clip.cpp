#include <doctest/doctest.h>

#include <limits>

#include "kernels/elementwise/elementwise.h"
#include "kernels/optimizer/clip.h"
#include "tensor/stream.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/orders.h"

using namespace imago;
using namespace imago::kernels;

namespace {

// More tensors than travel in one launch, of every size around a row of accumulators and a chunk.
std::vector<Tensor> many(DType dtype) {
  std::vector<Tensor> list;
  for (std::int64_t i = 0; i < 180; ++i) {
    list.push_back(test::normals({i % 37}, dtype, static_cast<std::uint64_t>(i) + 1));
  }
  for (const std::int64_t n : {1023, 1024, 1025, 16383, 16384, 16385, 3 * 16384 + 4097}) {
    list.push_back(test::normals({n}, dtype, static_cast<std::uint64_t>(n)));
  }
  list.push_back(test::normals({}, dtype, 7));
  return list;
}

std::vector<Tensor> to(const std::vector<Tensor>& from, Device device) {
  std::vector<Tensor> there;
  for (const Tensor& t : from) there.push_back(t.to(device).clone());
  return there;
}

double norm_of(const std::vector<Tensor>& tensors) {
  long double sum = 0;
  for (const Tensor& t : tensors) {
    const Tensor wide = test::to_f64(t);
    for (std::int64_t i = 0; i < wide.numel(); ++i) {
      const long double v = wide.data<double>()[i];
      sum += v * v;
    }
  }
  return static_cast<double>(std::sqrt(sum));
}

}  // namespace

TEST_CASE("clip_norm: the norm, and every element times one factor, the same bits everywhere") {
  const test::Guarded guarded;
  for (const DType dtype : {DType::f32, DType::f64}) {
    CAPTURE(dtype);
    const std::vector<Tensor> start = many(dtype);
    const double exact = norm_of(start), eps = dtype == DType::f32 ? 1e-7 : 1e-15;
    std::vector<Tensor> want = to(start, Device::cpu());
    const Tensor norm = clip_norm(want, 2.5);
    CHECK(norm.shape() == Shape({}));
    CHECK(norm.dtype() == dtype);
    CHECK(std::fabs(norm.item() - exact) <= eps * exact);
    for (std::size_t i = 0; i < start.size(); ++i) {
      const Tensor scaled = scale(test::to_f64(start[i]), 2.5 / (exact + 1e-6));
      CHECK(test::largest_error(want[i], scaled) <= eps);
    }
    test::for_each_device([&](Device device) {
      const auto check = [&] {
        std::vector<Tensor> got = to(start, device);
        got[30] = test::off_boundary(got[30]);
        got[184] = test::off_boundary(got[184]);  // of a whole chunk
        got[186] = test::off_boundary(got[186]);  // of several
        const auto before = got[1].version();
        CHECK(same_bits(global_norm(got), norm));
        CHECK(got[1].version() == before);
        const Tensor there = clip_norm(got, 2.5);
        CHECK(there.device() == device);
        CHECK(same_bits(there, norm));
        CHECK(got[1].version() > before);
        for (std::size_t i = 0; i < got.size(); ++i) CHECK(same_bits(got[i], want[i]));
        std::vector<Tensor> by_slot = to(start, device);
        CHECK(same_bits(clip_norm(by_slot, Tensor::full({1}, 2.5, DType::f32, device)), norm));
        for (std::size_t i = 0; i < got.size(); ++i) CHECK(same_bits(by_slot[i], want[i]));
      };
      dtype == DType::f32 ? test::for_each_order(device, check) : check();
    });
  }
}

#if IMAGO_WITH_DEVICE
TEST_CASE("clip_norm: a captured step clips to what its slot holds at the replay") {
  const ContextScope scope;
  Context::current().device = Device::cuda();
  const Tensor start = test::normals({1000}, DType::f32, 3);
  for (const DType dtype : {DType::f32, DType::f64}) {
    std::vector<Tensor> list{start.clone()};
    Tensor slot = Tensor::full({1}, 8.0, dtype);
    clip_norm(list, slot);
    Stream& stream = compute_stream();
    stream.synchronize();
    Graph step = Graph::capture(stream, [&] { clip_norm(list, slot); });
    for (const double max_norm : {4.0, 0.5}) {
      list[0].copy_from(start);
      slot.copy_from(Tensor::full({1}, max_norm, dtype));
      step.replay(stream);
      std::vector<Tensor> want{start.clone()};
      clip_norm(want, max_norm);
      CHECK(same_bits(list[0], want[0]));
      CHECK_FALSE(same_bits(list[0], start));
    }
  }
}
#endif

TEST_CASE("clip_norm: many chunks: the accumulators of the second pass are all used") {
  const test::Guarded guarded;
  // 1100 tensors are 1100 chunks, more than the 1024 accumulators.
  std::vector<Tensor> tensors;
  double sum = 0;
  for (int i = 1; i <= 1100; ++i) {
    tensors.push_back(Tensor::full({1}, i % 13, DType::f64, Device::cpu()));
    sum += (i % 13) * (i % 13);
  }
  test::for_each_device(
      [&](Device device) { CHECK(global_norm(to(tensors, device)).item() == std::sqrt(sum)); });
}

TEST_CASE("clip_norm: small gradients keep their bits; squares beyond f32 are no infinity") {
  const test::Guarded guarded;
  test::for_each_device([&](Device) {
    const Tensor g = test::normals({1000}, DType::f32, 3);
    std::vector<Tensor> list{g.clone()};
    const Tensor norm = clip_norm(list, 1e3);
    CHECK(norm.item() > 10);
    CHECK(same_bits(list[0], g));

    std::vector<Tensor> large{Tensor::full({4}, 3e30)};
    CHECK(clip_norm(large, 1.0).item() == doctest::Approx(6e30));
    CHECK(test::largest_error(large[0], Tensor::full({4}, 0.5)) <= 1e-7);
  });
}

TEST_CASE("clip_norm: NaN and infinity do not hide") {
  test::for_each_device([&](Device) {
    for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
      std::vector<Tensor> list{Tensor::full({3}, 1.0), Tensor::full({2}, bad)};
      CHECK(!std::isfinite(clip_norm(list, 1.0).item()));
      CHECK(std::isnan(test::to_f64(list[1]).data<double>()[0]));
      CHECK(!(test::largest_error(list[0], Tensor::full({3}, 1.0)) <= 0.5));
    }
  });
}

TEST_CASE("clip_value: both bounds, NaN stays, the same bits everywhere") {
  const test::Guarded guarded;
  for (const DType dtype : {DType::f32, DType::f64}) {
    std::vector<Tensor> start = many(dtype);
    start.push_back(cast(Tensor::from<double>({std::nan(""), 0.75, -0.75, 0.5, -2}, {5}), dtype));
    std::vector<Tensor> want;
    for (const Tensor& t : start) {
      Tensor w = test::to_f64(t);
      double* p = w.mutable_data<double>();
      for (std::int64_t i = 0; i < w.numel(); ++i) {
        if (p[i] > 0.75) p[i] = 0.75;
        if (p[i] < -0.75) p[i] = -0.75;
      }
      want.push_back(cast(w, dtype));
    }
    test::for_each_device([&](Device device) {
      std::vector<Tensor> got = to(start, device);
      clip_value(got, Tensor::full({1}, 0.75));
      for (std::size_t i = 0; i + 1 < got.size(); ++i) CHECK(same_bits(got[i], want[i]));
      const Tensor last = test::to_f64(got.back());
      CHECK(std::isnan(last.data<double>()[0]));
      CHECK(last.data<double>()[1] == 0.75);
      CHECK(last.data<double>()[4] == -0.75);
    });
  }
}

TEST_CASE("clip: the number of threads does not change a bit") {
  const ContextScope scope;
  std::vector<Tensor> norms, results;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    std::vector<Tensor> list = many(DType::f32);
    norms.push_back(clip_norm(list, 0.5));
    results.push_back(list[186]);
  }
  for (std::size_t i = 1; i < 3; ++i) {
    CHECK(same_bits(norms[i], norms[0]));
    CHECK(same_bits(results[i], results[0]));
  }
}

TEST_CASE("clip: nothing to clip, and messages") {
  test::for_each_device([&](Device device) {
    std::vector<Tensor> none, empty{Tensor::zeros({0, 3}, DType::f64)};
    CHECK(clip_norm(none, 1.0).item() == 0);
    CHECK(global_norm(none).device() == device);
    CHECK(clip_norm(empty, 1.0).item() == 0);
    CHECK(global_norm(empty).dtype() == DType::f64);
  });
  std::vector<Tensor> mixed{Tensor::zeros({2}), Tensor::zeros({2}, DType::f64)};
  CHECK(test::error_of([&] { clip_norm(mixed, 1.0); }) ==
        "[clip_norm] tensor 1 is f64 on cpu but tensor 0 is f32 on cpu");
  std::vector<Tensor> undefined{Tensor()};
  CHECK(test::error_of([&] { clip_norm(undefined, 1.0); }) ==
        "[clip_norm] tensor 0 is undefined; was the gradient never computed?");
  std::vector<Tensor> half{Tensor::zeros({2}, DType::bf16)};
  CHECK(test::error_of([&] { global_norm(half); }) ==
        "[global_norm] does not take bf16; it takes f32, f64");
  test::for_each_device([](Device) {
    const Tensor shared = Tensor::zeros({4, 2});
    std::vector<Tensor> twice{shared.slice(2, 4), Tensor::zeros({3}), shared.slice(0, 1)};
    const Tensor limit = Tensor::full({1}, 1.0);
    const char* message =
        " tensors 2 and 0 share memory, and would be changed twice; give one of them a clone";
    CHECK(test::error_of([&] { clip_norm(twice, 1.0); }) == "[clip_norm]" + std::string(message));
    CHECK(test::error_of([&] { clip_value(twice, limit); }) ==
          "[clip_value]" + std::string(message));
    std::vector<Tensor> none{shared.slice(0, 0), shared.slice(0, 0), shared};
    CHECK(clip_norm(none, 1.0).item() == 0);  // nothing is in both
  });
  std::vector<Tensor> good{Tensor::zeros({2})};
  CHECK(test::error_of([&] { clip_norm(good, std::nan("")); }) ==
        "[clip_norm] max_norm must be positive, not nan");
  CHECK(test::error_of([&] { clip_norm(good, Tensor()); }) ==
        "[clip_norm] slots are undefined; it takes (1,) in f32 or f64");
  CHECK(test::error_of([&] { clip_value(good, Tensor::zeros({2})); }) ==
        "[clip_value] slots are (2,) f32; it takes (1,) in f32 or f64; were they made for another "
        "operation?");
}
