#include "autograd/ops/slice.h"

#include "autograd/function.h"
#include "autograd/ops/concat.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

// Zeros of the shape of x but for the outermost extent.
Var zero_rows(const Shape& shape, std::int64_t rows, const Var& like) {
  Shape zeros = shape;
  zeros.set(0, rows);
  Tensor t = Tensor::empty(zeros, like.dtype(), like.device());
  kernels::fill(t, 0);
  return t;
}

class SliceFunction final : public Function {
 public:
  SliceFunction(Shape from, std::int64_t begin, std::int64_t end)
      : Function("slice"), from_(from), begin_(begin), end_(end) {}
  Vars backward(const Vars& g) override {
    return {
        concat({zero_rows(from_, begin_, g[0]), g[0], zero_rows(from_, from_[0] - end_, g[0])})};
  }

 private:
  Shape from_;
  std::int64_t begin_, end_;
};

}  // namespace

Var slice(const Var& x, std::int64_t begin, std::int64_t end) {
  const auto node = record<SliceFunction>({x}, x.shape(), begin, end);
  return attach(node, x.tensor().slice(begin, end));
}

}  // namespace imago::ops
