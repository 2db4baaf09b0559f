// cuDNN's backend API: a convolution is a graph of one operation, heuristics name configurations of
// engines for it, and those that can be finalised are plans. Attributes are those of the reference
// at https://docs.nvidia.com/deeplearning/cudnn/backend/latest/api/cudnn-graph-library.html.
#include "kernels/conv2d/cudnn_plans.h"

#include <dlfcn.h>

#include <cstdlib>

#include "tensor/error.h"

namespace imago::kernels::cudnn {
namespace {

template <class Function>
void look_up(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  check(function != nullptr, "cudnn", "the library lacks ", name, "; version 9 is needed");
}

Api open() {
  const char* named = std::getenv("IMAGO_CUDNN_LIBRARY");
  const char* path = named && *named ? named : "libcudnn.so.9";
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fail("cudnn", "cannot open cuDNN: ", dlerror(),
         "; name its libcudnn.so.9 in IMAGO_CUDNN_LIBRARY, or use another engine");
  }
  Api api{};
  look_up(library, "cudnnCreate", api.create);
  look_up(library, "cudnnSetStream", api.set_stream);
  look_up(library, "cudnnGetErrorString", api.error_string);
  look_up(library, "cudnnGetLastErrorString", api.last_error_string);
  look_up(library, "cudnnBackendCreateDescriptor", api.create_descriptor);
  look_up(library, "cudnnBackendDestroyDescriptor", api.destroy_descriptor);
  look_up(library, "cudnnBackendSetAttribute", api.set_attribute);
  look_up(library, "cudnnBackendGetAttribute", api.get_attribute);
  look_up(library, "cudnnBackendFinalize", api.finalize);
  look_up(library, "cudnnBackendExecute", api.execute);
  return api;
}

cudnnDataType_t type_of(DType dtype) {
  return dtype == DType::bf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

// cuDNN lists extents as N, C, H, W (K, C, R, S); the strides say how they lie in memory.
Descriptor tensor(TensorId id, const Shape& nhwc, DType dtype) {
  const std::int64_t H = nhwc[1], W = nhwc[2], C = nhwc[3];
  Descriptor d(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  const cudnnDataType_t type = type_of(dtype);
  d.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
  d.set(CUDNN_ATTR_TENSOR_DIMENSIONS, {nhwc[0], C, H, W});
  d.set(CUDNN_ATTR_TENSOR_STRIDES, {H * W * C, 1, W * C, C});
  d.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, {id});
  d.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {16});
  d.finalize();
  return d;
}

Descriptor convolution(const Conv2dParams& p) {
  Descriptor d(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  const cudnnDataType_t sums = CUDNN_DATA_FLOAT;
  const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
  d.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &sums);
  d.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
  d.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, {2});
  d.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, {p.dilation_h, p.dilation_w});
  d.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {p.stride_h, p.stride_w});
  d.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {p.pad.top, p.pad.left});
  d.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, {p.pad.bottom, p.pad.right});
  d.finalize();
  return d;
}

// The attributes of one of the three operations.
struct Names {
  cudnnBackendDescriptorType_t operation;
  cudnnBackendAttributeName_t x, w, y, convolution, alpha, beta;
};

Names names_of(Conv2dPass pass) {
  switch (pass) {
    case Conv2dPass::input_grad:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
    case Conv2dPass::weight_grad:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
    case Conv2dPass::forward:
      break;
  }
  return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
}

// A graph of one convolution; it keeps what it needs of the descriptors it is made of.
Descriptor graph_of(const Conv2dProblem& p, Conv2dPass pass, DType dtype, DType result,
                    const Target& target) {
  const auto type = [&](Conv2dPass maker) { return pass == maker ? result : dtype; };
  const Descriptor x = tensor(id_x, {p.N, p.H, p.W, p.C}, type(Conv2dPass::input_grad));
  const Descriptor w =
      tensor(id_w, {p.K, p.R, p.S, p.C / p.params.groups}, type(Conv2dPass::weight_grad));
  const Descriptor y = tensor(id_y, {p.N, p.P, p.Q, p.K}, type(Conv2dPass::forward));
  const Descriptor shape = convolution(p.params);
  const Names names = names_of(pass);
  const float one = 1, zero = 0;
  Descriptor operation(names.operation);
  operation.set(names.x, x);
  operation.set(names.w, w);
  operation.set(names.y, y);
  operation.set(names.convolution, shape);
  operation.set(names.alpha, CUDNN_TYPE_FLOAT, 1, &one);
  operation.set(names.beta, CUDNN_TYPE_FLOAT, 1, &zero);
  operation.finalize();
  Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation);
  if (target.handle) {
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &target.handle);
  }
  graph.finalize();
  return graph;
}

// Whether a configuration computes what ours do: same precision, exact on small integers.
bool same_arithmetic(const Descriptor& configuration, DType dtype) {
  const Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  cudnnBackendDescriptor_t handle = engine.get();
  configuration.read(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &handle);
  cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
  const std::int64_t count =
      engine.read(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                  CUDNN_NUMERICAL_NOTE_TYPE_COUNT, notes);
  for (std::int64_t i = 0; i < count; ++i) {
    switch (notes[i]) {
      case CUDNN_NUMERICAL_NOTE_TENSOR_CORE:
        if (dtype == DType::f32) return false;  // of f32 they take 10 bits of the mantissa
        break;
      case CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP:
      case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC:  // an opponent may be
        break;
      default:
        return false;
    }
  }
  return true;
}

// What one mode of the heuristics suggests, the best first as it thinks; maybe nothing.
std::vector<Descriptor> suggestions(const Descriptor& graph, cudnnBackendHeurMode_t mode,
                                    const Target& target) {
  Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
  if (target.device) {
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                   &target.device);
  }
  if (!heuristics.try_finalize()) return {};
  const std::int64_t count =
      heuristics.read(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, nullptr);
  std::vector<Descriptor> found;
  std::vector<cudnnBackendDescriptor_t> handles;
  for (std::int64_t i = 0; i < count; ++i) {
    found.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    handles.push_back(found.back().get());
  }
  const std::int64_t written = heuristics.read(
      CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, count, handles.data());
  found.resize(static_cast<std::size_t>(std::min(written, count)));
  return found;
}

}  // namespace

const Api& api() {
  static const Api opened = open();
  return opened;
}

void check_cudnn(cudnnStatus_t status, const char* what) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  char more[1024] = {};
  api().last_error_string(more, sizeof more);
  fail(what, "cuDNN: ", api().error_string(status), *more ? ": " : "", more);
}

Descriptor::Descriptor(cudnnBackendDescriptorType_t type) {
  check_cudnn(api().create_descriptor(type, &handle_), "cudnnBackendCreateDescriptor");
}

Descriptor::~Descriptor() {
  if (handle_) api().destroy_descriptor(handle_);
}

void Descriptor::set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                     std::int64_t count, const void* values) {
  check_cudnn(api().set_attribute(handle_, name, type, count, values), "cudnnBackendSetAttribute");
}

void Descriptor::set(cudnnBackendAttributeName_t name, const std::vector<std::int64_t>& values) {
  set(name, CUDNN_TYPE_INT64, static_cast<std::int64_t>(values.size()), values.data());
}

void Descriptor::set(cudnnBackendAttributeName_t name, const Descriptor& value) {
  set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value.handle_);
}

std::int64_t Descriptor::read(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                              std::int64_t room, void* values) const {
  std::int64_t count = 0;
  check_cudnn(api().get_attribute(handle_, name, type, room, &count, values),
              "cudnnBackendGetAttribute");
  return count;
}

void Descriptor::finalize() {
  check_cudnn(api().finalize(handle_), "cudnnBackendFinalize");
}

bool Descriptor::try_finalize() {
  return api().finalize(handle_) == CUDNN_STATUS_SUCCESS;
}

std::vector<Plan> plans(const Conv2dProblem& problem, Conv2dPass pass, DType dtype, DType result,
                        const Target& target) {
  const Descriptor graph = graph_of(problem, pass, dtype, result, target);
  std::vector<Plan> found;
  for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_B, CUDNN_HEUR_MODE_FALLBACK}) {
    for (const Descriptor& configuration : suggestions(graph, mode, target)) {
      if (!same_arithmetic(configuration, dtype)) continue;
      Plan candidate{Descriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR)};
      Descriptor& plan = candidate.plan;
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
      if (target.handle) {
        plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &target.handle);
      } else {
        plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                 &target.device);
      }
      if (!plan.try_finalize()) continue;  // suggested, but not for this problem after all
      plan.read(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1,
                &candidate.workspace_bytes);
      found.push_back(std::move(candidate));
    }
  }
  return found;
}

}  // namespace imago::kernels::cudnn
