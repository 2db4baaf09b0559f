#include "kernels/emulator/ptx.h"

#include <cstdint>
#include <cstring>

#include "kernels/emulator/sanitizers.h"
#include "kernels/emulator/shared_memory.h"

namespace imago::emulator {
namespace {

constexpr int matrix_rows = 8, row_bytes = 16;

// What a lane brings to ldmatrix and takes away.
struct MatrixLoad {
  std::uint16_t row[row_bytes / 2];
  unsigned* fragments;
  int count;
  bool transposed;
};

// Lane l receives from matrix m the elements (l / 4, 2 (l % 4)) and the one to the right of it, or
// with rows and columns exchanged.
void hand_out(const Meeting&, Lanes<MatrixLoad> lanes) {
  lanes.each([&](int lane, MatrixLoad& load) {
    const int across = lane / 4, along = 2 * (lane % 4);
    for (int m = 0; m < load.count; ++m) {
      const auto element = [&](int i) -> unsigned {
        return load.transposed ? lanes[matrix_rows * m + along + i].row[across]
                               : lanes[matrix_rows * m + across].row[along + i];
      };
      load.fragments[m] = element(0) | element(1) << 16;
    }
  });
}

struct MatrixProduct {
  float* d;
  const unsigned* a;
  const unsigned* b;
};

// The matrices of a warp, put together from the fragments of its lanes. Lane l stands for row
// l / 4 and column l % 4 (tf32) or the pair of columns 2 (l % 4), 2 (l % 4) + 1 (bf16, d).
template <int K>
struct Product {
  float a[16][K], b[K][8], d[16][8];

  // A product of two operands needs no rounding: both have at most 11 significant bits.
  void multiply() {
    for (int k = 0; k < K; ++k) {
      for (int m = 0; m < 16; ++m) {
        for (int n = 0; n < 8; ++n) d[m][n] += a[m][k] * b[k][n];
      }
    }
  }
  template <bool gather>
  void move_d(int lane, float* fragment) {
    for (int i = 0; i < 4; ++i) {
      float& element = d[lane / 4 + 8 * (i / 2)][2 * (lane % 4) + i % 2];
      gather ? element = fragment[i] : fragment[i] = element;
    }
  }
};

// Lets `gather(product, lane, fragments)` fill a and b, and multiplies.
template <int K, class Gather>
void combine(Lanes<MatrixProduct> lanes, Gather&& gather) {
  Product<K> product;
  lanes.each([&](int lane, MatrixProduct& fragments) {
    gather(product, lane, fragments);
    product.template move_d<true>(lane, fragments.d);
  });
  product.multiply();
  lanes.each([&](int lane, MatrixProduct& fragments) {
    product.template move_d<false>(lane, fragments.d);
  });
}

void combine_tf32(const Meeting& meeting, Lanes<MatrixProduct> lanes) {
  const auto value = [&](int lane, unsigned bits) {
    if ((bits & 0x1fffu) != 0) {
      point_at_lane(lane);
      fault(meeting.word, " at ", to_string(meeting.place),
            ": an operand was not rounded by to_tf32", " (", std::bit_cast<float>(bits), ")");
    }
    return std::bit_cast<float>(bits);
  };
  combine<8>(lanes, [&](Product<8>& p, int lane, const MatrixProduct& from) {
    const int row = lane / 4, column = lane % 4;
    for (int i = 0; i < 4; ++i)
      p.a[row + 8 * (i % 2)][column + 4 * (i / 2)] = value(lane, from.a[i]);
    for (int i = 0; i < 2; ++i) p.b[column + 4 * i][row] = value(lane, from.b[i]);
  });
}

void combine_bf16(const Meeting&, Lanes<MatrixProduct> lanes) {
  const auto half = [](unsigned pair, int i) {
    return std::bit_cast<float>(i == 0 ? pair << 16 : pair & 0xffff0000u);
  };
  combine<16>(lanes, [&](Product<16>& p, int lane, const MatrixProduct& from) {
    const int row = lane / 4, column = 2 * (lane % 4);
    for (int j = 0; j < 2; ++j) {
      for (int i = 0; i < 4; ++i) {
        p.a[row + 8 * (i % 2)][column + 8 * (i / 2) + j] = half(from.a[i], j);
      }
      for (int i = 0; i < 2; ++i) p.b[column + 8 * i + j][row] = half(from.b[i], j);
    }
  });
}

}  // namespace

void load_matrices(const char* word, int count, bool transposed, unsigned* fragments,
                   const void* row, const std::source_location& place) {
  MatrixLoad load{{}, fragments, count, transposed};
  if (own_lane(word) < matrix_rows * count) {
    const auto off = reinterpret_cast<std::uintptr_t>(row) % row_bytes;
    if (off != 0) {
      fault(word, " at ", to_string(place), " is misaligned: the address is ", off, " modulo ",
            row_bytes);
    }
    check_shared(word, row, row_bytes);
    std::memcpy(load.row, row, row_bytes);
  }
  const Unwatched unwatched;
  meet_with(word, whole_warp, place, load,
            [](const Meeting& meeting, Lanes<MatrixLoad> lanes) { hand_out(meeting, lanes); });
}

void multiply_matrices(const char* word, MatrixKind kind, float* d, const unsigned* a,
                       const unsigned* b, const std::source_location& place) {
  MatrixProduct product{d, a, b};
  if (kind == MatrixKind::tf32) {
    meet_with(word, whole_warp, place, product,
              [](const Meeting& m, Lanes<MatrixProduct> lanes) { combine_tf32(m, lanes); });
  } else {
    meet_with(word, whole_warp, place, product,
              [](const Meeting& m, Lanes<MatrixProduct> lanes) { combine_bf16(m, lanes); });
  }
}

}  // namespace imago::emulator
