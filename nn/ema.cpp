#include "nn/ema.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "kernels/optimizer/ema.h"

namespace imago::nn {
namespace {

// Whether this is a vector of spectral norm (nn/spectral_norm.h): the buffers "weight_u" and
// "weight_v" beside a "weight_orig".
bool is_spectral_vector(const std::string& name, const NamedTensors& state) {
  constexpr std::string_view ends[] = {"weight_u", "weight_v"};
  for (const std::string_view end : ends) {
    const std::string layer = name.substr(0, name.size() - std::min(end.size(), name.size()));
    if (name.ends_with(end) && (layer.empty() || layer.ends_with('.'))) {
      return state.contains(layer + "weight_orig");
    }
  }
  return false;
}

}  // namespace

Ema::Ema(const Module& live, Module& average, double decay) : decay_(decay) {
  check(0 <= decay && decay < 1, "Ema", "decay must be in [0, 1), not ", decay);
  const NamedTensors values = live.state_dict();
  average.load_state_dict(values);
  for (const auto& [name, tensor] : average.state_dict()) {
    if (is_spectral_vector(name, values)) {
      copies_.push_back(tensor);
      originals_.push_back(values.at(name));
      continue;
    }
    averages_.push_back(tensor);
    values_.push_back(values.at(name));
  }
  const Device device = averages_.empty() ? Device::cpu() : averages_[0].device();
  weight_ = Tensor::empty({1}, DType::f64, device);
}

void Ema::update(std::int64_t t) {
  const double step = static_cast<double>(t);
  const double weight = 1 - std::min(decay_, step / (step + 10));
  weight_.copy_from(Tensor::full({1}, weight, DType::f64, Device::cpu()));
  kernels::ema_update(averages_, values_, weight_);
  for (std::size_t i = 0; i < copies_.size(); ++i) copies_[i].copy_from(originals_[i]);
}

}  // namespace imago::nn
