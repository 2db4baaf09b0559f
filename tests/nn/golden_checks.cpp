#include "golden_checks.h"

namespace imago::test {

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

void check_layer(const SafetensorsFile& goldens, const std::string& name, nn::Module&& layer,
                 const std::map<std::string, std::string>& names,
                 const std::map<std::string, std::string>& buffers,
                 const std::map<std::string, std::string>& buffers_after) {
  const auto golden = [&](const std::string& key, DType dtype = DType::f64) {
    return kernels::cast(goldens.tensor(key), dtype);
  };
  for (const DType dtype : golden_dtypes) {
    CAPTURE(dtype);
    layer.to(dtype);
    layer.zero_grad();
    NamedTensors state;
    for (const auto& [ours, theirs] : names) state[ours] = golden(name + "." + theirs, dtype);
    for (const auto& [ours, theirs] : buffers) state[ours] = golden(name + "." + theirs, dtype);
    layer.load_state_dict(state);
    Var x = parameter(golden(name + ".x", dtype));
    const Var y = layer(x);
    y.backward(Var(golden(name + ".dy", dtype)));
    check_close(name + ".y", y.tensor(), golden(name + ".y"), golden_bound(dtype));
    check_close(name + ".dx", x.grad().tensor(), golden(name + ".dx"), golden_bound(dtype));
    for (const auto& [ours, var] : layer.named_parameters()) {
      const std::string gradient = name + ".d" + names.at(ours);
      check_close(gradient, var.grad().tensor(), golden(gradient), golden_bound(dtype));
    }
    const NamedTensors after = layer.state_dict();
    for (const auto& [ours, theirs] : buffers_after) {
      check_close(name + "." + theirs, after.at(ours), golden(name + "." + theirs),
                  golden_bound(dtype));
    }
  }
}

}  // namespace imago::test
