#include "nn/optimizer.h"

#include <cmath>
#include <cstring>
#include <map>

namespace imago::optim {

void Optimizer::check_lr(double lr) const {
  check(lr >= 0 && std::isfinite(lr), name_, "lr must not be negative, but is ", lr);
}

void Optimizer::add(Vars parameters, double lr, std::vector<std::string> kept) {
  check_lr(lr);
  check(!parameters.empty(), name_, "there are no parameters to train");
  Vars all = parameters_;  // nothing changes before everything is checked
  std::vector<std::vector<Tensor>> zeros;
  for (const Var& p : parameters) {
    const std::size_t i = all.size();
    check(p.defined() && p.is_leaf(), name_, "parameter ", i, " is not a leaf");
    check(p.dtype() == DType::f32 || p.dtype() == DType::f64, name_,
          "parameters are f32 or f64, but parameter ", i, " is ", p.dtype());
    for (std::size_t j = 0; j < i; ++j) {
      check(!p.tensor().shares_storage(all[j].tensor()), name_, "parameters ", j, " and ", i,
            " share memory; is one given twice?");
    }
    all.push_back(p);
    check(p.dtype() == all[0].dtype(), name_, "parameter ", i, " is ", p.dtype(),
          " but parameter 0 is ", all[0].dtype());
    check(p.device() == all[0].device(), name_, "parameter ", i, " is on ", p.device(),
          " but parameter 0 is on ", all[0].device());
    zeros.emplace_back();
    for (std::size_t k = 0; k < kept.size(); ++k) {
      zeros.back().push_back(Tensor::zeros_like(p.tensor()));
    }
  }
  const auto count = static_cast<std::int64_t>(all.size());
  Tensor steps = Tensor::full({count}, 0, DType::i64, Device::cpu());
  if (steps_) steps.slice(0, steps_.numel()).copy_from(steps_);
  groups_.push_back({parameters_.size(), all.size(), lr, std::move(kept)});
  parameters_ = std::move(all);
  for (auto& list : zeros) kept_.push_back(std::move(list));
  steps_ = steps;
}

void Optimizer::set_lr(double lr) {
  for (std::size_t group = 0; group < groups_.size(); ++group) set_lr(group, lr);
}

void Optimizer::set_lr(std::size_t group, double lr) {
  check_lr(lr);
  check(group < groups_.size(), name_, "there is no group ", group, " among ", groups_.size());
  groups_[group].lr = lr;
}

void Optimizer::set_lr_factor(double factor) {
  check_lr(factor);
  lr_factor_ = factor;
}

double Optimizer::lr(std::size_t group) const {
  check(group < groups_.size(), name_, "there is no group ", group, " among ", groups_.size());
  return groups_[group].lr * lr_factor_;
}

void Optimizer::zero_grad() {
  for (Var& p : parameters_) p.zero_grad();
}

void Optimizer::begin_step() {
  batches_.clear();
  std::int64_t* steps = steps_.mutable_data<std::int64_t>();
  for (std::size_t group = 0; group < groups_.size(); ++group) {
    std::map<std::int64_t, std::vector<std::size_t>> by_count;
    for (std::size_t i = groups_[group].begin; i < groups_[group].end; ++i) {
      const Var& p = parameters_[i];
      if (p.requires_grad() && p.grad()) by_count[++steps[i]].push_back(i);
    }
    for (auto& [count, members] : by_count) {
      const std::vector<double> values = slots(group, lr(group), count);
      Tensor host =
          Tensor::empty({static_cast<std::int64_t>(values.size())}, DType::f64, Device::cpu());
      std::memcpy(host.mutable_bytes(), values.data(), host.nbytes());
      const std::size_t batch = batches_.size();
      if (batch == memory_.size()) memory_.emplace_back();
      Tensor& memory = memory_[batch];
      if (!memory || memory.shape() != host.shape()) {
        memory = Tensor::empty(host.shape(), DType::f64, parameters_[0].device());
      }
      memory.copy_from(host);
      batches_.push_back({group, std::move(members), memory});
    }
  }
}

void Optimizer::apply() {
  for (const Batch& batch : batches_) {
    BatchTensors tensors;
    tensors.kept.resize(groups_[batch.group].kept.size());
    for (const std::size_t i : batch.members) {
      check(parameters_[i].grad().defined(), name_, "parameter ", i,
            " lost its gradient after begin_step");
      tensors.p.push_back(parameters_[i].tensor());
      tensors.g.push_back(parameters_[i].grad().tensor());
      for (std::size_t k = 0; k < tensors.kept.size(); ++k) {
        tensors.kept[k].push_back(kept_[i][k]);
      }
    }
    update(batch.group, tensors, batch.slots);
  }
}

NamedTensors Optimizer::state_dict() const {
  NamedTensors state{{"steps", steps_}};
  for (const Group& group : groups_) {
    for (std::size_t i = group.begin; i < group.end; ++i) {
      for (std::size_t k = 0; k < group.kept.size(); ++k) {
        state.emplace(group.kept[k] + "." + std::to_string(i), kept_[i][k]);
      }
    }
  }
  return state;
}

void Optimizer::load_state_dict(const NamedTensors& state) {
  copy_named((std::string(name_) + "::load_state_dict").c_str(), state, state_dict());
}

}  // namespace imago::optim
