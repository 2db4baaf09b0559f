// Casts and fills, chapter 1: sixteen bytes a thread on the wider side.
//
// The idea is that of map_1_vector.cu, but the two arrays have elements of different sizes. A
// thread takes as many elements as fill sixteen bytes of the larger type; the other side is then a
// smaller pack of as many elements, which neighbouring threads still read or write side by side:
//
//   u8 to f32    x    |0123|4567|89..|         4 bytes a thread,  128 a warp
//                out  |0 1 2 3|4 5 6 7|8 9...  16 bytes a thread, 512 a warp
//                       thread 0  thread 1
//
// Heads and tails that do not fill a pack go one by one, counted in elements
// (kernels/elementwise/packs.cuh). convert() in tensor/convert.h is the rule of the CPU, so all
// results are the CPU's bits: fractions are dropped, integers saturate, NaN becomes 0.
//
// A fill is a cast of nothing: every thread stores the same pack.
//
// The bottleneck is memory: one read and one write, or one write.
//
// Limits. i64 and f64 move two elements a thread, so a cast between u8 and i64 reads two bytes a
// thread: half a sector per warp, which the L1 cache makes up for.
#include "kernels/elementwise/engines.h"
#include "kernels/elementwise/packs.cuh"
#include "tensor/convert.h"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

template <class To, class From>
__global__ void __launch_bounds__(block_size) cast_kernel(Packs cut, const From* x, To* out) {
  constexpr int lanes = 16 / (sizeof(To) > sizeof(From) ? sizeof(To) : sizeof(From));
  take_pack<lanes>(
      cut,
      [&](std::int64_t i) {
        const auto from = load_as<Pack<From, lanes>>(x + i);
        Pack<To, lanes> to;
        for (int l = 0; l < lanes; ++l) to.lane[l] = convert<To>(from.lane[l]);
        store_as(out + i, to);
      },
      [&](std::int64_t i) { out[i] = convert<To>(x[i]); });
}

template <class T>
__global__ void __launch_bounds__(block_size) fill_kernel(Packs cut, T value, T* x) {
  take_pack<Pack<T>::lanes>(
      cut,
      [&](std::int64_t i) {
        Pack<T> pack;
        for (T& lane : pack.lane) lane = value;
        store_as(x + i, pack);
      },
      [&](std::int64_t i) { x[i] = value; });
}

template <class To, class From>
void cast_one(const Tensor& x, Tensor& out) {
  constexpr int lanes = 16 / (sizeof(To) > sizeof(From) ? sizeof(To) : sizeof(From));
  const From* from = x.device_data<From>();
  To* to = out.mutable_device_data<To>();
  const Packs cut =
      cut_into_packs<lanes>(x.numel(), {pack_phase<lanes>(from), pack_phase<lanes>(to)});
  launch<cast_kernel<To, From>>(current_stream(), grid_for("cast", cut.threads, block_size),
                                block_size, 0, cut, from, to);
}

template <class F>
void any_dtype(DType dtype, const char* op, F&& f) {
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(dtype, op, f);
}

}  // namespace

void cast_vector(const Tensor& x, Tensor& out) {
  if (x.numel() == 0) return;
  any_dtype(x.dtype(), "cast", [&]<class From> {
    any_dtype(out.dtype(), "cast", [&]<class To> {
      if constexpr (!std::is_same_v<From, To>) cast_one<To, From>(x, out);
    });
  });
}

void fill_vector(Tensor& x, double value) {
  if (x.numel() == 0) return;
  any_dtype(x.dtype(), "fill", [&]<class T> {
    constexpr int lanes = Pack<T>::lanes;
    T* to = x.mutable_device_data<T>();
    const Packs cut = cut_into_packs<lanes>(x.numel(), {pack_phase<lanes>(to)});
    launch<fill_kernel<T>>(current_stream(), grid_for("fill", cut.threads, block_size), block_size,
                           0, cut, convert<T>(value), to);
  });
}

}  // namespace imago::kernels
