// What operations tell profilers, on every device.
#include <doctest/doctest.h>

#include "kernels/conv2d/conv2d.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/gemm/gemm.h"
#include "kernels/optimizer/adam.h"
#include "kernels/peak/peak.h"
#include "tensor/profiler.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

namespace {

ProfileRow row_of(ProfilerScope& profiler, const std::string& op) {
  for (const ProfileRow& row : profiler.rows()) {
    if (row.op == op) return row;
  }
  FAIL("there is no row of " << op);
  return {};
}

}  // namespace

TEST_CASE("profile: the trio of convolutions and gemm state their arithmetic") {
  for_each_device([](Device) {
    const Tensor x = normals({2, 8, 8, 4}, DType::f32, 1), w = normals({6, 4, 4, 4}, DType::f32, 2);
    const Conv2dParams params{.stride_h = 2, .stride_w = 2, .pad = Padding::same(1)};
    const Tensor a = normals({5, 7}, DType::f32, 3), b = normals({7, 3}, DType::f32, 4);
    ProfilerScope profiler;
    const Tensor y = kernels::conv2d(x, w, params);
    kernels::conv2d_input_grad(y, w, 8, 8, params);
    kernels::conv2d_weight_grad(x, y, 4, 4, params, DType::f32);
    kernels::gemm(a, b, kernels::Transpose::no, kernels::Transpose::no);
    const double flops = 2.0 * 2 * 4 * 4 * 6 * 4 * 4 * 4;
    for (const char* op : {"conv2d", "conv2d_input_grad", "conv2d_weight_grad"}) {
      CAPTURE(op);
      CHECK(row_of(profiler, op).calls == 1);
      CHECK(row_of(profiler, op).flops == flops);
      CHECK(row_of(profiler, op).bytes ==
            static_cast<double>(x.nbytes() + w.nbytes() + y.nbytes()));
    }
    CHECK(row_of(profiler, "gemm").flops == 2.0 * 5 * 7 * 3);
    CHECK(row_of(profiler, "gemm").bytes == 4.0 * (5 * 7 + 7 * 3 + 5 * 3));
  });
}

TEST_CASE("profile: elementwise operations touch each operand once, in place too") {
  for_each_device([](Device device) {
    const Tensor x = normals({1000}, DType::f32, 1);
    Tensor sum = normals({1000}, DType::f32, 2);
    ProfilerScope profiler;
    kernels::tanh(x);
    kernels::add_into(sum, x);
    CHECK(row_of(profiler, "tanh").bytes == 8000);
    CHECK(row_of(profiler, "add_into").bytes >= 8000);
    const std::string trace = profiler.chrome_trace();
    CHECK(contains(trace, device.is_cuda() ? "\"tid\":2,\"ts\"" : "\"tid\":1,\"ts\""));
    CHECK(contains(profiler.report(),
                   device.is_cuda() ? "Device time between two events" : "host's clock"));
  });
}

TEST_CASE("profile: many operations on a device between two reports") {
  for_each_device([](Device) {
    const Tensor x = normals({8}, DType::f32, 1);
    ProfilerScope profiler({.trace_events = 10});
    for (int i = 0; i < 5000; ++i) kernels::tanh(x);
    CHECK(row_of(profiler, "tanh").calls == 5000);
    CHECK(row_of(profiler, "tanh").milliseconds > 0);
  });
}

TEST_CASE("peak: what is measured is a speed") {
  CHECK(kernels::measure_fma_peak(1) > 0.05);
  CHECK(kernels::measure_copy(std::int64_t{1} << 20) > 1e7);
}
