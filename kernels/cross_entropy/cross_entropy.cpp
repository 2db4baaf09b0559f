#include "kernels/cross_entropy/cross_entropy.h"

#include <algorithm>

#include "kernels/cross_entropy/engines.h"
#include "kernels/cuda_build.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/parallel.h"
#include "kernels/reduce/reduce.h"
#include "tensor/op_range.h"

namespace imago::kernels {
namespace {

void require(const char* op, const Tensor& logits, const Tensor& labels,
             const CrossEntropyOptions& options) {
  check(logits.defined() && labels.defined(), op, "logits or labels are undefined");
  check(is_floating(logits.dtype()), op, "logits are ", logits.dtype(),
        "; it takes f32, f64 or bf16");
  const bool like_logits = logits.dim() == 2 && labels.shape() == logits.shape();
  const char* remedy = "; if these are one-hot rows, take argmax(labels, -1)";
  check(labels.dtype() == DType::i64, op, "labels are ", labels.dtype(), " ", labels.shape(),
        "; it takes class indices in i64, one for each row of the logits",
        like_logits ? remedy : "; cast them with cast(labels, DType::i64)");
  check(logits.dim() == 2 && labels.shape() == Shape{logits.size(0)}, op,
        "takes logits (N, K) and labels (N), not ", logits.shape(), " and ", labels.shape(),
        like_logits ? remedy : "");
  check(logits.numel() > 0, op, "the mean of no elements is undefined; logits are ",
        logits.shape());
  check(logits.device() == labels.device(), op, "logits are on ", logits.device(),
        " but labels on ", labels.device());
  check(options.label_smoothing >= 0 && options.label_smoothing <= 1, op,
        "expects label_smoothing in [0, 1], but it is ", options.label_smoothing);
}

// How many rows count. Throws where the label of one is no class: it is an index.
std::int64_t count_labels(const char* op, const std::int64_t* label, const Shape& logits,
                          const CrossEntropyOptions& options) {
  const std::int64_t rows = logits[0], classes = logits[1];
  std::int64_t counted = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    if (label[i] == options.ignore_index) continue;
    check(label[i] >= 0 && label[i] < classes, op, "label ", label[i], " of row ", i,
          " is neither in [0, ", classes, ") nor the ignore_index ", options.ignore_index,
          "; were the logits made for another number of classes?");
    ++counted;
  }
  return counted;
}

std::int64_t rows_at_once(std::int64_t classes) {
  return std::max<std::int64_t>(1, default_grain / 2 / classes);
}

}  // namespace

CrossEntropyResult cross_entropy(const Tensor& logits, const Tensor& labels,
                                 const CrossEntropyOptions& options) {
  const char* op = "cross_entropy";
  require(op, logits, labels, options);
  const OpRange range(op, logits.device());
  const DType acc = acc_dtype(logits.dtype());
  const Device device = logits.device();
  const std::int64_t rows = logits.size(0), classes = logits.size(1);
  CrossEntropyResult out{Tensor::empty({}, acc, device), Tensor::empty({2, rows}, acc, device),
                         Tensor::empty({rows}, acc, device)};
  if constexpr (cuda_build) {
    if (device.is_cuda()) {
      cross_entropy_cuda(logits, labels, options, out);
      return out;
    }
  }
  const std::int64_t* label = labels.data<std::int64_t>();
  const std::int64_t counted = count_labels(op, label, logits.shape(), options);
  Tensor losses = Tensor::empty({rows}, acc, device);
  dispatch<float, double>(acc, op, [&]<class A> {
    A* largest = out.statistics.mutable_data<A>();
    A* loss = losses.mutable_data<A>();
    A* weight = out.weights.mutable_data<A>();
    const A share = A(1) / static_cast<A>(counted);
    const std::size_t pitch = static_cast<std::size_t>(classes) * size_of(logits.dtype());
    parallel_ranges(rows, rows_at_once(classes), [&](std::int64_t begin, std::int64_t end) {
      run_cross_entropy({logits.dtype(), logits.bytes() + static_cast<std::size_t>(begin) * pitch,
                         label + begin, end - begin, classes, options, largest + begin,
                         largest + rows + begin, loss + begin});
      for (std::int64_t i = begin; i < end; ++i) {
        weight[i] = label[i] == options.ignore_index ? A(0) : share;
      }
    });
  });
  out.loss = scale(sum_to(losses, {}), 1.0 / static_cast<double>(counted));
  return out;
}

Tensor cross_entropy_grad(const Tensor& dy, const Tensor& logits, const Tensor& labels,
                          const CrossEntropyResult& forward, const CrossEntropyOptions& options) {
  const char* op = "cross_entropy_grad";
  require(op, logits, labels, options);
  const DType acc = acc_dtype(logits.dtype());
  check(dy.defined() && dy.numel() == 1 && dy.dtype() == acc, op, "dy is a scalar () of ", acc,
        ", but ", dy.shape(), " ", dy.dtype());
  const std::int64_t rows = logits.size(0), classes = logits.size(1);
  check(forward.statistics.defined() && forward.statistics.shape() == Shape{2, rows} &&
            forward.weights.defined() && forward.weights.shape() == Shape{rows} &&
            forward.statistics.dtype() == acc && forward.weights.dtype() == acc,
        op, "statistics (2, ", rows, ") and weights (", rows, ") are not those of these logits");
  for (const Tensor* t : {&dy, &forward.statistics, &forward.weights}) {
    check(t->device() == logits.device(), op, "logits are on ", logits.device(),
          " but another argument on ", t->device());
  }
  const OpRange range(op, logits.device());
  Tensor dx = Tensor::empty_like(logits);
  if constexpr (cuda_build) {
    if (logits.device().is_cuda()) {
      cross_entropy_grad_cuda(dy, logits, labels, forward, options, dx);
      return dx;
    }
  }
  Tensor statistics = forward.statistics, scales = mul(forward.weights, dy.reshape({1}));
  const std::int64_t* label = labels.data<std::int64_t>();
  count_labels(op, label, logits.shape(), options);
  std::byte* to = dx.mutable_bytes();
  dispatch<float, double>(acc, op, [&]<class A> {
    A* largest = const_cast<A*>(statistics.data<A>());  // read only by the gradient
    const A* factor = scales.data<A>();
    const std::size_t pitch = static_cast<std::size_t>(classes) * size_of(logits.dtype());
    parallel_ranges(rows, rows_at_once(classes), [&](std::int64_t begin, std::int64_t end) {
      const std::size_t offset = static_cast<std::size_t>(begin) * pitch;
      run_cross_entropy({logits.dtype(), logits.bytes() + offset, label + begin, end - begin,
                         classes, options, largest + begin, largest + rows + begin, nullptr,
                         factor + begin, to + offset});
    });
  });
  return dx;
}

}  // namespace imago::kernels
