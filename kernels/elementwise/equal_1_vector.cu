// Equal elements, chapter 1: sixteen bytes a thread.
//
// The idea. The gradient of a maximum goes to the elements that are as large as it, so those must
// be found: 1 where a == b, else 0, NaN being equal to NaN. It is one more function of two
// arguments, with the threads of binary_1_vector.cu:
//
//   a, b     | 0 1 2 | 3 4 5 6 | 7 8 9 10 | 11 12 |      f32, 12 bytes past a multiple of 16,
//   thread   | 2 3 4 |    0    |    1     | 5  6  |      count = 13
//
// The bottleneck is memory: two reads and a write.
//
// Limits. 2^31 blocks of 256 threads.
#include "kernels/elementwise/engines.h"
#include "kernels/elementwise/packs.cuh"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

template <class T>
__global__ void __launch_bounds__(block_size)
    equal_kernel(Packs cut, const T* a, const T* b, T* out) {
  using C = acc_t<T>;
  const auto f = [](T left, T right) {
    const C x = static_cast<C>(left), y = static_cast<C>(right);
    return static_cast<T>(x == y || (x != x && y != y) ? C(1) : C(0));
  };
  take_pack<Pack<T>::lanes>(
      cut,
      [&](std::int64_t i) {
        auto pack = load_as<Pack<T>>(a + i);
        const auto other = load_as<Pack<T>>(b + i);
        for (int l = 0; l < Pack<T>::lanes; ++l) pack.lane[l] = f(pack.lane[l], other.lane[l]);
        store_as(out + i, pack);
      },
      [&](std::int64_t i) { out[i] = f(a[i], b[i]); });
}

}  // namespace

void equal_vector(const Tensor& a, const Tensor& b, Tensor& out) {
  dispatch<float, double, bf16>(a.dtype(), "equal_elements", [&]<class T> {
    constexpr int lanes = Pack<T>::lanes;
    const T *pa = a.device_data<T>(), *pb = b.device_data<T>();
    T* to = out.mutable_device_data<T>();
    const Packs cut = cut_into_packs<lanes>(
        a.numel(), {pack_phase<lanes>(pa), pack_phase<lanes>(pb), pack_phase<lanes>(to)});
    launch<equal_kernel<T>>(current_stream(), grid_for("equal_elements", cut.threads, block_size),
                            block_size, 0, cut, pa, pb, to);
  });
}

}  // namespace imago::kernels
