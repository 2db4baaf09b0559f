#include "golden_checks.h"

namespace imago::test {

const SafetensorsFile& golden_file(const std::string& file) {
  static std::map<std::string, SafetensorsFile> files;
  const auto found = files.find(file);
  return found != files.end() ? found->second
                              : files.emplace(file, load_goldens(file)).first->second;
}

void check_function(const SafetensorsFile& goldens, const std::string& name,
                    const std::vector<std::string>& inputs,
                    const std::function<Var(const Vars&)>& f) {
  const auto golden = [&](const std::string& key, DType dtype = DType::f64) {
    return kernels::cast(goldens.tensor(key), dtype);
  };
  for (const DType dtype : golden_dtypes) {
    CAPTURE(dtype);
    Vars leaves;
    for (const auto& input : inputs) leaves.push_back(parameter(golden(name + "." + input, dtype)));
    const Var y = f(leaves);
    y.backward(Var(golden(name + ".dy", dtype)));
    check_close(name + ".y", y.tensor(), golden(name + ".y"), golden_bound(dtype));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::string gradient = name + ".d" + inputs[i];
      check_close(gradient, leaves[i].grad().tensor(), golden(gradient), golden_bound(dtype));
    }
  }
}

void check_layer(const LayerGolden& g) {
  const SafetensorsFile& goldens = golden_file(g.file);
  const auto golden = [&](const std::string& key, DType dtype = DType::f64) {
    return kernels::cast(goldens.tensor(g.name + "." + key), dtype);
  };
  CAPTURE(g.name);
  nn::Module& layer = *g.layer;
  for (const DType dtype : golden_dtypes) {
    CAPTURE(dtype);
    layer.to(dtype);
    layer.zero_grad();
    NamedTensors state;
    for (const auto& [ours, theirs] : g.parameters) state[ours] = golden(theirs, dtype);
    for (const auto& [ours, theirs] : g.buffers) state[ours] = golden(theirs, dtype);
    layer.load_state_dict(state);
    const Var x = g.indices ? Var(golden("indices", DType::i64)) : parameter(golden("x", dtype));
    const Var y = layer(x);
    y.backward(Var(golden("dy", dtype)));
    check_close("y", y.tensor(), golden("y"), golden_bound(dtype));
    if (g.indices) {
      CHECK(same_bits(y.tensor(), golden("y", dtype)));  // rows that were looked up
    } else {
      check_close("dx", x.grad().tensor(), golden("dx"), golden_bound(dtype));
    }
    for (const auto& [ours, var] : layer.named_parameters()) {
      const std::string gradient = "d" + g.parameters.at(ours);
      check_close(gradient, var.grad().tensor(), golden(gradient), golden_bound(dtype));
    }
    const NamedTensors after = layer.state_dict();
    for (const auto& [ours, theirs] : g.buffers_after) {
      check_close(theirs, after.at(ours), golden(theirs), golden_bound(dtype));
    }
  }
}

void check_loss(const LossGolden& g) {
  const SafetensorsFile& goldens = golden_file(g.file);
  const auto golden = [&](const std::string& key, DType dtype = DType::f64) {
    return kernels::cast(goldens.tensor(g.name + "." + key), dtype);
  };
  INFO(g.loss << ", " << g.name);
  REQUIRE((g.gradients.empty() || g.gradients.size() == g.inputs.size()));
  for (const DType dtype : golden_dtypes) {
    CAPTURE(dtype);
    Vars arguments;
    for (const auto& input : g.inputs) arguments.push_back(parameter(golden(input, dtype)));
    for (const auto& constant : g.constants) arguments.push_back(Var(golden(constant, dtype)));
    const Var loss = g.f(arguments);
    loss.backward();
    check_close(g.value, loss.tensor(), golden(g.value), golden_bound(dtype));
    for (std::size_t i = 0; i < g.inputs.size(); ++i) {
      const std::string gradient = g.gradients.empty() ? "d" + g.inputs[i] : g.gradients[i];
      check_close(gradient, arguments[i].grad().tensor(), golden(gradient), golden_bound(dtype));
    }
  }
}

}  // namespace imago::test
