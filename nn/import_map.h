// PyTorch's files of weights, in and out.
//
// PyTorch keeps images as (N, C, H, W) and so orders weights in other ways than we do; it also
// names layers as its user liked. An import map says, layer by layer, what is called what and how
// the numbers lie. Each model declares its own (models/import_maps.h); for a network of yours:
//
//   nn::Sequential net;                       // PyTorch: nn.Sequential(
//   net.add(nn::Conv2d({.in = 3, .out = 8, .kernel = 3}))   //   nn.Conv2d(3, 8, 3),
//       .add(nn::ReLU())                                    //   nn.ReLU(),
//       .add(nn::Flatten())                                 //   nn.Flatten(),
//       .add(nn::Linear({.in = 8 * 6 * 6, .out = 10}));     //   nn.Linear(288, 10))
//   const nn::ImportMap map = {
//       {.theirs = "0", .ours = "layers.0", .kind = nn::PytorchLayer::conv},
//       {.theirs = "3", .ours = "layers.3", .kind = nn::PytorchLayer::linear,
//        .in = {.h = 6, .w = 6, .c = 8}}};
//   nn::load_pytorch(net, map, "net.safetensors");
//
//   tensor                           PyTorch                  here
//   Conv2d.weight                    (K, C / groups, R, S)    (K, R, S, C / groups)
//   ConvTranspose2d.weight           (in, out / groups, R, S) (in, R, S, out / groups)
//   Linear.weight                    (out, in)                (out, in)
//     after a Flatten of images      in counts C, H, W        in counts H, W, C
//     before a reshape to images     out counts C, H, W       out counts H, W, C
//   Conv2d.weight_v                  C / groups, R, S         R, S, C / groups
//   all others                       one layout for both
//
// Spectral norm's weight_orig lies as the weight does; its vectors are weight_u, by outputs, and
// weight_v, by the rest: as the rows and columns of Linear.weight; of a ConvTranspose2d, which the
// Module must really be, they are the same on both sides.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "nn/module.h"

namespace imago::nn {

enum class PytorchLayer {
  conv,        // Conv2d and ConvTranspose2d, weight of rank 4
  linear,      // Linear
  batch_norm,  // BatchNorm1d and 2d, with running statistics and num_batches_tracked
  other,       // every tensor as it is: PReLU, Embedding, ...
  tensor       // no layer but a single tensor, as it is: `theirs` and `ours` are its whole names
};

// Height, width and channels of images whose values became a row, or that rows become.
struct ImageShape {
  int h = 0;
  int w = 0;
  int c = 0;
};

struct ImportedLayer {
  std::string theirs;  // PyTorch's name of the layer, such as "main.0"
  std::string ours;    // and the Module's, such as "layers.1.conv"
  PytorchLayer kind = PytorchLayer::other;
  // The shape of the images before a Flatten that this linear layer follows.
  ImageShape in = {};
  // The shape of the images that the rows this linear layer or batch norm makes are reshaped to.
  ImageShape out = {};
};

using ImportMap = std::vector<ImportedLayer>;

// Fills a module with the tensors of a PyTorch state_dict. Strict: one error lists, by PyTorch's
// name, what is missing, unexpected, or of another shape, and then nothing has changed. Floating
// dtypes are converted to those of the module: bf16 exactly, f64 to f32 by rounding to nearest.
// "num_batches_tracked" of batch norms is the one thing that is ignored: it matters only for
// momentum None, a plain average of all batches, which is not here.
// Throws also when the map itself does not fit the module: that is a mistake in the program.
void load_pytorch(Module& module, const ImportMap& map, const NamedTensors& theirs);

// The same from a file, in which F16 is read too. Make it in Python with
//   safetensors.torch.save_file(model.state_dict(), "model.safetensors")
void load_pytorch(Module& module, const ImportMap& map, const std::filesystem::path& path);

// What model.state_dict() would be in PyTorch, on the CPU, with the dtypes of the module.
// num_batches_tracked is 0.
NamedTensors to_pytorch(const Module& module, const ImportMap& map);

// Writes it, so that in Python
//   model.load_state_dict(safetensors.torch.load_file("model.safetensors"))
// takes it, strict as it is.
void save_pytorch(const Module& module, const ImportMap& map, const std::filesystem::path& path);

}  // namespace imago::nn
