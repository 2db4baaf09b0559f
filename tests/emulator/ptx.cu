// Asynchronous copies, named barriers and matrix instructions in a few lines: see ptx.h.
#include "kernels/ptx.cuh"

#include "tests/emulator/ptx.h"

namespace imago::test {
namespace {

using namespace kernels;

constexpr int row = 32;

struct Rows {
  Tile<float, 2, row> rows;
};

// One warp copies row r + 1 into one buffer while it works on row r in the other. The sizes of the
// copies change with the row, so that all of them are used.
//
//   copies in flight   row 0  rows 0 1        rows 1 2            ...
//   work                      wait<1>: row 0  wait<1>: row 1      ...
template <int newest>
__global__ void copies_kernel(int rows, const float* in, float* out) {
  auto& s = shared<Rows>();
  const int i = static_cast<int>(threadIdx.x);
  const auto fetch = [&](int r) {
    const float* from = in + r * row;
    auto& to = s.rows;
    if (r % 3 == 0) cp_async(to.template pointer_to<float>(r % 2, i), from + i);
    if (r % 3 == 1 && i < row / 2) {
      cp_async(to.template pointer_to<float2>(r % 2, 2 * i), from + 2 * i);
    }
    if (r % 3 == 2 && i < row / 4) {
      cp_async(to.template pointer_to<float4>(r % 2, 4 * i), from + 4 * i);
    }
    cp_async_commit();
  };
  fetch(0);
  float before = 0;
  for (int r = 0; r < rows; ++r) {
    if (r + 1 < rows) fetch(r + 1);
    if (newest >= 0 && r + 1 < rows) cp_async_wait < newest<0 ? 0 : newest>();
    if (newest >= 0 && r + 1 == rows) cp_async_wait_all();
    __syncwarp();  // the copies of the other lanes have arrived
    const float value = s.rows(r % 2, i);
    if (r > 0) out[(r - 1) * row + i] = before + value;
    before = value;
    __syncwarp();  // all have read before the buffer is filled again
  }
}

struct Four {
  Tile<float, 4> four;
};

__global__ void zero_fill_kernel(const float* in, int count, float* out) {
  auto& s = shared<Four>();
  cp_async(s.four.pointer_to<float4>(0), in, count * static_cast<int>(sizeof(float)));
  cp_async_wait_all();
  store_as(out, s.four.load_as<float4>(0));
}

struct Buffers {
  Tile<float, 2, row> buffer;
};

// Barriers 1 + b: buffer b is full; 3 + b: buffer b is empty.
__global__ void handover_kernel(int rounds, const float* in, float* out) {
  auto& s = shared<Buffers>();
  const int lane = static_cast<int>(threadIdx.x) % warpSize;
  const bool fetches = threadIdx.x < warpSize;
  for (int r = 0; r < rounds; ++r) {
    const int b = r % 2;
    if (fetches) {
      if (r >= 2) named_barrier_sync(3 + b, 64);
      s.buffer(b, lane) = in[r * row + lane];
      named_barrier_arrive(1 + b, 64);
    } else {
      named_barrier_sync(1 + b, 64);
      out[r * row + lane] = 2 * s.buffer(b, lane);
      if (r + 2 < rounds) named_barrier_arrive(3 + b, 64);
    }
  }
}

__global__ void mma_tf32_kernel(const float* a, const float* b, const float* c, float* d) {
  const int lane = static_cast<int>(threadIdx.x), r = lane / 4, q = lane % 4;
  unsigned a_fragment[4], b_fragment[2];
  float sum[4];
  for (int i = 0; i < 4; ++i) {
    a_fragment[i] = to_tf32(a[(r + 8 * (i % 2)) * 8 + q + 4 * (i / 2)]);
    sum[i] = c[(r + 8 * (i / 2)) * 8 + 2 * q + i % 2];
  }
  for (int i = 0; i < 2; ++i) b_fragment[i] = to_tf32(b[(q + 4 * i) * 8 + r]);
  mma_m16n8k8_tf32(sum, a_fragment, b_fragment);
  for (int i = 0; i < 4; ++i) d[(r + 8 * (i / 2)) * 8 + 2 * q + i % 2] = sum[i];
}

struct Operands {
  Tile<bf16, 16, 16> a;
  Tile<bf16, 16, 8> b;
};

// a is stored by rows, as its fragments want it: ldmatrix takes its four 8x8 quarters in the order
// top left, bottom left, top right, bottom right. b is stored by rows too, but a fragment holds
// pairs of one column: ldmatrix_transposed takes its two halves.
__global__ void mma_bf16_kernel(const bf16* a, const bf16* b, const float* c, float* d) {
  auto& s = shared<Operands>();
  const int lane = static_cast<int>(threadIdx.x), r = lane / 4, q = lane % 4;
  for (int i = lane; i < 16 * 16; i += warpSize) s.a(i / 16, i % 16) = a[i];
  for (int i = lane; i < 16 * 8; i += warpSize) s.b(i / 8, i % 8) = b[i];
  __syncwarp();
  unsigned a_fragment[4], b_fragment[2];
  ldmatrix(a_fragment, s.a.pointer_to<Pack<bf16>>(lane % 16, 8 * (lane / 16)));
  ldmatrix_transposed(b_fragment, s.b.pointer_to<Pack<bf16>>(lane % 16, 0));
  float sum[4];
  for (int i = 0; i < 4; ++i) sum[i] = c[(r + 8 * (i / 2)) * 8 + 2 * q + i % 2];
  mma_m16n8k16_bf16(sum, a_fragment, b_fragment);
  for (int i = 0; i < 4; ++i) d[(r + 8 * (i / 2)) * 8 + 2 * q + i % 2] = sum[i];
}

}  // namespace

void demo_copies(Stream& stream, const float* in, float* out, Waits waits) {
  const auto bytes = sizeof(Rows);
  if (waits == Waits::kept) launch<copies_kernel<1>>(stream, 1, row, bytes, 5, in, out);
  if (waits == Waits::left_out) launch<copies_kernel<-1>>(stream, 1, row, bytes, 5, in, out);
  if (waits == Waits::one_too_few) launch<copies_kernel<2>>(stream, 1, row, bytes, 5, in, out);
}

void demo_zero_fill(Stream& stream, const float* in, int count, float* out) {
  launch<zero_fill_kernel>(stream, 1, 1, sizeof(Four), in, count, out);
}

void demo_handover(Stream& stream, int rounds, const float* in, float* out) {
  launch<handover_kernel>(stream, 1, 64, sizeof(Buffers), rounds, in, out);
}

void demo_mma_tf32(Stream& stream, const float* a, const float* b, const float* c, float* d) {
  launch<mma_tf32_kernel>(stream, 1, 32, 0, a, b, c, d);
}

void demo_mma_bf16(Stream& stream, const bf16* a, const bf16* b, const float* c, float* d) {
  launch<mma_bf16_kernel>(stream, 1, 32, sizeof(Operands), a, b, c, d);
}

}  // namespace imago::test
