#include "nn/import_map.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "kernels/elementwise/elementwise.h"
#include "nn/conv_transpose2d.h"
#include "nn/safetensors.h"
#include "tensor/permuted.h"

namespace imago::nn {
namespace {

bool given(const ImageShape& image) {
  return image.h != 0 || image.w != 0 || image.c != 0;
}

constexpr const char* counter = "num_batches_tracked";

// One tensor under both names. PyTorch's, reshaped to `view`, its axes in the order `axes`, and
// reshaped again is ours.
struct Pair {
  std::string theirs, ours;
  Tensor tensor;  // ours
  Shape shape;    // theirs
  Shape view;
  std::vector<int> axes;

  Tensor to_ours(const Tensor& t) const {
    return permuted(t.reshape(view), axes).reshape(tensor.shape());
  }
  Tensor to_theirs(const Tensor& t) const {
    Shape permuted_view;
    std::vector<int> inverse(axes.size());
    for (std::size_t i = 0; i < axes.size(); ++i) {
      permuted_view.append(view[axes[i]]);
      inverse[static_cast<std::size_t>(axes[i])] = static_cast<int>(i);
    }
    return permuted(t.reshape(permuted_view), inverse).reshape(shape);
  }

  // One more stretch of PyTorch's axes: an extent, or one that counts C, H, W.
  void append(std::int64_t extent, const ImageShape& image, const std::string& side) {
    const int first = view.dim();
    if (!given(image)) {
      view.append(extent);
      axes.push_back(first);
      return;
    }
    check(image.h > 0 && image.w > 0 && image.c > 0 &&
              std::int64_t{image.h} * image.w * image.c == extent,
          "import_map", "'", ours, "' has ", extent, " values ", side, " but images of ", image.h,
          " x ", image.w, " x ", image.c, " are declared");
    for (const int e : {image.c, image.h, image.w}) view.append(e);
    for (const int axis : {first + 1, first + 2, first}) axes.push_back(axis);
  }
};

// The layers of a module that are transposed convolutions: their weights lie like those of others,
// but the vectors of their spectral norm do not, and the sizes of these need not tell.
std::set<std::string> transposed_convolutions(const Module& module) {
  std::set<std::string> names;
  module.visit([&](const std::string& name, const Module& m) {
    if (dynamic_cast<const ConvTranspose2d*>(&m)) names.insert(name);
  });
  return names;
}

// With spectral norm (nn/spectral_norm.h) "weight_orig" stands for "weight", and its matrix is
// (weight_u, weight_v): in PyTorch the latter counts C / groups, R, S of a convolution, here R, S,
// C / groups; of a transposed one it counts in, R, S on both sides. The weight is `state`'s.
Pair make_pair(const ImportedLayer& layer, const std::string& suffix, const Tensor& t,
               const NamedTensors& state, bool transposed) {
  const std::string end = suffix.empty() ? "" : "." + suffix;
  Pair pair{layer.theirs + end, layer.ours + end, t, t.shape(), {}, {}};
  const bool plain = !given(layer.in) && !given(layer.out);
  const bool is_weight = suffix == "weight" || suffix == "weight_orig";
  switch (layer.kind) {
    case PytorchLayer::conv:
      check(plain, "import_map", "'", layer.ours, "' is a convolution: it takes no image shape");
      if (is_weight) {
        check(t.dim() == 4, "import_map", "'", pair.ours, "' ", t.shape(),
              " is no weight of a convolution");
        pair.shape = pair.view = Shape{t.size(0), t.size(3), t.size(1), t.size(2)};
        pair.axes = {0, 2, 3, 1};
        return pair;
      }
      if (suffix == "weight_v" && !transposed) {
        const auto weight = state.find("weight_orig");
        check(weight != state.end() && weight->second.dim() == 4 &&
                  weight->second.numel() == weight->second.size(0) * t.numel(),
              "import_map", "'", pair.ours, "' ", t.shape(),
              " belongs to no spectrally normalised convolution");
        const Shape& w = weight->second.shape();  // (K, R, S, C / groups)
        pair.view = Shape{w[3], w[1], w[2]};
        pair.axes = {1, 2, 0};
        return pair;
      }
      break;
    case PytorchLayer::linear:
      if (suffix == "weight_v") {
        check(t.dim() == 1, "import_map", "'", pair.ours, "' ", t.shape(),
              " belongs to no linear layer");
        pair.append(t.size(0), layer.in, "in");
        return pair;
      }
      check(t.dim() == (is_weight ? 2 : 1), "import_map", "'", pair.ours, "' ", t.shape(),
            " belongs to no linear layer");
      pair.append(t.size(0), layer.out, "out");
      if (t.dim() == 2) pair.append(t.size(1), layer.in, "in");
      return pair;
    case PytorchLayer::batch_norm:
      check(t.dim() == 1 && !given(layer.in), "import_map", "'", pair.ours, "' ", t.shape(),
            " belongs to no batch norm, or its map says 'in' instead of 'out'");
      pair.append(t.size(0), layer.out, "out");
      return pair;
    case PytorchLayer::other:
    case PytorchLayer::tensor:
      check(plain, "import_map", "'", layer.ours, "' is of no kind that takes an image shape");
      break;
  }
  pair.view = t.shape();
  for (int i = 0; i < t.dim(); ++i) pair.axes.push_back(i);
  return pair;
}

// What one entry of a map stands for: the tensors of a layer by their names below it, or a single
// one by the name "".
NamedTensors tensors_of(const ImportedLayer& layer, const NamedTensors& state) {
  if (layer.kind != PytorchLayer::tensor) {
    NamedTensors tensors = entries_under(state, layer.ours);
    check(!tensors.empty(), "import_map", "the module has nothing under '", layer.ours,
          ".'; was the map made for another model?");
    return tensors;
  }
  const auto found = state.find(layer.ours);
  check(found != state.end(), "import_map", "the module has no tensor '", layer.ours,
        "'; was the map made for another model?");
  return {{"", found->second}};
}

// Every tensor of the module, each exactly once.
std::vector<Pair> pairs_of(const Module& module, const ImportMap& map) {
  const NamedTensors state = module.state_dict();
  const std::set<std::string> transposed = transposed_convolutions(module);
  std::vector<Pair> pairs;
  std::set<std::string> ours, theirs;
  for (const ImportedLayer& layer : map) {
    const NamedTensors tensors = tensors_of(layer, state);
    for (const auto& [suffix, tensor] : tensors) {
      pairs.push_back(make_pair(layer, suffix, tensor, tensors, transposed.contains(layer.ours)));
      check(ours.insert(pairs.back().ours).second && theirs.insert(pairs.back().theirs).second,
            "import_map", "'", pairs.back().ours, "' or '", pairs.back().theirs,
            "' is in the map twice");
    }
  }
  for (const auto& [name, tensor] : state) {
    check(ours.contains(name), "import_map", "the map does not say what '", name,
          "' is in PyTorch; was it made for another model?");
  }
  return pairs;
}

bool fits(const Tensor& given, const Pair& pair) {
  return given.defined() && given.shape() == pair.shape &&
         (given.dtype() == pair.tensor.dtype() ||
          (is_floating(given.dtype()) && is_floating(pair.tensor.dtype())));
}

}  // namespace

void load_pytorch(Module& module, const ImportMap& map, const NamedTensors& theirs) {
  const std::vector<Pair> pairs = pairs_of(module, map);
  std::set<std::string> known;
  for (const ImportedLayer& layer : map) {
    if (layer.kind == PytorchLayer::batch_norm) known.insert(layer.theirs + "." + counter);
  }
  std::ostringstream missing, unexpected, different;
  std::size_t matched = 0;
  for (const Pair& pair : pairs) {
    known.insert(pair.theirs);
    const auto found = theirs.find(pair.theirs);
    if (found == theirs.end()) {
      missing << "\n  missing: " << pair.theirs << ' ' << pair.shape << ", our " << pair.ours;
      continue;
    }
    matched += 1;
    if (fits(found->second, pair)) continue;
    different << "\n  different: " << pair.theirs << " should be " << pair.shape << ' '
              << pair.tensor.dtype() << " but is ";
    if (found->second.defined()) {
      different << found->second.shape() << ' ' << found->second.dtype();
    } else {
      different << "undefined";
    }
  }
  for (const auto& [name, tensor] : theirs) {
    if (known.contains(name)) continue;
    unexpected << "\n  unexpected: " << name;
    if (tensor.defined()) unexpected << ' ' << tensor.shape() << ' ' << tensor.dtype();
  }
  const std::string problems = missing.str() + unexpected.str() + different.str();
  check(problems.empty(), "load_pytorch", "the state_dict does not fit the map; ",
        matched == 0 ? "no name agrees: does another prefix come before the names of its layers?"
                     : "is it of another model, or of another width?",
        problems);
  NamedTensors state;
  for (const Pair& pair : pairs) {
    const Tensor given = theirs.at(pair.theirs).to(Device::cpu());
    state.emplace(pair.ours, pair.to_ours(kernels::cast(given, pair.tensor.dtype())));
  }
  module.load_state_dict(state);
}

void load_pytorch(Module& module, const ImportMap& map, const std::filesystem::path& path) {
  const SafetensorsFile file = load_safetensors(path);
  try {
    load_pytorch(module, map, file.tensors);
  } catch (const Error& error) {
    throw Error(std::string(error.what()) + "\n  in " + path.native());
  }
}

NamedTensors to_pytorch(const Module& module, const ImportMap& map) {
  NamedTensors theirs;
  for (const Pair& pair : pairs_of(module, map)) {
    theirs.emplace(pair.theirs, pair.to_theirs(pair.tensor.to(Device::cpu())));
  }
  for (const ImportedLayer& layer : map) {
    if (layer.kind != PytorchLayer::batch_norm) continue;
    theirs.emplace(layer.theirs + "." + counter, Tensor::full({}, 0, DType::i64, Device::cpu()));
  }
  return theirs;
}

void save_pytorch(const Module& module, const ImportMap& map, const std::filesystem::path& path) {
  save_safetensors(path, to_pytorch(module, map), {{"format", "pt"}});
}

}  // namespace imago::nn
