#include "nn/ema.h"

#include <algorithm>

#include "kernels/optimizer/ema.h"

namespace imago::nn {

Ema::Ema(const Module& live, Module& average, double decay) : decay_(decay) {
  check(0 <= decay && decay < 1, "Ema", "decay must be in [0, 1), not ", decay);
  const NamedTensors values = live.state_dict();
  average.load_state_dict(values);
  for (const auto& [name, tensor] : average.state_dict()) {
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
}

}  // namespace imago::nn
