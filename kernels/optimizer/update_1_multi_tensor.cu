// Optimisers, chapter 1: all parameters in one launch.
//
// The idea. An update reads a few numbers of each element and writes most of them again (Adam four
// and three); written as elementary operations it would pass over memory a dozen times for each
// parameter, with a launch for each pass. Here one thread does the whole update of sixteen bytes of
// every array, and one launch does all parameters: their pointers travel in a table
// (kernels/optimizer/tensor_table.cuh).
//
//   tensor     p0: 300 floats                    p1: 10      p2: ...
//   block      0: elements 0 .. 1023 of p0       1: of p1    2: ...
//   thread     0    1    2  ...  74  75 ... 255  0  1  2     0 ...
//   elements   0-3  4-7  8-11    296-299  none   0-3 4-7 8 9
//
// A thread whose four elements are not all there, or whose arrays do not start at a multiple of 16
// bytes, goes through them one by one.
//
// SGD, Adam, RMSprop, the moving average and the two clippings differ in the formula alone, which
// is an argument: kernels/optimizer/formulas.h, the CPU's too, hence the same bits. What changes
// from step to step (learning rate, bias corrections) the formula reads from device memory, so that
// a captured step stays true; what is constant over a run comes with it.
//
// The bottleneck is memory. Bytes an element in f32: SGD 12, with momentum 20, Adam 28, RMSprop 20
// to 36, moving average 12, clipping 8. For Adam and DCGAN's 6.3 million parameters that is
// 0.044 ms on an H200 (predicted, not yet run on hardware).
//
// Limits. A table holds 69 tensors of four written arrays, 128 of one; more take more launches.
#include "kernels/optimizer/engines.h"
#include "kernels/optimizer/tensor_table.cuh"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

template <class F>
struct Arrays {
  typename F::Value* written[F::written];
  const typename F::Value* read;
};

template <class F>
__global__ void __launch_bounds__(block_size)
    update_kernel(TensorTable<Arrays<F>> table, F formula, const double* slots) {
  using T = typename F::Value;
  constexpr int lanes = Pack<T>::lanes, arrays = F::written;
  const int tensor = table.tensor_of(static_cast<int>(blockIdx.x));
  const Arrays<F> a = table.entry[tensor];
  const std::int64_t block = static_cast<int>(blockIdx.x) - table.first_block[tensor];
  const std::int64_t first = (block * block_size + threadIdx.x) * lanes;
  const std::int64_t left = table.numel[tensor] - first;
  formula.read_slots(slots);
  if (formula.idle()) return;
  if (left >= lanes && table.aligned[tensor]) {
    Pack<T> pack[arrays], read{};
#pragma unroll
    for (int k = 0; k < arrays; ++k) pack[k] = load_as<Pack<T>>(a.written[k] + first);
    if constexpr (F::reads) read = load_as<Pack<T>>(a.read + first);
#pragma unroll
    for (int l = 0; l < lanes; ++l) {
      T w[arrays];
#pragma unroll
      for (int k = 0; k < arrays; ++k) w[k] = pack[k].lane[l];
      formula(w, read.lane[l]);
#pragma unroll
      for (int k = 0; k < arrays; ++k) pack[k].lane[l] = w[k];
    }
#pragma unroll
    for (int k = 0; k < arrays; ++k) store_as(a.written[k] + first, pack[k]);
  } else {
    for (std::int64_t i = first; i < first + lanes && i < first + left; ++i) {
      T w[arrays], read = 0;
#pragma unroll
      for (int k = 0; k < arrays; ++k) w[k] = a.written[k][i];
      if constexpr (F::reads) read = a.read[i];
      formula(w, read);
#pragma unroll
      for (int k = 0; k < arrays; ++k) a.written[k][i] = w[k];
    }
  }
}

template <class F>
void run(const char* op, const Lists& lists, const Tensor& slots, const F& formula) {
  using T = typename F::Value;
  const auto row = [&](std::size_t i) {
    Arrays<F> a{};
    bool aligned = true;
    for (std::size_t k = 0; k < F::written; ++k) {
      a.written[k] = lists.written[k][i].template mutable_device_data<T>();
      aligned = aligned && misalignment16(a.written[k]) == 0;
    }
    if constexpr (F::reads) {
      a.read = lists.read[i].template device_data<T>();
      aligned = aligned && misalignment16(a.read) == 0;
    }
    return TableRow<Arrays<F>>{a, lists.written[0][i].numel(), aligned};
  };
  for_each_table<Arrays<F>>(
      op, lists.written[0].size(), block_size * Pack<T>::lanes, row,
      [&](const TensorTable<Arrays<F>>& table, int blocks) {
        static_assert(sizeof(table) + sizeof(formula) + sizeof(void*) <= 4096);
        launch<update_kernel<F>>(current_stream(), dim3(static_cast<unsigned>(blocks)), block_size,
                                 0, table, formula, slots.device_data<double>());
      });
}

}  // namespace

void update_cuda(const char* op, const Lists& lists, const Tensor& slots,
                 const Formula<float>& formula) {
  std::visit([&](const auto& f) { run(op, lists, slots, f); }, formula);
}
void update_cuda(const char* op, const Lists& lists, const Tensor& slots,
                 const Formula<double>& formula) {
  std::visit([&](const auto& f) { run(op, lists, slots, f); }, formula);
}

}  // namespace imago::kernels
