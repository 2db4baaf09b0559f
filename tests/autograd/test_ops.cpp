// Every operation, from the table: first and second derivatives on every device, and equal bits for
// any number of threads.
#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "autograd/engine.h"
#include "kernels/parallel.h"
#include "op_case.h"
#include "tensor/context.h"
#include "tests/support/devices.h"

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
