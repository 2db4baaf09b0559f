#include "nn/summary.h"

#include <algorithm>
#include <cstdio>
#include <ostream>
#include <sstream>
#include <unordered_map>

#include "tensor/allocator.h"
#include "tensor/context.h"
#include "tensor/observer.h"

namespace imago::nn {
namespace {

// Books what happens on the row of the layer that runs.
class Bookkeeper final : public Observer {
 public:
  explicit Bookkeeper(Module& model) {
    model.visit([&](const std::string& name, Module& m) {
      SummaryRow row;
      row.name = name;
      row.type = m.type_name();
      row.depth = depth_of(name);
      for (const Var& p : m.own_parameters()) row.parameters += p.numel();
      const std::size_t index = rows.size();
      rows.push_back(std::move(row));
      by_layer_.emplace(&m.name(), index);
      hooks_.push_back(m.register_forward_hook([this, index](Module&, const Var&, const Var& y) {
        rows[index].output = y.shape();
        rows[index].calls += 1;
      }));
    });
  }

  std::vector<SummaryRow> rows;

  void layer_begins(const std::string& name) override {
    const auto known = by_layer_.find(&name);
    open_.push_back(known == by_layer_.end() ? current() : known->second);
  }
  void layer_ends() override { open_.pop_back(); }
  void op_states_flops(double flops) override { rows[current()].flops += flops; }
  void value_made(const char*, const Tensor& result) override {
    made_.emplace_back(result, current());
  }
  void value_kept(const Tensor& value) override { kept_.push_back(value); }

  // Each storage that was made here and kept, once, where it was made first.
  void count_activations() {
    for (std::size_t i = 0; i < made_.size(); ++i) {
      const auto& [tensor, row] = made_[i];
      const auto shares = [&t = tensor](const Tensor& other) { return other.shares_storage(t); };
      const bool again = std::any_of(made_.begin(), made_.begin() + static_cast<std::ptrdiff_t>(i),
                                     [&](const auto& entry) { return shares(entry.first); });
      if (!again && std::any_of(kept_.begin(), kept_.end(), shares)) {
        rows[row].activations += static_cast<std::int64_t>(tensor.nbytes());
      }
    }
  }

 private:
  std::size_t current() const { return open_.empty() ? 0 : open_.back(); }

  // One more than that of the last module whose name begins this one; names have dots of their own.
  int depth_of(const std::string& name) const {
    if (name.empty()) return 0;
    for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
      if (row->name.empty() || name.starts_with(row->name + ".")) return row->depth + 1;
    }
    return 0;
  }

  std::unordered_map<const std::string*, std::size_t> by_layer_;
  std::vector<HookHandle> hooks_;
  std::vector<std::size_t> open_;  // rows of the layers that run
  std::vector<std::pair<Tensor, std::size_t>> made_;
  std::vector<Tensor> kept_;
};

// Every module below `model`, parents first, evaluated for a while.
class EvaluatingEach {
 public:
  explicit EvaluatingEach(Module& model) : model_(model) {
    model.visit([&](const std::string&, Module& m) { modes_.push_back(m.training()); });
    model.eval();
  }
  ~EvaluatingEach() {
    // train() reaches down, so parents first: each child has the last word.
    std::size_t i = 0;
    model_.visit([&](const std::string&, Module& m) { m.train(modes_[i++]); });
  }
  EvaluatingEach(const EvaluatingEach&) = delete;
  EvaluatingEach& operator=(const EvaluatingEach&) = delete;

 private:
  Module& model_;
  std::vector<bool> modes_;
};

std::string thousands(std::int64_t value) {
  std::string text = std::to_string(value);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

std::string readable_flops(double flops) {
  constexpr const char* units[] = {"", " K", " M", " G", " T"};
  int unit = 0;
  while (flops >= 1000 && unit < 4) flops /= 1000, ++unit;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f%s" : "%.2f%s", flops, units[unit]);
  return text;
}

std::string padded(std::string text, std::size_t width, bool right) {
  const std::size_t space = width > text.size() ? width - text.size() : 0;
  return right ? std::string(space, ' ') + text : text + std::string(space, ' ');
}

}  // namespace

Summary summary(Module& model, const Var& example) {
  check(example.defined(), "summary", "the example is undefined");
  return summary(model, example.shape(), [&] { model(example.detach()); });
}

Summary summary(Module& model, const Shape& input, const std::function<void()>& run) {
  Summary result;
  result.input = input;
  {
    const ContextScope scope;
    const GradMode recording(true);
    const EvaluatingEach mode(model);
    Bookkeeper books(model);
    run();
    books.count_activations();
    result.rows = std::move(books.rows);
  }
  for (const SummaryRow& row : result.rows) {
    result.flops += row.flops;
    result.activations += row.activations;
  }
  for (const Var& p : model.parameters()) {
    result.parameters += p.numel();
    result.trainable += p.requires_grad() ? p.numel() : 0;
    result.parameter_bytes += static_cast<std::int64_t>(p.tensor().nbytes());
  }
  for (const auto& [name, buffer] : model.named_buffers()) {
    result.buffer_bytes += static_cast<std::int64_t>(buffer.tensor().nbytes());
  }
  return result;
}

Summary summary(Module& model, const Shape& input) {
  const Vars parameters = model.parameters();
  const bool any = !parameters.empty();
  const DType dtype = any ? parameters[0].dtype() : DType::f32;
  const Device device = any ? parameters[0].device() : Context::current().device;
  return summary(model, Var(Tensor::full(input, 0, dtype, device)));
}

std::string Summary::to_string() const {
  const std::vector<std::string> titles = {"layer",      "type",  "output",
                                           "parameters", "FLOPs", "activations"};
  std::vector<std::vector<std::string>> cells{titles};
  for (const SummaryRow& row : rows) {
    const std::string indent(static_cast<std::size_t>(2 * row.depth), ' ');
    std::string output = row.calls == 0 ? "not called" : row.output.to_string();
    if (row.calls > 1) output += " x" + std::to_string(row.calls);
    cells.push_back(
        {indent + (row.name.empty() ? "(all)" : row.name), row.type, output,
         row.parameters ? thousands(row.parameters) : "-",
         row.flops > 0 ? readable_flops(row.flops) : "-",
         row.activations ? readable_bytes(static_cast<std::size_t>(row.activations)) : "-"});
  }
  cells.push_back({"total", "", "", thousands(parameters), readable_flops(flops),
                   readable_bytes(static_cast<std::size_t>(activations))});
  std::vector<std::size_t> widths(titles.size(), 0);
  for (const auto& line : cells) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::size_t whole = 2 * (titles.size() - 1);
  for (const std::size_t width : widths) whole += width;
  std::ostringstream out;
  for (std::size_t l = 0; l < cells.size(); ++l) {
    if (l == 1 || l + 1 == cells.size()) out << std::string(whole, '-') << '\n';
    std::string line;
    for (std::size_t i = 0; i < cells[l].size(); ++i) {
      line += (i ? "  " : "") + padded(cells[l][i], widths[i], i >= 3);
    }
    out << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
  }
  out << "input " << input << "; " << thousands(trainable) << " of " << thousands(parameters)
      << " parameters are trained; parameters "
      << readable_bytes(static_cast<std::size_t>(parameter_bytes)) << ", buffers "
      << readable_bytes(static_cast<std::size_t>(buffer_bytes)) << '\n';
  return out.str();
}

std::ostream& operator<<(std::ostream& out, const Summary& s) {
  return out << s.to_string();
}

}  // namespace imago::nn
