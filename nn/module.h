// Module: a layer or a network of layers. It owns parameters (trained), buffers (kept but not
// trained, such as running statistics) and children, all by name: "layers.3.weight".
//
// How to write one:
//
//   class Scale final : public Module {
//    public:
//     explicit Scale(int channels)
//         : factor_(add_parameter("factor", Tensor::full({channels}, 1.0))) {}
//     Var forward(const Var& x) override { return ops::mul(x, factor_); }
//
//    private:
//     Var factor_;
//   };
//
// Modules can be moved, not copied: a copy would train the same weights under another name. Members
// hold parameters and buffers as Vars, which are handles: to() and load_state_dict() change what
// they point to, in every holder at once.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autograd/var.h"
#include "nn/named_tensors.h"

namespace imago::nn {

using imago::NamedVars;

class Module;
// Called with the module, its input and its output.
using ForwardHooks = HookList<Module&, const Var&, const Var&>;

class Module {
 public:
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // What a layer computes. Call it as layer(x), which also runs hooks and lets errors, profiles and
  // anomaly mode name the layer.
  virtual Var forward(const Var& x) = 0;
  Var operator()(const Var& x);

  // "Conv2d": the class without its namespaces.
  std::string type_name() const;
  // What layer paths call this module: the name under which its parent holds it. One that no other
  // holds has none until it is given one: D.set_name("D") makes its layers D.layers.0, ...
  const std::string& name() const { return name_; }
  void set_name(std::string name) { name_ = std::move(name); }

  // Calls hook(module, input, output) after each call of this module. Hooks look, they do not
  // change. `output` is the Var that goes on, with its history: output.register_hook() sees the
  // gradient of this activation, also one computed with create_graph; to keep the activation
  // beyond the step hold output.detach(), or the whole graph stays with it. What a hook computes is
  // recorded as the forward pass is; NoGrad inside it leaves no trace.
  // The hook goes with its handle, or with keep() lives as long as this module, moves included.
  // Where a layer fuses its child with something (ConvBlock's batch norm with its activation), the
  // hook of the child sees the output of both.
  HookHandle register_forward_hook(std::function<void(Module&, const Var&, const Var&)> hook);

  // In the order they were added: a module's own before those of its children.
  Vars parameters() const;
  NamedVars named_parameters() const;
  NamedVars named_buffers() const;
  // Those of this module alone, without its children's.
  Vars own_parameters() const;
  // Elements of all parameters; buffers do not count.
  std::int64_t num_parameters() const;

  // Parameters and buffers by name; shares memory with the module.
  NamedTensors state_dict() const;
  // Copies values in place, so optimisers stay attached. Strict: one error lists every missing,
  // unexpected and mis-shaped name, and then nothing has changed.
  void load_state_dict(const NamedTensors& state);

  // Training mode (the default) or evaluation mode, for this module and all below it.
  void train(bool on = true);
  void eval() { train(false); }
  bool training() const { return training_; }

  void zero_grad();

  // Moves parameters and buffers to a device, or converts them to f32 or f64. Gradients are
  // dropped. Make optimisers afterwards: their state does not follow.
  void to(Device device);
  void to(DType dtype);

  // Calls f(name, module) for this module (name "") and all below it, parents first.
  void visit(const std::function<void(const std::string&, Module&)>& f);
  void visit(const std::function<void(const std::string&, const Module&)>& f) const;

 protected:
  Module() = default;
  Module(Module&&) = default;
  Module& operator=(Module&&) = default;

  // The name must be new in this module, and a parameter shares memory with no other below it.
  Var add_parameter(const std::string& name, Tensor initial);
  Var add_buffer(const std::string& name, Tensor initial);
  template <std::derived_from<Module> M>
  std::shared_ptr<M> add_child(const std::string& name, M module) {
    auto child = std::make_shared<M>(std::move(module));
    add_child_pointer(name, child);
    return child;
  }
  const std::vector<std::pair<std::string, std::shared_ptr<Module>>>& children() const {
    return children_;
  }
  // For a second way to run a module beside operator(): LayerScope(name()), then this.
  void run_forward_hooks(const Var& x, const Var& y);

 private:
  void add_child_pointer(const std::string& name, std::shared_ptr<Module> child);
  void require_new_name(const std::string& name) const;
  void require_own_storage(const std::string& name, const Tensor& tensor) const;
  void collect(const std::string& prefix, NamedVars Module::*list, NamedVars& into) const;
  void visit_under(const std::string& name,
                   const std::function<void(const std::string&, Module&)>& f);
  void replace_tensors(const std::function<Tensor(const Tensor&)>& f);

  NamedVars parameters_;
  NamedVars buffers_;
  std::vector<std::pair<std::string, std::shared_ptr<Module>>> children_;
  std::string name_;
  std::shared_ptr<ForwardHooks> forward_hooks_;  // null until the first is registered
  bool training_ = true;
};

// While one lives, a module and all below it are in evaluation mode; afterwards in the mode the
// module was in.
class Evaluating {
 public:
  explicit Evaluating(Module& module) : module_(module), before_(module.training()) {
    module_.eval();
  }
  ~Evaluating() { module_.train(before_); }
  Evaluating(const Evaluating&) = delete;
  Evaluating& operator=(const Evaluating&) = delete;

 private:
  Module& module_;
  bool before_;
};

// While one lives, the parameters of a module require no gradient, so results computed from them
// carry gradients to their inputs but none to the weights. Afterwards each is as it was before.
// Running statistics are not frozen.
class Frozen {
 public:
  explicit Frozen(const Module& module);
  ~Frozen();
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;

 private:
  Vars thawed_;  // the parameters that required a gradient
};

}  // namespace imago::nn
