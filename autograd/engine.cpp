#include "autograd/engine.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "autograd/ops/add.h"
#include "autograd/ops/scale.h"
#include "kernels/elementwise/elementwise.h"
#include "tensor/layer_scope.h"
#include "tensor/observer.h"

namespace imago {
namespace {

// Inputs are always made before the operation that uses them, so processing nodes by descending
// sequence number visits every consumer of a value before its producer.
struct BySequence {
  bool operator()(const Function* a, const Function* b) const {
    return a->sequence() < b->sequence();
  }
};

struct Pending {
  std::shared_ptr<Function> node;
  Vars grads;  // one per output, undefined until something arrives
};

// What grad() was asked for: outputs of nodes, and leaves.
struct Wanted {
  std::unordered_map<const Function*, std::vector<std::pair<int, std::size_t>>> outputs;
  std::unordered_map<const Var::Impl*, std::vector<std::size_t>> leaves;
  std::unordered_set<const Function*> needed;  // nodes on a path to something wanted
};

void accumulate(Var& sum, const Var& g) {
  sum = sum ? ops::add(sum, g) : g;
}

Edge edge_of(const Var& v) {
  Edge edge;
  edge.function = v.impl()->function;
  if (!edge.function) edge.leaf = v.impl();
  edge.index = v.impl()->output_index;
  return edge;
}

void check_seed(const Var& output, const Var& seed) {
  check(seed.shape() == output.shape() && seed.dtype() == output.dtype(), "backward",
        "the seed is ", seed.shape(), " ", seed.dtype(), " but the output is ", output.shape(), " ",
        output.dtype());
  check(seed.device() == output.device(), "backward", "the seed is on ", seed.device(),
        " but the output on ", output.device());
}

// Marks the nodes from which a wanted input can be reached. Iterative: graphs can be deep.
void mark_needed(const Vars& outputs, Wanted& wanted) {
  struct Frame {
    const Function* node;
    std::size_t next = 0;
  };
  std::unordered_set<const Function*> seen;
  for (const Var& output : outputs) {
    if (!output.impl()->function || seen.contains(output.impl()->function.get())) continue;
    std::vector<Frame> stack{{output.impl()->function.get()}};
    seen.insert(stack.back().node);
    while (!stack.empty()) {
      Frame& frame = stack.back();
      if (frame.next < frame.node->edges().size()) {
        const Edge& edge = frame.node->edges()[frame.next++];
        if (edge.function && seen.insert(edge.function.get()).second) {
          stack.push_back({edge.function.get()});
        }
        continue;
      }
      for (const Edge& edge : frame.node->edges()) {
        if ((edge.leaf && wanted.leaves.contains(edge.leaf.get())) ||
            (edge.function && (wanted.needed.contains(edge.function.get()) ||
                               wanted.outputs.contains(edge.function.get())))) {
          wanted.needed.insert(frame.node);
        }
      }
      stack.pop_back();
    }
  }
}

// Throws when a node that the walk may run was freed by an earlier one: before anything is written,
// so that a refused backward leaves every .grad as it was. Under grad() only needed nodes count.
void check_not_released(const Vars& outputs, const Wanted* wanted) {
  if (wanted) {
    for (const Function* node : wanted->needed) node->check_not_released();
    return;
  }
  std::unordered_set<const Function*> seen;
  std::vector<const Function*> stack;
  const auto visit = [&](const Function* node) {
    if (node && seen.insert(node).second) stack.push_back(node);
  };
  for (const Var& output : outputs) visit(output.impl()->function.get());
  while (!stack.empty()) {
    const Function* node = stack.back();
    stack.pop_back();
    node->check_not_released();
    for (const Edge& edge : node->edges()) visit(edge.function.get());
  }
}

void accumulate_into_leaf(Var::Impl& leaf, const Var& g, bool create_graph) {
  if (!leaf.requires_grad) return;  // frozen after the graph was recorded
  if (create_graph) {
    // Memory of its own, since gradients are changed in place (optim::clip_grad_norm): g may be the
    // gradient of another leaf too, as a + b's is, or a value that the new graph has saved.
    leaf.grad = leaf.grad ? ops::add(leaf.grad, g) : ops::scale(g, 1);
    return;
  }
  if (!leaf.grad_memory) leaf.grad_memory = Tensor::empty_like(leaf.tensor);
  if (leaf.grad) {
    // A gradient recorded under create_graph lives elsewhere.
    const Tensor& sum = leaf.grad.tensor();
    if (!sum.shares_storage(leaf.grad_memory)) leaf.grad_memory.copy_from(sum);
    kernels::add_into(leaf.grad_memory, g.tensor());
  } else {
    leaf.grad_memory.copy_from(g.tensor());
  }
  leaf.grad = Var(leaf.grad_memory);
}

// The node's backward, with observers told and inside the layer of its forward.
Vars observed_backward(Function& node, const Vars& grads) {
  struct Told {
    explicit Told(const char* op) {
      Observer::tell([&](Observer& o) { o.backward_begins(op); });
    }
    ~Told() {
      Observer::tell([](Observer& o) { o.backward_ends(); });
    }
  };
  const LayerScope layer(node.layer(), /*absolute=*/true);
  const Told told(node.name());
  return node.backward(grads);
}

class Engine {
 public:
  Engine(bool create_graph, bool retain, Wanted* wanted, Vars* results)
      : create_graph_(create_graph), retain_(retain), wanted_(wanted), results_(results) {}

  void run(const Vars& outputs, const Vars& seeds) {
    const GradMode mode(create_graph_);
    check_not_released(outputs, wanted_);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      Var seed = seeds.empty() ? Var() : seeds[i];
      if (!seed) {
        check(outputs[i].numel() == 1, "backward", "the output is ", outputs[i].shape(),
              ", not a scalar; pass a seed of that shape, or reduce it to a loss first");
        seed = kernels::full(outputs[i].shape(), 1, outputs[i].dtype(), outputs[i].device());
      }
      check_seed(outputs[i], seed);
      deliver(edge_of(outputs[i]), seed, "backward");
    }
    walk();
    for (const auto& [leaf, sum] : hooked_leaves_) {
      const auto hooks = leaf->grad_hooks;
      hooks->call(sum);
    }
  }

 private:
  void walk() {
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), BySequence{});
      Function* node = heap_.back();
      heap_.pop_back();
      Pending pending = std::move(pending_.at(node));
      pending_.erase(node);
      process(*pending.node, pending.grads);
    }
  }

  void process(Function& node, const Vars& grads) {
    if (wanted_) {
      if (const auto it = wanted_->outputs.find(&node); it != wanted_->outputs.end()) {
        for (const auto& [output, result] : it->second) {
          (*results_)[result] = grads[static_cast<std::size_t>(output)];
        }
      }
    }
    node.call_grad_hooks(grads);
    if (wanted_ && !wanted_->needed.contains(&node)) return;
    node.check_not_released();
    const Vars input_grads =
        Observer::current() ? observed_backward(node, grads) : node.backward(grads);
    check(input_grads.size() == node.edges().size(), node.name(), "its backward returned ",
          input_grads.size(), " gradients for ", node.edges().size(), " inputs");
    for (std::size_t i = 0; i < input_grads.size(); ++i) {
      if (node.edges()[i] && input_grads[i]) deliver(node.edges()[i], input_grads[i], node.name());
    }
    if (!retain_) node.release_saved();
  }

  void deliver(const Edge& edge, const Var& g, const char* from) {
    if (edge.leaf) {
      check(g.shape() == edge.leaf->tensor.shape() && g.dtype() == edge.leaf->tensor.dtype(), from,
            "its gradient is ", g.shape(), " ", g.dtype(), " but the input is ",
            edge.leaf->tensor.shape(), " ", edge.leaf->tensor.dtype(),
            "; was the module converted between the forward pass and backward?");
      check(g.device() == edge.leaf->tensor.device(), from, "its gradient is on ", g.device(),
            " but the input on ", edge.leaf->tensor.device(),
            "; was the module moved between the forward pass and backward?");
      if (edge.leaf->grad_hooks && !edge.leaf->grad_hooks->empty()) sum_for_hooks(edge.leaf, g);
      if (!wanted_) {
        accumulate_into_leaf(*edge.leaf, g, create_graph_);
      } else if (const auto it = wanted_->leaves.find(edge.leaf.get());
                 it != wanted_->leaves.end()) {
        for (const std::size_t result : it->second) accumulate((*results_)[result], g);
      }
      return;
    }
    if (wanted_ && !wanted_->needed.contains(edge.function.get()) &&
        !wanted_->outputs.contains(edge.function.get())) {
      return;
    }
    auto [it, fresh] = pending_.try_emplace(edge.function.get());
    if (fresh) {
      it->second.node = edge.function;
      it->second.grads.resize(static_cast<std::size_t>(edge.function->outputs()));
      heap_.push_back(edge.function.get());
      std::push_heap(heap_.begin(), heap_.end(), BySequence{});
    }
    accumulate(it->second.grads[static_cast<std::size_t>(edge.index)], g);
  }

  // What the hooks of a leaf will be given: the sum over this walk.
  void sum_for_hooks(const std::shared_ptr<Var::Impl>& leaf, const Var& g) {
    if (wanted_ ? !wanted_->leaves.contains(leaf.get()) : !leaf->requires_grad) return;
    for (auto& [known, sum] : hooked_leaves_) {
      if (known == leaf) return accumulate(sum, g);
    }
    hooked_leaves_.emplace_back(leaf, g);
  }

  bool create_graph_, retain_;
  std::vector<std::pair<std::shared_ptr<Var::Impl>, Var>> hooked_leaves_;
  Wanted* wanted_;
  Vars* results_;
  std::unordered_map<Function*, Pending> pending_;
  std::vector<Function*> heap_;
};

void check_outputs(const char* op, const Vars& outputs, const Vars& seeds) {
  check(!outputs.empty(), op, "there is no output to start from");
  check(seeds.empty() || seeds.size() == outputs.size(), op, seeds.size(), " seeds for ",
        outputs.size(), " outputs");
  for (const Var& output : outputs) {
    check(output.requires_grad(), op,
          "an output does not depend on anything that requires a gradient (recorded under NoGrad, "
          "detached, or all parameters frozen?)");
  }
}

}  // namespace

Vars grad(const Vars& outputs, const Vars& inputs, const Vars& seeds, const GradOptions& options) {
  check_outputs("grad", outputs, seeds);
  Wanted wanted;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    check(inputs[i].requires_grad(), "grad", "input ", i, " does not require a gradient");
    if (inputs[i].impl()->function) {
      wanted.outputs[inputs[i].impl()->function.get()].emplace_back(inputs[i].impl()->output_index,
                                                                    i);
    } else {
      wanted.leaves[inputs[i].impl().get()].push_back(i);
    }
  }
  mark_needed(outputs, wanted);
  Vars results(inputs.size());
  Engine(options.create_graph, options.retain_graph || options.create_graph, &wanted, &results)
      .run(outputs, seeds);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    check(options.allow_unused || results[i], "grad", "the outputs do not depend on input ", i,
          " of shape ", inputs[i].shape(), "; set allow_unused if that is intended");
  }
  return results;
}

void backward(const Vars& outputs, const Vars& seeds, const BackwardOptions& options) {
  check_outputs("backward", outputs, seeds);
  Engine(options.create_graph, options.retain_graph || options.create_graph, nullptr, nullptr)
      .run(outputs, seeds);
}

}  // namespace imago
