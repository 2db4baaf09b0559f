// Every operation, from the table: first and second derivatives,
// and equal bits for any number of threads.
#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "autograd/engine.h"
#include "op_case.h"
#include "tensor/context.h"

using namespace imago;
using namespace imago::test;

namespace {

std::vector<OpCase> all_cases() {
  std::vector<OpCase> all;
  for (const auto& family : {arithmetic_cases(), batch_norm_cases(), conv2d_cases(), matmul_cases(),
                             elementwise_cases(), rows_and_losses_cases()}) {
    all.insert(all.end(), family.begin(), family.end());
  }
  return all;
}

// Outputs and gradients of a case in f32, with fixed seeds.
std::vector<Tensor> run(const OpCase& c) {
  const Vars inputs = c.inputs(DType::f32);
  const Vars outputs = c.f(inputs);
  Vars seeds;
  std::vector<Tensor> results;
  for (const Var& y : outputs) {
    seeds.push_back(leaves(y.dtype(), {y.shape()}, {}, 99)[0].detach());
    results.push_back(y.tensor());
  }
  // An input that only chooses (the sign of x in relu_grad) has no gradient.
  for (const Var& g : grad(outputs, inputs, seeds, {.allow_unused = true})) {
    if (g) results.push_back(g.tensor());
  }
  return results;
}

}  // namespace

TEST_CASE("every operation passes gradcheck") {
  const ContextScope scope;
  set_num_threads(1);  // these tensors are too small to share
  for (const OpCase& c : all_cases()) {
    const GradcheckResult result = gradcheck(c.f, c.inputs(DType::f64));
    INFO(c.op << ", " << c.name << ": " << result.message);
    CHECK(result.ok);
  }
}

TEST_CASE("every operation passes gradgradcheck") {
  const ContextScope scope;
  set_num_threads(1);  // these tensors are too small to share
  for (const OpCase& c : all_cases()) {
    const GradcheckResult result = gradgradcheck(c.f, c.inputs(DType::f64));
    INFO(c.op << ", " << c.name << ": " << result.message);
    CHECK(result.ok);
  }
}

TEST_CASE("every operation gives the same bits with 1, 2 and 3 threads") {
  const ContextScope scope;
  const std::vector<OpCase> cases = all_cases();
  std::vector<std::vector<Tensor>> expected;
  set_num_threads(1);
  for (const OpCase& c : cases) expected.push_back(run(c));
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    for (std::size_t k = 0; k < cases.size(); ++k) {
      INFO(cases[k].op << ", " << cases[k].name << ", " << threads << " threads");
      const std::vector<Tensor> got = run(cases[k]);
      REQUIRE(got.size() == expected[k].size());
      for (std::size_t i = 0; i < got.size(); ++i) CHECK(same_bits(got[i], expected[k][i]));
    }
  }
}

TEST_CASE("every file in autograd/ops has a case") {
  std::set<std::string> tested;
  for (const OpCase& c : all_cases()) tested.insert(c.op);
  std::set<std::string> written;
  for (const auto& entry : std::filesystem::directory_iterator(IMAGO_SOURCE_DIR "/autograd/ops")) {
    if (entry.path().extension() == ".cpp") written.insert(entry.path().stem().string());
  }
  REQUIRE(written.size() > 5);
  for (const std::string& op : written) {
    INFO(op << " is in autograd/ops but in no table of tests/autograd/cases_*.cpp");
    CHECK(tested.contains(op));
  }
  for (const std::string& op : tested) {
    INFO(op << " is in a table but autograd/ops/" << op << ".cpp does not exist");
    CHECK(written.contains(op));
  }
}
