// Padding, cropping, mirroring, pooling and resampling of images of 64 channels.
#include "bench/op_rows.h"
#include "kernels/pad/pad.h"
#include "kernels/pool/pool.h"
#include "kernels/random/random.h"
#include "kernels/resample/resample.h"

namespace imago::bench {
namespace {

using namespace kernels;
using Tensors = std::vector<Tensor>;
using Operation = std::function<Tensors(const Tensors&)>;

// All of these compute the bits of their references.
Row row_of(const std::string& name, const Tensors& inputs, const Tensors& want,
           const Operation& f) {
  double bytes = 0;
  for (const Tensor& t : inputs) bytes += static_cast<double>(t.nbytes());
  for (const Tensor& t : want) bytes += static_cast<double>(t.nbytes());
  return {name + "/" + name_of(inputs[0].dtype()), bytes, inputs,
          [=](Tensors& in) -> Tensors { return f(in); },
          [=](const Tensors& got) {
            for (std::size_t i = 0; i < want.size(); ++i) {
              if (!same_bits(got[i], want[i])) return false;
            }
            return got.size() == want.size();
          }};
}

void add_pad_rows(const Tensor& x, std::vector<Row>& rows) {
  const Padding border = Padding::same(1);
  const std::int64_t height = x.size(1) - 2, width = x.size(2) - 2;
  const Tensor inner = crop_reference(x, 1, 1, height, width);
  rows.push_back(row_of("pad 1", {inner}, {pad_reference(inner, border, 0)},
                        [=](const Tensors& in) { return Tensors{pad(in[0], border)}; }));
  rows.push_back(row_of("pad_reflect 1", {inner}, {pad_reflect_reference(inner, border)},
                        [=](const Tensors& in) { return Tensors{pad_reflect(in[0], border)}; }));
  rows.push_back(
      row_of("pad_reflect_grad 1", {x}, {pad_reflect_grad_reference(x, border)},
             [=](const Tensors& in) { return Tensors{pad_reflect_grad(in[0], border)}; }));
  Row cropped = row_of("crop 1", {x}, {inner}, [=](const Tensors& in) {
    return Tensors{crop(in[0], 1, 1, height, width)};
  });
  cropped.bytes = 2 * static_cast<double>(inner.nbytes());  // the rest need not be read
  rows.push_back(cropped);
  rows.push_back(row_of("flip columns", {x}, {flip_reference(x, 2)},
                        [](const Tensors& in) { return Tensors{flip(in[0], 2)}; }));
}

void add_pool_rows(const std::string& name, const Tensor& x, const Pool2dParams& params,
                   std::vector<Row>& rows) {
  const std::int64_t height = x.size(1), width = x.size(2);
  const MaxPool2dResult pooled = max_pool2d_reference(x, params);
  const Tensor y = pooled.y, taps = pooled.taps;
  rows.push_back(row_of("max_pool2d " + name, {x}, {y, taps}, [=](const Tensors& in) {
    const MaxPool2dResult r = max_pool2d(in[0], params);
    return Tensors{r.y, r.taps};
  }));
  rows.push_back(row_of("max_pool2d_grad " + name, {y, taps},
                        {max_pool2d_grad_reference(y, taps, height, width, params)},
                        [=](const Tensors& in) {
                          return Tensors{max_pool2d_grad(in[0], in[1], height, width, params)};
                        }));
  rows.push_back(row_of("avg_pool2d " + name, {x}, {avg_pool2d_reference(x, params)},
                        [=](const Tensors& in) { return Tensors{avg_pool2d(in[0], params)}; }));
  rows.push_back(row_of(
      "avg_pool2d_grad " + name, {y}, {avg_pool2d_grad_reference(y, height, width, params)},
      [=](const Tensors& in) { return Tensors{avg_pool2d_grad(in[0], height, width, params)}; }));
}

// From the height and width of `from` to those of `to`, and back.
void add_resample_rows(const std::string& name, Filter filter, const Tensor& from, const Tensor& to,
                       std::vector<Row>& rows) {
  const auto forward = [=](const Tensors& in) {
    return Tensors{resample(in[0], to.size(1), to.size(2), filter)};
  };
  const auto backward = [=](const Tensors& in) {
    return Tensors{resample_grad(in[0], from.size(1), from.size(2), filter)};
  };
  rows.push_back(row_of("resample " + name, {from},
                        {resample_reference(from, to.size(1), to.size(2), filter)}, forward));
  rows.push_back(row_of("resample_grad " + name, {to},
                        {resample_grad_reference(to, from.size(1), from.size(2), filter)},
                        backward));
}

}  // namespace

std::vector<Row> spatial_rows(DType dtype, int megabytes) {
  constexpr std::int64_t size = 64, channels = 64;
  const std::int64_t image_bytes =
      size * size * channels * static_cast<std::int64_t>(size_of(dtype));
  const std::int64_t images = (std::int64_t{megabytes} << 20) / image_bytes;
  const Tensor large = normal({images, size, size, channels}, dtype, {1, 0, 20});
  const Tensor small = normal({images, size / 2, size / 2, channels}, dtype, {1, 0, 21});
  std::vector<Row> rows;
  add_pad_rows(large, rows);
  add_pool_rows("2x2", large, {}, rows);
  add_pool_rows("3x3 s2", large, {.kernel_h = 3, .kernel_w = 3, .pad = Padding::same(1)}, rows);
  add_resample_rows("nearest x2", Filter::nearest, small, large, rows);
  add_resample_rows("bilinear x2", Filter::bilinear, small, large, rows);
  add_resample_rows("antialias /2", Filter::bilinear_antialias, large, small, rows);
  return rows;
}

}  // namespace imago::bench
