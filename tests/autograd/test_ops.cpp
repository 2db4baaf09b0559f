// Every operation, from the tables: first and second derivatives on every device, and equal bits
// for any number of threads; constants where there is no derivative; no function without a case.
#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <set>

#include "autograd/engine.h"
#include "autograd/function.h"
#include "autograd/ops/pow.h"
#include "autograd/ops/sum_to.h"
#include "kernels/parallel.h"
#include "op_case.h"
#include "tensor/context.h"
#include "tests/support/declarations.h"
#include "tests/support/devices.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::test;

namespace {

std::vector<OpCase> all_cases() {
  std::vector<OpCase> all;
  for (const auto& family :
       {arithmetic_cases(), batch_norm_cases(), conv2d_cases(), elementwise_cases(),
        group_norm_cases(), index_cases(), matmul_cases(), nonlinear_cases(), reduction_cases(),
        rows_and_losses_cases(), softmax_cases(), spatial_cases()}) {
    all.insert(all.end(), family.begin(), family.end());
  }
  return all;
}

// Outputs and gradients of a case, and how many parallel regions more than one thread ran.
struct Results {
  std::vector<Tensor> tensors;
  std::int64_t shared_forward = 0, shared_backward = 0;
};

// `seeds` belong to the outputs; they are made at the first call.
Results run(const OpCase& c, const Vars& inputs, Vars& seeds) {
  const std::int64_t& shared = Context::current().shared_regions;
  Results results;
  std::int64_t before = shared;
  const Vars outputs = c.f(inputs);
  results.shared_forward = shared - before;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Var& y = outputs[i];
    if (i == seeds.size()) seeds.push_back(leaves(y.dtype(), {y.shape()}, {}, 99)[0].detach());
    results.tensors.push_back(y.tensor());
  }
  before = shared;
  const Vars grads = grad(outputs, inputs, seeds, {.allow_unused = true});
  results.shared_backward = shared - before;
  // An input that only chooses (the sign of x in relu_grad) has no gradient.
  for (const Var& g : grads) {
    if (g) results.tensors.push_back(g.tensor());
  }
  return results;
}

// The functions of autograd/ops/*.h, as labels_of() calls them.
struct Declared {
  std::set<std::string> differentiable, constant;
};

Declared declared_ops() {
  // What gives a Tensor has no gradient. These give a Var, but their derivative is 0 wherever it
  // exists.
  const std::set<std::string> without_gradient{"greater_share", "sign"};
  const fs::path folder = IMAGO_SOURCE_DIR "/autograd/ops";
  std::vector<Declaration> functions;
  for (const auto& entry : fs::directory_iterator(folder)) {
    fs::path header = entry.path();
    header.replace_extension(".h");  // each .cpp has one
    if (entry.path().extension() == ".cpp") CHECK_MESSAGE(fs::exists(header), header.string());
    if (entry.path().extension() != ".h") continue;
    const std::vector<Declaration> here = declared_functions(read_bytes(header));
    CHECK_MESSAGE(!here.empty(), header.string() << " declares no function that can be read");
    functions.insert(functions.end(), here.begin(), here.end());
  }
  Declared declared;
  const std::vector<std::string> labels = labels_of(functions);
  for (std::size_t i = 0; i < functions.size(); ++i) {
    const Declaration& f = functions[i];
    const bool constant =
        f.result == "Tensor" || f.result == "using" || without_gradient.contains(f.name);
    const bool fresh =
        (constant ? declared.constant : declared.differentiable).insert(labels[i]).second;
    CHECK_MESSAGE(fresh,
                  labels[i] << " is declared twice: name the parameters of the two differently");
  }
  for (const std::string& name : without_gradient) CHECK(declared.constant.contains(name));
  return declared;
}

// The names of the functions between these and the leaves.
std::set<std::string> recorded_by(const Vars& outputs) {
  std::set<const Function*> seen;
  std::vector<std::shared_ptr<Function>> open;
  for (const Var& y : outputs) open.push_back(y.impl()->function);
  std::set<std::string> names;
  while (!open.empty()) {
    const std::shared_ptr<Function> f = open.back();
    open.pop_back();
    if (!f || !seen.insert(f.get()).second) continue;
    names.insert(f->name());
    for (const Edge& edge : f->edges()) open.push_back(edge.function);
  }
  return names;
}

}  // namespace

TEST_CASE("every operation passes gradcheck") {
  const ContextScope scope;
  set_num_threads(1);  // these tensors are too small to share
  test::for_each_device([](Device) {
    for (const OpCase& c : all_cases()) {
      INFO(c.op << ", " << c.name);
      const GradcheckResult result = gradcheck(c.f, c.inputs(DType::f64, Size::small));
      INFO(result.message);
      CHECK(result.ok);
    }
  });
}

TEST_CASE("every operation passes gradgradcheck") {
  const ContextScope scope;
  set_num_threads(1);  // these tensors are too small to share
  test::for_each_device([](Device) {
    for (const OpCase& c : all_cases()) {
      INFO(c.op << ", " << c.name);
      const GradcheckResult result = gradgradcheck(c.f, c.inputs(DType::f64, Size::small));
      INFO(result.message);
      CHECK(result.ok);
    }
  });
}

TEST_CASE("every operation gives the same bits with 1, 2 and 3 threads") {
  const ContextScope scope;
  if (!has_threads) MESSAGE("built without OpenMP: no work is shared, so little is compared");
  for (const OpCase& c : all_cases()) {
    const Vars inputs = c.inputs(DType::f32, Size::large);
    Vars seeds;
    set_num_threads(1);
    const Results expected = run(c, inputs, seeds);
    CHECK(expected.shared_forward + expected.shared_backward == 0);
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      INFO(c.op << ", " << c.name << ", " << threads << " threads");
      const Results got = run(c, inputs, seeds);
      REQUIRE(got.tensors.size() == expected.tensors.size());
      for (std::size_t i = 0; i < got.tensors.size(); ++i) {
        CHECK(same_bits(got.tensors[i], expected.tensors[i]));
      }
      if (!has_threads) continue;
      const bool serial_forward = c.serial == Serial::forward || c.serial == Serial::both;
      const bool serial_backward = c.serial == Serial::backward || c.serial == Serial::both;
      CHECK((got.shared_forward == 0) == serial_forward);
      CHECK((got.shared_backward == 0) == serial_backward);
    }
  }
}

TEST_CASE("what has no gradient gives constants of known values") {
  test::for_each_device([](Device device) {
    const Vars inputs = constant_inputs();
    for (const ConstantCase& c : constant_cases()) {
      INFO(c.op);
      const Var y = c.f(inputs[0], inputs[1]);
      CHECK(same_bits(y.tensor(), c.expected));
      CHECK(y.device() == device);
      CHECK_FALSE(y.requires_grad());
    }
  });
}

TEST_CASE("every function in autograd/ops has a case") {
  const Declared declared = declared_ops();
  REQUIRE(declared.differentiable.size() > 80);
  REQUIRE(declared.constant.size() > 10);
  std::set<std::string> differentiated, constant;
  for (const OpCase& c : all_cases()) differentiated.insert(c.op);
  for (const ConstantCase& c : constant_cases()) constant.insert(c.op);
  for (const std::string& op : declared.differentiable) {
    INFO(op << " is in autograd/ops but in no table of tests/autograd/cases_*.cpp");
    CHECK(differentiated.contains(op));
  }
  for (const std::string& op : declared.constant) {
    INFO(op << " is in autograd/ops but not in tests/autograd/cases_constant.cpp");
    CHECK(constant.contains(op));
  }
  for (const std::string& op : differentiated) {
    INFO(op << " is in a table but no header of autograd/ops declares it as differentiable");
    CHECK(declared.differentiable.contains(op));
  }
  for (const std::string& op : constant) {
    INFO(op << " is in a table but no header of autograd/ops declares it as a constant");
    CHECK(declared.constant.contains(op));
  }
}

TEST_CASE("a case computes what it names") {
  // Functions that record others in their place: one of those.
  const std::map<std::string, std::string> made_of = {
      {"embedding", "index_select"},
      {"global_avg_pool2d", "sum_to"},
      {"global_max_pool2d", "max"},
      {"instance_norm", "group_norm"},
      {"mean", "scale"},
      {"normalise", "group_norm"},
      {"split", "slice"},
      {"stack", "concat"},
      {"sum", "sum_to"},
      {"transpose", "permute"},
      {"variance", "square"},
  };
  for (const OpCase& c : all_cases()) {
    INFO(c.op << ", " << c.name);
    const std::string name = c.op.substr(0, c.op.find('('));
    const auto other = made_of.find(name);
    const std::set<std::string> recorded = recorded_by(c.f(c.inputs(DType::f32, Size::small)));
    CHECK(recorded.contains(other == made_of.end() ? name : other->second));
  }
}

TEST_CASE("pow(x, 0) is 1, and its gradient 0") {
  const Var x = parameter(Tensor::from<float>({-2, 0, 3}, {3}));
  const Var y = ops::pow(x, 0);
  const Vars g = grad({ops::sum(y)}, {x});
  CHECK(same_bits(y.tensor(), Tensor::full({3}, 1)));
  CHECK(same_bits(g[0].tensor(), Tensor::zeros({3})));
}
