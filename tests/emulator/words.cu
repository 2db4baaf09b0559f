// Every word of kernels/launch.h that needs no story: see words.h.
#include "tests/emulator/words.h"

#include "kernels/launch.h"

namespace imago::test {
namespace {

using namespace kernels;

constexpr unsigned everybody = 0xffffffffu;

__global__ void warp_kernel(const int* __restrict__ in, int* __restrict__ out) {
  const int i = static_cast<int>(threadIdx.x), lane = i % warpSize;
  const int v = __ldg(in + i);
  const auto put = [&](WarpWord word, int result) { out[word * warp_threads + i] = result; };
  put(shfl, __shfl_sync(everybody, v, 5));
  put(shfl_segment, __shfl_sync(everybody, v, lane + 1, 8));
  put(shfl_up, __shfl_up_sync(everybody, v, 3));
  put(shfl_up_segment, __shfl_up_sync(everybody, v, 3, 16));
  put(shfl_down, __shfl_down_sync(everybody, v, 4));
  put(shfl_down_segment, __shfl_down_sync(everybody, v, 2, 4));
  put(shfl_xor, __shfl_xor_sync(everybody, v, 5));
  put(shfl_xor_segment, __shfl_xor_sync(everybody, v, 12, 8));
  if (lane < 16) {
    put(shfl_half, __shfl_sync(0x0000ffffu, v, 15));
  } else {
    put(shfl_half, __shfl_sync(0xffff0000u, v, 16));
  }
  __syncwarp();
  put(shfl_float, static_cast<int>(__shfl_sync(everybody, 0.5f * static_cast<float>(v), 9)));
  put(shfl_double, static_cast<int>(__shfl_sync(everybody, 0.5 * v, 9)));
  const long long wide = static_cast<long long>(v) << 40;
  put(shfl_long, static_cast<int>(__shfl_sync(everybody, wide, 9) >> 40));
  put(ballot, static_cast<int>(__ballot_sync(everybody, v % 2)));
  put(any, __any_sync(everybody, v == 7));
  put(all, __all_sync(everybody, v >= 0));
  put(match_any, static_cast<int>(__match_any_sync(everybody, v % 3)));
#if IMAGO_SM >= 80
  const auto u = static_cast<unsigned>(v);
  put(reduce_add, __reduce_add_sync(everybody, v));
  put(reduce_min, __reduce_min_sync(everybody, v));
  put(reduce_max, static_cast<int>(__reduce_max_sync(everybody, u)));
  put(reduce_and, static_cast<int>(__reduce_and_sync(everybody, u)));
  put(reduce_or, static_cast<int>(__reduce_or_sync(everybody, u)));
  put(reduce_xor, static_cast<int>(__reduce_xor_sync(everybody, u)));
#endif
  put(active_mask, static_cast<int>(__activemask() >> lane & 1u));
}

__global__ void votes_kernel(const int* in, int* out) {
  const int odd = in[threadIdx.x] % 2;
  out[threadIdx.x] = __syncthreads_count(odd);
  out[blockDim.x + threadIdx.x] = __syncthreads_and(odd) != 0;
  out[2 * blockDim.x + threadIdx.x] = __syncthreads_or(odd) != 0;
}

struct Counters {
  Tile<unsigned, atomic_counters> counter;
  Tile<int, 4> negative;
  Tile<unsigned long long, 1> sum;
};

__global__ void atomics_kernel(unsigned* out) {
  auto& s = shared<Counters>();
  const unsigned i = threadIdx.x;
  if (i < atomic_counters) s.counter(i) = i == 2 || i == 4 ? 0xffffffffu : 1000;
  if (i < 4) s.negative(i) = 0;
  if (i == 0) s.sum(0) = 0;
  __syncthreads();
  atomicAdd(&s.counter(0), i);
  atomicSub(&s.counter(1), 2u);
  atomicMin(&s.counter(2), 50 + i);
  atomicMax(&s.counter(3), 900 + i);
  atomicAnd(&s.counter(4), ~(1u << i % 16));
  atomicOr(&s.counter(5), 1u << i % 32);
  atomicXor(&s.counter(6), i);
  if (i == 7) atomicExch(&s.counter(7), i);
  atomicCAS(&s.counter(8), 1000u, 5u);  // one thread finds 1000
  atomicInc(&s.counter(9), 1199u);      // to 1199, then from 0
  atomicDec(&s.counter(10), 1199u);
  atomicAdd(&s.negative(0), -2);
  atomicSub(&s.negative(1), -2);
  atomicMin(&s.negative(2), -static_cast<int>(i));
  atomicMax(&s.negative(3), static_cast<int>(i) - 300);
  atomicAdd(&s.sum(0), 0x100000000ull);
  __syncthreads();
  if (i + 1 < atomic_counters) out[i] = s.counter(i);
  const bool negatives =
      s.negative(0) == -512 && s.negative(1) == 512 && s.negative(2) == -255 && s.negative(3) == 0;
  if (i + 1 == atomic_counters) out[i] = negatives ? static_cast<unsigned>(s.sum(0) >> 32) : 0;
}

struct LastBlock {
  Tile<unsigned, 1> blocks_before;
};

__global__ void last_block_kernel(const int* in, unsigned* partial, unsigned* done, unsigned* out) {
  auto& s = shared<LastBlock>();
  const int positive = __syncthreads_count(in[global_thread()] > 0);
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = static_cast<unsigned>(positive);
    __threadfence();
    s.blocks_before(0) = atomicInc(done, gridDim.x - 1);
  }
  __syncthreads();
  if (s.blocks_before(0) != gridDim.x - 1 || threadIdx.x != 0) return;
  __threadfence();
  unsigned sum = 0;
  for (unsigned b = 0; b < gridDim.x; ++b) sum += partial[b];
  *out = sum;
}

__global__ void math_kernel(float x, unsigned a, unsigned b, std::uint64_t* out) {
  const auto s = static_cast<int>(a), t = static_cast<int>(b);
  const unsigned long long wide = static_cast<unsigned long long>(a) << 32 | b;
  const auto bits = [](float f) { return std::uint64_t{__float_as_uint(f)}; };
  const std::uint64_t results[math_words] = {
      static_cast<unsigned>(min(s, t)),
      max(a, b),
      bits(min(x, 1.0f)),
      bits(max(x, 1.0f)),
      static_cast<unsigned>(__float_as_int(x)),
      bits(__uint_as_float(a)),
      bits(__int_as_float(t)),
      static_cast<std::uint64_t>(__double_as_longlong(static_cast<double>(x))),
      static_cast<std::uint64_t>(
          __double_as_longlong(__longlong_as_double(static_cast<long long>(wide)))),
      bits(__fadd_rn(x, 3.0f)),
      bits(__fsub_rn(x, 3.0f)),
      bits(__fmul_rn(x, 3.0f)),
      bits(__fdiv_rn(x, 3.0f)),
      bits(__fmaf_rn(x, x, 3.0f)),
      bits(fma(x, x, -3.0f)),
      bits(__fsqrt_rn(x)),
      static_cast<unsigned>(__popc(a) + 100 * __popcll(wide)),
      static_cast<unsigned>(__clz(s) + 100 * __clzll(static_cast<long long>(wide))),
      static_cast<unsigned>(__ffs(s) + 100 * __ffsll(static_cast<long long>(wide))),
      __brev(a),
      static_cast<unsigned>(__mulhi(s, t)),
      __umulhi(a, b),
      __umul64hi(wide, wide),
      __byte_perm(a, b, 0x5140u),
      __byte_perm(a, b, 0x8bf2u),
      static_cast<std::uint64_t>(rsqrtf(4.0f) * 8.0f + static_cast<float>(rsqrt(0.25))),
  };
  for (int i = 0; i < math_words; ++i) out[i] = results[i];
}

__global__ void grid_kernel(const float* in, float* partial) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  partial[i] = in[i];
  grid_sync();
  float sum = 0;
  for (unsigned b = 0; b < gridDim.x; ++b) sum += partial[b * blockDim.x + threadIdx.x];
  grid_sync();
  partial[i] = sum;
}

}  // namespace

void demo_warp(Stream& stream, const int* in, int* out) {
  launch<warp_kernel>(stream, 1, warp_threads, 0, in, out);
}

void demo_votes(Stream& stream, const int* in, int* out) {
  launch<votes_kernel>(stream, 1, 64, 0, in, out);
}

void demo_atomics(Stream& stream, unsigned* out) {
  launch<atomics_kernel>(stream, 1, 256, sizeof(Counters), out);
}

void demo_last_block(Stream& stream, int blocks, const int* in, unsigned* partial, unsigned* done,
                     unsigned* out) {
  launch<last_block_kernel>(stream, static_cast<unsigned>(blocks), 64, sizeof(LastBlock), in,
                            partial, done, out);
}

void demo_math(Stream& stream, float x, unsigned a, unsigned b, std::uint64_t* out) {
  launch<math_kernel>(stream, 1, 1, 0, x, a, b, out);
}

void demo_grid(Stream& stream, int blocks, const float* in, float* out) {
  launch_cooperative<grid_kernel>(stream, static_cast<unsigned>(blocks), 32, 0, in, out);
}

}  // namespace imago::test
