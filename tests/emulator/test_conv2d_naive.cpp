#include "kernels/conv2d/cases.h"
#include "kernels/conv2d/conv2d_cuda.h"
#include "tests/emulator/kernels.h"
#include "tests/kernels/random.h"

using namespace imago;
using namespace imago::kernels;

namespace {

const Conv2dPass passes[] = {Conv2dPass::forward, Conv2dPass::input_grad, Conv2dPass::weight_grad};

struct Operands {
  Tensor x, w, y;
};

template <class Make>
Operands operands(const Conv2dCase& c, DType dtype, Make&& make) {
  return {make(c.x(), dtype, 1), make(c.w(), dtype, 2), make(c.y(), dtype, 3)};
}

// Operands are copied to heap memory of their exact size, where a sanitizer sees the first element
// too many; a tensor's memory is rounded up.
template <class T>
std::vector<T> exact(const Tensor& t) {
  return {t.data<T>(), t.data<T>() + t.numel()};
}

template <class T>
Tensor tensor_of(const std::vector<T>& values, const Shape& shape) {
  return Tensor::from<T>(values, shape);
}

// The pass on the emulator, in the order of execution in force.
template <class T, class Out = T>
Tensor naive(Conv2dPass pass, const Conv2dCase& c, const Operands& o) {
  const auto x = exact<T>(o.x), w = exact<T>(o.w), y = exact<T>(o.y);
  const Shape shape = pass == Conv2dPass::forward      ? c.y()
                      : pass == Conv2dPass::input_grad ? c.x()
                                                       : c.w();
  std::vector<Out> out(static_cast<std::size_t>(shape.numel()));
  test::fill_with_nan(out);
  Stream stream;
  if constexpr (std::is_same_v<T, Out>) {
    if (pass == Conv2dPass::forward) {
      conv2d_naive(stream, c.problem(), x.data(), w.data(), out.data());
    }
    if (pass == Conv2dPass::input_grad) {
      conv2d_input_grad_naive(stream, c.problem(), y.data(), w.data(), out.data());
    }
  }
  if (pass == Conv2dPass::weight_grad) {
    conv2d_weight_grad_naive(stream, c.problem(), x.data(), y.data(), out.data());
  }
  stream.synchronize();
  return tensor_of(out, shape);
}

Tensor reference(Conv2dPass pass, const Conv2dCase& c, const Operands& o, DType weight_dtype) {
  switch (pass) {
    case Conv2dPass::forward:
      return conv2d(o.x, o.w, c.params, Engine::reference);
    case Conv2dPass::input_grad:
      return conv2d_input_grad(o.y, o.w, c.H, c.W, c.params, Engine::reference);
    case Conv2dPass::weight_grad:
      return conv2d_weight_grad(o.x, o.y, c.R, c.S, c.params, weight_dtype, Engine::reference);
  }
  return {};
}

// Calls f with a type and its name for each dtype of the support matrix.
template <class F>
void for_each_dtype(F&& f) {
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
    CAPTURE(dtype);
    dispatch<float, double, bf16>(dtype, "test", f);
  }
}

}  // namespace

TEST_CASE("conv2d naive equals the reference on small integers, all passes and dtypes") {
  for (const Conv2dCase& c : conv2d_cases()) {
    CAPTURE(c.name);
    for_each_dtype([&]<class T> {
      const Operands o = operands(c, dtype_of<T>(), test::small_integers);
      for (const Conv2dPass pass : passes) {
        CAPTURE(name_of(pass));
        CHECK(same_bits(naive<T>(pass, c, o), reference(pass, c, o, dtype_of<T>())));
      }
    });
  }
}

TEST_CASE("conv2d naive gives a bf16 weight gradient in f32") {
  for (const Conv2dCase& c : conv2d_cases()) {
    CAPTURE(c.name);
    const Operands o = operands(c, DType::bf16, test::small_integers);
    const Tensor out = naive<bf16, float>(Conv2dPass::weight_grad, c, o);
    CHECK(same_bits(out, reference(Conv2dPass::weight_grad, c, o, DType::f32)));
  }
}

TEST_CASE("conv2d naive stays within the error bound on random numbers") {
  for (const Conv2dCase& c : conv2d_cases()) {
    CAPTURE(c.name);
    for_each_dtype([&]<class T> {
      const DType dtype = dtype_of<T>();
      const Operands o = operands(c, dtype, test::normals);
      const Operands wide{test::to_f64(o.x), test::to_f64(o.w), test::to_f64(o.y)};
      for (const Conv2dPass pass : passes) {
        CAPTURE(name_of(pass));
        const Tensor expected = reference(pass, c, wide, DType::f64);
        const double error = test::largest_error(naive<T>(pass, c, o), expected);
        CHECK(error <= c.tolerance(pass, dtype, test::largest(expected)));
      }
    });
  }
}

TEST_CASE("conv2d naive gives the same bits in every order of execution") {
  for (const Conv2dCase& c : conv2d_cases()) {
    CAPTURE(c.name);
    const Operands o = operands(c, DType::f32, test::normals);
    for (const Conv2dPass pass : passes) {
      CAPTURE(name_of(pass));
      const Tensor forward = naive<float>(pass, c, o);
      for (const auto& [order, seed] : test::orders) {
        const emulator::ScheduleScope scope(order, seed);
        CHECK(same_bits(naive<float>(pass, c, o), forward));
      }
    }
  }
}

TEST_CASE("conv2d naive refuses extents that its indices cannot hold") {
  Conv2dProblem problem = conv2d_problem("test", Shape{1, 2, 2, 1}, Shape{1, 1, 1, 1}, {});
  problem.params.stride_h = 1 << 30;
  float x[4] = {}, w[1] = {}, y[4] = {};
  Stream stream;
  CHECK_THROWS_WITH(conv2d_naive(stream, problem, x, w, y),
                    "[conv2d] the naive engine takes extents below 2^30, not 1073741824");
}
