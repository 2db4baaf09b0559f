// A module that follows another one slowly.
#pragma once

#include <vector>

#include "nn/module.h"

namespace imago::nn {

// Keeps `average`, a module of the same structure, at the exponential moving average of `live`'s
// parameters and buffers. The vectors of spectral norm, whose mean would be shorter than 1, it
// takes over as they are. The generator of a GAN jumps about; its average is steadier and draws
// better samples. Update t = 1, 2, ... uses the decay min(decay, t / (t + 10)), so that the first
// values are soon forgotten.
class Ema {
 public:
  // Takes over live's values at once. decay in [0, 1). Throws when the structures differ.
  Ema(const Module& live, Module& average, double decay);

  // After each step of the optimiser; t counts from 1.
  void update(std::int64_t t);

 private:
  double decay_;
  std::vector<Tensor> averages_, values_;
  std::vector<Tensor> copies_, originals_;
  Tensor weight_;  // (1), what kernels::ema_update reads
};

}  // namespace imago::nn
