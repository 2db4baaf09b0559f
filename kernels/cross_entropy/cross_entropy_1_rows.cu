// Cross-entropy, chapter 1: a team of threads for each row, one block for the mean.
//
// The idea. A row of logits becomes one number, through its largest element and the sum of
// e^(x - largest): the walk of softmax_1_rows.cu, but nothing as large as the logits is written.
// The probabilities come back in the gradient from the two numbers that are kept of each row.
//
//   logits (N, K)      losses, largest, log sum (N)         loss ()
//   row 0  [ team ] -> l0 --.
//   row 1  [ team ] -> l1 --+-- one block: thread t adds rows t, t + 256, ..., then a tree over
//   ...                     |   the 256 sums; rows that count are counted on the way, and their
//   row N  [ team ] -> lN --'   weight 1 / count is written for the gradient
//
// Nothing is read back to look at the labels: a label out of range makes its row's weight NaN, and
// with it the count, the loss and the gradient. The gradient does so with the labels it is given.
//
// The bottleneck is memory: the logits are read once (gradient: read and written once). The second
// launch costs a few microseconds (predicted, not yet run on hardware).
//
// Limits. One block adds up the losses: beyond a million rows it is felt. Rows of few classes leave
// threads idle, as in softmax_1_rows.cu.
#include "kernels/cross_entropy/engines.h"
#include "kernels/reduce/fold.h"
#include "kernels/reduce/teams.cuh"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

template <class T, int team>
__global__ void __launch_bounds__(team_block)
    cross_entropy_rows_kernel(std::int64_t rows, std::int64_t classes, bool packed,
                              acc_t<T> smoothing, std::int64_t ignored,
                              const T* x,                              // (rows, classes)
                              const std::int64_t* labels,              // (rows)
                              acc_t<T>* largests, acc_t<T>* log_sums,  // (rows)
                              acc_t<T>* losses, acc_t<T>* counts) {    // (rows)
  using A = acc_t<T>;
  constexpr int lanes = Pack<T>::lanes;
  const std::int64_t row = team_row<team>();
  if (row >= rows) return;
  x += row * classes;
  const auto walk = [&](auto&& f) {
    walk_row<team, lanes>(classes, packed, [&]<int n>(std::int64_t i) {
      const auto pack = load_as<Pack<T, n>>(x + i);
      for (int l = 0; l < n; ++l) f(static_cast<A>(pack.lane[l]));
    });
  };
  const auto plus = [](A a, A b) { return a + b; };

  A largest = fold_nothing<Fold::max, A>();
  walk([&](A v) { largest = larger(largest, v); });
  const A base = team_fold<team>(largest, [](A a, A b) { return larger(a, b); });
  A sum = 0, below = 0;
  walk([&](A v) {
    sum += math::exp(v - base);
    below += v - base;
  });
  sum = team_fold<team>(sum, plus);
  if (smoothing > 0) below = team_fold<team>(below, plus);
  if (threadIdx.x % team != 0) return;
  const std::int64_t label = labels[row];
  const A log_sum = math::log(sum);
  A loss = 0, count = 0;
  if (label != ignored) {
    count = 1;
    if (label < 0 || label >= classes) {
      loss = count = std::numeric_limits<A>::quiet_NaN();
    } else {
      const A target = static_cast<A>(x[label]) - base;
      loss = log_sum - target;
      if (smoothing > 0) {
        loss = log_sum - (1 - smoothing) * target - smoothing / static_cast<A>(classes) * below;
      }
    }
  }
  largests[row] = base;
  log_sums[row] = log_sum;
  losses[row] = loss;
  counts[row] = count;
}

template <class A>
struct MeanBlock {
  Tile<A, team_block> loss, count;
};

// One block: the mean of the losses, and counts become weights.
template <class A>
__global__ void __launch_bounds__(team_block)
    cross_entropy_mean_kernel(std::int64_t rows, const A* losses, A* counts, A* mean) {
  auto& s = shared<MeanBlock<A>>();
  const int t = static_cast<int>(threadIdx.x);
  A loss = 0, count = 0;
  for (std::int64_t i = t; i < rows; i += team_block) {
    loss += losses[i];
    count += counts[i];
  }
  s.loss(t) = loss;
  s.count(t) = count;
  __syncthreads();
  for (int half = team_block / 2; half > 0; half /= 2) {
    if (t < half) {
      s.loss(t) += s.loss(t + half);
      s.count(t) += s.count(t + half);
    }
    __syncthreads();
  }
  if (t == 0) *mean = s.loss(0) / s.count(0);
  const A share = 1 / s.count(0);
  // A count of NaN is a weight of NaN, too; ignored rows have 0.
  for (std::int64_t i = t; i < rows; i += team_block) {
    counts[i] = counts[i] == 0 ? A(0) : counts[i] * share;
  }
}

template <class T, int team>
__global__ void __launch_bounds__(team_block)
    cross_entropy_grad_kernel(std::int64_t rows, std::int64_t classes, bool packed, acc_t<T> kept,
                              acc_t<T> share, const acc_t<T>* dy,
                              const T* x,                  // (rows, classes)
                              const std::int64_t* labels,  // (rows)
                              const acc_t<T>* largests, const acc_t<T>* log_sums,  // (rows)
                              const acc_t<T>* weights,                             // (rows)
                              T* dx) {  // (rows, classes)
  using A = acc_t<T>;
  const std::int64_t row = team_row<team>();
  if (row >= rows) return;
  x += row * classes, dx += row * classes;
  const std::int64_t label = labels[row];
  const A base = largests[row], log_sum = log_sums[row], weight = weights[row];
  // Rather NaN than a gradient that lacks its target.
  const bool no_class = label < 0 || label >= classes;
  const A factor = no_class ? std::numeric_limits<A>::quiet_NaN() : *dy * weight;
  walk_row<team, Pack<T>::lanes>(classes, packed, [&]<int n>(std::int64_t i) {
    auto pack = load_as<Pack<T, n>>(x + i);
    for (int l = 0; l < n; ++l) {
      const A p = math::exp((static_cast<A>(pack.lane[l]) - base) - log_sum);
      const A above = i + l == label ? (p - share) - kept : p - share;
      pack.lane[l] = static_cast<T>(weight == 0 ? A(0) : factor * above);
    }
    store_as(dx + i, pack);
  });
}

}  // namespace

void cross_entropy_cuda(const Tensor& logits, const Tensor& labels,
                        const CrossEntropyOptions& options, CrossEntropyResult& out) {
  const char* op = "cross_entropy";
  const std::int64_t rows = logits.size(0), classes = logits.size(1);
  Tensor losses = Tensor::empty({rows}, out.loss.dtype(), out.loss.device());
  dispatch<float, double, bf16>(logits.dtype(), op, [&]<class T> {
    using A = acc_t<T>;
    const T* x = logits.device_data<T>();
    const bool packed = rows_packed(classes, misalignment16(x), Pack<T>::lanes);
    A* largest = out.statistics.mutable_device_data<A>();
    A *loss = losses.mutable_device_data<A>(), *count = out.weights.mutable_device_data<A>();
    with_team(classes, [&]<int team> {
      launch<cross_entropy_rows_kernel<T, team>>(
          current_stream(), grid_for(op, rows * team, team_block), team_block, sizeof(TeamBlock<A>),
          rows, classes, packed, static_cast<A>(options.label_smoothing), options.ignore_index, x,
          labels.device_data<std::int64_t>(), largest, largest + rows, loss, count);
    });
    launch<cross_entropy_mean_kernel<A>>(current_stream(), dim3(1), team_block,
                                         sizeof(MeanBlock<A>), rows, static_cast<const A*>(loss),
                                         count, out.loss.mutable_device_data<A>());
  });
}

void cross_entropy_grad_cuda(const Tensor& dy, const Tensor& logits, const Tensor& labels,
                             const CrossEntropyResult& forward, const CrossEntropyOptions& options,
                             Tensor& dx) {
  const char* op = "cross_entropy_grad";
  const std::int64_t rows = logits.size(0), classes = logits.size(1);
  dispatch<float, double, bf16>(logits.dtype(), op, [&]<class T> {
    using A = acc_t<T>;
    const T* x = logits.device_data<T>();
    T* to = dx.mutable_device_data<T>();
    const bool packed =
        rows_packed(classes, misalignment16(x) | misalignment16(to), Pack<T>::lanes);
    const A* largest = forward.statistics.device_data<A>();
    const A kept = static_cast<A>(1 - options.label_smoothing);
    const A share = static_cast<A>(options.label_smoothing) / static_cast<A>(classes);
    with_team(classes, [&]<int team> {
      launch<cross_entropy_grad_kernel<T, team>>(
          current_stream(), grid_for(op, rows * team, team_block), team_block, 0, rows, classes,
          packed, kept, share, dy.device_data<A>(), x, labels.device_data<std::int64_t>(), largest,
          largest + rows, forward.weights.device_data<A>(), to);
    });
  });
}

}  // namespace imago::kernels
