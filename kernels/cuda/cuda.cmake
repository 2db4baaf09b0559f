# How the GPU kernels (.cu) are built. Sets IMAGO_CUDA, and enables the CUDA language where needed.
include(CheckLanguage)
if(NOT DEFINED IMAGO_CUDA)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    set(imago_cuda_default ON)
  else()
    set(imago_cuda_default OFF)
  endif()
endif()
set(IMAGO_CUDA "${imago_cuda_default}" CACHE STRING
    "ON: kernels for a GPU, compiled by nvcc. EMULATED: the same kernels run on the CPU, thread by thread and checked (slow; for tests and debugging). OFF: the CPU only.")
set_property(CACHE IMAGO_CUDA PROPERTY STRINGS ON EMULATED OFF)
if(NOT IMAGO_CUDA MATCHES "^(ON|EMULATED|OFF)$")
  message(FATAL_ERROR "IMAGO_CUDA is ON, EMULATED or OFF, not '${IMAGO_CUDA}'")
endif()
set(IMAGO_CUDA_ARCHITECTURES "80-real;86-real;89-real;90a-real;90-virtual" CACHE STRING
    "GPU architectures nvcc compiles for; fewer build faster")

if(IMAGO_CUDA STREQUAL "ON")
  # Must be known before the language is enabled, or CMake takes nvcc's own default.
  set(CMAKE_CUDA_ARCHITECTURES ${IMAGO_CUDA_ARCHITECTURES})
  check_language(CUDA)
  if(NOT CMAKE_CUDA_COMPILER)
    message(FATAL_ERROR "IMAGO_CUDA=ON needs nvcc, which was not found; put it on the PATH, set CUDACXX, or configure with -DIMAGO_CUDA=OFF")
  endif()
  enable_language(CUDA)
  # Older CMake does not know that nvcc has C++20.
  foreach(kind STANDARD EXTENSION)
    if(NOT CMAKE_CUDA20_${kind}_COMPILE_OPTION)
      set(CMAKE_CUDA20_${kind}_COMPILE_OPTION -std=c++20)
    endif()
  endforeach()
  set(CMAKE_CUDA_STANDARD 20)
  set(CMAKE_CUDA_STANDARD_REQUIRED ON)
  imago_find(Threads::Threads Threads)  # CUDAToolkit needs it too
  imago_find(CUDA::cudart_static CUDAToolkit 12.0)
  if(TARGET CUDA::cudart_static_deps)
    set_target_properties(CUDA::cudart_static_deps PROPERTIES IMPORTED_GLOBAL TRUE)
  endif()
  message(STATUS "IMAGO_CUDA=ON: nvcc ${CMAKE_CUDA_COMPILER_VERSION} for ${IMAGO_CUDA_ARCHITECTURES}")
  # No contraction, as in the C++ files. constexpr functions such as the conversions of bf16 are
  # called from device code as they are.
  add_compile_options("$<$<COMPILE_LANGUAGE:CUDA>:--fmad=false;--expt-relaxed-constexpr;-Xcompiler=-Wall,-Wextra,-Wshadow,-Wno-unknown-pragmas,-ffp-contract=off>")
  if(IMAGO_WERROR)
    add_compile_options("$<$<COMPILE_LANGUAGE:CUDA>:--Werror=all-warnings;-Xcompiler=-Werror>")
  endif()
  if(CCACHE_PROGRAM AND NOT CMAKE_CUDA_COMPILER_LAUNCHER)
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  endif()
elseif(IMAGO_CUDA STREQUAL "EMULATED")
  message(STATUS "IMAGO_CUDA=EMULATED: GPU kernels run under the emulator")
else()
  message(STATUS "IMAGO_CUDA=OFF: no GPU kernels in this build; the emulated preset runs them without a GPU")
endif()

# Kernels look at the same memory as float and as float4, and shared memory keeps the NaN it was
# filled with before its struct began to live. C++ files that include kernels/launch.h need both.
set(IMAGO_EMULATED_FLAGS -fno-strict-aliasing -fno-lifetime-dse $<$<CONFIG:RelWithDebInfo>:-O2>)

# imago_cuda_sources(<file.cu>...) says how the compiler at hand takes the files, in the calling
# folder.
function(imago_cuda_sources)
  if(IMAGO_CUDA STREQUAL "EMULATED")
    set_source_files_properties(${ARGN} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "${IMAGO_EMULATED_FLAGS}")
  endif()
endfunction()
