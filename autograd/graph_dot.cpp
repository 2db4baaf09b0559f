#include "autograd/graph_dot.h"

#include <algorithm>
#include <sstream>
#include <unordered_map>

#include "autograd/function.h"

namespace imago {
namespace {

// As a quoted string of the DOT language; "\n" stays a line break.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result + "\"";
}

class Drawing {
 public:
  explicit Drawing(const GraphDotOptions& options) : options_(options) {
    for (const auto& [name, var] : options.names) {
      if (var) names_.emplace(var.impl().get(), name);
    }
    out_ << "digraph graph_of_operations {\n"
            "  rankdir=TB;\n"
            "  node [fontname=\"sans-serif\", fontsize=11];\n"
            "  edge [color=\"#607080\"];\n";
  }

  std::string draw(const Var& var) {
    const std::string result = "result";
    out_ << "  " << result << " [shape=plaintext, label="
         << quoted("result\n" + var.shape().to_string() + " " + name_of(var.dtype())) << "];\n";
    const std::string from =
        var.impl()->function ? visit(var.impl()->function.get()) : leaf(*var.impl());
    arrow(from, result, "");
    while (!open_.empty()) {
      const Function* node = open_.back();
      open_.pop_back();
      const std::string id = ids_.at(node);
      for (std::size_t i = 0; i < node->edges().size(); ++i) {
        const Edge& edge = node->edges()[i];
        if (!edge) continue;
        const std::string made = edge.function ? visit(edge.function.get()) : leaf(*edge.leaf);
        const bool several = edge.function && edge.function->outputs() > 1;
        arrow(made, id, several ? "output " + std::to_string(edge.index) : "");
      }
    }
    out_ << "}\n";
    return out_.str();
  }

 private:
  std::string visit(const Function* node) {
    const auto [it, fresh] = ids_.try_emplace(node, "op" + std::to_string(ids_.size()));
    if (!fresh) return it->second;
    const std::string id = it->second;
    open_.push_back(node);
    std::string label = node->name();
    for (const Shape& shape : node->output_shapes()) label += "\n" + shape.to_string();
    if (!node->layer().empty()) label += "\n" + node->layer();
    out_ << "  " << id
         << " [shape=box, style=\"rounded,filled\", fillcolor=\"#dce8f4\", label=" << quoted(label)
         << "];\n";
    if (options_.saved_values) {
      const std::vector<Tensor> saved = node->saved_tensors();
      for (std::size_t i = 0; i < saved.size(); ++i) {
        const std::string value = id + "_saved" + std::to_string(i);
        out_ << "  " << value << " [shape=note, fontsize=9, color=\"#a08040\", label="
             << quoted("keeps " + saved[i].shape().to_string() + " " + name_of(saved[i].dtype()))
             << "];\n  " << value << " -> " << id
             << " [style=dashed, arrowhead=none, color=\"#a08040\"];\n";
      }
    }
    return id;
  }

  std::string leaf(const Var::Impl& value) {
    const auto [it, fresh] = leaves_.try_emplace(&value, "leaf" + std::to_string(leaves_.size()));
    if (!fresh) return it->second;
    const auto name = names_.find(&value);
    const std::string label = (name == names_.end() ? "leaf" : name->second) + "\n" +
                              value.tensor.shape().to_string() + " " +
                              name_of(value.tensor.dtype());
    out_ << "  " << it->second
         << " [shape=ellipse, style=filled, fillcolor=\"#e4f0dc\", label=" << quoted(label)
         << "];\n";
    return it->second;
  }

  void arrow(const std::string& from, const std::string& to, const std::string& label) {
    out_ << "  " << from << " -> " << to;
    if (!label.empty()) out_ << " [fontsize=9, label=" << quoted(label) << "]";
    out_ << ";\n";
  }

  const GraphDotOptions& options_;
  std::ostringstream out_;
  std::unordered_map<const Var::Impl*, std::string> names_, leaves_;
  std::unordered_map<const Function*, std::string> ids_;
  std::vector<const Function*> open_;
};

}  // namespace

std::string graph_dot(const Var& var, const GraphDotOptions& options) {
  check(var.requires_grad(), "graph_dot",
        "this Var has no graph: it does not depend on anything that requires a gradient (recorded "
        "under NoGrad, detached, or all parameters frozen?)");
  return Drawing(options).draw(var);
}

}  // namespace imago
