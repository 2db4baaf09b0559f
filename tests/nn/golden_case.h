// The tables of what is compared with PyTorch's values in tests/goldens: layers, losses, optimisers
// and what belongs to them. test_goldens_coverage.cpp demands an entry of each that nn/ declares.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nn/module.h"
#include "nn/optimizer.h"
#include "nn/schedule.h"

namespace imago::test {

// Suffixes of golden entries by the names that a layer gives its parameters or buffers.
using GoldenNames = std::map<std::string, std::string>;

// Run on name.x, with name.dy arriving at its output: it must give name.y, name.dx and name.d<w> of
// each parameter w.
struct LayerGolden {
  std::string file;  // in tests/goldens
  std::string name;
  std::shared_ptr<nn::Module> layer;  // in the mode to test
  GoldenNames parameters;
  GoldenNames buffers = {};        // before
  GoldenNames buffers_after = {};  // what to compare the same ones with
  bool indices = false;            // x are name.indices, which have no gradient
};

template <class Layer>
LayerGolden layer_golden(const char* file, const std::string& name, Layer layer,
                         const GoldenNames& parameters = {{"weight", "w"}, {"bias", "b"}},
                         const GoldenNames& buffers = {}, const GoldenNames& buffers_after = {}) {
  return {.file = file,
          .name = name,
          .layer = std::make_shared<Layer>(std::move(layer)),
          .parameters = parameters,
          .buffers = buffers,
          .buffers_after = buffers_after};
}

// One function per kind of layer; all_layer_goldens() has them all.
std::vector<LayerGolden> convolution_layer_goldens();
std::vector<LayerGolden> norm_layer_goldens();
std::vector<LayerGolden> elementwise_layer_goldens();
std::vector<LayerGolden> image_layer_goldens();
std::vector<LayerGolden> structure_layer_goldens();

std::vector<LayerGolden> all_layer_goldens();

struct LossGolden {
  std::string loss;  // as labels_of() of tests/support/declarations.h calls it
  std::string file, name;
  std::function<Var(const Vars&)> f;  // of the inputs, then the constants
  std::vector<std::string> inputs = {"x"};
  std::vector<std::string> constants = {};
  std::string value = "loss";               // suffix of the result
  std::vector<std::string> gradients = {};  // of the inputs; none: "d" and the input
};

std::vector<LossGolden> all_loss_goldens();

// Ten steps from p0 with the rows of grads, in optimisers.safetensors.
struct OptimizerGolden {
  std::string optimizer;  // its class in nn/optim.h
  std::string name;       // name.p, and name.<what it keeps>
  std::function<std::unique_ptr<optim::Optimizer>(const Var&)> make;
};

std::vector<OptimizerGolden> all_optimizer_goldens();

// The factors of steps 0 .. 29 are schedule.<name>.
struct ScheduleGolden {
  std::string schedule;  // its function in nn/schedule.h
  std::string file, name;
  optim::Schedule f;
};

std::vector<ScheduleGolden> all_schedule_goldens();

// A function of nn/clip_grad.h, with a bound.
struct ClipGolden {
  std::string function;  // as labels_of() calls it
  bool by_norm;
  std::function<Tensor(const Vars&, double bound)> clip;  // gives the norm, if by norm
};

std::vector<ClipGolden> all_clip_goldens();

}  // namespace imago::test
