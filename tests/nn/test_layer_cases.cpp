// Every layer, from the table: derivatives by its input and its parameters, bits for any number of
// threads, state, modes; and no layer without a case.
#include <doctest/doctest.h>

#include <set>

#include "autograd/engine.h"
#include "autograd/gradcheck.h"
#include "autograd/random.h"
#include "kernels/parallel.h"
#include "layer_case.h"
#include "tests/kernels/random.h"
#include "tests/support/declarations.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

namespace {

// Calls f(case) for each case of a size.
template <class F>
void for_each_case(Size size, F&& f) {
  for (const LayerCase& c : all_layer_cases()) {
    if (c.size != size) continue;
    INFO(c.layer << ", " << c.name);
    manual_seed(8);
    f(c);
  }
}

// The input of a case, unless it is one of indices, and the parameters of its layer.
Vars leaves_of(const Var& x, const nn::Module& layer) {
  Vars leaves = layer.parameters();
  if (x.requires_grad()) leaves.insert(leaves.begin(), x);
  return leaves;
}

// x -> layer(x), the same draw of a Dropout at each call. The parameters are leaves too, which the
// check changes where the layer has them.
Differentiable function_of(nn::Module& layer, const Var& x) {
  const auto generator = Context::current().generator;
  return [&layer, x, generator](const Vars&) {
    Context::current().generator = generator;
    return Vars{layer(x)};
  };
}

// Output, gradients and state of a layer, and how many parallel regions more than one thread ran.
struct LayerResults {
  std::vector<Tensor> tensors;
  std::int64_t shared_forward = 0, shared_backward = 0;
};

LayerResults run(const LayerCase& c, int threads) {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  set_num_threads(threads);
  manual_seed(8);
  const std::shared_ptr<nn::Module> layer = layer_of(c, DType::f32);
  const Var x = input_of(c, DType::f32);
  const std::int64_t& shared = Context::current().shared_regions;
  LayerResults results;
  std::int64_t before = shared;
  const Var y = (*layer)(x);
  results.shared_forward = shared - before;
  const Var seed(normals(y.shape(), DType::f32, 22));
  before = shared;
  const Vars grads = grad({y}, leaves_of(x, *layer), {seed});
  results.shared_backward = shared - before;
  results.tensors.push_back(y.tensor());
  for (const Var& g : grads) results.tensors.push_back(g.tensor());
  for (const auto& [name, tensor] : layer->state_dict()) results.tensors.push_back(tensor);
  return results;
}

}  // namespace

TEST_CASE("every layer passes gradcheck, by its input and its parameters") {
  const ContextScope scope;
  set_num_threads(1);  // these tensors are too small to share
  for_each_case(Size::small, [](const LayerCase& c) {
    const auto layer = layer_of(c, DType::f64);
    const Var x = input_of(c, DType::f64);
    const GradcheckResult result = gradcheck(function_of(*layer, x), leaves_of(x, *layer));
    INFO(result.message);
    CHECK(result.ok);
  });
}

TEST_CASE("every layer passes gradgradcheck, by its input and its parameters") {
  const ContextScope scope;
  set_num_threads(1);
  for_each_case(Size::small, [](const LayerCase& c) {
    const auto layer = layer_of(c, DType::f64);
    const Var x = input_of(c, DType::f64);
    const GradcheckResult result = gradgradcheck(function_of(*layer, x), leaves_of(x, *layer));
    INFO(result.message);
    CHECK(result.ok);
  });
}

TEST_CASE("every layer gives the same bits with 1, 2 and 3 threads") {
  if (!has_threads) MESSAGE("built without OpenMP: no work is shared, so little is compared");
  for_each_case(Size::large, [](const LayerCase& c) {
    const LayerResults expected = run(c, 1);
    CHECK(expected.shared_forward + expected.shared_backward == 0);
    for (const int threads : {2, 3}) {
      CAPTURE(threads);
      const LayerResults got = run(c, threads);
      REQUIRE(got.tensors.size() == expected.tensors.size());
      for (std::size_t i = 0; i < got.tensors.size(); ++i) {
        CAPTURE(i);
        CHECK(same_bits(got.tensors[i], expected.tensors[i]));
      }
      CHECK((got.shared_forward > 0) == (c.shared && has_threads));
      CHECK((got.shared_backward > 0) == (c.shared && has_threads));
    }
  });
}

TEST_CASE("the state of every layer makes another one its equal") {
  for_each_case(Size::small, [](const LayerCase& c) {
    const auto layer = layer_of(c, DType::f32), other = layer_of(c, DType::f32);
    const Var x = input_of(c, DType::f32);
    (*layer)(x);  // running statistics move
    layer->eval();
    other->eval();
    const Tensor y = (*layer)(x).tensor();
    const bool stateless = layer->state_dict().empty();
    CHECK(same_bits((*other)(x).tensor(), y) == stateless);
    NamedTensors state = layer->state_dict();
    for (auto& [name, tensor] : state) tensor = tensor.clone();
    other->load_state_dict(state);
    CHECK(same_bits((*other)(x).tensor(), y));
    for (const auto& [name, tensor] : other->state_dict()) {
      CAPTURE(name);
      CHECK(same_bits(tensor, state.at(name)));
    }
  });
}

TEST_CASE("layers differ between training and evaluation where they say so") {
  for_each_case(Size::small, [](const LayerCase& c) {
    const auto layer = layer_of(c, DType::f32);
    const Var x = input_of(c, DType::f32);
    layer->eval();
    const Tensor first = (*layer)(x).tensor(), again = (*layer)(x).tensor();
    CHECK(same_bits(first, again));
    layer->train();
    CHECK(same_bits((*layer)(x).tensor(), first) != c.two_modes);
  });
}

TEST_CASE("an empty batch is refused, or gives an empty result and gradients of 0") {
  // Convolutions, products, pooling and images of another size refuse it, naming its shape, as does
  // batch norm, which has no statistics then. What works on each element, row or image by itself
  // has nothing to do.
  const std::set<std::string> refusing{
      "AvgPool2d",       "Conv2d",          "ConvBlock", "ConvTranspose2d", "CosineLinear",
      "GlobalAvgPool2d", "GlobalMaxPool2d", "Linear",    "MaxPool2d",       "Pad",
      "Residual",        "Sequential",      "Upsample"};
  for_each_case(Size::small, [&](LayerCase c) {
    c.x.set(0, 0);
    const auto layer = layer_of(c, DType::f32);
    const Var x = input_of(c, DType::f32);
    if (refusing.contains(c.layer) || (c.layer == "BatchNorm2d" && c.training)) {
      const std::string error = error_of([&] { (*layer)(x); });
      CAPTURE(error);
      CHECK(contains(error, "(0, "));
      return;
    }
    const Var y = (*layer)(x);
    REQUIRE(y.dim() > 0);
    CHECK(y.size(0) == 0);
    CHECK(y.numel() == 0);
    const Vars leaves = leaves_of(x, *layer);
    if (leaves.empty()) return;
    const Vars grads = grad({y}, leaves, {Var(Tensor::zeros(y.shape()))});
    for (std::size_t i = 0; i < grads.size(); ++i) {
      CHECK(grads[i].shape() == leaves[i].shape());
      CHECK(largest(grads[i].tensor()) == 0);
    }
  });
}

TEST_CASE("every layer in nn has a case of each size") {
  const std::set<std::string> declared = final_classes_in(IMAGO_SOURCE_DIR "/nn", "Module");
  REQUIRE(declared.size() > 10);
  CHECK(declared.contains("Conv2d"));           // by way of ConvLayer
  CHECK_FALSE(declared.contains("ConvLayer"));  // a base
  for (const Size size : {Size::small, Size::large}) {
    std::set<std::string> tested;
    for (const LayerCase& c : all_layer_cases()) {
      if (c.size == size) tested.insert(c.layer);
    }
    for (const std::string& layer : declared) {
      INFO(layer << " is in nn but has no " << (size == Size::small ? "small" : "large")
                 << " case in tests/nn/layer_cases_*.cpp");
      CHECK(tested.contains(layer));
    }
    for (const std::string& layer : tested) {
      INFO(layer << " has a case but is no final class in nn/*.h that derives from Module");
      CHECK(declared.contains(layer));
    }
  }
}

TEST_CASE("a case tests the layer that it names") {
  for (const LayerCase& c : all_layer_cases()) {
    INFO(c.layer << ", " << c.name);
    CHECK(c.make()->type_name() == c.layer);
  }
}
