// Image bytes to values and back, chapter 1: sixteen bytes a thread on the side of the values.
//
// The idea. Pictures travel to the GPU as bytes, a quarter of the traffic of floats, and become
// values in [-1, 1] only there. A thread takes as many pixels' channels as fill sixteen bytes of
// values, and moves as many bytes with one narrower access; the order of channels does not matter:
//
//   u8       |r g b r|g b r g|b r g b|         4 bytes a thread in f32, 8 in bf16, 2 in f64
//   values   | 4 f32 | 4 f32 | 4 f32 |        16 bytes a thread
//   thread       0       1       2
//
// Heads and tails that do not fill a pack go one by one (kernels/elementwise/packs.cuh).
//
// A division costs less than looking a byte up in a table of the 256 results, here and on the CPU.
//
// The bottleneck is memory: 5 bytes an element in f32, 3 in bf16. A correctly rounded division is
// about ten instructions and hides behind it (predicted, not yet run on hardware).
//
// Limits. None of its own; f64, with two elements a thread, is for checks.
#include "kernels/elementwise/packs.cuh"
#include "kernels/image/engines.h"
#include "tensor/convert.h"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

template <class T>
__global__ void __launch_bounds__(block_size)
    normalize_kernel(Packs cut, const std::uint8_t* x, T* out) {
  using A = acc_t<T>;
  constexpr int lanes = Pack<T>::lanes;
  const auto f = [](std::uint8_t byte) {
    return static_cast<T>(static_cast<A>(byte) / A(127.5) - A(1));
  };
  take_pack<lanes>(
      cut,
      [&](std::int64_t i) {
        const auto bytes = load_as<Pack<std::uint8_t, lanes>>(x + i);
        Pack<T> values;
        for (int l = 0; l < lanes; ++l) values.lane[l] = f(bytes.lane[l]);
        store_as(out + i, values);
      },
      [&](std::int64_t i) { out[i] = f(x[i]); });
}

template <class T>
__global__ void __launch_bounds__(block_size)
    denormalize_kernel(Packs cut, const T* x, std::uint8_t* out) {
  using A = acc_t<T>;
  constexpr int lanes = Pack<T>::lanes;
  // Dropping the fraction of a positive number rounds down, so adding a half rounds.
  const auto f = [](T value) {
    return convert<std::uint8_t>((static_cast<A>(value) + A(1)) * A(127.5) + A(0.5));
  };
  take_pack<lanes>(
      cut,
      [&](std::int64_t i) {
        const auto values = load_as<Pack<T>>(x + i);
        Pack<std::uint8_t, lanes> bytes;
        for (int l = 0; l < lanes; ++l) bytes.lane[l] = f(values.lane[l]);
        store_as(out + i, bytes);
      },
      [&](std::int64_t i) { out[i] = f(x[i]); });
}

}  // namespace

void normalize_u8_vector(const Tensor& images, Tensor& out) {
  if (images.numel() == 0) return;
  dispatch<float, double, bf16>(out.dtype(), "normalize_u8", [&]<class T> {
    constexpr int lanes = Pack<T>::lanes;
    const std::uint8_t* from = images.device_data<std::uint8_t>();
    T* to = out.mutable_device_data<T>();
    const Packs cut =
        cut_into_packs<lanes>(out.numel(), {pack_phase<lanes>(from), pack_phase<lanes>(to)});
    launch<normalize_kernel<T>>(current_stream(), grid_for("normalize_u8", cut.threads, block_size),
                                block_size, 0, cut, from, to);
  });
}

void denormalize_u8_vector(const Tensor& x, Tensor& out) {
  if (x.numel() == 0) return;
  dispatch<float, double, bf16>(x.dtype(), "denormalize_u8", [&]<class T> {
    constexpr int lanes = Pack<T>::lanes;
    const T* from = x.device_data<T>();
    std::uint8_t* to = out.mutable_device_data<std::uint8_t>();
    const Packs cut =
        cut_into_packs<lanes>(x.numel(), {pack_phase<lanes>(from), pack_phase<lanes>(to)});
    launch<denormalize_kernel<T>>(current_stream(),
                                  grid_for("denormalize_u8", cut.threads, block_size), block_size,
                                  0, cut, from, to);
  });
}

}  // namespace imago::kernels
