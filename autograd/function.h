// Function: a node of the graph, one per recorded operation. How to write one:
//
//   class TanhFunction final : public Function {
//    public:
//     TanhFunction() : Function("tanh") {}
//     Vars backward(const Vars& g) override { return {ops::tanh_grad(g[0], saved(0))}; }
//   };
//
//   Var tanh(const Var& x) {
//     auto node = record<TanhFunction>({x});            // nullptr if nothing to record
//     Var y = attach(node, kernels::tanh(x.tensor()));  // compute; y is an output of node
//     if (node) node->save_output(y);                   // what backward will need
//     return y;
//   }
//
// Laws: backward uses operations on Vars only (never a kernel on raw tensors), so that it can
// itself be recorded; it returns one Var per input, undefined where needs_grad(i) is false or the
// gradient is zero everywhere.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autograd/var.h"

namespace imago {

// Where the gradient of an input goes: output `index` of a function, or the .grad of a leaf.
struct Edge {
  std::shared_ptr<Function> function;
  std::shared_ptr<Var::Impl> leaf;
  int index = 0;

  explicit operator bool() const { return function || leaf; }
};

struct Var::Impl {
  Tensor tensor;
  bool requires_grad = false;
  std::shared_ptr<Function> function;  // that made it; null for leaves and constants
  int output_index = 0;
  Var grad;            // leaves: accumulated gradient
  Tensor grad_memory;  // leaves: where the gradient is accumulated, kept over zero_grad
  std::shared_ptr<GradHooks> grad_hooks;  // leaves: null until the first is registered

  // A gradient computed with create_graph may lead back here; ~Function unlinks long chains.
};

class Function : public std::enable_shared_from_this<Function> {
 public:
  explicit Function(const char* name);
  virtual ~Function();
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;

  // Gradients with respect to the inputs, from those with respect to the outputs. With several
  // outputs some of `grad_outputs` may be undefined, meaning zero; a single one is always defined.
  virtual Vars backward(const Vars& grad_outputs) = 0;

  const char* name() const { return name_; }
  std::uint64_t sequence() const { return sequence_; }
  const std::vector<Edge>& edges() const { return edges_; }
  int outputs() const { return static_cast<int>(output_shapes_.size()); }
  const std::vector<Shape>& output_shapes() const { return output_shapes_; }
  // The layer that recorded it (LayerScope::path()); known when it was recorded under an Observer.
  const std::string& layer() const { return layer_; }
  bool needs_grad(int input) const { return bool(edges_.at(static_cast<std::size_t>(input))); }

  // Saving a value for backward; saved(i) returns them in the order they were saved and throws when
  // the value was changed in place, or its Var was given another tensor, since. An input keeps its
  // history alive; an output keeps its memory and a weak link, so that a node does not own itself.
  void save(const Var& input);
  void save_output(const Var& output);
  Var saved(int i);
  // Of the values saved, for those who draw graphs; empty once they were released.
  std::vector<Tensor> saved_tensors() const;

  // For the engine.
  void set_inputs(const std::initializer_list<Var>& inputs);
  void set_inputs(const Vars& inputs);
  int add_output(const Shape& shape) {
    output_shapes_.push_back(shape);
    return outputs() - 1;
  }
  // The hooks of an output: null until the first is registered.
  std::shared_ptr<GradHooks>& grad_hooks(int output);
  void call_grad_hooks(const Vars& grads) const;
  void release_saved();
  void check_not_released() const;  // throws when release_saved() was called

 private:
  struct Saved {
    Tensor tensor;
    std::uint64_t version = 0;
    std::shared_ptr<Var::Impl> input;  // set for inputs
    int output_index = -1;             // set for outputs
  };

  void add_edge(const Var& input);
  const Saved& checked(int i);

  const char* name_;
  std::uint64_t sequence_;
  std::vector<Shape> output_shapes_;
  std::string layer_;
  std::vector<std::shared_ptr<GradHooks>> grad_hooks_;  // by output; empty without hooks
  bool released_ = false;
  std::vector<Edge> edges_;
  std::vector<Saved> saved_;
};

// True when recording is on and some input requires a gradient.
bool should_record(const std::initializer_list<Var>& inputs);
bool should_record(const Vars& inputs);

// A node for an operation on `inputs`, or nullptr when there is nothing to record.
template <class F, class... Args>
std::shared_ptr<F> record(std::initializer_list<Var> inputs, Args&&... args) {
  if (!should_record(inputs)) return nullptr;
  auto node = std::make_shared<F>(std::forward<Args>(args)...);
  node->set_inputs(inputs);
  return node;
}
template <class F, class... Args>
std::shared_ptr<F> record(const Vars& inputs, Args&&... args) {
  if (!should_record(inputs)) return nullptr;
  auto node = std::make_shared<F>(std::forward<Args>(args)...);
  node->set_inputs(inputs);
  return node;
}

// `result` as the next output of `node`; a constant when node is null.
Var attach(const std::shared_ptr<Function>& node, Tensor result);

}  // namespace imago
