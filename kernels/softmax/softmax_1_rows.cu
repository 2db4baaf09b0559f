// Softmax, chapter 1: along the innermost axis, a team of threads for each row.
//
// The idea. A row is looked at three times: for its largest element, for the sum of
// e^(x - largest), and to write the result. It comes from memory once: 8 rows of up to 1024
// elements (a warp each) are 32 KB in f32, which the L1 cache of an SM holds for several blocks;
// longer rows get a block each. kernels/reduce/teams.cuh has the map of threads:
//
//   row 0   | w0 w0 w0 ... w0 |    largest: each thread its own, then 5 exchanges in the warp
//   row 1   | w1 w1 w1 ... w1 |    sum:     likewise
//   ...                            result:  every thread knows both, and writes what it read
//   row 7   | w7 w7 w7 ... w7 |
//
// The gradients have the same shape without the first look: sum dy y (or dy), then the map.
// No row waits for another, and the order of a sum is a matter of the row's length alone.
//
// The bottleneck is memory for long rows: one read and one write (gradients: two reads). Rows much
// shorter than a warp's 32 packs leave threads idle: at 10 elements 3 of 32 work in f32 (predicted,
// not yet run on hardware).
//
// Limits. Rows beyond some 100 KB are read three times from the L2 cache or from memory.
#include "kernels/reduce/teams.cuh"
#include "kernels/softmax/engines.h"
#include "kernels/softmax/formulas.h"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

template <Softmax op, class T, int team>
__global__ void __launch_bounds__(team_block)
    softmax_rows_kernel(std::int64_t rows, std::int64_t length, bool packed,
                        const T* a,  // (rows, length): x or dy
                        const T* b,  // (rows, length): y of the gradients
                        T* out) {    // (rows, length)
  using A = acc_t<T>;
  constexpr int lanes = Pack<T>::lanes;
  const std::int64_t row = team_row<team>();
  if (row >= rows) return;
  a += row * length, b += row * length, out += row * length;
  // Calls f(value of a, value of b) for this thread's elements; stores what it returns if asked.
  const auto walk = [&]<bool stores>(auto&& f) {
    walk_row<team, lanes>(length, packed, [&]<int n>(std::int64_t i) {
      auto left = load_as<Pack<T, n>>(a + i);
      const auto right = has_base(op) ? left : load_as<Pack<T, n>>(b + i);
      for (int l = 0; l < n; ++l) {
        const A value = f(static_cast<A>(left.lane[l]), static_cast<A>(right.lane[l]));
        if constexpr (stores) left.lane[l] = static_cast<T>(value);
      }
      if constexpr (stores) store_as(out + i, left);
    });
  };

  A base = 0;
  if constexpr (has_base(op)) {
    A largest = fold_nothing<Fold::max, A>();
    walk.template operator()<false>([&](A x, A) { return largest = larger(largest, x); });
    base = team_fold<team>(largest, [](A x, A y) { return larger(x, y); });
  }
  A sum = 0;
  walk.template operator()<false>([&](A x, A y) { return sum += softmax_term<op>(x, y, base); });
  sum = team_fold<team>(sum, [](A x, A y) { return x + y; });
  const A factor = softmax_factor<op>(sum);
  walk.template operator()<true>([&](A x, A y) {
    const A term = op == Softmax::softmax ? softmax_term<op>(x, y, base) : A(0);
    return softmax_value<op>(x, y, base, term, factor);
  });
}

}  // namespace

void softmax_rows_cuda(Softmax op, const Tensor& a, const Tensor& b, std::int64_t rows,
                       std::int64_t length, Tensor& out) {
  dispatch<float, double, bf16>(a.dtype(), name_of(op), [&]<class T> {
    const T *pa = a.device_data<T>(), *pb = b.device_data<T>();
    T* po = out.mutable_device_data<T>();
    const std::size_t address = misalignment16(pa) | misalignment16(pb) | misalignment16(po);
    const bool packed = rows_packed(length, address, Pack<T>::lanes);
    with_softmax(op, [&]<Softmax o> {
      with_team(length, [&]<int team> {
        launch<softmax_rows_kernel<o, T, team>>(
            current_stream(), grid_for(name_of(op), rows * team, team_block), team_block,
            sizeof(TeamBlock<acc_t<T>>), rows, length, packed, pa, pb, po);
      });
    });
  });
}

}  // namespace imago::kernels
