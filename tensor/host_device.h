// For functions that host code and kernels share. Under nvcc they are compiled for both; functions
// that are constexpr need no mark.
#pragma once

#if defined(__CUDACC__)
#define IMAGO_HOST_DEVICE __host__ __device__
#else
#define IMAGO_HOST_DEVICE
#endif
