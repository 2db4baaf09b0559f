// Images: normalisation, pooling, resampling, padding, bytes; and tensors that are moved whole.
#include "kernels/batch_norm/batch_norm.h"
#include "kernels/concat/concat.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/group_norm/group_norm.h"
#include "kernels/image/image.h"
#include "kernels/pad/pad.h"
#include "kernels/permute/permute.h"
#include "kernels/pool/pool.h"
#include "kernels/resample/resample.h"
#include "tests/every_kernel/small.h"
#include "tests/kernels/index_inputs.h"
#include "tests/kernels/random.h"

namespace imago::test {
namespace {

using namespace kernels;

constexpr double eps = 1e-5;

// Enough rows for several blocks, whose parts are merged.
void batch_norms() {
  const Tensor x = normals({2, 21, 23, 12}, DType::f32, 1), dy = normals(x.shape(), DType::f32, 2);
  const Tensor gamma = normals({12}, DType::f32, 3), beta = normals({12}, DType::f32, 4);
  for (const std::int64_t groups : {1, 2}) {
    agree("batch_norm", {x, gamma, beta, dy}, [&](Tensors& a) {
      const Engine engine = engine_for(a[0]);
      const BatchNormResult y = batch_norm(a[0], a[1], a[2], eps, groups, engine);
      const BatchNormGrads d = batch_norm_grad(a[3], a[0], a[1], y.mean, y.invstd, groups, engine);
      return Tensors{y.y, y.mean, y.var, d.dx, d.dgamma, d.dbeta};
    });
  }
  const Tensor mean = normals({2, 12}, DType::f32, 5);
  const Tensor var = square(mean);
  agree("update_running, batch_norm_inference", {x, gamma, beta, mean, var}, [&](Tensors& a) {
    Tensor running_mean = Tensor::full({12}, 0.5, a[3].dtype());
    Tensor running_var = Tensor::full({12}, 2, a[3].dtype());
    update_running(running_mean, running_var, a[3], a[4], 10, 0.1);
    const Tensor y = batch_norm_inference(a[0], a[1], a[2], running_mean, running_var, eps, 0.2,
                                          engine_for(a[0]));
    return Tensors{running_mean, running_var, y};
  });
}

void norm(const NormProblem& problem, const Shape& shape) {
  const Tensor x = normals(shape, DType::f32, 6), dy = normals(shape, DType::f32, 7);
  const Tensor gamma = normals({problem.channels()}, DType::f32, 8);
  const Tensor beta = normals({problem.channels()}, DType::f32, 9);
  agree(problem.name, {x, gamma, beta, dy}, [&](Tensors& a) {
    const Engine engine = engine_for(a[0]);
    const NormResult y = normalise(problem, a[0], a[1], a[2], eps, engine);
    const NormGrads d = normalise_grad(problem, a[3], a[0], a[1], y.mean, y.invstd, true, engine);
    return Tensors{y.y, y.mean, y.invstd, d.dx, d.dgamma, d.dbeta};
  });
}

void group_norms() {
  norm(group_norm_problem({3, 5, 7, 12}, 4), {3, 5, 7, 12});
  norm(layer_norm_problem({9, 64}, {64}), {9, 64});
  norm(layer_norm_problem({2, 1500}, {1500}), {2, 1500});  // a block for a row
}

void pooling() {
  const Pool2dParams overlap{.kernel_h = 3, .kernel_w = 3, .pad = Padding::same(1)};
  const Tensor x = normals({2, 7, 6, 16}, DType::f32, 10);
  const MaxPool2dResult found = max_pool2d_reference(x, overlap);
  const Tensor dy = normals(found.y.shape(), DType::f32, 11);
  agree("max_pool2d", {x}, [&](Tensors& a) {
    const MaxPool2dResult y = max_pool2d(a[0], overlap);
    return Tensors{y.y, y.taps};
  });
  agree("max_pool2d_grad, pick", {x, dy, found.taps}, [&](Tensors& a) {
    return Tensors{max_pool2d_grad(a[1], a[2], 7, 6, overlap),
                   max_pool2d_pick(a[0], a[2], overlap)};
  });
  agree("avg_pool2d, grad", {x, dy}, [&](Tensors& a) {
    return Tensors{avg_pool2d(a[0], overlap), avg_pool2d_grad(a[1], 7, 6, overlap)};
  });
}

void resampling() {
  const Tensor x = normals({2, 4, 5, 8}, DType::f32, 12);
  for (const Filter filter : {Filter::nearest, Filter::bilinear, Filter::bilinear_antialias}) {
    agree(name_of(filter), {x}, [&](Tensors& a) {
      return Tensors{resample(a[0], 8, 11, filter), resample(a[0], 3, 2, filter),
                     resample_grad(a[0], 9, 3, filter)};
    });
  }
}

void padding() {
  const Padding sides{1, 2, 3, 0};
  const Tensor x = normals({2, 5, 7, 3}, DType::f32, 13);
  const Tensor dy = normals({2, 8, 10, 3}, DType::f32, 14);
  agree("pad, crop, flip", {x, dy}, [&](Tensors& a) {
    return Tensors{pad(a[0], sides, 0.5), crop(a[0], 1, 2, 3, 4), pad_reflect(a[0], sides),
                   pad_reflect_grad(a[1], sides), flip(a[0], 2)};
  });
}

void bytes() {
  const Tensor images = counted({2, 5, 7, 3}, DType::u8);
  agree("normalize_u8, denormalize_u8", {images, normalize_u8(images)}, [&](Tensors& a) {
    return Tensors{normalize_u8(a[0], a[1].dtype()), denormalize_u8(a[1])};
  });
}

void moves() {
  const Tensor x = normals({2, 19, 37, 3}, DType::f32, 15);
  for (const Engine engine : {Engine::naive, Engine::tiled}) {
    agree(std::string("permute, ") + name_of(engine), {x}, [&](Tensors& a) {
      return Tensors{permute(a[0], {0, 3, 1, 2}, engine_for(a[0], engine))};
    });
  }
}

void joins() {
  const Tensor x = normals({2, 5, 7, 6}, DType::f32, 16), y = normals({2, 5, 7, 3}, DType::f32, 17);
  agree("concat, slice, place", {x, y}, [&](Tensors& a) {
    return Tensors{concat(a, 3), slice(a[0], 2, 1, 5), place(a[1], 3, 2, 9)};
  });
}

}  // namespace

std::vector<Family> image_families() {
  return {{"batch_norm", batch_norms},
          {"group_norm", group_norms},
          {"pool", pooling},
          {"resample", resampling},
          {"pad", padding},
          {"image", bytes},
          {"permute", moves},
          {"concat", joins}};
}

}  // namespace imago::test
