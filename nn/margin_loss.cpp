#include "nn/margin_loss.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <span>
#include <vector>

#include "autograd/ops/add_scalar.h"
#include "autograd/ops/cast.h"
#include "autograd/ops/clamp.h"
#include "autograd/ops/compare.h"
#include "autograd/ops/index_select.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/neg.h"
#include "autograd/ops/one_hot.h"
#include "autograd/ops/relu.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sqrt.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"
#include "autograd/ops/where.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/parallel.h"
#include "nn/loss.h"

namespace imago::loss {
namespace {

// x (N, M) of floats, labels (N) of i64.
void require(const char* op, const char* name, const Var& x, const Var& labels) {
  check(is_floating(x.dtype()), op, "takes ", name, " of f32, f64 or bf16, not ", x.dtype());
  check(labels.dtype() == DType::i64, op, "labels are ", labels.dtype(), " ", labels.shape(),
        "; it takes class indices in i64, one for each row of the ", name);
  check(x.dim() == 2 && labels.shape() == Shape{x.size(0)}, op, "takes ", name,
        " of two dimensions and labels (N), one for each row, not ", x.shape(), " and ",
        labels.shape());
  check(x.numel() > 0, op, "the mean of no elements is undefined; ", name, " are ", x.shape());
  check(x.device() == labels.device(), op, name, " are on ", x.device(), " but labels on ",
        labels.device());
}

// The mask (N, K) of u8 of the class of each row. A label out of range throws on the CPU; on CUDA,
// where nothing is read back, the cross-entropy that follows is NaN.
Tensor own_class(const char* op, const Var& cosines, const Var& labels) {
  require(op, "cosines", cosines, labels);
  const std::int64_t classes = cosines.size(1);
  if (!labels.device().is_cuda()) {
    const std::int64_t* label = labels.tensor().data<std::int64_t>();
    for (std::int64_t i = 0; i < labels.numel(); ++i) {
      if (label[i] >= 0 && label[i] < classes) continue;
      fail(op, "label ", label[i], " of row ", i, " is not in [0, ", classes,
           "); were the cosines made for another number of classes?");
    }
  }
  return ops::one_hot(labels, classes, DType::u8);
}

Var in_acc(const Var& x) {
  return ops::cast(x, acc_dtype(x.dtype()));
}

void require_scale(const char* op, double scale) {
  check(scale > 0 && std::isfinite(scale), op, "scale is positive and finite, not ", scale);
}

// Every row counts: no label is the one to ignore, so that also on CUDA -100 is out of range.
Var scaled_cross_entropy(const Var& cosines, const Var& labels, double scale, double smoothing) {
  return cross_entropy(
      ops::scale(cosines, scale), labels,
      {.label_smoothing = smoothing, .ignore_index = std::numeric_limits<std::int64_t>::min()});
}

// Rows of a batch, (P) each: the pair p is anchors[p] and positives[p].
struct Triplets {
  std::vector<std::int64_t> anchors, positives, negatives;
};

// All pairs of rows with one label, those of an anchor in a row; no negatives yet.
Triplets pairs_of(std::span<const std::int64_t> labels) {
  const auto n = static_cast<std::int64_t>(labels.size());
  Triplets found;
  bool alike = true;
  for (std::int64_t a = 0; a < n; ++a) {
    const std::int64_t own = labels[static_cast<std::size_t>(a)];
    for (std::int64_t p = 0; p < n; ++p) {
      if (labels[static_cast<std::size_t>(p)] != own) {
        alike = false;
      } else if (p != a) {
        found.anchors.push_back(a);
        found.positives.push_back(p);
      }
    }
  }
  const char* remedy = "; a batch needs several images of several people";
  check(!found.anchors.empty(), "triplet_semi_hard", "no label comes twice among the ", n,
        " images, so no two of them should lie close", remedy);
  check(!alike, "triplet_semi_hard", "all ", n,
        " images have one label, so no two of them should lie apart", remedy);
  return found;
}

// The nearest row of another label that is farther than `beyond`; where there is none, the farthest
// one. Of several equally far the first. A NaN comes before all others, so that the loss shows it.
std::int64_t semi_hard(std::span<const std::int64_t> labels, std::int64_t own,
                       std::span<const double> distance, double beyond) {
  constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
  std::size_t nearest = none, farthest = none;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == own) continue;
    if (std::isnan(distance[i])) return static_cast<std::int64_t>(i);
    if (farthest == none || distance[i] > distance[farthest]) farthest = i;
    const bool nearer = nearest == none || distance[i] < distance[nearest];
    if (distance[i] > beyond && nearer) nearest = i;
  }
  return static_cast<std::int64_t>(nearest != none ? nearest : farthest);
}

// On the host and in f64, so that every device chooses the same ones. Differences are squared and
// summed: |a|^2 + |b|^2 - 2ab would cancel where rows are near each other, which is where choices
// are close. N^2 D steps, shared by threads: about a million for 128 rows of 64.
Triplets mine(const Tensor& embeddings, const Tensor& labels) {
  const Tensor host = kernels::cast(embeddings, DType::f64).to(Device::cpu());
  const Tensor host_labels = labels.to(Device::cpu());
  const std::int64_t n = host.size(0), width = host.size(1);
  const std::span<const std::int64_t> label(host_labels.data<std::int64_t>(),
                                            static_cast<std::size_t>(n));
  const double* rows = host.data<double>();
  Triplets found = pairs_of(label);
  found.negatives.resize(found.anchors.size());
  const auto pairs = static_cast<std::int64_t>(found.anchors.size());
  std::vector<std::int64_t> first(static_cast<std::size_t>(n) + 1, pairs);  // pair of each anchor
  for (std::int64_t i = pairs - 1; i >= 0; --i) {
    first[static_cast<std::size_t>(found.anchors[static_cast<std::size_t>(i)])] = i;
  }
  for (std::size_t a = static_cast<std::size_t>(n); a-- > 0;) {
    if (first[a] == pairs) first[a] = first[a + 1];  // no pair of its own, or behind the last one
  }
  const std::int64_t anchors_at_once = ceil_div(default_grain, n * width);
  parallel_ranges(n, anchors_at_once, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> distance(static_cast<std::size_t>(n));
    for (auto a = static_cast<std::size_t>(begin); a < static_cast<std::size_t>(end); ++a) {
      if (first[a] == first[a + 1]) continue;
      const double* anchor = rows + static_cast<std::int64_t>(a) * width;
      for (std::int64_t i = 0; i < n; ++i) {
        double sum = 0;
        for (std::int64_t d = 0; d < width; ++d) {
          const double difference = anchor[d] - rows[i * width + d];
          sum += difference * difference;
        }
        distance[static_cast<std::size_t>(i)] = sum;
      }
      for (auto i = static_cast<std::size_t>(first[a]); i < static_cast<std::size_t>(first[a + 1]);
           ++i) {
        const auto p = static_cast<std::size_t>(found.positives[i]);
        found.negatives[i] = semi_hard(label, label[a], distance, distance[p]);
      }
    }
  });
  return found;
}

}  // namespace

Var cosface(const Var& cosines, const Var& labels, const CosFaceOptions& options) {
  require_scale("cosface", options.scale);
  check(options.margin >= 0 && options.margin <= 1, "cosface", "margin is a cosine in [0, 1], not ",
        options.margin);
  const Tensor own = own_class("cosface", cosines, labels);
  const Var c = in_acc(cosines);
  return scaled_cross_entropy(ops::where(own, ops::add_scalar(c, -options.margin), c), labels,
                              options.scale, options.label_smoothing);
}

Var arcface(const Var& cosines, const Var& labels, const ArcFaceOptions& options) {
  require_scale("arcface", options.scale);
  const double m = options.margin;
  check(m >= 0 && m < std::numbers::pi / 2, "arcface",
        "margin is an angle in radians, in [0, pi / 2), not ", m);
  const Tensor own = own_class("arcface", cosines, labels);
  const Var c = in_acc(cosines);
  const double edge = 1 - (c.dtype() == DType::f64 ? 1e-12 : 1e-7);
  const Var inside = ops::clamp(c, {.low = -edge, .high = edge});
  // (1 - c) (1 + c) rather than 1 - c^2, which loses all digits where c is near 1.
  const Var sine =
      ops::sqrt(ops::mul(ops::add_scalar(ops::neg(inside), 1), ops::add_scalar(inside, 1)));
  const Var turned =
      ops::sub(ops::scale(c, std::cos(m)), ops::scale(sine, std::sin(m)));  // cos(theta + m)
  const Var straight = ops::add_scalar(c, -m * std::sin(m));
  const Var harder = ops::where(ops::greater(c, -std::cos(m)), turned, straight);
  return scaled_cross_entropy(ops::where(own, harder, c), labels, options.scale,
                              options.label_smoothing);
}

Var triplet_semi_hard(const Var& embeddings, const Var& labels, const TripletOptions& options) {
  check(options.margin > 0, "triplet_semi_hard", "margin is positive, not ", options.margin);
  require("triplet_semi_hard", "embeddings", embeddings, labels);
  const Triplets found = mine(embeddings.tensor(), labels.tensor());
  const Var e = in_acc(embeddings);
  const auto rows = [&](const std::vector<std::int64_t>& chosen) {
    const std::span<const std::int64_t> indices(chosen);
    const Shape shape{static_cast<std::int64_t>(chosen.size())};
    return ops::index_select(e, 0, Tensor::from(indices, shape).to(e.device()));
  };
  const auto distance = [](const Var& a, const Var& b) {  // (P, D) -> (P)
    return ops::sum(ops::square(ops::sub(a, b)), {-1});
  };
  const Var anchors = rows(found.anchors);
  const Var nearer = distance(anchors, rows(found.positives));
  const Var farther = distance(anchors, rows(found.negatives));
  return ops::mean(ops::relu(ops::add_scalar(ops::sub(nearer, farther), options.margin)));
}

}  // namespace imago::loss
