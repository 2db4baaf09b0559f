#include "kernels/optimizer/clip.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <vector>

#include "kernels/cuda_build.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/optimizer/engines.h"
#include "kernels/parallel.h"
#include "tensor/op_range.h"

namespace imago::kernels {
namespace {

void require_tensors(const char* op, std::span<const Tensor> tensors) {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& t = tensors[i];
    check(t.defined(), op, "tensor ", i, " is undefined; was the gradient never computed?");
    check(t.dtype() == tensors[0].dtype() && t.device() == tensors[0].device(), op, "tensor ", i,
          " is ", t.dtype(), " on ", t.device(), " but tensor 0 is ", tensors[0].dtype(), " on ",
          tensors[0].device());
  }
}

// Throws where an element would be changed twice, by two threads at once. Storages are apart from
// each other, so that in order of address tensors of one storage are neighbours.
void require_own_memory(const char* op, std::span<const Tensor> tensors) {
  struct Place {
    const std::byte* begin;
    std::size_t i;
  };
  std::vector<Place> places;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& t = tensors[i];
    if (t.numel() > 0) places.push_back({t.device().is_cpu() ? t.bytes() : t.device_bytes(), i});
  }
  const std::less<const std::byte*> before;
  std::sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
    return before(a.begin, b.begin) || (a.begin == b.begin && a.i < b.i);
  });
  for (std::size_t k = 1; k < places.size(); ++k) {
    const std::size_t a = places[k - 1].i, b = places[k].i;
    check(!tensors[a].shares_storage(tensors[b]), op, "tensors ", a, " and ", b,
          " share memory, and would be changed twice; give one of them a clone");
  }
}

// The sum of numbers in the order that clip.h states.
double sum_as_tree(const std::vector<double>& numbers) {
  std::vector<double> sum(norm_accumulators, 0.0);
  for (std::size_t i = 0; i < numbers.size(); ++i) sum[i % norm_accumulators] += numbers[i];
  for (std::size_t half = norm_accumulators / 2; half >= 1; half /= 2) {
    for (std::size_t j = 0; j < half; ++j) sum[j] += sum[j + half];
  }
  return sum[0];
}

template <class T>
double norm_on_cpu(std::span<const Tensor> tensors) {
  struct Chunk {
    const T* x;
    std::int64_t n;
  };
  std::vector<Chunk> chunks;
  for (const Tensor& t : tensors) {
    const T* x = t.data<T>();
    for (std::int64_t at = 0; at < t.numel(); at += norm_chunk) {
      chunks.push_back({x + at, std::min(norm_chunk, t.numel() - at)});
    }
  }
  std::vector<double> sums(chunks.size());
  parallel_for(static_cast<std::int64_t>(chunks.size()), [&](std::int64_t i) {
    const auto k = static_cast<std::size_t>(i);
    sums[k] = sum_of_squares(chunks[k].x, chunks[k].n);
  });
  return std::sqrt(sum_as_tree(sums));
}

// The norm, and in `factor` (1,) f64, unless undefined, what brings it down to that of `limit`, a
// slot (1,) f64.
Tensor norm_of(const char* op, std::span<const Tensor> tensors, const Tensor& limit,
               Tensor& factor) {
  const Device device = tensors[0].device();
  Tensor norm = Tensor::empty({}, tensors[0].dtype(), device);
  if constexpr (cuda_build) {
    if (device.is_cuda()) {
      std::int64_t chunks = 0;
      for (const Tensor& t : tensors) chunks += ceil_div(t.numel(), norm_chunk);
      global_norm_cuda(tensors, chunks, limit, norm, factor);
      return norm;
    }
  }
  dispatch<float, double>(norm.dtype(), op, [&]<class T> {
    const double exact = norm_on_cpu<T>(tensors);
    *norm.mutable_data<T>() = static_cast<T>(exact);
    if (factor) *factor.mutable_data<double>() = clip_factor(exact, *limit.data<double>());
  });
  return norm;
}

}  // namespace

Tensor global_norm(std::span<const Tensor> tensors) {
  require_tensors("global_norm", tensors);
  if (tensors.empty()) return Tensor::zeros({});
  dispatch<float, double>(tensors[0].dtype(), "global_norm", []<class T> {});
  const OpRange range("global_norm", tensors[0].device());
  Tensor none;
  return norm_of("global_norm", tensors, Tensor(), none);
}

namespace {

void require_clippable(const char* op, std::span<const Tensor> tensors) {
  require_tensors(op, tensors);
  require_own_memory(op, tensors);
  if (!tensors.empty()) dispatch<float, double>(tensors[0].dtype(), op, []<class T> {});
}

// `limit` is a slot (1,) f64 beside the tensors, of which there is at least one.
Tensor clip_to(std::span<Tensor> tensors, const Tensor& limit) {
  const char* op = "clip_norm";
  const OpRange range(op, tensors[0].device());
  Tensor factor = Tensor::empty({1}, DType::f64, tensors[0].device());
  const Tensor norm = norm_of(op, tensors, limit, factor);
  dispatch<float, double>(norm.dtype(), op, [&]<class T> {
    update(op, {{tensors}, {}}, factor, Formula<T>(ScaleFormula<T>{}));
  });
  return norm;
}

}  // namespace

Tensor clip_norm(std::span<Tensor> tensors, double max_norm) {
  check(max_norm > 0, "clip_norm", "max_norm must be positive, not ", max_norm);
  require_clippable("clip_norm", tensors);
  if (tensors.empty()) return Tensor::zeros({});
  return clip_to(tensors, full({1}, max_norm, DType::f64, tensors[0].device()));
}

Tensor clip_norm(std::span<Tensor> tensors, const Tensor& slots) {
  require_clippable("clip_norm", tensors);
  if (tensors.empty()) return Tensor::zeros({});
  return clip_to(tensors, wide_slots("clip_norm", slots, 1, tensors[0].device()));
}

void clip_value(std::span<Tensor> tensors, const Tensor& slots) {
  require_tensors("clip_value", tensors);
  require_own_memory("clip_value", tensors);
  if (tensors.empty()) return;
  const Tensor wide = wide_slots("clip_value", slots, 1, tensors[0].device());
  const OpRange range("clip_value", tensors[0].device());
  dispatch<float, double>(tensors[0].dtype(), "clip_value", [&]<class T> {
    update("clip_value", {{tensors}, {}}, wide, Formula<T>(ClampFormula<T>{}));
  });
}

}  // namespace imago::kernels
