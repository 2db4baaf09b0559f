// Convolutions and matrix products, on each of their engines. Small integers, so that the results
// are exact.
#include "kernels/conv2d/conv2d.h"
#include "kernels/gemm/gemm.h"
#include "tests/every_kernel/small.h"
#include "tests/kernels/random.h"

namespace imago::test {
namespace {

using namespace kernels;

constexpr Engine engines[] = {Engine::naive, Engine::tiled, Engine::blocked};

void convolutions() {
  const Conv2dParams halve{.stride_h = 2, .stride_w = 2, .pad = Padding::same(1)};
  const Tensor x = small_integers({2, 8, 8, 4}, DType::f32, 1);
  const Tensor w = small_integers({8, 4, 4, 4}, DType::f32, 2);
  const Tensor y = small_integers({2, 4, 4, 8}, DType::f32, 3);
  for (const Engine engine : engines) {
    const std::string name = name_of(engine);
    agree("conv2d, " + name, {x, w},
          [&](Tensors& a) { return Tensors{conv2d(a[0], a[1], halve, engine_for(a[0], engine))}; });
    agree("conv2d_input_grad, " + name, {y, w}, [&](Tensors& a) {
      return Tensors{conv2d_input_grad(a[0], a[1], 8, 8, halve, engine_for(a[0], engine))};
    });
    agree("conv2d_weight_grad, " + name, {x, y}, [&](Tensors& a) {
      const Engine chosen = engine_for(a[0], engine);
      return Tensors{conv2d_weight_grad(a[0], a[1], 4, 4, halve, a[0].dtype(), chosen)};
    });
  }
}

// The depth is long enough to be split among blocks.
void matrix_products() {
  const Tensor a = small_integers({20, 260}, DType::f32, 4);
  const Tensor b = small_integers({260, 24}, DType::f32, 5);
  for (const Engine engine : engines) {
    agree(std::string("gemm, ") + name_of(engine), {a, b}, [&](Tensors& of) {
      return Tensors{gemm(of[0], of[1], Transpose::no, Transpose::no, engine_for(of[0], engine))};
    });
  }
}

}  // namespace

std::vector<Family> product_families() {
  return {{"conv2d", convolutions}, {"gemm", matrix_products}};
}

}  // namespace imago::test
