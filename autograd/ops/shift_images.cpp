#include "autograd/ops/shift_images.h"

#include "autograd/function.h"
#include "kernels/counting.h"
#include "kernels/elementwise/compare.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/gather/gather.h"
#include "kernels/images.h"

namespace imago::ops {
namespace {

// Which of the `extent` rows (or columns) each one of the result comes from, both (N, extent).
struct Source {
  Tensor place;   // f64, moved to the border where it is outside
  Tensor inside;  // u8
};

Source source_of(std::int64_t extent, const Tensor& distances, bool back) {  // (N) i64
  const Tensor by = kernels::scale(kernels::cast(distances, DType::f64), back ? 1 : -1);
  const Tensor grid = kernels::counting(extent, distances.device()).reshape({1, extent});
  const Tensor from = kernels::add(grid, by.reshape({by.numel(), 1}));
  const double last = static_cast<double>(extent - 1);
  return {kernels::clamp(from, {.low = 0, .high = last}),
          kernels::logical_and(kernels::greater_equal(from, 0), kernels::less_equal(from, last))};
}

// Pixels are numbered through the whole batch, in f64, which counts to 2^53.
Tensor shifted(const Tensor& x, const Tensor& down, const Tensor& right, bool back) {
  const std::int64_t n = x.size(0), height = x.size(1), width = x.size(2), channels = x.size(3);
  const Source rows = source_of(height, down, back), columns = source_of(width, right, back);
  const Tensor first =
      kernels::scale(kernels::counting(n, x.device()).reshape({n, 1}), static_cast<double>(height));
  const Tensor row = kernels::scale(kernels::add(rows.place, first), static_cast<double>(width));
  const Tensor pixel =
      kernels::add(row.reshape({n, height, 1}), columns.place.reshape({n, 1, width}));
  const Tensor moved =
      kernels::index_select(x.reshape({n * height * width, channels}), 0,
                            kernels::cast(pixel, DType::i64).reshape({n * height * width}));
  const Tensor inside = kernels::logical_and(rows.inside.reshape({n, height, 1, 1}),
                                             columns.inside.reshape({n, 1, width, 1}));
  return kernels::where(inside, moved.reshape(x.shape()),
                        kernels::full({}, 0, x.dtype(), x.device()));
}

void require_distances(const char* name, const Tensor& distances, const Tensor& x) {
  const char* op = "shift_images";
  check(distances.defined(), op, name, " is undefined");
  check(distances.dtype() == DType::i64 && distances.shape() == Shape{x.size(0)}, op, name, " is ",
        distances.dtype(), " ", distances.shape(), "; it takes one i64 for each of the ", x.size(0),
        " images");
  check(distances.device() == x.device(), op, name, " is on ", distances.device(),
        " but the images are on ", x.device());
}

// Forwards, or back.
Var shift(const Var& x, const Tensor& down, const Tensor& right, bool back);

class ShiftImagesFunction final : public Function {
 public:
  explicit ShiftImagesFunction(bool back) : Function("shift_images"), back_(back) {}
  Vars backward(const Vars& g) override {
    return {shift(g[0], saved(0).tensor(), saved(1).tensor(), !back_)};
  }

 private:
  bool back_;
};

Var shift(const Var& x, const Tensor& down, const Tensor& right, bool back) {
  Tensor result = shifted(x.tensor(), down, right, back);
  const auto node = record<ShiftImagesFunction>({x}, back);
  if (node) {
    node->save(down);
    node->save(right);
  }
  return attach(node, std::move(result));
}

}  // namespace

Var shift_images(const Var& x, const Tensor& down, const Tensor& right) {
  kernels::require_images("shift_images", "x", x.tensor());
  require_distances("down", down, x.tensor());
  require_distances("right", right, x.tensor());
  return shift(x, down, right, false);
}

}  // namespace imago::ops
