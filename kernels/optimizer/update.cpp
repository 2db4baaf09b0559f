#include <algorithm>

#include "kernels/cuda_build.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/optimizer/engines.h"
#include "kernels/parallel.h"

namespace imago::kernels {
namespace {

constexpr std::int64_t chunk = 16384;  // elements one thread takes at a time

template <class T>
void update_cpu(const Lists& lists, const Tensor& slots, Formula<T> formula) {
  std::visit([&](auto& f) { f.read_slots(slots.data<double>()); }, formula);
  if (std::visit([](const auto& f) { return f.idle(); }, formula)) return;
  // Pointers are taken on this thread, once: mutable_data counts a write.
  std::vector<Slice<T>> slices;
  for (std::size_t i = 0; i < lists.written[0].size(); ++i) {
    Slice<T> whole{};
    whole.n = lists.written[0][i].numel();
    for (std::size_t k = 0; k < lists.written.size(); ++k) {
      whole.written[k] = lists.written[k][i].mutable_data<T>();
    }
    if (!lists.read.empty()) whole.read = lists.read[i].data<T>();
    for (std::int64_t at = 0; at < whole.n; at += chunk) {
      Slice<T> slice = whole;
      slice.n = std::min(chunk, whole.n - at);
      for (std::size_t k = 0; k < lists.written.size(); ++k) slice.written[k] += at;
      if (slice.read) slice.read += at;
      slices.push_back(slice);
    }
  }
  parallel_for(static_cast<std::int64_t>(slices.size()),
               [&](std::int64_t i) { update_slice(formula, slices[static_cast<std::size_t>(i)]); });
}

template <class T>
void update_anywhere(const char* op, const Lists& lists, const Tensor& slots,
                     const Formula<T>& formula) {
  if (lists.written[0].empty()) return;
  if constexpr (cuda_build) {
    if (lists.written[0][0].device().is_cuda()) return update_cuda(op, lists, slots, formula);
  }
  update_cpu<T>(lists, slots, formula);
}

}  // namespace

void require_lists(const char* op, std::initializer_list<NamedList> lists) {
  const NamedList& first = *lists.begin();
  for (const NamedList& list : lists) {
    check(list.tensors.size() == first.tensors.size(), op, "a list of ", list.tensors.size(), " ",
          list.name, "s beside one of ", first.tensors.size(), " ", first.name, "s");
    for (std::size_t i = 0; i < list.tensors.size(); ++i) {
      const Tensor& t = list.tensors[i];
      check(t.defined(), op, list.name, " ", i, " is undefined; was it never computed?");
    }
  }
  if (first.tensors.empty()) return;
  const Tensor& model = first.tensors[0];
  dispatch<float, double>(model.dtype(), op, []<class T> {});
  for (std::size_t i = 0; i < first.tensors.size(); ++i) {
    const Tensor& t = first.tensors[i];
    check(t.dtype() == model.dtype() && t.device() == model.device(), op, first.name, " ", i,
          " is ", t.dtype(), " on ", t.device(), " but ", first.name, " 0 is ", model.dtype(),
          " on ", model.device());
    for (const NamedList& list : lists) {
      const Tensor& other = list.tensors[i];
      const bool moved = other.dtype() != t.dtype() || other.device() != t.device();
      check(
          other.shape() == t.shape() && other.dtype() == t.dtype() && other.device() == t.device(),
          op, list.name, " ", i, " is ", other.shape(), " ", other.dtype(), " on ", other.device(),
          " but ", first.name, " ", i, " is ", t.shape(), " ", t.dtype(), " on ", t.device(),
          moved ? "; was the optimiser (or average) made before the module was moved or converted? "
                  "Make it after"
                : "");
    }
  }
}

Tensor wide_slots(const char* op, const Tensor& slots, std::int64_t count, Device device) {
  check(slots.defined(), op, "slots are undefined; it takes (", count, ",) in f32 or f64");
  const bool floating = slots.dtype() == DType::f32 || slots.dtype() == DType::f64;
  check(floating && slots.shape() == Shape({count}), op, "slots are ", slots.shape(), " ",
        slots.dtype(), "; it takes (", count,
        ",) in f32 or f64; were they made for another operation?");
  check(slots.device() == device, op, "slots are on ", slots.device(), " but the tensors on ",
        device);
  return cast(slots, DType::f64);
}

void update(const char* op, const Lists& lists, const Tensor& slots,
            const Formula<float>& formula) {
  update_anywhere<float>(op, lists, slots, formula);
}
void update(const char* op, const Lists& lists, const Tensor& slots,
            const Formula<double>& formula) {
  update_anywhere<double>(op, lists, slots, formula);
}

}  // namespace imago::kernels
