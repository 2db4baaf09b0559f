#include "nn/gradient_penalty.h"

#include "autograd/engine.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/cast.h"
#include "autograd/ops/norm.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sum_to.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::loss {
namespace {

void require_batch(const char* op, const char* name, const Tensor& images) {
  check(images.defined(), op, name, " is undefined");
  check(images.dim() >= 2 && images.numel() > 0, op, name,
        " is a batch of images (N, H, W, C) or of rows (N, F), not ", images.shape());
  check(is_floating(images.dtype()), op, name, " is ", images.dtype(),
        ", which has no gradient; normalise images to floats first");
}

// d (sum of D's scores) / d images as (N, elements of an image), in acc_t. Part of a graph where
// the caller is recording; D has to be recorded in any case.
Var slopes(const char* op, const Critic& D, const Tensor& images) {
  check(bool(D), op, "D is an empty function");
  const bool create_graph = Context::current().record_gradients;
  const std::int64_t n = images.size(0);
  Var g;
  {
    const GradMode recording(true);
    const Var x = parameter(images);
    const Var scores = D(x);
    check(scores.defined() && scores.dim() >= 1 && scores.size(0) == n, op, "D gave scores ",
          scores.defined() ? scores.shape() : Shape{}, " for ", n,
          " images; their outermost extent is the number of images: return what D says of each, "
          "not a mean");
    g = grad({ops::sum(scores)}, {x}, {}, {.create_graph = create_graph})[0];
  }
  return ops::cast(ops::reshape(g, {n, -1}), acc_dtype(images.dtype()));
}

}  // namespace

Var gradient_penalty(const Critic& D, const Tensor& real, const Tensor& fake, const Tensor& mix,
                     double target) {
  const char* op = "gradient_penalty";
  require_batch(op, "real", real);
  require_batch(op, "fake", fake);
  check(real.shape() == fake.shape() && real.dtype() == fake.dtype(), op, "real is ", real.dtype(),
        " ", real.shape(), " but fake is ", fake.dtype(), " ", fake.shape(),
        "; each point lies between one real and one fake image");
  const std::int64_t n = real.size(0);
  check(mix.defined() && mix.shape() == Shape{n} && mix.dtype() == real.dtype(), op,
        "mix is one number for each image, ", real.dtype(), " ", Shape{n}, ", not ",
        mix.defined() ? mix.dtype() : DType::f32, " ", mix.defined() ? mix.shape() : Shape{});
  check(target >= 0, op, "target is a norm, 0 or more, not ", target);

  Shape column = real.shape();  // (N, 1, 1, 1)
  for (int i = 1; i < column.dim(); ++i) column.set(i, 1);
  const Tensor of_real = mix.reshape(column);
  const Tensor of_fake = kernels::add_scalar(kernels::neg(of_real), 1);
  const Tensor between = kernels::add(kernels::mul(of_real, real), kernels::mul(of_fake, fake));
  const Var norms = ops::norm(slopes(op, D, between), 2, {1});  // (N)
  return ops::mean(ops::square(ops::add_scalar(norms, -target)));
}

Var r1_penalty(const Critic& D, const Tensor& real) {
  require_batch("r1_penalty", "real", real);
  const Var squares = ops::square(slopes("r1_penalty", D, real));
  return ops::scale(ops::sum(squares), 1.0 / static_cast<double>(real.size(0)));
}

}  // namespace imago::loss
