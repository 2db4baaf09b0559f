#include "autograd/ops/concat.h"

#include "autograd/function.h"
#include "autograd/ops/slice.h"
#include "kernels/concat/concat.h"

namespace imago::ops {
namespace {

class ConcatFunction final : public Function {
 public:
  explicit ConcatFunction(std::vector<std::int64_t> rows)
      : Function("concat"), rows_(std::move(rows)) {}
  Vars backward(const Vars& g) override {
    Vars grads(rows_.size());
    std::int64_t at = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (needs_grad(static_cast<int>(i))) grads[i] = slice(g[0], at, at + rows_[i]);
      at += rows_[i];
    }
    return grads;
  }

 private:
  std::vector<std::int64_t> rows_;
};

}  // namespace

Var concat(const Vars& parts) {
  std::vector<Tensor> tensors;
  for (const Var& part : parts) tensors.push_back(part.tensor());
  Tensor result = kernels::concat(tensors);  // validates that every part has an outermost dimension
  std::vector<std::int64_t> rows;
  for (const Var& part : parts) rows.push_back(part.size(0));
  const auto node = record<ConcatFunction>(parts, std::move(rows));
  return attach(node, std::move(result));
}

}  // namespace imago::ops
