#include "kernels/group_norm/group_norm.h"

#include <algorithm>
#include <vector>

#include "kernels/cuda_build.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/group_norm/engines.h"
#include "kernels/parallel.h"
#include "tensor/op_range.h"

namespace imago::kernels {
namespace {

void check_numbers(const NormProblem& p, const char* what, const Tensor& t, std::int64_t count,
                   const Tensor& x) {
  check(t.defined() && t.numel() == count, p.name, "expects ", what, " of ", count,
        " elements for x ", x.shape(), ", but it is ", t.shape(),
        "; was the layer made for another number of channels?");
  check(t.dtype() == acc_dtype(x.dtype()), p.name, "expects ", what, " in ", acc_dtype(x.dtype()),
        " for x in ", x.dtype(), ", but it is ", t.dtype(),
        "; parameters and statistics are not cast down");
  check(t.device() == x.device(), p.name, what, " is on ", t.device(), " but x is on ", x.device());
}

// gamma or beta, or a tensor of what stands for an undefined one.
Tensor parameter_or(const NormProblem& p, const char* what, const Tensor& t, double value,
                    const Tensor& x) {
  if (!t.defined()) return full({p.channels()}, value, acc_dtype(x.dtype()), x.device());
  check_numbers(p, what, t, p.channels(), x);
  return t;
}

void check_x(const NormProblem& p, const Tensor& x) {
  check(x.defined(), p.name, "x is undefined");
  check(is_floating(x.dtype()), p.name, "does not take ", x.dtype(), "; it takes f32, f64, bf16");
  check(x.numel() == p.images * p.pixels * p.channels(), p.name, "the problem is not that of x ",
        x.shape());
  check(p.terms() >= 2, p.name, "needs more than one value in a group, but x is ", x.shape(),
        " with groups=", p.groups, "; the variance would be 0");
}

Engine choose(const NormProblem& p, const Tensor& x, Engine asked) {
  const auto describe = [&] { return "x " + x.shape().to_string(); };
  const double elements = static_cast<double>(x.numel());
  if (x.device().is_cuda()) {
    const CudaEngine engines[] = {{Engine::tiled, true, "every problem"}};
    return choose_cuda_engine(p.name, asked, {x.dtype(), 8 * elements, describe}, engines);
  }
  return choose_cpu_engine(p.name, asked,
                           {.dtype = x.dtype(),
                            .direct = p.pixels == 1 || x.dtype() != DType::f64,
                            .direct_takes = "f32, bf16, and f64 of one pixel",
                            .reference_seconds = 1e-8 * elements,
                            .describe = describe});
}

// Images of one pixel: parts of whole images, a number of them that depends on the problem only.
struct Parts {
  std::int64_t count, images;  // parts, and images in each but the last
};
Parts parts_of(const NormProblem& p) {
  const std::int64_t grain = std::max<std::int64_t>(1, default_grain / p.channels());
  const std::int64_t images = std::max(grain, ceil_div(p.images, 64));
  return {ceil_div(p.images, images), images};
}

void rows_direct(const NormProblem& p, const NormRowsCall& whole, const Parts& parts,
                 std::vector<double>* sums) {
  parallel_for(parts.count, [&](std::int64_t part) {
    NormRowsCall call = whole;
    const std::int64_t first = part * parts.images;
    call.first = first * p.groups;
    call.rows = std::min(parts.images, p.images - first) * p.groups;
    if (sums) {
      call.dgamma = sums->data() + part * 2 * p.channels();
      call.dbeta = call.dgamma + p.channels();
    }
    run_norm_rows(call);
  });
}

void* data_of(Tensor& t) {
  return t.mutable_bytes();
}

void forward_direct(const NormProblem& p, const Tensor& x, const Tensor& gamma, const Tensor& beta,
                    double eps, NormResult& out) {
  if (p.pixels == 1) {
    rows_direct(p,
                {.dtype = x.dtype(),
                 .first = 0,
                 .rows = 0,
                 .groups = p.groups,
                 .width = p.width,
                 .x = x.bytes(),
                 .dy = nullptr,
                 .gamma = gamma.bytes(),
                 .beta = beta.bytes(),
                 .mean = data_of(out.mean),
                 .invstd = data_of(out.invstd),
                 .eps = eps,
                 .out = data_of(out.y),
                 .dgamma = nullptr,
                 .dbeta = nullptr},
                parts_of(p), nullptr);
  } else if (x.dtype() == DType::f32) {
    normalise_images(p, x, gamma, beta, eps, out);
  } else {  // bf16, by way of f32
    NormResult wide{Tensor::empty(x.shape(), DType::f32, x.device()), out.mean, out.invstd};
    normalise_images(p, cast(x, DType::f32), gamma, beta, eps, wide);
    out.y = cast(wide.y, x.dtype());
  }
}

void backward_direct(const NormProblem& p, const Tensor& dy, const Tensor& x, const Tensor& gamma,
                     Tensor mean, Tensor invstd, NormGrads& out) {
  if (p.pixels > 1 && x.dtype() == DType::f32) {
    normalise_images_grad(p, dy, x, gamma, mean, invstd, out);
    return;
  }
  if (p.pixels > 1) {
    NormGrads wide{Tensor::empty(x.shape(), DType::f32, x.device()), out.dgamma, out.dbeta};
    normalise_images_grad(p, cast(dy, DType::f32), cast(x, DType::f32), gamma, mean, invstd, wide);
    out.dx = cast(wide.dx, x.dtype());
    return;
  }
  const Parts parts = parts_of(p);
  const bool wanted = out.dgamma.defined();
  std::vector<double> sums(
      wanted ? static_cast<std::size_t>(parts.count * 2 * p.channels()) : std::size_t{0}, 0.0);
  dispatch<float, double>(gamma.dtype(), p.name, [&]<class A> {
    rows_direct(p,
                {.dtype = x.dtype(),
                 .first = 0,
                 .rows = 0,
                 .groups = p.groups,
                 .width = p.width,
                 .x = x.bytes(),
                 .dy = dy.bytes(),
                 .gamma = gamma.bytes(),
                 .beta = nullptr,
                 .mean = const_cast<std::byte*>(mean.bytes()),  // read only by the gradient
                 .invstd = const_cast<std::byte*>(invstd.bytes()),
                 .eps = 0,
                 .out = data_of(out.dx),
                 .dgamma = nullptr,
                 .dbeta = nullptr},
                parts, wanted ? &sums : nullptr);
    if (!wanted) return;
    A *dgamma = out.dgamma.mutable_data<A>(), *dbeta = out.dbeta.mutable_data<A>();
    parallel_ranges(p.channels(), 4096, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t c = begin; c < end; ++c) {
        double of_gamma = 0, of_beta = 0;
        for (std::int64_t part = 0; part < parts.count; ++part) {
          of_gamma += sums[static_cast<std::size_t>(part * 2 * p.channels() + c)];
          of_beta += sums[static_cast<std::size_t>((part * 2 + 1) * p.channels() + c)];
        }
        dgamma[c] = static_cast<A>(of_gamma);
        dbeta[c] = static_cast<A>(of_beta);
      }
    });
  });
}

}  // namespace

NormProblem group_norm_problem(const Shape& x, std::int64_t groups) {
  const char* op = "group_norm";
  check(x.dim() >= 2, op, "expects x (N, ..., C) of at least two dimensions, but it is ", x);
  check(groups >= 1 && x[-1] >= 1 && x[-1] % groups == 0, op, "cannot split the ", x[-1],
        " channels of x ", x, " into groups=", groups, " equal groups");
  std::int64_t pixels = 1;
  for (int i = 1; i < x.dim() - 1; ++i) pixels *= x[i];
  return {op, x[0], pixels, groups, x[-1] / groups};
}

NormProblem layer_norm_problem(const Shape& x, const Shape& normalised) {
  const char* op = "layer_norm";
  const int outer = x.dim() - normalised.dim();
  bool fits = outer >= 0 && normalised.dim() > 0;
  for (int i = 0; fits && i < normalised.dim(); ++i) fits = x[outer + i] == normalised[i];
  check(fits, op, "x ", x, " does not end in the normalised dimensions ", normalised);
  std::int64_t rows = 1;
  for (int i = 0; i < outer; ++i) rows *= x[i];
  return {op, rows, 1, 1, normalised.numel()};
}

NormResult normalise(const NormProblem& p, const Tensor& x, const Tensor& gamma, const Tensor& beta,
                     double eps, Engine engine) {
  check_x(p, x);
  check(eps >= 0, p.name, "expects eps >= 0, but it is ", eps);
  const Tensor g = parameter_or(p, "gamma", gamma, 1, x), b = parameter_or(p, "beta", beta, 0, x);
  const OpRange range(p.name, x.device());
  const Shape statistics{p.images, p.groups};
  NormResult out{Tensor::empty_like(x), Tensor::empty(statistics, g.dtype(), x.device()),
                 Tensor::empty(statistics, g.dtype(), x.device())};
  if (x.numel() == 0) return out;
  const Engine chosen = choose(p, x, engine);
  if constexpr (cuda_build) {
    if (chosen == Engine::tiled && p.pixels == 1) normalise_rows_cuda(p, x, g, b, eps, out);
    if (chosen == Engine::tiled && p.pixels > 1) normalise_images_cuda(p, x, g, b, eps, out);
  }
  if (chosen == Engine::direct) forward_direct(p, x, g, b, eps, out);
  if (chosen == Engine::reference) normalise_reference(p, x, g, b, eps, out);
  return out;
}

NormGrads normalise_grad(const NormProblem& p, const Tensor& dy, const Tensor& x,
                         const Tensor& gamma, const Tensor& mean, const Tensor& invstd,
                         bool parameters, Engine engine) {
  check_x(p, x);
  check(dy.defined(), p.name, "dy is undefined; was backward run?");
  check(dy.shape() == x.shape() && dy.dtype() == x.dtype() && dy.device() == x.device(), p.name,
        "expects dy like x ", x.shape(), " ", x.dtype(), " on ", x.device(), ", but it is ",
        dy.shape(), " ", dy.dtype(), " on ", dy.device());
  const Tensor g = parameter_or(p, "gamma", gamma, 1, x);
  check_numbers(p, "mean", mean, p.images * p.groups, x);
  check_numbers(p, "invstd", invstd, p.images * p.groups, x);
  const OpRange range(p.name, x.device());
  NormGrads out{Tensor::empty_like(x), {}, {}};
  if (parameters) {
    out.dgamma = Tensor::empty(g.shape(), g.dtype(), x.device());
    out.dbeta = Tensor::empty(g.shape(), g.dtype(), x.device());
  }
  if (x.numel() == 0) {
    if (parameters) fill(out.dgamma, 0), fill(out.dbeta, 0);
    return out;
  }
  const Engine chosen = choose(p, x, engine);
  if constexpr (cuda_build) {
    if (chosen == Engine::tiled && p.pixels == 1) {
      normalise_rows_grad_cuda(p, dy, x, g, mean, invstd, out.dx);
      if (parameters) {
        normalise_rows_parameters_cuda(p, dy, x, mean, invstd, out.dgamma, out.dbeta);
      }
    }
    if (chosen == Engine::tiled && p.pixels > 1) {
      normalise_images_grad_cuda(p, dy, x, g, mean, invstd, out);
    }
  }
  if (chosen == Engine::direct) backward_direct(p, dy, x, g, mean, invstd, out);
  if (chosen == Engine::reference) normalise_grad_reference(p, dy, x, g, mean, invstd, out);
  return out;
}

}  // namespace imago::kernels
