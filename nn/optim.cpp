#include "nn/optim.h"

#include <cmath>
#include <map>

#include "kernels/adam/adam.h"

namespace imago::optim {

Adam::Adam(Vars parameters, const AdamOptions& options)
    : parameters_(std::move(parameters)), options_(options) {
  const auto& o = options_;
  check(o.lr >= 0 && std::isfinite(o.lr), "Adam", "lr must not be negative, but is ", o.lr);
  check(0 <= o.beta1 && o.beta1 < 1 && 0 <= o.beta2 && o.beta2 < 1, "Adam",
        "beta1 and beta2 must be in [0, 1), not ", o.beta1, " and ", o.beta2);
  check(o.eps >= 0 && o.weight_decay >= 0, "Adam", "eps and weight_decay must not be negative");
  check(!parameters_.empty(), "Adam", "there are no parameters to train");
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Var& p = parameters_[i];
    check(p.defined() && p.is_leaf(), "Adam", "parameter ", i, " is not a leaf");
    check(p.dtype() == DType::f32 || p.dtype() == DType::f64, "Adam",
          "parameters are f32 or f64, but parameter ", i, " is ", p.dtype());
    check(p.dtype() == parameters_[0].dtype(), "Adam", "parameter ", i, " is ", p.dtype(),
          " but parameter 0 is ", parameters_[0].dtype());
    check(p.device() == parameters_[0].device(), "Adam", "parameter ", i, " is on ", p.device(),
          " but parameter 0 is on ", parameters_[0].device());
    for (std::size_t j = 0; j < i; ++j) {
      check(!p.tensor().shares_storage(parameters_[j].tensor()), "Adam", "parameters ", j, " and ",
            i, " share memory; is one given twice?");
    }
    m_.push_back(Tensor::zeros_like(p.tensor()));
    v_.push_back(Tensor::zeros_like(p.tensor()));
  }
  const auto count = static_cast<std::int64_t>(parameters_.size());
  steps_ = Tensor::full({count}, 0, DType::i64, Device::cpu());
  scalars_ = Tensor::empty({3}, DType::f64, parameters_[0].device());
}

void Adam::set_lr(double lr) {
  check(lr >= 0 && std::isfinite(lr), "Adam", "lr must not be negative, but is ", lr);
  options_.lr = lr;
}

void Adam::zero_grad() {
  for (Var& p : parameters_) p.zero_grad();
}

void Adam::step() {
  // Parameters with equal counts share bias corrections and go through the kernel together; in
  // ordinary training that is all of them.
  std::map<std::int64_t, std::vector<std::size_t>> by_count;
  std::int64_t* steps = steps_.mutable_data<std::int64_t>();
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Var& p = parameters_[i];
    if (p.requires_grad() && p.grad()) by_count[++steps[i]].push_back(i);
  }
  const kernels::AdamConstants constants{.beta1 = options_.beta1,
                                         .beta2 = options_.beta2,
                                         .eps = options_.eps,
                                         .weight_decay = options_.weight_decay};
  for (const auto& [count, indices] : by_count) {
    std::vector<Tensor> p, g, m, v;
    for (const std::size_t i : indices) {
      p.push_back(parameters_[i].tensor());
      g.push_back(parameters_[i].grad().tensor());
      m.push_back(m_[i]);
      v.push_back(v_[i]);
    }
    const auto t = static_cast<double>(count);
    Tensor scalars = Tensor::empty({3}, DType::f64, Device::cpu());
    double* s = scalars.mutable_data<double>();
    s[0] = options_.lr;
    s[1] = 1 / (1 - std::pow(options_.beta1, t));
    s[2] = 1 / std::sqrt(1 - std::pow(options_.beta2, t));
    scalars_.copy_from(scalars);
    kernels::adam_update(p, g, m, v, scalars_, constants);
  }
}

NamedTensors Adam::state_dict() const {
  NamedTensors state{{"steps", steps_}};
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    state.emplace("m." + std::to_string(i), m_[i]);
    state.emplace("v." + std::to_string(i), v_[i]);
  }
  return state;
}

void Adam::load_state_dict(const NamedTensors& state) {
  copy_named("Adam::load_state_dict", state, state_dict());
}

}  // namespace imago::optim
