// Padding, cropping, mirroring, pooling and resampling of images of 64 channels and of RGB.
#include "bench/op_rows.h"
#include "bench/row_checks.h"
#include "kernels/pad/pad.h"
#include "kernels/pool/pool.h"
#include "kernels/random/random.h"
#include "kernels/resample/resample.h"

namespace imago::bench {
namespace {

using namespace kernels;
using Tensors = std::vector<Tensor>;
using Operation = std::function<Tensors(Tensors&)>;

// All of these compute the bits of their references.
Row row_of(const Tensors& inputs, const Tensors& want, const Operation& run) {
  double bytes = 0;
  for (const Tensor& t : inputs) bytes += static_cast<double>(t.nbytes());
  for (const Tensor& t : want) bytes += static_cast<double>(t.nbytes());
  return {bytes, inputs, run, [=](const Tensors& got) {
            for (std::size_t i = 0; i < want.size(); ++i) {
              if (!same_bits(got[i], want[i])) return false;
            }
            return got.size() == want.size();
          }};
}

void add_pad_rows(const Tensor& x, RowList& rows) {
  const Padding border = Padding::same(1);
  const std::int64_t height = x.size(1) - 2, width = x.size(2) - 2;
  const auto inside = [&] { return crop_reference(x, 1, 1, height, width); };
  rows.add(row_name("pad 1", x.dtype()), [&] {
    const Tensor inner = inside();
    return row_of({inner}, {pad_reference(inner, border, 0)},
                  [=](Tensors& in) -> Tensors { return {pad(in[0], border)}; });
  });
  rows.add(row_name("pad_reflect 1", x.dtype()), [&] {
    const Tensor inner = inside();
    return row_of({inner}, {pad_reflect_reference(inner, border)},
                  [=](Tensors& in) -> Tensors { return {pad_reflect(in[0], border)}; });
  });
  rows.add(row_name("pad_reflect_grad 1", x.dtype()), [&] {
    return row_of({x}, {pad_reflect_grad_reference(x, border)},
                  [=](Tensors& in) -> Tensors { return {pad_reflect_grad(in[0], border)}; });
  });
  rows.add(row_name("crop 1", x.dtype()), [&] {
    const Tensor inner = inside();
    Row row = row_of({x}, {inner},
                     [=](Tensors& in) -> Tensors { return {crop(in[0], 1, 1, height, width)}; });
    row.bytes = 2 * static_cast<double>(inner.nbytes());  // the rest need not be read
    return row;
  });
  rows.add(row_name("flip columns", x.dtype()), [&] {
    return row_of({x}, {flip_reference(x, 2)},
                  [](Tensors& in) -> Tensors { return {flip(in[0], 2)}; });
  });
}

void add_pool_rows(const std::string& name, const Tensor& x, const Pool2dParams& params,
                   RowList& rows) {
  const std::int64_t height = x.size(1), width = x.size(2);
  const DType dtype = x.dtype();
  const auto add = [&](const char* op, const std::function<Row()>& make) {
    rows.add(row_name(op + (" " + name), dtype), make);
  };
  // Gradients of the pooled images' shape.
  const auto dy = [&] {
    return normal(pool2d_output("bench_ops", x.shape(), params), dtype, {1, 0, 22});
  };
  add("max_pool2d", [&] {
    const MaxPool2dResult want = max_pool2d_reference(x, params);
    return row_of({x}, {want.y, want.taps}, [=](Tensors& in) -> Tensors {
      const MaxPool2dResult r = max_pool2d(in[0], params);
      return {r.y, r.taps};
    });
  });
  add("max_pool2d_grad", [&] {
    const Tensor taps = max_pool2d_reference(x, params).taps, gradient = dy();
    return row_of({gradient, taps},
                  {max_pool2d_grad_reference(gradient, taps, height, width, params)},
                  [=](Tensors& in) -> Tensors {
                    return {max_pool2d_grad(in[0], in[1], height, width, params)};
                  });
  });
  add("max_pool2d_pick", [&] {
    const Tensor taps = max_pool2d_reference(x, params).taps;
    return row_of({x, taps}, {max_pool2d_pick_reference(x, taps, params)},
                  [=](Tensors& in) -> Tensors { return {max_pool2d_pick(in[0], in[1], params)}; });
  });
  add("avg_pool2d", [&] {
    return row_of({x}, {avg_pool2d_reference(x, params)},
                  [=](Tensors& in) -> Tensors { return {avg_pool2d(in[0], params)}; });
  });
  add("avg_pool2d_grad", [&] {
    const Tensor gradient = dy();
    return row_of(
        {gradient}, {avg_pool2d_grad_reference(gradient, height, width, params)},
        [=](Tensors& in) -> Tensors { return {avg_pool2d_grad(in[0], height, width, params)}; });
  });
}

// From the height and width of `from` to those of `to`, and back.
void add_resample_rows(const std::string& name, Filter filter, const Tensor& from, const Tensor& to,
                       RowList& rows) {
  const std::int64_t h = from.size(1), w = from.size(2), to_h = to.size(1), to_w = to.size(2);
  rows.add(row_name("resample " + name, from.dtype()), [&] {
    return row_of({from}, {resample_reference(from, to_h, to_w, filter)},
                  [=](Tensors& in) -> Tensors { return {resample(in[0], to_h, to_w, filter)}; });
  });
  rows.add(row_name("resample_grad " + name, from.dtype()), [&] {
    return row_of({to}, {resample_grad_reference(to, h, w, filter)},
                  [=](Tensors& in) -> Tensors { return {resample_grad(in[0], h, w, filter)}; });
  });
}

}  // namespace

void add_spatial_rows(DType dtype, int megabytes, RowList& rows) {
  constexpr std::int64_t size = 64, channels = 64;
  const std::int64_t elements =
      (std::int64_t{megabytes} << 20) / static_cast<std::int64_t>(size_of(dtype));
  const std::int64_t images = elements / (size * size * channels);
  const Tensor large = normal({images, size, size, channels}, dtype, {1, 0, 20});
  const Tensor small = normal({images, size / 2, size / 2, channels}, dtype, {1, 0, 21});
  const Tensor rgb = normal({elements / (size * size * 3), size, size, 3}, dtype, {1, 0, 23});
  const Pool2dParams overlap{.kernel_h = 3, .kernel_w = 3, .pad = Padding::same(1)};
  add_pad_rows(large, rows);
  add_pool_rows("2x2", large, {}, rows);
  add_pool_rows("3x3 s2", large, overlap, rows);
  add_pool_rows("2x2 RGB", rgb, {}, rows);
  add_resample_rows("nearest x2", Filter::nearest, small, large, rows);
  add_resample_rows("bilinear x2", Filter::bilinear, small, large, rows);
  add_resample_rows("antialias /2", Filter::bilinear_antialias, large, small, rows);
}

}  // namespace imago::bench
