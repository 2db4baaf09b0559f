#include "nn/module.h"

#include <cxxabi.h>

#include <cstdlib>
#include <typeinfo>

#include "autograd/function.h"
#include "kernels/elementwise/elementwise.h"
#include "tensor/layer_scope.h"

namespace imago::nn {

Var Module::operator()(const Var& x) {
  const LayerScope scope(name_);
  Var y = forward(x);
  run_forward_hooks(x, y);
  return y;
}

void Module::run_forward_hooks(const Var& x, const Var& y) {
  if (!forward_hooks_) return;
  const auto hooks = forward_hooks_;  // lives on if a hook destroys its module
  hooks->call(*this, x, y);
}

HookHandle Module::register_forward_hook(
    std::function<void(Module&, const Var&, const Var&)> hook) {
  if (!forward_hooks_) forward_hooks_ = std::make_shared<ForwardHooks>();
  return {forward_hooks_, forward_hooks_->add(std::move(hook))};
}

std::string Module::type_name() const {
  int status = 0;
  char* text = abi::__cxa_demangle(typeid(*this).name(), nullptr, nullptr, &status);
  std::string name = status == 0 ? text : typeid(*this).name();
  std::free(text);
  // Drop namespaces and enclosing functions, but not those of template arguments.
  const auto arguments = name.find('<');
  const auto colons = name.rfind("::", arguments == std::string::npos ? name.size() : arguments);
  return colons == std::string::npos ? name : name.substr(colons + 2);
}

void Module::require_new_name(const std::string& name) const {
  check(!name.empty(), "module", "a parameter, buffer or child needs a name");
  const auto has = [&](const auto& list) {
    for (const auto& entry : list) {
      if (entry.first == name) return true;
    }
    return false;
  };
  check(!has(parameters_) && !has(buffers_) && !has(children_), "module", "the name '", name,
        "' is taken in this module; parameters, buffers and children share one list of names");
}

void Module::require_own_storage(const std::string& name, const Tensor& tensor) const {
  for (const auto& [other, var] : named_parameters()) {
    check(!tensor.shares_storage(var.tensor()), "module", "parameters '", other, "' and '", name,
          "' share memory, so each step would change it twice; give one of them a clone");
  }
}

Var Module::add_parameter(const std::string& name, Tensor initial) {
  require_new_name(name);
  require_own_storage(name, initial);
  parameters_.emplace_back(name, parameter(std::move(initial)));
  return parameters_.back().second;
}

Var Module::add_buffer(const std::string& name, Tensor initial) {
  require_new_name(name);
  buffers_.emplace_back(name, Var(std::move(initial)));
  return buffers_.back().second;
}

void Module::add_child_pointer(const std::string& name, std::shared_ptr<Module> child) {
  require_new_name(name);
  for (const auto& [below, var] : child->named_parameters()) {
    require_own_storage(name + "." + below, var.tensor());
  }
  child->set_name(name);
  children_.emplace_back(name, std::move(child));
}

void Module::collect(const std::string& prefix, NamedVars Module::*list, NamedVars& into) const {
  for (const auto& [name, var] : this->*list) into.emplace_back(prefix + name, var);
  for (const auto& [name, child] : children_) child->collect(prefix + name + ".", list, into);
}

NamedVars Module::named_parameters() const {
  NamedVars result;
  collect("", &Module::parameters_, result);
  return result;
}

NamedVars Module::named_buffers() const {
  NamedVars result;
  collect("", &Module::buffers_, result);
  return result;
}

Vars Module::parameters() const {
  Vars result;
  for (auto& [name, var] : named_parameters()) result.push_back(var);
  return result;
}

Vars Module::own_parameters() const {
  Vars result;
  for (const auto& [name, var] : parameters_) result.push_back(var);
  return result;
}

std::int64_t Module::num_parameters() const {
  std::int64_t count = 0;
  for (const Var& p : parameters()) count += p.numel();
  return count;
}

NamedTensors Module::state_dict() const {
  NamedTensors result;
  for (const auto& list : {named_parameters(), named_buffers()}) {
    for (const auto& [name, var] : list) {
      check(result.emplace(name, var.tensor()).second, "state_dict", "two tensors are named '",
            name, "'");
    }
  }
  return result;
}

void Module::load_state_dict(const NamedTensors& state) {
  copy_named("load_state_dict", state, state_dict());
}

void Module::visit_under(const std::string& name,
                         const std::function<void(const std::string&, Module&)>& f) {
  f(name, *this);
  for (const auto& [child_name, child] : children_) {
    child->visit_under(name.empty() ? child_name : name + "." + child_name, f);
  }
}

void Module::visit(const std::function<void(const std::string&, Module&)>& f) {
  visit_under("", f);
}

void Module::visit(const std::function<void(const std::string&, const Module&)>& f) const {
  const auto look = [&f](const std::string& name, Module& module) { f(name, module); };
  const_cast<Module*>(this)->visit_under("", look);  // f can only look
}

void Module::train(bool on) {
  visit([on](const std::string&, Module& module) { module.training_ = on; });
}

void Module::zero_grad() {
  for (Var& p : parameters()) p.zero_grad();
}

void Module::replace_tensors(const std::function<Tensor(const Tensor&)>& f) {
  for (const auto& list : {named_parameters(), named_buffers()}) {
    for (const auto& [name, var] : list) {
      Tensor replaced = f(var.tensor());
      if (replaced.shares_storage(var.tensor())) continue;
      var.impl()->tensor = std::move(replaced);
      var.impl()->grad = Var();
      var.impl()->grad_memory = Tensor();
    }
  }
}

void Module::to(Device device) {
  // Throws for a device without kernels even when there is nothing to move.
  require_device("to", device);
  replace_tensors([&](const Tensor& t) { return t.to(device); });
}

void Module::to(DType dtype) {
  check(dtype == DType::f32 || dtype == DType::f64, "to", "parameters are kept in f32 or f64, not ",
        dtype);
  replace_tensors(
      [&](const Tensor& t) { return is_floating(t.dtype()) ? kernels::cast(t, dtype) : t; });
}

Frozen::Frozen(const Module& module) {
  for (Var& p : module.parameters()) {
    if (!p.requires_grad()) continue;
    p.set_requires_grad(false);
    thawed_.push_back(p);
  }
}

Frozen::~Frozen() {
  for (Var& p : thawed_) p.set_requires_grad(true);
}

}  // namespace imago::nn
