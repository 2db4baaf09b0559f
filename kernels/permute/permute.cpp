#include "kernels/permute/permute.h"

#include <array>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/cuda_build.h"
#include "kernels/permute/engines.h"
#include "tensor/op_range.h"

namespace imago::kernels {
namespace {

const char* const op = "permute";

std::string list(std::span<const int> order) {
  std::string text = "(";
  for (std::size_t i = 0; i < order.size(); ++i) {
    text += (i ? ", " : "") + std::to_string(order[i]);
  }
  return text + ")";
}

// `order` with every axis counted from the outermost.
std::vector<int> checked(const Tensor& x, std::span<const int> order) {
  check(x.defined(), op, "the argument is undefined");
  const int dim = x.dim();
  std::vector<int> axes;
  std::array<bool, Shape::max_dim> seen{};
  for (const int axis : order) {
    const int from_outermost = axis < 0 ? axis + dim : axis;
    const bool fresh = from_outermost >= 0 && from_outermost < dim &&
                       !std::exchange(seen[static_cast<std::size_t>(from_outermost)], true);
    if (!fresh) break;
    axes.push_back(from_outermost);
  }
  check(static_cast<int>(axes.size()) == dim && static_cast<int>(order.size()) == dim, op,
        "the order ", list(order), " does not name every axis of ", x.shape(), " once");
  return axes;
}

bool tiled_takes(const Tensor& x, const PermutePlan& plan) {
  if (plan.is_copy()) return false;
  const auto unit = static_cast<std::uintptr_t>(plan.unit_bytes(x.dtype()));
  const bool word = unit <= 16 && (unit & (unit - 1)) == 0;
  return word && reinterpret_cast<std::uintptr_t>(x.device_bytes()) % unit == 0 &&
         x.numel() <= std::numeric_limits<std::int32_t>::max();
}

Engine choose(Engine asked, const Tensor& x, const PermutePlan& plan) {
  const auto describe = [&] { return x.shape().to_string(); };
  if (x.device().is_cuda()) {
    const bool takes = tiled_takes(x, plan);
    // A tile of which only a strip is used is worse than threads that follow the result.
    constexpr std::int64_t narrow = 16;
    const bool wide = !plan.is_copy() && plan.loops.back().extent >= narrow &&
                      plan.loops[static_cast<std::size_t>(plan.columns)].extent >= narrow;
    if (asked == Engine::automatic) return takes && wide ? Engine::tiled : Engine::naive;
    const CudaEngine engines[] = {
        {Engine::tiled, takes, "aligned units of 1, 2, 4, 8 or 16 bytes that change places"},
        {Engine::naive, true, "every problem"}};
    return choose_cuda_engine(op, asked, {x.dtype(), 0, describe}, engines);
  }
  return choose_cpu_engine(op, asked,
                           {.dtype = x.dtype(),
                            .direct = true,
                            .direct_takes = "every problem",
                            .reference_seconds = 0,
                            .describe = describe});
}

}  // namespace

Tensor permute(const Tensor& x, std::span<const int> order, Engine engine) {
  const std::vector<int> axes = checked(x, order);
  const OpRange range(op, x.device());
  Shape shape;
  for (const int axis : axes) shape.append(x.size(axis));
  Tensor out = Tensor::empty(shape, x.dtype(), x.device());
  if (x.numel() == 0) return out;
  const PermutePlan plan = plan_permute(x.shape(), axes);
  const Engine chosen = choose(engine, x, plan);
  if constexpr (cuda_build) {
    if (chosen == Engine::tiled) permute_tiled(x, plan, out);
    if (chosen == Engine::naive) permute_naive(x, plan, out);
  }
  if (chosen == Engine::direct) permute_direct(x, plan, out);
  if (chosen == Engine::reference) permute_reference(x, axes, out);
  return out;
}

Tensor permute(const Tensor& x, std::initializer_list<int> order, Engine engine) {
  return permute(x, std::span<const int>(order.begin(), order.size()), engine);
}

Tensor transpose(const Tensor& x, int axis_a, int axis_b) {
  check(x.defined(), "transpose", "the argument is undefined");
  const int dim = x.dim();
  const int a = axis_a < 0 ? axis_a + dim : axis_a, b = axis_b < 0 ? axis_b + dim : axis_b;
  check(a >= 0 && a < dim && b >= 0 && b < dim, "transpose", "axes ", axis_a, " and ", axis_b,
        " do not both exist in ", x.shape());
  std::vector<int> order;
  for (int axis = 0; axis < dim; ++axis) order.push_back(axis == a ? b : axis == b ? a : axis);
  return permute(x, order);
}

}  // namespace imago::kernels
