// Moving averages, chapter 1: all tensors in one launch.
//
// The idea is that of adam_1_multi_tensor.cu: the pointers of many tensors travel in a table
// (kernels/adam/tensor_table.cuh), each tensor gets as many blocks as it needs, and a thread does sixteen
// bytes of it:
//
//   tensor     a0: 300 floats                    a1: 10      a2: ...
//   block      0: elements 0 .. 1023 of a0       1: of a1    2: ...
//   thread     0    1    2  ...  74  75 ... 255  0  1  2     0 ...
//   elements   0-3  4-7  8-11    296-299  none   0-3 4-7 8 9
//
// The weight changes from step to step and is read from device memory. average + weight (value -
// average) rounds three times, as on the CPU: the same bits.
//
// The bottleneck is memory: two reads and one write, 12 bytes an element in f32.
//
// Limits. A table holds 128 tensors; more tensors take more launches.
#include "kernels/adam/tensor_table.cuh"
#include "kernels/ema/engines.h"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

template <class T>
struct EmaArrays {
  T* average;
  const T* value;
};

template <class T>
__global__ void __launch_bounds__(block_size)
    ema_kernel(TensorTable<EmaArrays<T>> table, const float* weight) {
  constexpr int lanes = Pack<T>::lanes;
  const int tensor = table.tensor_of(static_cast<int>(blockIdx.x));
  const EmaArrays<T> a = table.entry[tensor];
  const std::int64_t block = static_cast<int>(blockIdx.x) - table.first_block[tensor];
  const std::int64_t first = (block * block_size + threadIdx.x) * lanes;
  const std::int64_t left = table.numel[tensor] - first;
  const T w = static_cast<T>(*weight);
  if (left >= lanes && table.aligned[tensor]) {
    auto average = load_as<Pack<T>>(a.average + first);
    const auto value = load_as<Pack<T>>(a.value + first);
    for (int l = 0; l < lanes; ++l) {
      average.lane[l] = average.lane[l] + w * (value.lane[l] - average.lane[l]);
    }
    store_as(a.average + first, average);
  } else {
    for (std::int64_t i = first; i < first + lanes && i < first + left; ++i) {
      a.average[i] = a.average[i] + w * (a.value[i] - a.average[i]);
    }
  }
}

}  // namespace

void ema_multi_tensor(std::span<Tensor> averages, std::span<const Tensor> values,
                      const Tensor& weight) {
  dispatch<float, double>(averages[0].dtype(), "ema", [&]<class T> {
    const auto row = [&](std::size_t i) {
      const EmaArrays<T> a{averages[i].mutable_device_data<T>(), values[i].device_data<T>()};
      const bool aligned = misalignment16(a.average) == 0 && misalignment16(a.value) == 0;
      return TableRow<EmaArrays<T>>{a, averages[i].numel(), aligned};
    };
    for_each_table<EmaArrays<T>>("ema", averages.size(), block_size * Pack<T>::lanes, row,
                                 [&](const TensorTable<EmaArrays<T>>& table, int blocks) {
                                   static_assert(sizeof(table) + sizeof(void*) <= 4096);
                                   launch<ema_kernel<T>>(
                                       current_stream(), dim3(static_cast<unsigned>(blocks)),
                                       block_size, 0, table, weight.device_data<float>());
                                 });
  });
}

}  // namespace imago::kernels
