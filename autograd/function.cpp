#include "autograd/function.h"

#include <algorithm>
#include <atomic>

#include "tensor/layer_scope.h"
#include "tensor/observer.h"

namespace imago {
namespace {

// One count for all threads: the engine orders nodes by it, whichever thread recorded them.
std::atomic<std::uint64_t> next_sequence{0};

// Nodes whose last owner is gone, waiting to be destroyed. A chain of a million operations must not
// be destroyed by a million nested destructors.
struct Graveyard {
  std::vector<Edge> edges;
  std::vector<std::shared_ptr<Var::Impl>> values;
  bool draining = false;

  void drain() {
    if (draining) return;
    draining = true;
    while (!edges.empty() || !values.empty()) {
      if (!edges.empty()) {
        const Edge edge = std::move(edges.back());
        edges.pop_back();
      } else {
        const std::shared_ptr<Var::Impl> value = std::move(values.back());
        values.pop_back();
      }
    }
    draining = false;
  }
};

Graveyard& graveyard() {
  thread_local Graveyard& g = *new Graveyard;  // reachable from destructors at thread exit
  return g;
}

}  // namespace

Function::Function(const char* name)
    : name_(name), sequence_(next_sequence.fetch_add(1, std::memory_order_relaxed)) {
  if (Observer::current()) layer_ = LayerScope::path();
}

Function::~Function() {
  Graveyard& g = graveyard();
  for (Edge& edge : edges_) g.edges.push_back(std::move(edge));
  for (Saved& saved : saved_) {
    if (saved.input) g.values.push_back(std::move(saved.input));
  }
  g.drain();
}

void Function::add_edge(const Var& input) {
  Edge edge;
  if (input.requires_grad()) {
    if (input.impl()->function) {
      edge.function = input.impl()->function;
      edge.index = input.impl()->output_index;
    } else {
      edge.leaf = input.impl();
    }
  }
  edges_.push_back(std::move(edge));
}

void Function::set_inputs(const std::initializer_list<Var>& inputs) {
  for (const Var& input : inputs) add_edge(input);
}

void Function::set_inputs(const Vars& inputs) {
  for (const Var& input : inputs) add_edge(input);
}

void Function::save(const Var& input) {
  saved_.push_back({input.tensor(), input.tensor().version(), input.impl(), -1});
  if (Observer::current()) Observer::tell([&](Observer& o) { o.value_kept(input.tensor()); });
}

void Function::save_output(const Var& output) {
  saved_.push_back(
      {output.tensor(), output.tensor().version(), nullptr, output.impl()->output_index});
  if (Observer::current()) Observer::tell([&](Observer& o) { o.value_kept(output.tensor()); });
}

std::vector<Tensor> Function::saved_tensors() const {
  std::vector<Tensor> tensors;
  for (const Saved& value : saved_) tensors.push_back(value.tensor);
  return tensors;
}

std::shared_ptr<GradHooks>& Function::grad_hooks(int output) {
  if (grad_hooks_.size() < output_shapes_.size()) grad_hooks_.resize(output_shapes_.size());
  return grad_hooks_.at(static_cast<std::size_t>(output));
}

void Function::call_grad_hooks(const Vars& grads) const {
  for (std::size_t i = 0; i < grad_hooks_.size(); ++i) {
    if (!grad_hooks_[i] || !grads[i]) continue;
    const auto hooks = grad_hooks_[i];  // lives on if a hook drops the graph
    hooks->call(grads[i]);
  }
}

void Function::check_not_released() const {
  check(!released_, name_,
        "the values saved for backward were freed by an earlier backward; pass retain_graph to it "
        "if you want to go back through this graph twice");
}

const Function::Saved& Function::checked(int i) {
  check_not_released();
  const Saved& value = saved_.at(static_cast<std::size_t>(i));
  check(value.tensor.version() == value.version, name_, "a value of shape ", value.tensor.shape(),
        " that backward needs was changed in place after the forward pass (version ",
        value.tensor.version(), ", saved at ", value.version,
        "); run backward before the optimiser's step, or clone it");
  check(!value.input || value.input->tensor.shares_storage(value.tensor), name_,
        "the tensor of a value of shape ", value.tensor.shape(),
        " that backward needs was replaced after the forward pass; move or convert a module before "
        "the forward pass, not between it and backward");
  return value;
}

Var Function::saved(int i) {
  const Saved& value = checked(i);
  if (value.input) return Var::from_impl(value.input);
  Var output(value.tensor);
  output.impl()->requires_grad = true;
  output.impl()->function = shared_from_this();
  output.impl()->output_index = value.output_index;
  return output;
}

void Function::release_saved() {
  released_ = true;
  Graveyard& g = graveyard();
  for (Saved& saved : saved_) {
    if (saved.input) g.values.push_back(std::move(saved.input));
  }
  saved_.clear();
  g.drain();
}

namespace {

template <class Inputs>
bool records(const Inputs& inputs) {
  if (Observer::current()) {
    std::vector<Tensor> tensors;
    for (const Var& v : inputs) {
      if (v) tensors.push_back(v.tensor());
    }
    Observer::tell([&](Observer& o) { o.value_inputs(tensors); });
  }
  return Context::current().record_gradients &&
         std::any_of(inputs.begin(), inputs.end(), [](const Var& v) { return v.requires_grad(); });
}

}  // namespace

bool should_record(const std::initializer_list<Var>& inputs) {
  return records(inputs);
}

bool should_record(const Vars& inputs) {
  return records(inputs);
}

Var attach(const std::shared_ptr<Function>& node, Tensor result) {
  Var v(std::move(result));
  if (node) {
    v.impl()->requires_grad = true;
    v.impl()->function = node;
    v.impl()->output_index = node->add_output(v.shape());
  }
  if (Observer::current()) {
    Observer::tell([&](Observer& o) { o.value_made(node ? node->name() : nullptr, v.tensor()); });
  }
  return v;
}

}  // namespace imago
