#include "kernels/batch_norm/batch_norm.h"

#include <cmath>

#include "kernels/batch_norm/engines.h"
#include "kernels/cuda_build.h"
#include "tensor/op_range.h"

namespace imago::kernels {

namespace {

void check_parameter(const char* op, const char* name, const Tensor& t, const Shape& shape,
                     const Tensor& x) {
  check(t.defined(), op, name, " is undefined");
  check(t.shape() == shape, op, "expects ", name, " of shape ", shape, " for x ", x.shape(),
        ", but it is ", t.shape(), "; was the layer made for another number of channels?");
  check(t.dtype() == acc_dtype(x.dtype()), op, "expects ", name, " in ", acc_dtype(x.dtype()),
        " for x in ", x.dtype(), ", but it is ", t.dtype(),
        "; parameters and statistics are not cast down");
  check(t.device() == x.device(), op, name, " is on ", t.device(), " but x is on ", x.device());
}

// Checks x and says how it splits into groups.
BatchNormProblem problem_of(const char* op, const Tensor& x, std::int64_t stat_groups) {
  check(x.defined(), op, "x is undefined");
  check(is_floating(x.dtype()), op, "does not take ", x.dtype(), "; it takes f32, f64, bf16");
  check(x.dim() >= 2, op, "expects x (N, ..., C) of at least two dimensions, but it is ",
        x.shape());
  check(x.size(-1) >= 1, op, "x has no channels: it is ", x.shape());
  check(stat_groups >= 1 && x.size(0) % stat_groups == 0, op, "cannot split the batch of x ",
        x.shape(), " into stat_groups=", stat_groups, " equal parts");
  return {stat_groups, x.numel() / x.size(-1) / stat_groups, x.size(-1)};
}

void check_like_x(const char* op, const char* name, const Tensor& t, const Tensor& x) {
  check(t.defined(), op, name, " is undefined");
  check(t.shape() == x.shape() && t.dtype() == x.dtype(), op, "expects ", name, " like x ",
        x.shape(), " ", x.dtype(), ", but it is ", t.shape(), " ", t.dtype());
  check(t.device() == x.device(), op, name, " is on ", t.device(), " but x is on ", x.device());
}

Engine choose(const char* op, const Tensor& x, Engine asked) {
  const auto describe = [&] { return "x " + x.shape().to_string(); };
  const double elements = static_cast<double>(x.numel());
  if (x.device().is_cuda()) {
    const CudaEngine engines[] = {{Engine::tiled, true, "every problem"}};
    return choose_cuda_engine(op, asked, {x.dtype(), 8 * elements, describe}, engines);
  }
  return choose_cpu_engine(op, asked,
                           {.dtype = x.dtype(),
                            .direct = x.dtype() != DType::f64,
                            .direct_takes = "f32 and bf16",
                            .reference_seconds = 1e-8 * elements,
                            .describe = describe});
}

BatchNormResult forward(const char* op, const Tensor& x, const Tensor& gamma, const Tensor& beta,
                        double eps, double slope, std::int64_t stat_groups, Engine engine) {
  const BatchNormProblem problem = problem_of(op, x, stat_groups);
  const Shape per_channel{problem.channels}, per_group{problem.groups, problem.channels};
  check_parameter(op, "gamma", gamma, per_channel, x);
  check_parameter(op, "beta", beta, per_channel, x);
  check(eps >= 0, op, "expects eps >= 0, but it is ", eps);
  check(problem.rows >= 2, op, "needs more than one value per channel, but x is ", x.shape(),
        " with stat_groups=", stat_groups,
        "; its variance would be 0. Use a larger batch, or inference statistics");
  const OpRange range(op, x.device());
  const DType acc = gamma.dtype();
  const Device device = x.device();
  BatchNormResult out{Tensor::empty(x.shape(), x.dtype(), device),
                      Tensor::empty(per_group, acc, device), Tensor::empty(per_group, acc, device),
                      Tensor::empty(per_group, acc, device)};
  const Engine chosen = choose(op, x, engine);
  if constexpr (cuda_build) {
    if (chosen == Engine::tiled) {
      batch_norm_statistics_cuda(problem, x, eps, out.mean, out.invstd, out.var);
      batch_norm_apply_cuda(problem, x, gamma, beta, out.mean, out.invstd, slope, out.y);
    }
  }
  if (chosen == Engine::direct) batch_norm_direct(problem, x, gamma, beta, eps, slope, out);
  if (chosen == Engine::reference) batch_norm_reference(problem, x, gamma, beta, eps, slope, out);
  return out;
}

BatchNormGrads backward(const char* op, const Tensor& dy, const Tensor& x, const Tensor& gamma,
                        const Tensor& beta, const Tensor& mean, const Tensor& invstd, double slope,
                        std::int64_t stat_groups, Engine engine) {
  const BatchNormProblem problem = problem_of(op, x, stat_groups);
  const Shape per_channel{problem.channels}, per_group{problem.groups, problem.channels};
  check_like_x(op, "dy", dy, x);
  check_parameter(op, "gamma", gamma, per_channel, x);
  check_parameter(op, "beta", beta, per_channel, x);
  check_parameter(op, "mean", mean, per_group, x);
  check_parameter(op, "invstd", invstd, per_group, x);
  check(problem.rows >= 2, op, "needs more than one value per channel, but x is ", x.shape(),
        " with stat_groups=", stat_groups);
  const OpRange range(op, x.device());
  const Device device = x.device();
  BatchNormGrads out{Tensor::empty(x.shape(), x.dtype(), device),
                     Tensor::empty(per_channel, gamma.dtype(), device),
                     Tensor::empty(per_channel, gamma.dtype(), device)};
  const Engine chosen = choose(op, x, engine);
  if constexpr (cuda_build) {
    if (chosen == Engine::tiled) {
      batch_norm_grad_cuda(problem, dy, x, gamma, beta, mean, invstd, slope, out);
    }
  }
  if (chosen == Engine::direct) {
    batch_norm_grad_direct(problem, dy, x, gamma, beta, mean, invstd, slope, out);
  }
  if (chosen == Engine::reference) {
    batch_norm_grad_reference(problem, dy, x, gamma, beta, mean, invstd, slope, out);
  }
  return out;
}

}  // namespace

BatchNormResult batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, double eps,
                           std::int64_t stat_groups, Engine engine) {
  return forward("batch_norm", x, gamma, beta, eps, 1.0, stat_groups, engine);
}

BatchNormResult batch_norm_lrelu(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                                 double eps, double slope, std::int64_t stat_groups,
                                 Engine engine) {
  return forward("batch_norm_lrelu", x, gamma, beta, eps, slope, stat_groups, engine);
}

BatchNormGrads batch_norm_grad(const Tensor& dy, const Tensor& x, const Tensor& gamma,
                               const Tensor& mean, const Tensor& invstd, std::int64_t stat_groups,
                               Engine engine) {
  // beta only moves the kink of an activation, and at slope 1 there is none.
  return backward("batch_norm_grad", dy, x, gamma, gamma, mean, invstd, 1.0, stat_groups, engine);
}

BatchNormGrads batch_norm_lrelu_grad(const Tensor& dy, const Tensor& x, const Tensor& gamma,
                                     const Tensor& beta, const Tensor& mean, const Tensor& invstd,
                                     double slope, std::int64_t stat_groups, Engine engine) {
  return backward("batch_norm_lrelu_grad", dy, x, gamma, beta, mean, invstd, slope, stat_groups,
                  engine);
}

Tensor batch_norm_inference(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                            const Tensor& running_mean, const Tensor& running_var, double eps,
                            double slope, Engine engine) {
  const char* op = "batch_norm_inference";
  const BatchNormProblem problem = problem_of(op, x, 1);
  const Shape per_channel{problem.channels};
  check_parameter(op, "gamma", gamma, per_channel, x);
  check_parameter(op, "beta", beta, per_channel, x);
  check_parameter(op, "running_mean", running_mean, per_channel, x);
  check_parameter(op, "running_var", running_var, per_channel, x);
  check(eps >= 0, op, "expects eps >= 0, but it is ", eps);
  const OpRange range(op, x.device());
  const Engine chosen = choose(op, x, engine);
  Tensor invstd = Tensor::empty_like(running_var);
  Tensor y = Tensor::empty_like(x);
  if constexpr (cuda_build) {
    if (chosen == Engine::tiled) {
      if (x.numel() == 0) return y;
      invstd_cuda(running_var, eps, invstd);
      batch_norm_apply_cuda(problem, x, gamma, beta, running_mean, invstd, slope, y);
      return y;
    }
  }
  dispatch<float, double>(running_var.dtype(), op, [&]<class A>() {
    const A* var = running_var.data<A>();
    A* out = invstd.mutable_data<A>();
    for (std::int64_t c = 0; c < problem.channels; ++c)
      out[c] = static_cast<A>(1.0 / std::sqrt(static_cast<double>(var[c]) + eps));
  });
  if (chosen == Engine::direct) {
    batch_norm_apply_direct(problem, x, gamma, beta, running_mean, invstd, slope, y);
  } else {
    batch_norm_apply_reference(problem, x, gamma, beta, running_mean, invstd, slope, y);
  }
  return y;
}

void update_running(Tensor& running_mean, Tensor& running_var, const Tensor& mean,
                    const Tensor& var, std::int64_t count, double momentum, bool unbiased) {
  const char* op = "update_running";
  check(mean.defined() && mean.dim() == 2, op, "expects mean (G, C), but it is ", mean.shape());
  check(var.defined() && var.shape() == mean.shape() && var.dtype() == mean.dtype() &&
            var.device() == mean.device(),
        op, "expects var like mean ", mean.shape(), " ", mean.dtype(), ", but it is ", var.shape(),
        " ", var.dtype());
  const std::int64_t groups = mean.size(0), channels = mean.size(1);
  for (const Tensor* running : {&running_mean, &running_var}) {
    check(running->defined() && running->shape() == Shape{channels} &&
              running->dtype() == mean.dtype() && running->device() == mean.device(),
          op, "expects running statistics (", channels, ") ", mean.dtype(), " for mean ",
          mean.shape(), ", but one is ", running->shape(), " ", running->dtype());
  }
  check(!running_mean.shares_storage(running_var), op,
        "running_mean and running_var share one storage");
  check(count >= (unbiased ? 2 : 1), op, "cannot take the variance of count=", count,
        " values per channel");
  check(momentum >= 0 && momentum <= 1, op, "expects momentum in [0, 1], but it is ", momentum);
  const OpRange range(op, mean.device());
  const double n = static_cast<double>(count);
  const RunningUpdate update{1.0 - momentum, momentum, unbiased ? n / (n - 1.0) : 1.0};
  if constexpr (cuda_build) {
    if (mean.device().is_cuda()) {
      update_running_cuda(update, mean, var, running_mean, running_var);
      return;
    }
  }
  dispatch<float, double>(mean.dtype(), op, [&]<class A>() {
    const A* pm = mean.data<A>();
    const A* pv = var.data<A>();
    A* rm = running_mean.mutable_data<A>();
    A* rv = running_var.mutable_data<A>();
    const A kept = static_cast<A>(update.kept), fresh = static_cast<A>(update.fresh);
    const A bessel = static_cast<A>(update.bessel);
    for (std::int64_t g = 0; g < groups; ++g)
      for (std::int64_t c = 0; c < channels; ++c) {
        rm[c] = kept * rm[c] + fresh * pm[g * channels + c];
        rv[c] = kept * rv[c] + fresh * (bessel * pv[g * channels + c]);
      }
  });
}

}  // namespace imago::kernels
