// Resampling on the CPU, in two passes that meet in the cache: a row of the result first blends
// whole rows of the source, a loop over W * C neighbouring numbers, and then the places of that one
// row. Threads share the rows of the result.
#include <algorithm>

#include "kernels/parallel.h"
#include "kernels/resample/cpu_rows.h"
#include "kernels/resample/engines.h"

namespace imago::kernels {
namespace {

template <class A>
GatherTable<A> table_of(const AxisGather& gather) {
  GatherTable<A> table{static_cast<std::size_t>(gather.most()), {}, {}, {}};
  table.weights.resize(static_cast<std::size_t>(gather.results()) * table.most);
  A* weights = table.weights.data();
  for (std::int64_t place = 0; place < gather.results(); ++place, weights += table.most) {
    const PlaceRange range = gather.range(place);
    const std::int64_t count = std::max<std::int64_t>(0, range.end - range.begin);
    table.begin.push_back(range.begin);
    table.count.push_back(static_cast<std::size_t>(count));
    for (std::int64_t k = 0; k < count; ++k) {
      weights[k] = gather.weight<A>(place, range.begin + k);
    }
  }
  return table;
}

}  // namespace

void resample_cpu(const AxisGather& rows, const AxisGather& columns, const Tensor& x, Tensor& out) {
  const std::int64_t height = out.size(1), channels = out.size(3);
  const std::int64_t row_in = x.size(2) * channels, row_out = out.size(2) * channels;
  dispatch<float, double, bf16>(x.dtype(), "resample", [&]<class T> {
    using A = acc_t<T>;
    const GatherTable<A> down = table_of<A>(rows), across = table_of<A>(columns);
    const T* from = x.data<T>();
    T* to = out.mutable_data<T>();
    const std::int64_t work = std::max(row_in, row_out);
    const std::int64_t grain = std::max<std::int64_t>(1, 2 * default_grain / work);
    parallel_ranges(out.size(0) * height, grain, [&](std::int64_t begin, std::int64_t end) {
      std::vector<A> blended(static_cast<std::size_t>(row_in));
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t image = row / height;
        const auto h = static_cast<std::size_t>(row - image * height);
        T* target = to + row * row_out;
        if (down.count[h] == 0) {
          std::fill(target, target + row_out, static_cast<T>(A(0)));
          continue;
        }
        blend_rows(from + (image * x.size(1) + down.begin[h]) * row_in, row_in,
                   down.weights.data() + h * down.most, down.count[h], row_in, blended.data());
        blend_columns(blended.data(), across, channels, target);
      }
    });
  });
}

}  // namespace imago::kernels
