// Whether this build has the CUDA kernels, for a GPU or emulated. An op dispatches with
//
//   if constexpr (cuda_build) {
//     if (x.device().is_cuda()) return conv2d_on_cuda(...);
//   }
//
// so that a build without them never refers to what the .cu files define.
#pragma once

namespace imago::kernels {

inline constexpr bool cuda_build = IMAGO_CUDA_KERNELS;

}  // namespace imago::kernels
