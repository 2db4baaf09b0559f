// The engines that take a permutation.
#pragma once

#include <span>
#include <vector>

#include "kernels/permute/permute.h"
#include "kernels/permute/plan.h"

namespace imago::test {

// Of x in `order`, whose axes count from the outermost.
inline std::vector<Engine> permute_engines(const Tensor& x, std::span<const int> order) {
  if (x.device().is_cpu()) return {Engine::reference, Engine::direct};
  std::vector<Engine> engines{Engine::naive, Engine::automatic};
  if (x.numel() == 0) return engines;
  const kernels::PermutePlan plan = kernels::plan_permute(x.shape(), order);
  const std::int64_t unit = plan.unit_bytes(x.dtype());
  if (!plan.is_copy() && unit <= 16 && (unit & (unit - 1)) == 0) engines.push_back(Engine::tiled);
  return engines;
}

}  // namespace imago::test
