// Batch norm, chapter 2: with the numbers of each channel known, one pass maps the elements.
//
//   forward     y  = act((x - mean) * scale + beta)                      reads x, writes y
//   backward    dx = scale * dz + (x - mean) * dx_slope + dx_offset      reads x, dy, writes dx
//
// The idea. The map needs 3 to 5 numbers for each channel. A thread per element would fetch them
// for every element again, as much traffic as the tensor itself; so a thread keeps to its columns,
// holds their numbers in registers and walks down the rows (kernels/reduce/columns.h has the map of
// threads to elements), four rows at a time with all their loads under way:
//
//   thread (unit u, row lane r)          mean, scale, beta of its 4 channels: 12 registers
//     rows r, r + R, r + 2R, r + 3R      4 loads of 16 bytes, 16 values, 4 stores
//     rows r + 4R, ...
//
// Blocks run from the last part of the tensor to the first: the pass before went forwards, so its
// end is what the L2 cache still holds. The activation is fused; alone it would move the tensor
// twice more.
//
// The bottleneck is memory: 2 passes over the tensor forward, 3 backward (predicted at over 80% of
// copy bandwidth for tensors beyond the L2 cache; not yet run on hardware).
//
// Limits. As for the statistics. bf16 backward holds 5 numbers of 8 channels in 124 registers, so
// only two blocks fit an SM, still with 64 KB under way.
#include "kernels/batch_norm/affine.cuh"
#include "kernels/batch_norm/engines.h"
#include "kernels/launch.h"
#include "kernels/reduce/columns.cuh"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

constexpr int chunk = 4;
// Few where they are emulated, so that threads walk over several chunks of a small tensor as they
// do of a large one on a GPU. Nothing is summed here: the bits are the same.
constexpr std::int64_t blocks_wanted = device_is_emulated ? 4 : 1024;

Columns plan(const BatchNormProblem& p, int lanes) {
  return plan_columns(p.groups, p.rows, p.channels,
                      {.lanes = lanes, .chunk = chunk, .blocks = blocks_wanted, .narrow = false});
}

template <class T, int lanes, int rows>
__device__ void store_rows(const Unit<T, lanes> (&unit)[rows], T* first, std::int64_t pitch,
                           int count, bool aligned) {
#pragma unroll
  for (int r = 0; r < rows; ++r) {
    if (r >= count) continue;
    if (aligned) {
      store_as(first + r * pitch, unit[r]);
    } else {
      for (int l = 0; l < lanes; ++l) first[r * pitch + l] = unit[r].lane[l];
    }
  }
}

// The numbers of one channel.
template <class A>
struct Channel {
  A mean, scale, beta;

  template <class T>
  __device__ T apply(T x, A leak) const {
    const A z = pre_activation(static_cast<A>(x), mean, scale, beta);
    return static_cast<T>(z > 0 ? z : leak * z);
  }
};

template <class T, int lanes>
__global__ void __launch_bounds__(column_threads, 2)
    batch_norm_apply_kernel(Columns c, bool aligned, acc_t<T> leak,
                            const T* x,                                    // (G, rows, C)
                            const acc_t<T>* gamma, const acc_t<T>* beta,   // (C)
                            const acc_t<T>* mean, const acc_t<T>* invstd,  // (G, C)
                            T* y) {                                        // (G, rows, C)
  using A = acc_t<T>;
  const ColumnPlace at = place_of<lanes>(c, gridDim.x - 1 - blockIdx.x);
  if (!at.works) return;
  std::int64_t column[lanes];
  columns_of(c, at, column);
  Channel<A> channel[lanes];
  for (int l = 0; l < lanes; ++l) {
    const std::int64_t j = column[l], of_group = at.outer * c.columns + j;
    channel[l] = {mean[of_group], gamma[j] * invstd[of_group], beta[j]};
  }
  const std::int64_t pitch = c.row_lanes * c.width;
  std::int64_t next = first_of(c, at);
  for (int i = 0; i < at.count; i += chunk, next += chunk * pitch) {
    Unit<T, lanes> unit[chunk];
    load_rows(unit, x + next, pitch, at.count - i, aligned);
#pragma unroll
    for (int r = 0; r < chunk; ++r) {
      for (int l = 0; l < lanes; ++l) unit[r].lane[l] = channel[l].apply(unit[r].lane[l], leak);
    }
    store_rows(unit, y + next, pitch, at.count - i, aligned);
  }
  const std::int64_t extra = extra_of(c, at);
#pragma unroll
  for (int l = 0; l < lanes; ++l) {
    if (l < at.extra) y[extra + l] = channel[l].apply(x[extra + l], leak);
  }
}

template <class A>
struct GradChannel {
  A mean, scale, beta, slope, offset;

  template <class T>
  __device__ T apply(T x, T dy, A leak) const {
    const A value = static_cast<A>(x);
    const A dz =
        gradient_before(pre_activation(value, mean, scale, beta), static_cast<A>(dy), leak);
    return static_cast<T>(fma(scale, dz, fma(value - mean, slope, offset)));
  }
};

template <class T, int lanes>
__global__ void __launch_bounds__(column_threads, 2)
    batch_norm_grad_apply_kernel(Columns c, bool aligned, acc_t<T> leak, const T* dy,
                                 const T* x,                                     // (G, rows, C)
                                 const acc_t<T>* gamma, const acc_t<T>* beta,    // (C)
                                 const acc_t<T>* mean, const acc_t<T>* invstd,   // (G, C)
                                 const acc_t<T>* slope, const acc_t<T>* offset,  // (G, C)
                                 T* dx) {                                        // (G, rows, C)
  using A = acc_t<T>;
  const ColumnPlace at = place_of<lanes>(c, gridDim.x - 1 - blockIdx.x);
  if (!at.works) return;
  std::int64_t column[lanes];
  columns_of(c, at, column);
  GradChannel<A> channel[lanes];
  for (int l = 0; l < lanes; ++l) {
    const std::int64_t j = column[l], of_group = at.outer * c.columns + j;
    channel[l] = {mean[of_group], gamma[j] * invstd[of_group], beta[j], slope[of_group],
                  offset[of_group]};
  }
  const std::int64_t pitch = c.row_lanes * c.width;
  std::int64_t next = first_of(c, at);
  for (int i = 0; i < at.count; i += chunk, next += chunk * pitch) {
    Unit<T, lanes> at_x[chunk], unit[chunk];
    load_rows(at_x, x + next, pitch, at.count - i, aligned);
    load_rows(unit, dy + next, pitch, at.count - i, aligned);
#pragma unroll
    for (int r = 0; r < chunk; ++r) {
      for (int l = 0; l < lanes; ++l) {
        unit[r].lane[l] = channel[l].apply(at_x[r].lane[l], unit[r].lane[l], leak);
      }
    }
    store_rows(unit, dx + next, pitch, at.count - i, aligned);
  }
  const std::int64_t extra = extra_of(c, at);
#pragma unroll
  for (int l = 0; l < lanes; ++l) {
    if (l < at.extra) dx[extra + l] = channel[l].apply(x[extra + l], dy[extra + l], leak);
  }
}

}  // namespace

void batch_norm_apply_cuda(const BatchNormProblem& p, const Tensor& x, const Tensor& gamma,
                           const Tensor& beta, const Tensor& mean, const Tensor& invstd,
                           double slope, Tensor& y) {
  const char* op = "batch_norm";
  dispatch<float, double, bf16>(x.dtype(), op, [&]<class T> {
    using A = acc_t<T>;
    const Columns c = plan(p, Pack<T>::lanes);
    const T* px = x.device_data<T>();
    T* py = y.mutable_device_data<T>();
    const auto run = [&]<int lanes>() {
      const bool aligned =
          units_aligned(c, misalignment16(px) | misalignment16(py), Pack<T>::lanes);
      launch<batch_norm_apply_kernel<T, lanes>>(
          current_stream(), grid_for(op, c.blocks() * column_threads, column_threads),
          column_threads, 0, c, aligned, static_cast<A>(slope), px, gamma.device_data<A>(),
          beta.device_data<A>(), mean.device_data<A>(), invstd.device_data<A>(), py);
    };
    if (c.packed) {
      run.template operator()<Pack<T>::lanes>();
    } else {
      run.template operator()<1>();
    }
  });
}

void batch_norm_grad_apply_cuda(const BatchNormProblem& p, const Tensor& dy, const Tensor& x,
                                const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                                const Tensor& invstd, const Tensor& coefficients, double slope,
                                Tensor& dx) {
  const char* op = "batch_norm_grad";
  dispatch<float, double, bf16>(x.dtype(), op, [&]<class T> {
    using A = acc_t<T>;
    const Columns c = plan(p, Pack<T>::lanes);
    const T* px = x.device_data<T>();
    const T* pdy = dy.device_data<T>();
    T* pdx = dx.mutable_device_data<T>();
    const A* dx_slope = coefficients.device_data<A>();
    const A* dx_offset = dx_slope + p.groups * p.channels;
    const auto run = [&]<int lanes>() {
      const std::size_t address = misalignment16(px) | misalignment16(pdy) | misalignment16(pdx);
      const bool aligned = units_aligned(c, address, Pack<T>::lanes);
      launch<batch_norm_grad_apply_kernel<T, lanes>>(
          current_stream(), grid_for(op, c.blocks() * column_threads, column_threads),
          column_threads, 0, c, aligned, static_cast<A>(slope), pdy, px, gamma.device_data<A>(),
          beta.device_data<A>(), mean.device_data<A>(), invstd.device_data<A>(), dx_slope,
          dx_offset, pdx);
    };
    if (c.packed) {
      run.template operator()<Pack<T>::lanes>();
    } else {
      run.template operator()<1>();
    }
  });
}

}  // namespace imago::kernels
