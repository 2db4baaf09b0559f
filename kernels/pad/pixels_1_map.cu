// Padding, cropping, mirroring, nearest neighbours, chapter 1: a thread copies one unit of a pixel.
//
// The idea. All of them ask, for every pixel of the result, which pixel of the argument it shows;
// the answer is one function of the row and one of the column (kernels/pad/pixels.h). The values do
// not matter, so the kernel moves bytes: a unit is the largest power of two, up to sixteen, that
// divides a pixel and both addresses. 64 channels of f32 are 16 units of sixteen bytes, three
// channels of f32 three units of four.
//
//   result of mirroring a row of 3 pixels of 2 units       source of pixel w: in - 1 - w
//
//     unit     | 0 1 | 2 3 | 4 5 |   thread t copies unit t of the result:
//     pixel    |  0  |  1  |  2  |     t = ((n * H + h) * W + w) * units + u
//     source   |  2  |  1  |  0  |     from ((n * in_H + source(h)) * in_W + source(w)) * units + u
//
// Neighbouring threads write neighbouring units, so stores are whole lines; loads are runs of a
// pixel at the least. A thread whose row or column shows nothing stores the constant instead.
//
// The bottleneck is memory: one read and one write of each unit. Three divisions by numbers known
// before the launch (kernels/divisor.h) are ten instructions for sixteen bytes; nearest neighbours
// add two true 32-bit divisions, about forty (predicted, not yet run on hardware).
//
// The adjoint of reflected padding sums up to three rows times three columns of dy for a pixel, in
// the fixed order of kernels/pad/pad.h; pixels away from the border read one value. A thread makes
// one unit of sixteen bytes where C allows it, and else one element.
//
// Limits. 2^31 - 1 threads. Pixels of an odd number of bytes go byte by byte, which leaves most of
// a GPU's memory bandwidth unused.
#include <cstring>

#include "kernels/launch.h"
#include "kernels/pad/pixels.h"
#include "kernels/pixel_grid.h"
#include "kernels/words.cuh"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

template <class Unit>
__global__ void __launch_bounds__(block_size)
    copy_pixels_kernel(AxisMap rows, AxisMap columns, PixelGrid grid, Unit fill,
                       const std::byte* x,  // (N, rows.in, columns.in) of units
                       std::byte* out) {    // (N, rows.out, columns.out) of units
  const std::int64_t thread = global_thread();
  if (thread >= grid.count) return;
  const auto [image, row, column, unit] = grid.place(static_cast<int>(thread));
  const int h = rows.source(row), w = columns.source(column);
  Unit value = fill;
  if (h >= 0 && w >= 0) {
    const std::int64_t pixel = (std::int64_t{image} * rows.in + h) * columns.in + w;
    value = load_word<Unit>(x, pixel * grid.units.value + unit);
  }
  store_word(out, thread, value);
}

// The unit of sizeof(Unit) bytes that repeats the constant.
template <class Unit>
void launch_copy(const char* op, const PixelMap& map, const Tensor& x, Tensor& out) {
  const PixelGrid grid(op, map.batch, map.rows.out, map.columns.out,
                       map.pixel_bytes / static_cast<std::int64_t>(sizeof(Unit)));
  std::byte bytes[16];
  for (int i = 0; i < 16; ++i) bytes[i] = map.fill[i % map.element_bytes];
  Unit fill;
  std::memcpy(&fill, bytes, sizeof(Unit));
  launch<copy_pixels_kernel<Unit>>(current_stream(), grid_for(op, grid.count, block_size),
                                   block_size, 0, map.rows, map.columns, grid, fill,
                                   x.device_bytes(), out.mutable_device_bytes());
}

template <class T, int lanes>
__global__ void __launch_bounds__(block_size)
    pad_reflect_grad_kernel(Padding pad, PixelGrid grid,
                            const T* dy,  // (N, H + top + bottom, W + left + right, C)
                            T* out) {     // (N, H, W, C)
  using A = acc_t<T>;
  const std::int64_t thread = global_thread();
  if (thread >= grid.count) return;
  const auto [image, h, w, unit] = grid.place(static_cast<int>(thread));
  const int H = grid.height.value, W = grid.width.value;
  const Folds rows(h, H, pad.top, pad.bottom), columns(w, W, pad.left, pad.right);
  const std::int64_t high = H + pad.top + pad.bottom, wide = W + pad.left + pad.right;
  const std::int64_t channels = std::int64_t{grid.units.value} * lanes;
  const T* first = dy + unit * lanes;
  A sums[lanes];
  for (A& sum : sums) sum = A(-0.0);  // which leaves the first term as it is
  for (int r = 0; r < rows.count; ++r) {
    for (int k = 0; k < columns.count; ++k) {
      const auto terms = load_as<Pack<T, lanes>>(
          first + ((image * high + rows.at[r]) * wide + columns.at[k]) * channels);
      for (int l = 0; l < lanes; ++l) sums[l] += static_cast<A>(terms.lane[l]);
    }
  }
  Pack<T, lanes> result;
  for (int l = 0; l < lanes; ++l) result.lane[l] = static_cast<T>(sums[l]);
  store_as(out + thread * lanes, result);
}

}  // namespace

void copy_pixels_cuda(const char* op, const PixelMap& map, const Tensor& x, Tensor& out) {
  const int word =
      widest_word({map.pixel_bytes, address_of(x.device_bytes()), address_of(out.device_bytes())});
  with_word(word, [&]<class Unit> { launch_copy<Unit>(op, map, x, out); });
}

void pad_reflect_grad_cuda(const Padding& pad, const Tensor& dy, Tensor& out) {
  const char* op = "pad_reflect_grad";
  const auto run = [&]<class T, int lanes>() {
    const PixelGrid grid(op, out.size(0), out.size(1), out.size(2), out.size(3) / lanes);
    launch<pad_reflect_grad_kernel<T, lanes>>(
        current_stream(), grid_for(op, grid.count, block_size), block_size, 0, pad, grid,
        dy.device_data<T>(), out.mutable_device_data<T>());
  };
  dispatch<float, double, bf16>(dy.dtype(), op, [&]<class T> {
    constexpr int lanes = Pack<T>::lanes;
    const bool packs = out.size(3) % lanes == 0 && misalignment16(dy.device_bytes()) == 0;
    if (packs) {
      run.template operator()<T, lanes>();
    } else {
      run.template operator()<T, 1>();
    }
  });
}

}  // namespace imago::kernels
