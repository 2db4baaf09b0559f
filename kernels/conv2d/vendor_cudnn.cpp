// The engine cudnn: NVIDIA's library on our tensors, to be compared with. `auto` never takes it.
//
// The first call for a problem times every plan that kernels/conv2d/cudnn_plans.h finds and keeps
// the fastest, as is due to an opponent: so that call waits for the GPU, cannot be part of a
// capture, and two programs may choose different plans with different bits.
//
// Not yet run on hardware. cuDNN 9.19 made plans for the layers of DCGAN on an H100 that was
// described to it (tests/cudnn).
#include <algorithm>
#include <map>

#include "kernels/conv2d/cudnn_plans.h"
#include "kernels/conv2d/engines.h"
#include "tensor/cuda/runtime.h"
#include "tensor/error.h"

namespace imago::kernels {
namespace {

using cudnn::Plan;

cudnnHandle_t handle_of(Stream& stream) {
  // One for the thread: a handle is not to be shared among threads, and belongs to no stream.
  thread_local const cudnnHandle_t handle = [] {
    cudnnHandle_t made = nullptr;
    cudnn::check_cudnn(cudnn::api().create(&made), "cudnnCreate");
    return made;
  }();
  cudnn::check_cudnn(cudnn::api().set_stream(handle, stream.impl().stream), "cudnnSetStream");
  return handle;
}

// The operands of a pass, one of which is its result.
struct Operands {
  const Tensor &x, &w, &y;
};

void execute(const Plan& plan, const Operands& o, cudnnHandle_t handle) {
  const Tensor workspace =
      Tensor::empty({std::max<std::int64_t>(plan.workspace_bytes, 1)}, DType::u8, o.x.device());
  // The library takes pointers to what it reads and writes alike.
  const void* data[] = {o.x.device_bytes(), o.w.device_bytes(), o.y.device_bytes()};
  const void* scratch = workspace.device_bytes();
  cudnn::Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, 3, data);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, {cudnn::id_x, cudnn::id_w, cudnn::id_y});
  pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &scratch);
  pack.finalize();
  cudnn::check_cudnn(cudnn::api().execute(handle, plan.plan.get(), pack.get()),
                     "cudnnBackendExecute");
}

// Milliseconds of the fastest of three runs after a first one that may still load code.
double time_of(const Plan& plan, const Operands& o, cudnnHandle_t handle, Stream& stream) {
  execute(plan, o, handle);
  double best = 0;
  for (int i = 0; i < 3; ++i) {
    Event begin, end;
    begin.record(stream);
    execute(plan, o, handle);
    end.record(stream);
    end.synchronize();
    const double ms = end.milliseconds_since(begin);
    best = i == 0 ? ms : std::min(best, ms);
  }
  return best;
}

Plan fastest(const Conv2dProblem& problem, Conv2dPass pass, DType dtype, DType result,
             const Operands& o, cudnnHandle_t handle, Stream& stream) {
  std::vector<Plan> plans = cudnn::plans(problem, pass, dtype, result, {.handle = handle});
  if (plans.empty()) {
    fail("conv2d", "engine cudnn cannot do ", problem.to_string(), " in ", dtype, ", ",
         name_of(pass), " to ", result, ": cuDNN has no plan of that precision; use auto");
  }
  std::vector<double> ms;
  for (const Plan& plan : plans) ms.push_back(time_of(plan, o, handle, stream));
  return std::move(
      plans[static_cast<std::size_t>(std::min_element(ms.begin(), ms.end()) - ms.begin())]);
}

void run(const Conv2dProblem& problem, Conv2dPass pass, const Operands& o) {
  const Tensor& result = pass == Conv2dPass::forward      ? o.y
                         : pass == Conv2dPass::input_grad ? o.x
                                                          : o.w;
  const DType dtype = pass == Conv2dPass::forward ? o.x.dtype() : o.y.dtype();
  Stream& stream = current_stream();
  const cudnnHandle_t handle = handle_of(stream);
  thread_local std::map<std::string, Plan> chosen;
  const std::string key = problem.to_string() + " " + name_of(pass) + " " + name_of(dtype) + " " +
                          name_of(result.dtype());
  auto at = chosen.find(key);
  if (at == chosen.end()) {
    at =
        chosen.emplace(key, fastest(problem, pass, dtype, result.dtype(), o, handle, stream)).first;
  }
  execute(at->second, o, handle);
}

}  // namespace

void conv2d_cudnn(const Conv2dProblem& problem, const Tensor& x, const Tensor& w, Tensor& out) {
  run(problem, Conv2dPass::forward, {x, w, out});
}

void conv2d_input_grad_cudnn(const Conv2dProblem& problem, const Tensor& y, const Tensor& w,
                             Tensor& out) {
  run(problem, Conv2dPass::input_grad, {out, w, y});
}

void conv2d_weight_grad_cudnn(const Conv2dProblem& problem, const Tensor& x, const Tensor& y,
                              Tensor& out) {
  run(problem, Conv2dPass::weight_grad, {x, out, y});
}

}  // namespace imago::kernels
