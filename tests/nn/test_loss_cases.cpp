// Every loss, from the table: first and second derivatives, bits for any number of threads, and no
// loss without a case. All but the threads is run on the device of the Context, so that the program
// started with --device=cuda repeats it there.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "autograd/engine.h"
#include "autograd/gradcheck.h"
#include "kernels/parallel.h"
#include "loss_case.h"
#include "nn/loss.h"
#include "tensor/context.h"
#include "tests/kernels/random.h"
#include "tests/support/declarations.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::test;

namespace {

Differentiable function_of(const LossCase& c) {
  return [&c](const Vars& v) { return Vars{c.f(v)}; };
}

// A loss and its gradients, and how many parallel regions more than one thread ran.
struct LossResults {
  std::vector<Tensor> tensors;
  std::int64_t shared_forward = 0, shared_backward = 0;
};

LossResults run(const LossCase& c, const Vars& arguments, int threads) {
  set_num_threads(threads);
  const std::int64_t& shared = Context::current().shared_regions;
  LossResults results;
  std::int64_t before = shared;
  const Var loss = c.f(arguments);
  results.shared_forward = shared - before;
  before = shared;
  const Vars grads = grad({loss}, arguments);
  results.shared_backward = shared - before;
  results.tensors.push_back(loss.tensor());
  for (const Var& g : grads) results.tensors.push_back(g.tensor());
  return results;
}

}  // namespace

TEST_CASE("every loss passes gradcheck") {
  const ContextScope scope;
  set_num_threads(1);  // these tensors are too small to share
  for (const LossCase& c : all_loss_cases()) {
    INFO(c.loss << ", " << c.name);
    const GradcheckResult result = gradcheck(function_of(c), arguments_of(c, DType::f64));
    INFO(result.message);
    CHECK(result.ok);
  }
}

TEST_CASE("every loss passes gradgradcheck") {
  const ContextScope scope;
  set_num_threads(1);
  for (const LossCase& c : all_loss_cases()) {
    INFO(c.loss << ", " << c.name);
    const GradcheckResult result = gradgradcheck(function_of(c), arguments_of(c, DType::f64));
    INFO(result.message);
    CHECK(result.ok);
  }
}

TEST_CASE("every loss gives the same bits with 1, 2 and 3 threads") {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  if (!has_threads) MESSAGE("built without OpenMP: no work is shared, so little is compared");
  for (const LossCase& c : all_loss_cases()) {
    INFO(c.loss << ", " << c.name);
    const Vars arguments = arguments_of(c, DType::f32, c.times_shared);
    const LossResults expected = run(c, arguments, 1);
    CHECK(expected.shared_forward + expected.shared_backward == 0);
    for (const int threads : {2, 3}) {
      CAPTURE(threads);
      const LossResults got = run(c, arguments, threads);
      REQUIRE(got.tensors.size() == expected.tensors.size());
      for (std::size_t i = 0; i < got.tensors.size(); ++i) {
        CAPTURE(i);
        CHECK(same_bits(got.tensors[i], expected.tensors[i]));
      }
      CHECK((got.shared_forward > 0) == has_threads);
      CHECK((got.shared_backward > 0) == has_threads);
    }
  }
}

TEST_CASE("every loss is a finite scalar in acc_t, its gradients are of their arguments' dtype") {
  for (const LossCase& c : all_loss_cases()) {
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
      INFO(c.loss << ", " << c.name << ", " << dtype);
      const Vars arguments = arguments_of(c, dtype);
      const Var loss = c.f(arguments);
      CHECK(loss.shape() == Shape{});
      CHECK(loss.dtype() == acc_dtype(dtype));
      CHECK(loss.device() == Context::current().device);
      CHECK(std::isfinite(loss.item()));
      const Vars grads = grad({loss}, arguments);
      for (std::size_t i = 0; i < grads.size(); ++i) {
        CAPTURE(i);
        CHECK(grads[i].shape() == arguments[i].shape());
        CHECK(grads[i].dtype() == dtype);
        CHECK(std::isfinite(largest(grads[i].tensor())));
        CHECK(largest(grads[i].tensor()) > 0);
      }
    }
  }
}

TEST_CASE("the arguments of a case lie on every side of its kinks, and not near them") {
  for (const LossCase& c : all_loss_cases()) {
    INFO(c.loss << ", " << c.name);
    const Vars arguments = arguments_of(c, DType::f64);
    for (std::size_t k = 0; k < arguments.size(); ++k) {
      CAPTURE(k);
      const Tensor a = to_f64(arguments[k].tensor()), b = to_f64(arguments.back().tensor());
      const std::vector<double>& kinks = c.arguments[k].kinks;
      std::vector<int> between(kinks.size() + 1);
      for (std::int64_t i = 0; i < a.numel(); ++i) {
        const double other = c.difference && k == 0 ? b.data<double>()[i] : 0;
        const double value = a.data<double>()[i] - other;
        std::size_t below = 0;
        for (const double kink : kinks) {
          CHECK(std::abs(value - kink) > 0.04);  // 0.05, rounded to f32
          if (kink < value) ++below;
        }
        between[below] += 1;
      }
      CHECK(*std::min_element(between.begin(), between.end()) > 0);
    }
  }
}

TEST_CASE("every loss and penalty that a header declares has a case") {
  std::vector<Declaration> losses;
  for (const char* name :
       {"loss.h", "gan_loss.h", "gradient_penalty.h", "margin_loss.h", "vae_loss.h"}) {
    std::size_t here = 0;
    for (const Declaration& f :
         declared_functions(read_bytes(fs::path(IMAGO_SOURCE_DIR "/nn") / name))) {
      if (f.result != "Var") continue;
      losses.push_back(f);
      ++here;
    }
    CHECK_MESSAGE(here > 0, name << " declares no loss that can be read");
  }
  const std::vector<std::string> labels = labels_of(losses);
  const std::set<std::string> declared(labels.begin(), labels.end());
  REQUIRE(declared.size() >= 29);
  CHECK_MESSAGE(
      declared.size() == labels.size(),
      "two overloads whose parameters have the same names: their cases cannot be told apart");
  std::set<std::string> tested;
  for (const LossCase& c : all_loss_cases()) tested.insert(c.loss);
  for (const std::string& loss : declared) {
    INFO(loss << " is declared but has no case in tests/nn/loss_cases.cpp");
    CHECK(tested.contains(loss));
  }
  for (const std::string& loss : tested) {
    INFO(loss << " has a case but no header of losses declares it");
    CHECK(declared.contains(loss));
  }
}
