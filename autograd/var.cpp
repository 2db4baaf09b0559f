#include "autograd/var.h"

#include "autograd/engine.h"
#include "autograd/function.h"

namespace imago {

Var::Var(Tensor tensor) {
  if (!tensor.defined()) return;
  impl_ = std::make_shared<Impl>();
  impl_->tensor = std::move(tensor);
}

Var Var::from_impl(std::shared_ptr<Impl> impl) {
  Var v;
  v.impl_ = std::move(impl);
  return v;
}

const Tensor& Var::tensor() const {
  check(defined(), "var", "this Var is undefined; it holds no tensor");
  return impl_->tensor;
}

bool Var::requires_grad() const {
  return impl_ && impl_->requires_grad;
}

bool Var::is_leaf() const {
  return !impl_ || !impl_->function;
}

Var& Var::set_requires_grad(bool on) {
  check(defined(), "set_requires_grad", "this Var is undefined");
  check(is_leaf(), "set_requires_grad", "only leaves can be changed; this is a result of ",
        is_leaf() ? "" : impl_->function->name(), " (use detach() for a constant)");
  check(!on || is_floating(dtype()), "set_requires_grad",
        "only floating types carry gradients, not ", dtype());
  impl_->requires_grad = on;
  return *this;
}

Var Var::grad() const {
  return impl_ ? impl_->grad : Var();
}

void Var::zero_grad() {
  if (impl_) impl_->grad = Var();
}

Var Var::detach() const {
  return Var(tensor());
}

void Var::backward(const Var& seed, const BackwardOptions& options) const {
  imago::backward({*this}, seed ? Vars{seed} : Vars{}, options);
}

HookHandle Var::register_hook(std::function<void(const Var&)> hook) const {
  check(requires_grad(), "register_hook",
        "this Var does not require a gradient, so none will ever be known");
  auto& hooks = is_leaf() ? impl_->grad_hooks : impl_->function->grad_hooks(impl_->output_index);
  if (!hooks) hooks = std::make_shared<GradHooks>();
  return {hooks, hooks->add(std::move(hook))};
}

Var parameter(Tensor tensor) {
  Var v(std::move(tensor));
  v.set_requires_grad(true);
  return v;
}

}  // namespace imago
