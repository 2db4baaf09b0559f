#include "kernels/bce/bce.h"

#include "kernels/bce/engines.h"
#include "kernels/cuda_build.h"
#include "kernels/parallel.h"
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
  // Ranges are whole stretches, so neither their sums nor the tree over them knows of threads.
  static_assert(default_grain % bce_stretch == 0);
  const DType dtype = logits.dtype();
  const std::int64_t count = logits.numel(), stretches = ceil_div(count, bce_stretch);
  Tensor sums = Tensor::empty({stretches}, DType::f64, logits.device());
  const std::byte *x = logits.bytes(), *t = targets.bytes();
  double* sum = sums.mutable_data<double>();
  parallel_ranges(count, default_grain, [&](std::int64_t begin, std::int64_t end) {
    const std::size_t offset = static_cast<std::size_t>(begin) * size_of(dtype);
    run_bce({dtype, x + offset, t + offset, end - begin, sum + begin / bce_stretch});
  });
  for (std::int64_t apart = 1; apart < stretches; apart *= 2) {
    for (std::int64_t s = 0; s + apart < stretches; s += 2 * apart) sum[s] += sum[s + apart];
  }
  return Tensor::full({}, sum[0] / static_cast<double>(count), acc_dtype(dtype), logits.device());
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
  const DType dtype = logits.dtype();
  double factor = 0;
  dispatch<float, double>(dy.dtype(), "bce_with_logits_grad", [&]<class A> {
    factor = static_cast<double>(*dy.data<A>() / static_cast<A>(logits.numel()));
  });
  const std::byte *x = logits.bytes(), *t = targets.bytes();
  std::byte* dx = out.mutable_bytes();
  parallel_ranges(logits.numel(), default_grain, [&](std::int64_t begin, std::int64_t end) {
    const std::size_t offset = static_cast<std::size_t>(begin) * size_of(dtype);
    run_bce({dtype, x + offset, t + offset, end - begin, nullptr, dx + offset, factor});
  });
  return out;
}

}  // namespace imago::kernels
