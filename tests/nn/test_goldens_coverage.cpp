// Nothing in nn/ that computes is without values of PyTorch, and no such value is left uncompared.
#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

#include "golden_checks.h"
#include "nn/activations.h"
#include "nn/conv_block.h"
#include "tests/support/declarations.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::test;

namespace {

using Names = std::set<std::string>;

// Layers that cannot have a golden, and why.
const std::map<std::string, std::string> exempt_layers{
    {"Dropout",
     "which elements fall is drawn from our own generator, so no other library gives the "
     "same; tests/nn/test_layers.cpp and gradcheck have the formula"}};

// Functions and layers whose entries other tests compare, by file.
const std::map<std::string, Names> compared_elsewhere{
    {"layers.safetensors", {"conv2d_groups", "exp", "log"}},
    {"catalogue.safetensors", {"logsumexp"}},
    {"blocks.safetensors", {}},
    {"margins.safetensors", {"l2_normalize", "l2_normalize_zeros", "l2_normalize_eps"}}};

// Terms of nn/vae_loss.h that PyTorch has as parts of training steps alone: each takes part in the
// ten steps of three VAEs in vae_steps.safetensors, of which tests/models/test_golden_vae.cpp
// compares the loss, its two terms and every parameter.
const Names compared_in_vae_steps{
    "reparameterise",           "gaussian_kl",  "kl_per_image", "gaussian_log_likelihood",
    "bernoulli_log_likelihood", "to_unit_range"};

// Those of a header of nn/ that give a `result`.
Names declared_in(const std::string& header, const Names& results) {
  std::vector<Declaration> found;
  const std::string text = read_bytes(std::string(IMAGO_SOURCE_DIR "/nn/") + header);
  for (const Declaration& f : declared_functions(text)) {
    if (results.contains(f.result)) found.push_back(f);
  }
  const std::vector<std::string> labels = labels_of(found);
  const Names names(labels.begin(), labels.end());
  CHECK_MESSAGE(names.size() == labels.size(), "two overloads in ", header,
                " whose parameters have the same names: their goldens cannot be told apart");
  return names;
}

// Each of one set is in the other one.
void check_all(const char* kind, const Names& declared, const Names& compared) {
  for (const std::string& name : declared) {
    INFO(name << ", " << kind << " in nn, has no golden: see scripts/make_goldens.py and the "
              << "tables tests/nn/golden_cases_*.cpp");
    CHECK(compared.contains(name));
  }
  for (const std::string& name : compared) {
    INFO(name << " has a golden but nn declares no such " << kind);
    CHECK(declared.contains(name));
  }
}

}  // namespace

TEST_CASE("goldens: every layer in nn has one") {
  Names declared = final_classes_in(IMAGO_SOURCE_DIR "/nn", "Module");
  REQUIRE(declared.size() > 25);
  Names compared;
  for (const LayerGolden& g : all_layer_goldens()) {
    const nn::Module& layer = *g.layer;
    compared.insert(layer.type_name());
    if (layer.type_name() != "Sequential") continue;
    layer.visit([&](const std::string&, const nn::Module& m) { compared.insert(m.type_name()); });
  }
  for (const auto& [layer, reason] : exempt_layers) {
    INFO(layer << " is exempt: " << reason);
    CHECK(declared.erase(layer) == 1);
    CHECK_FALSE(compared.contains(layer));
  }
  check_all("layer", declared, compared);
}

TEST_CASE("goldens: ConvBlock has one for every activation, convolved and transposed") {
  std::set<std::pair<bool, int>> compared;
  for (const LayerGolden& g : all_layer_goldens()) {
    const auto* block = dynamic_cast<const nn::ConvBlock*>(g.layer.get());
    if (!block || !block->options().batch_norm || !block->training()) continue;
    compared.insert({block->options().transposed, static_cast<int>(block->options().activation)});
  }
  const Var x(Tensor::zeros({1}));
  int activations = 0;
  for (;; ++activations) {  // until there is none of that number
    const auto activation = static_cast<nn::Activation>(activations);
    if (contains(error_of([&] { nn::activate(x, activation, 0); }), "there is no activation"))
      break;
    REQUIRE(activations < 100);
    CAPTURE(activations);
    CHECK(compared.contains({false, activations}));
    CHECK(compared.contains({true, activations}));
  }
  CHECK(activations > static_cast<int>(nn::Activation::silu));
}

TEST_CASE("goldens: every loss in nn has one") {
  // Those of tests/nn/test_goldens_gan.cpp, which says that it compares every loss of its file, and
  // of test_goldens_layers.cpp.
  Names compared{"gradient_penalty", "r1_penalty", "iwae_bound"};
  compared.insert(compared_in_vae_steps.begin(), compared_in_vae_steps.end());
  for (const auto& [key, tensor] : golden_file("gan.safetensors").tensors) {
    const std::string name = key.substr(0, key.find('.'));
    if (key.ends_with(".loss") && !name.ends_with("_smooth")) compared.insert(name);
  }
  for (const LossGolden& g : all_loss_goldens()) compared.insert(g.loss);
  Names declared;
  for (const char* header :
       {"loss.h", "gan_loss.h", "gradient_penalty.h", "margin_loss.h", "vae_loss.h"}) {
    declared.merge(declared_in(header, {"Var"}));
  }
  REQUIRE(declared.size() >= 29);
  check_all("loss", declared, compared);
}

TEST_CASE("goldens: every optimiser has one of ten steps, and of each thing it keeps") {
  Names compared;
  for (const OptimizerGolden& g : all_optimizer_goldens()) {
    CAPTURE(g.name);
    compared.insert(g.optimizer);
    const NamedTensors stored =
        entries_under(golden_file("optimisers.safetensors").tensors, g.name);
    REQUIRE(stored.contains("p"));
    const Var p = parameter(Tensor::zeros(Shape{6}, DType::f64));
    const auto optimizer = g.make(p);
    // The class is the one that the entry names.
    CHECK(contains(error_of([&] { optimizer->set_lr(-1); }), "[" + g.optimizer + "]"));
    Names kept{"p"};
    for (const auto& [key, tensor] : optimizer->state_dict()) {
      if (key != "steps") kept.insert(key.substr(0, key.find('.')));
    }
    Names of_pytorch;
    for (const auto& [key, tensor] : stored) {
      CAPTURE(key);
      CHECK(tensor.shape() == Shape{10, 6});
      of_pytorch.insert(key);
    }
    CHECK(of_pytorch == kept);
  }
  const Names declared = final_classes_in(IMAGO_SOURCE_DIR "/nn", "Optimizer");
  REQUIRE(declared.size() >= 4);
  check_all("optimiser", declared, compared);
}

TEST_CASE("goldens: every schedule and every function that clips gradients has one") {
  Names schedules, clips;
  for (const ScheduleGolden& g : all_schedule_goldens()) schedules.insert(g.schedule);
  for (const ClipGolden& g : all_clip_goldens()) clips.insert(g.function);
  const Names declared = declared_in("schedule.h", {"Schedule"});
  REQUIRE(declared.size() >= 5);
  check_all("schedule", declared, schedules);
  Names clipping = declared_in("clip_grad.h", {"Tensor", "void"});
  // It cuts numbers at a limit, as clip_grad_value does; tests/nn/test_gradient_penalty.cpp.
  CHECK(std::erase_if(clipping, [](const auto& f) { return f.starts_with("clip_weights"); }) == 2);
  REQUIRE(clipping.size() >= 4);
  check_all("function that clips", clipping, clips);
}

TEST_CASE("goldens: what PyTorch computed for a layer or a loss is compared") {
  std::map<std::string, Names> compared = compared_elsewhere;
  for (const LayerGolden& g : all_layer_goldens()) compared[g.file].insert(g.name);
  for (const LossGolden& g : all_loss_goldens()) compared[g.file].insert(g.name);
  for (const auto& [file, names] : compared) {
    CAPTURE(file);
    REQUIRE(compared_elsewhere.contains(file));
    Names stored;  // a layer's entries have a gradient that arrives, a loss's a value
    for (const auto& [key, tensor] : golden_file(file).tensors) {
      for (const std::string end : {".dy", ".loss"}) {
        if (key.ends_with(end)) stored.insert(key.substr(0, key.size() - end.size()));
      }
    }
    REQUIRE(stored.size() > 10);
    for (const std::string& name : stored) {
      INFO(name << " is in " << file << " but no test compares it");
      CHECK(names.contains(name));
    }
  }
}
