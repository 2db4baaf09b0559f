// softmax, its logarithm, cross-entropy.
#include "autograd/ops/cross_entropy.h"
#include "autograd/ops/cross_entropy_grad.h"
#include "autograd/ops/log_softmax.h"
#include "autograd/ops/log_softmax_grad.h"
#include "autograd/ops/softmax.h"
#include "autograd/ops/softmax_grad.h"
#include "op_case.h"
#include "tensor/context.h"

namespace imago::test {
namespace {

// Every label in turn, and every fourth row ignored.
Tensor labels_for(const Var& logits) {
  Tensor labels = Tensor::empty({logits.size(0)}, DType::i64, Device::cpu());
  for (std::int64_t i = 0; i < labels.numel(); ++i) {
    labels.mutable_data<std::int64_t>()[i] = i % 4 == 3 ? -100 : i % logits.size(1);
  }
  return labels.to(logits.device());
}

}  // namespace

std::vector<OpCase> softmax_cases() {
  std::vector<OpCase> cases;
  struct Problem {
    const char* name;
    Shape x;
    int axis;
  };
  for (const Problem& p : {Problem{"rows", {3, 4}, -1}, Problem{"columns", {2, 3, 2}, 1}}) {
    const auto one = [p](DType t, Size s) { return leaves(t, {taller(p.x, s)}); };
    const auto two = [p](DType t, Size s) { return leaves(t, {taller(p.x, s), taller(p.x, s)}); };
    cases.push_back(
        {"softmax", p.name, one, [p](const Vars& v) { return Vars{ops::softmax(v[0], p.axis)}; }});
    cases.push_back({"log_softmax", p.name, one,
                     [p](const Vars& v) { return Vars{ops::log_softmax(v[0], p.axis)}; }});
    cases.push_back({"softmax_grad", p.name, two,
                     [p](const Vars& v) { return Vars{ops::softmax_grad(v[0], v[1], p.axis)}; }});
    cases.push_back({"log_softmax_grad", p.name, two, [p](const Vars& v) {
                       return Vars{ops::log_softmax_grad(v[0], v[1], p.axis)};
                     }});
  }
  for (const double smoothing : {0.0, 0.1}) {
    const kernels::CrossEntropyOptions options{.label_smoothing = smoothing};
    const char* name = smoothing > 0 ? "smoothed, rows ignored" : "rows ignored";
    cases.push_back({"cross_entropy", name,
                     [](DType t, Size s) {
                       return leaves(t, {taller({5, 3}, s)});
                     },
                     [options](const Vars& v) {
                       return Vars{ops::cross_entropy(v[0], labels_for(v[0]), options)};
                     }});
    cases.push_back({"cross_entropy_grad", name,
                     [](DType t, Size s) {
                       return leaves(t, {{}, taller({5, 3}, s)});
                     },
                     [options](const Vars& v) {
                       const Tensor labels = labels_for(v[1]);
                       kernels::CrossEntropyResult forward;
                       {
                         const ContextScope not_counted;  // no work of the operation under test
                         forward = kernels::cross_entropy(v[1].tensor(), labels, options);
                       }
                       return Vars{ops::cross_entropy_grad(v[0], v[1], labels, forward, options)};
                     }});
  }
  return cases;
}

}  // namespace imago::test
