// Functions of one argument, chapter 1: sixteen bytes a thread.
//
// The idea. There is little arithmetic, so the only aim is to keep the memory busy. A thread moves
// a whole Pack (four floats, two doubles or eight bf16) with one load and one store: fewer
// instructions for the same bytes, and a warp asks for 512 bytes in a row. Elements before the
// first and after the last multiple of 16 bytes go one by one (kernels/elementwise/packs.cuh):
//
//   x        | 0 1 2 | 3 4 5 6 | 7 8 9 10 | 11 12 |      f32, 12 bytes past a multiple of 16,
//   out      | 0 1 2 | 3 4 5 6 | 7 8 9 10 | 11 12 |      count = 13
//   thread   | 2 3 4 |    0    |    1     | 5  6  |
//
// The formula is a template argument, so that each kernel is a load, straight code and a store. It
// is the CPU's (formulas.h): +, x, /, sqrt and integer operations round alike everywhere, hence f32
// and bf16 results are the CPU's bits. exp, log and tanh of f64 are CUDA's own and may differ from
// the C library's in the last places.
//
// The bottleneck is memory: one read and one write of the tensor. In f32, exp and its relatives
// take some 30 to 60 instructions an element, which still hide behind the memory of a large GPU;
// in f64 they take a few times as many and may show, and so may pow, which is f64 inside for f32
// too (all predicted, not yet run on hardware). The way past it is not to run this kernel at all
// but to fold it into the one that makes x.
//
// Limits. 2^31 blocks of 256 threads.
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/engines.h"
#include "kernels/elementwise/packs.cuh"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

template <Unary op, class T>
__global__ void __launch_bounds__(block_size)
    unary_kernel(Packs cut, acc_t<T> a, acc_t<T> b, const T* x, T* out) {
  const auto f = [a, b](T value) {
    return static_cast<T>(formula<op, acc_t<T>>(static_cast<acc_t<T>>(value), a, b));
  };
  take_pack<Pack<T>::lanes>(
      cut,
      [&](std::int64_t i) {
        auto pack = load_as<Pack<T>>(x + i);
        for (T& lane : pack.lane) lane = f(lane);
        store_as(out + i, pack);
      },
      [&](std::int64_t i) { out[i] = f(x[i]); });
}

}  // namespace

void unary_vector(Unary op, const Tensor& x, double a, double b, Tensor& out) {
  if (x.numel() == 0) return;
  dispatch<float, double, bf16>(x.dtype(), name_of(op), [&]<class T> {
    constexpr int lanes = Pack<T>::lanes;
    const T* from = x.device_data<T>();
    T* to = out.mutable_device_data<T>();
    const Packs cut =
        cut_into_packs<lanes>(x.numel(), {pack_phase<lanes>(from), pack_phase<lanes>(to)});
    const dim3 grid = grid_for(name_of(op), cut.threads, block_size);
    with_op(op, [&]<Unary o> {
      launch<unary_kernel<o, T>>(current_stream(), grid, block_size, 0, cut,
                                 static_cast<acc_t<T>>(a), static_cast<acc_t<T>>(b), from, to);
    });
  });
}

}  // namespace imago::kernels
