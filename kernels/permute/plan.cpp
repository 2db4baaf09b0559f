#include "kernels/permute/plan.h"

namespace imago::kernels {

PermutePlan plan_permute(const Shape& x, std::span<const int> order) {
  std::vector<std::int64_t> steps(static_cast<std::size_t>(x.dim()));
  std::int64_t step = 1;
  for (int axis = x.dim() - 1; axis >= 0; --axis) {
    steps[static_cast<std::size_t>(axis)] = step;
    step *= x[axis];
  }
  PermutePlan plan;
  for (const int axis : order) {
    if (x[axis] == 1) continue;
    const std::int64_t extent = x[axis], from = steps[static_cast<std::size_t>(axis)];
    if (!plan.loops.empty() && plan.loops.back().from == from * extent) {
      plan.loops.back().extent *= extent;
      plan.loops.back().from = from;
    } else {
      plan.loops.push_back({extent, from, 0});
    }
  }
  if (!plan.loops.empty() && plan.loops.back().from == 1) {
    plan.unit = plan.loops.back().extent;
    plan.loops.pop_back();
  }
  std::int64_t to = 1;
  for (std::size_t i = plan.loops.size(); i-- > 0; to *= plan.loops[i].extent) {
    plan.loops[i].to = to;
    plan.loops[i].from /= plan.unit;
    if (plan.loops[i].from == 1) plan.columns = static_cast<int>(i);
  }
  return plan;
}

}  // namespace imago::kernels
