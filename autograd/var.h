// Var: a Tensor plus the operation that made it. Layers, losses and models speak Var.
//
// Operations (autograd/ops/) on Vars compute at once and, if an argument requires a gradient and
// recording is on, remember how to differentiate themselves. backward() and grad() then walk that
// graph. The gradient of every operation is itself made of operations on Vars, so gradients of
// gradients need nothing special: ask for them with create_graph.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autograd/hooks.h"
#include "tensor/context.h"
#include "tensor/tensor.h"

namespace imago {

class Function;
class Var;

struct BackwardOptions {
  bool create_graph = false;  // record the backward pass, so that its results can be differentiated
  bool retain_graph = false;  // keep saved values for another backward; implied by create_graph
};

class Var {
 public:
  struct Impl;

  Var() = default;  // undefined
  // A constant. The only implicit conversion from memory to the differentiable world.
  Var(Tensor tensor);  // NOLINT(google-explicit-constructor)

  bool defined() const { return impl_ != nullptr; }
  explicit operator bool() const { return defined(); }
  const Tensor& tensor() const;
  const Shape& shape() const { return tensor().shape(); }
  std::int64_t size(int i) const { return tensor().size(i); }
  int dim() const { return tensor().dim(); }
  std::int64_t numel() const { return tensor().numel(); }
  DType dtype() const { return tensor().dtype(); }
  Device device() const { return tensor().device(); }
  double item() const { return tensor().item(); }

  // True for a leaf that was asked to and for every result that depends on one.
  bool requires_grad() const;
  // For leaves only; throws on a result of an operation and on integers.
  Var& set_requires_grad(bool on);
  bool is_leaf() const;

  // The gradient that backward() accumulated in this leaf; undefined before the first and after
  // zero_grad(). Its memory keeps its address from one backward to the next.
  Var grad() const;
  void zero_grad();

  // The same memory as a constant.
  Var detach() const;

  // Accumulates d this / d leaf into the .grad of every leaf that requires it. Without `seed`, this
  // must be a scalar and the seed is 1; a seed has the shape of this. Throws, with every .grad as
  // it was, when an earlier backward without retain_graph freed any part of the graph behind this.
  void backward(const Var& seed = {}, const BackwardOptions& options = {}) const;

  // Calls hook(gradient) in each backward() and grad() that computes the gradient of this Var, once
  // it is whole: after all that use this Var have added their part, before it goes on to what made
  // this Var. For a leaf that is at the end of the walk, with what this walk adds to .grad (in
  // grad(), with the result). Hooks look, they do not change.
  //
  // The gradient is a constant, and what the hook computes is not recorded; with create_graph it is
  // part of a graph and both are as in backward. The hook goes with its handle; keep() leaves it
  // for as long as this leaf, or the graph that made this result, lives: it may be dropped while
  // other Vars still hold that graph. A hook that holds this Var would keep both alive for ever;
  // hold detach().
  HookHandle register_hook(std::function<void(const Var&)> hook) const;

  const std::shared_ptr<Impl>& impl() const { return impl_; }
  static Var from_impl(std::shared_ptr<Impl> impl);

 private:
  std::shared_ptr<Impl> impl_;
};

using Vars = std::vector<Var>;
using NamedVars = std::vector<std::pair<std::string, Var>>;
using GradHooks = HookList<const Var&>;

// A leaf that requires a gradient.
Var parameter(Tensor tensor);

// While one lives, this thread records (or does not record) operations.
class GradMode {
 public:
  explicit GradMode(bool on) : before_(Context::current().record_gradients) {
    Context::current().record_gradients = on;
  }
  ~GradMode() { Context::current().record_gradients = before_; }
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool before_;
};

class NoGrad : public GradMode {
 public:
  NoGrad() : GradMode(false) {}
};

}  // namespace imago
