// Functions of two arguments of one shape, chapter 1: sixteen bytes a thread.
//
// The idea is that of map_1_vector.cu with two loads: a thread takes a Pack of x, the Pack of y at
// the same place, and stores a Pack of the result.
//
//   x        | 0 1 2 | 3 4 5 6 | 7 8 9 10 | 11 12 |      f32, all three 12 bytes past a multiple
//   y        | 0 1 2 | 3 4 5 6 | 7 8 9 10 | 11 12 |      of 16, count = 13
//   out      | 0 1 2 | 3 4 5 6 | 7 8 9 10 | 11 12 |
//   thread   | 2 3 4 |    0    |    1     | 5  6  |
//
// Each thread reads its elements of x and y before it writes the same elements of out, and no other
// thread touches them: so out may be x or y, and add_into adds in place.
//
// The bottleneck is memory: two reads and one write for an operation or three. A gradient kernel
// such as tanh_grad replaces a chain of elementary operations, that is, three passes over memory
// in place of eight; more is won only inside the kernels before and after.
//
// Limits. Where the three pointers are not equally far from a multiple of 16 bytes, elements go one
// by one. Other shapes: chapter 2.
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/engines.h"
#include "kernels/elementwise/packs.cuh"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

template <Binary op, class T>
__global__ void __launch_bounds__(block_size)
    binary_kernel(Packs cut, acc_t<T> a, acc_t<T> b, const T* x, const T* y, T* out) {
  using A = acc_t<T>;
  const auto f = [a, b](T first, T second) {
    return static_cast<T>(formula<op, A>(static_cast<A>(first), static_cast<A>(second), a, b));
  };
  take_pack<Pack<T>::lanes>(
      cut,
      [&](std::int64_t i) {
        auto pack = load_as<Pack<T>>(x + i);
        const auto second = load_as<Pack<T>>(y + i);
        for (int l = 0; l < Pack<T>::lanes; ++l) pack.lane[l] = f(pack.lane[l], second.lane[l]);
        store_as(out + i, pack);
      },
      [&](std::int64_t i) { out[i] = f(x[i], y[i]); });
}

}  // namespace

void binary_vector(Binary op, const Tensor& x, const Tensor& y, double a, double b, Tensor& out) {
  if (x.numel() == 0) return;
  dispatch<float, double, bf16>(x.dtype(), name_of(op), [&]<class T> {
    constexpr int lanes = Pack<T>::lanes;
    const T* px = x.device_data<T>();
    const T* py = y.device_data<T>();
    T* to = out.mutable_device_data<T>();
    const Packs cut = cut_into_packs<lanes>(
        x.numel(), {pack_phase<lanes>(px), pack_phase<lanes>(py), pack_phase<lanes>(to)});
    const dim3 grid = grid_for(name_of(op), cut.threads, block_size);
    with_op(op, [&]<Binary o> {
      launch<binary_kernel<o, T>>(current_stream(), grid, block_size, 0, cut,
                                  static_cast<acc_t<T>>(a), static_cast<acc_t<T>>(b), px, py, to);
    });
  });
}

}  // namespace imago::kernels
