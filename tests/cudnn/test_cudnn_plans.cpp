// What the engine cudnn says to cuDNN, without a GPU: the library makes plans for one that is only
// described. Where the library itself is missing, the test says so and checks the message.
#include <doctest/doctest.h>

#include <string>

#include "kernels/conv2d/cases.h"
#include "kernels/conv2d/cudnn_plans.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::kernels;

namespace {

// As cuDNN writes the properties of a device; figures of an H100 (CUDA programming guide, table of
// compute capabilities, and NVIDIA's data sheet).
const std::string h100 =
    R"({"cudaDeviceId":0,"deviceVer":900,"driverVer":13000,"totalGlobalMem":85520809984,)"
    R"("maxGridSize":[2147483647,65535,65535],"maxBlockSize":[1024,1024,64],"regsPerBlock":65536,)"
    R"("multiProcessorCount":132,"warpSize":32,"maxSharedMemoryPerBlock":49152,)"
    R"("maxSharedMemoryPerBlockOptin":232448,"reservedSharedMemoryPerBlock":1024,)"
    R"("maxRegistersPerSM":65536,"maxCtasPerSM":32,"maxThreadsPerBlock":1024,)"
    R"("maxThreadsPerSM":2048,"pciDeviceId":0,"isTccDriver":0,"supportCoopLaunch":1,)"
    R"("smClockRateKHz":1980000,"memClockRateKHz":2619000,"l2CacheSize":52428800,)"
    R"("deviceName":"NVIDIA H100"})";

}  // namespace

TEST_CASE("cudnn: plans for every pass of DCGAN's layers on a GPU that is only described") {
  try {
    cudnn::api();
  } catch (const Error& error) {
    MESSAGE("SKIPPED, nothing is checked but the message: ", error.what());
    CHECK(std::string(error.what()).find("name its libcudnn.so.9 in IMAGO_CUDNN_LIBRARY") !=
          std::string::npos);
    return;
  }
  cudnn::Descriptor device(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  device.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
             static_cast<std::int64_t>(h100.size()), h100.data());
  device.finalize();
  const auto count = [&](const Conv2dCase& c, Conv2dPass pass, DType dtype, DType result) {
    return cudnn::plans(c.problem(), pass, dtype, result, {.device = device.get()}).size();
  };
  for (const Conv2dCase& c : dcgan_layers(128)) {
    CAPTURE(c.name);
    for (const DType dtype : {DType::f32, DType::bf16}) {
      CHECK(count(c, Conv2dPass::forward, dtype, dtype) > 0);
      CHECK(count(c, Conv2dPass::input_grad, dtype, dtype) > 0);
      CHECK(count(c, Conv2dPass::weight_grad, dtype, dtype) > 0);
    }
    // What our gradient of weights is, cuDNN has not.
    CHECK(count(c, Conv2dPass::weight_grad, DType::bf16, DType::f32) == 0);
  }
  const Conv2dCase odd{"odd", 2, 9, 7, 6, 19, 3, 3, {.stride_h = 2, .pad = {0, 2, 1, 0}}};
  CHECK(count(odd, Conv2dPass::forward, DType::f32, DType::f32) > 0);
}

TEST_CASE("cudnn: what the library refuses is an error with its reason") {
  try {
    cudnn::api();
  } catch (const Error&) {
    return;  // the case above says so
  }
  cudnn::Descriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  const std::string message = test::error_of([&] { tensor.finalize(); });
  CHECK(message.find("[cudnnBackendFinalize] cuDNN: CUDNN_STATUS_BAD_PARAM") != std::string::npos);
}
