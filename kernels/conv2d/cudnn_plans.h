// Convolutions as NVIDIA's cuDNN does them: the opponent in the bench. Its library is opened when
// it is first asked for, so that nothing here needs it; its headers must have been there when this
// was compiled.
#pragma once

#include <cudnn_backend.h>

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/conv2d/conv2d.h"

namespace imago::kernels::cudnn {

// The functions of the library that are used.
struct Api {
  decltype(&cudnnCreate) create;
  decltype(&cudnnSetStream) set_stream;
  decltype(&cudnnGetErrorString) error_string;
  decltype(&cudnnGetLastErrorString) last_error_string;
  decltype(&cudnnBackendCreateDescriptor) create_descriptor;
  decltype(&cudnnBackendDestroyDescriptor) destroy_descriptor;
  decltype(&cudnnBackendSetAttribute) set_attribute;
  decltype(&cudnnBackendGetAttribute) get_attribute;
  decltype(&cudnnBackendFinalize) finalize;
  decltype(&cudnnBackendExecute) execute;
};

// Opens the library that the environment variable IMAGO_CUDNN_LIBRARY names, or else libcudnn.so.9
// where the system looks for libraries. Throws Error when it cannot be opened.
const Api& api();

// Throws "[what] cuDNN: ..." unless the call succeeded.
void check_cudnn(cudnnStatus_t status, const char* what);

// A descriptor of the backend API, owned.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(cudnnBackendDescriptorType_t type);
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : handle_(other.handle_) { other.handle_ = nullptr; }
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }

  cudnnBackendDescriptor_t get() const { return handle_; }

  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
           const void* values);
  void set(cudnnBackendAttributeName_t name, const std::vector<std::int64_t>& values);
  void set(cudnnBackendAttributeName_t name, const Descriptor& value);
  // How many there are; at most `room` of them have been written.
  std::int64_t read(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                    std::int64_t room, void* values) const;
  // Throws when it is refused.
  void finalize();
  // Whether it was accepted.
  bool try_finalize();

 private:
  cudnnBackendDescriptor_t handle_ = nullptr;
};

// What plans are made for: a handle, which belongs to a GPU, or a finalised
// CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR that describes one which need not be there.
struct Target {
  cudnnHandle_t handle = nullptr;
  cudnnBackendDescriptor_t device = nullptr;
};

// In variant packs.
enum TensorId : std::int64_t { id_x = 1, id_w, id_y };

struct Plan {
  Descriptor plan;
  std::int64_t workspace_bytes = 0;
};

// Every plan that cuDNN's heuristics (modes A and B and the fallback) have for a pass in f32 or
// bf16, in NHWC, sums in f32. `result` is the dtype of what the pass makes. Left out are plans of
// another precision (f32 inputs rounded for tensor cores, sums of less than f32) and those that
// transform their inputs by fractions (Winograd, FFT), whose results for small integers are not
// exact.
std::vector<Plan> plans(const Conv2dProblem& problem, Conv2dPass pass, DType dtype, DType result,
                        const Target& target);

}  // namespace imago::kernels::cudnn
