#include "kernels/bce/bce.h"

#include <cmath>

#include "kernels/bce/engines.h"
#include "kernels/cuda_build.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/parallel.h"
#include "kernels/reduce/reduce.h"
#include "tensor/op_range.h"

namespace imago::kernels {
namespace {

void require_pair(const char* op, const Tensor& logits, const Tensor& targets) {
  check(logits.defined() && targets.defined(), op, "logits or targets are undefined");
  check(is_floating(logits.dtype()), op, "logits are ", logits.dtype(),
        "; it takes f32, f64 or bf16");
  check(logits.dtype() == targets.dtype(), op, "logits are ", logits.dtype(), " but targets are ",
        targets.dtype(), "; cast the targets");
  check(logits.shape() == targets.shape(), op, "logits are ", logits.shape(), " but targets are ",
        targets.shape(), "; one target for each logit");
  check(logits.numel() > 0, op, "the mean of no elements is undefined; logits are ",
        logits.shape());
  check(logits.device() == targets.device(), op, "logits are on ", logits.device(),
        " but targets on ", targets.device(), "; move the targets with to(device)");
}

}  // namespace

Tensor bce_with_logits(const Tensor& logits, const Tensor& targets) {
  require_pair("bce_with_logits", logits, targets);
  const OpRange range("bce_with_logits", logits.device());
  if constexpr (cuda_build) {
    if (logits.device().is_cuda()) {
      Tensor loss = Tensor::empty({}, acc_dtype(logits.dtype()), logits.device());
      bce_with_logits_blocks(logits, targets, loss);
      return loss;
    }
  }
  Tensor losses = Tensor::empty(logits.shape(), acc_dtype(logits.dtype()), logits.device());
  dispatch<float, double, bf16>(logits.dtype(), "bce_with_logits", [&]<class T> {
    using A = acc_t<T>;
    const T* x = logits.data<T>();
    const T* t = targets.data<T>();
    A* out = losses.mutable_data<A>();
    parallel_ranges(logits.numel(), default_grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const A v = static_cast<A>(x[i]);
        out[i] = math::softplus(v) - v * static_cast<A>(t[i]);
      }
    });
  });
  return scale(sum_to(losses, {}), 1.0 / static_cast<double>(logits.numel()));
}

Tensor bce_with_logits_grad(const Tensor& dy, const Tensor& logits, const Tensor& targets) {
  require_pair("bce_with_logits_grad", logits, targets);
  check(dy.defined() && dy.numel() == 1 && dy.dtype() == acc_dtype(logits.dtype()),
        "bce_with_logits_grad", "dy is a scalar () of ", acc_dtype(logits.dtype()), ", but ",
        dy.shape(), " ", dy.dtype());
  check(dy.device() == logits.device(), "bce_with_logits_grad", "logits are on ", logits.device(),
        " but dy on ", dy.device());
  const OpRange range("bce_with_logits_grad", logits.device());
  Tensor out = Tensor::empty_like(logits);
  if constexpr (cuda_build) {
    if (logits.device().is_cuda()) {
      bce_with_logits_grad_vector(dy, logits, targets, out);
      return out;
    }
  }
  dispatch<float, double, bf16>(logits.dtype(), "bce_with_logits_grad", [&]<class T> {
    using A = acc_t<T>;
    const T* x = logits.data<T>();
    const T* t = targets.data<T>();
    T* po = out.mutable_data<T>();
    const A factor = *dy.data<A>() / static_cast<A>(logits.numel());
    parallel_ranges(logits.numel(), default_grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const A difference = math::sigmoid(static_cast<A>(x[i])) - static_cast<A>(t[i]);
        po[i] = static_cast<T>(factor * difference);
      }
    });
  });
  return out;
}

}  // namespace imago::kernels
