#include "kernels/conv2d/conv2d.h"

#include <span>

#include "kernels/conv2d/engines.h"
#include "kernels/cuda_build.h"
#include "kernels/elementwise/elementwise.h"
#include "tensor/error.h"
#include "tensor/op_range.h"

namespace imago {

double Conv2dProblem::flops() const {
  return 2.0 * static_cast<double>(N * P * Q) * static_cast<double>(K * R * S) *
         static_cast<double>(C / params.groups);
}

namespace {

// "p1", or "p0_1_0_1" (top, bottom, left, right) where the sides differ.
std::string padding_string(const Padding& pad) {
  if (pad == Padding::same(pad.top)) return "p" + std::to_string(pad.top);
  return "p" + std::to_string(pad.top) + "_" + std::to_string(pad.bottom) + "_" +
         std::to_string(pad.left) + "_" + std::to_string(pad.right);
}

}  // namespace

std::string Conv2dProblem::to_string() const {
  std::string s;
  const auto field = [&](const char* name, std::int64_t value) {
    s += name + std::to_string(value);
  };
  field("n", N), field("h", H), field("w", W), field("c", C);
  field("k", K), field("r", R), field("s", S);
  field("u", params.stride_h), field("v", params.stride_w);
  s += padding_string(params.pad);
  if (params.groups != 1) field("g", params.groups);
  if (params.dilation_h != 1 || params.dilation_w != 1) field("d", params.dilation_h);
  if (params.dilation_h != params.dilation_w) field("_", params.dilation_w);
  return s;
}

}  // namespace imago

namespace imago::kernels {

namespace {

constexpr bool cudnn_build = IMAGO_CUDNN;  // whether its headers were there

void check_params(const char* op, const Conv2dParams& params) {
  check(params.stride_h >= 1 && params.stride_w >= 1, op, "strides are at least 1, not ",
        params.stride_h, " x ", params.stride_w);
  check(params.dilation_h >= 1 && params.dilation_w >= 1, op, "dilations are at least 1, not ",
        params.dilation_h, " x ", params.dilation_w);
  const Padding& pad = params.pad;
  check(pad.top >= 0 && pad.bottom >= 0 && pad.left >= 0 && pad.right >= 0, op,
        "padding is not negative, but top ", pad.top, ", bottom ", pad.bottom, ", left ", pad.left,
        ", right ", pad.right);
  check(params.groups >= 1, op, "groups is at least 1, not ", params.groups);
}

void check_fits(const char* op, const char* axis, std::int64_t in, std::int64_t kernel,
                std::int64_t pad, int dilation) {
  const std::int64_t reach = (kernel - 1) * dilation + 1;
  check(reach <= in + pad, op, "the kernel reaches over ", reach, " ", axis, " but the input has ",
        in, " and ", pad, " of padding; is the image too small for this many layers?");
}

void check_images(const char* op, const char* name, const Shape& shape) {
  check(shape.dim() == 4, op, name, " is rank 4, (N, H, W, C), but it is ", shape);
  check(shape.numel() > 0, op, name, " has no elements: ", shape);
}

void check_weight(const char* op, const Shape& w) {
  check(w.dim() == 4, op, "weight is rank 4, (K, R, S, C / groups), but it is ", w);
  check(w.numel() > 0, op, "weight has no elements: ", w);
}

void check_same(const char* op, const Tensor& a, const char* a_name, const Tensor& b,
                const char* b_name) {
  check(a.defined() && b.defined(), op, a.defined() ? b_name : a_name, " is undefined");
  check(is_floating(a.dtype()), op, a_name, " is f32, f64 or bf16, not ", a.dtype());
  check(a.dtype() == b.dtype(), op, a_name, " is ", a.dtype(), " but ", b_name, " is ", b.dtype(),
        "; cast one of them");
  check(a.device() == b.device(), op, a_name, " is on ", a.device(), " but ", b_name, " is on ",
        b.device(), "; move one of them with to(device), a network whole");
}

// y must be the output of a convolution of `problem`.
void check_output(const char* op, const Conv2dProblem& d, const Shape& y) {
  const Shape expected{d.N, d.P, d.Q, d.K};
  check(y == expected, op, "an input of ", Shape{d.N, d.H, d.W, d.C}, " under a kernel of ", d.R,
        " x ", d.S, " has an output of ", expected, ", but y is ", y,
        "; are stride and padding those of the forward pass?");
}

// On the GPU a problem this small is a few microseconds of latency whatever runs it, and tiles
// would be padding for the most part. The sums must be short too: a naive thread adds them up
// alone.
bool is_tiny(const Conv2dProblem& problem, std::int64_t terms) {
  return problem.flops() <= 1 << 17 && terms <= 512;
}

// The engine to run, given what the caller asked for. `terms` are summed into one result.
Engine choose(const char* op, Engine asked, const Conv2dProblem& problem, const Tensor& operand,
              std::int64_t terms) {
  const DType dtype = operand.dtype();
  const auto describe = [&] { return problem.to_string(); };
  if (operand.device().is_cuda()) {
    const bool tiles = conv2d_tiles_can(problem);
    const CudaEngine naive{Engine::naive, true, "every problem"};
    const CudaEngine blocked{Engine::blocked, tiles && dtype == DType::f32,
                             "f32 with groups and dilation 1 and tensors below 2^30 elements"};
    const CudaEngine tiled{Engine::tiled, tiles,
                           "groups and dilation 1 and tensors below 2^30 elements"};
    if (asked == Engine::automatic && is_tiny(problem, terms)) asked = Engine::naive;
    // Behind the one that can do everything, so that `automatic` never comes to it.
    const CudaEngine cudnn{Engine::cudnn, dtype != DType::f64, "f32 and bf16"};
    const CudaEngine engines[] = {blocked, tiled, naive, cudnn};
    const std::span<const CudaEngine> here(engines, cudnn_build ? 4 : 3);
    return choose_cuda_engine(op, asked, {dtype, problem.flops(), describe}, here);
  }
  return choose_cpu_engine(op, asked,
                           {.dtype = dtype,
                            .direct = conv2d_direct_can(problem, dtype),
                            .direct_takes = "f32 and bf16 with groups and dilation 1",
                            .reference_seconds = 1e-9 * problem.flops(),
                            .describe = describe});
}

// The direct engine, which works in f32: bf16 is summed in it, and copies cost little beside the
// products.
template <class Pass>
void run_in_f32(Pass&& pass, const Conv2dProblem& problem, const Tensor& a, const Tensor& b,
                Tensor& out) {
  Tensor wide =
      out.dtype() == DType::f32 ? out : Tensor::empty(out.shape(), DType::f32, out.device());
  pass(problem, cast(a, DType::f32), cast(b, DType::f32), wide);
  out = cast(wide, out.dtype());
}

}  // namespace

bool conv2d_tiles_can(const Conv2dProblem& p) {
  const Conv2dParams& a = p.params;
  if (a.groups != 1 || a.dilation_h != 1 || a.dilation_w != 1) return false;
  constexpr double tensor = 1 << 30, extent = 1 << 28;
  // No more rows and columns of tiles, and no more phases, than a grid has.
  constexpr std::int64_t filter = 1 << 20, phases = 256;
  const double rows = static_cast<double>(p.H + a.pad.top + a.pad.bottom);
  const double columns = static_cast<double>(p.W + a.pad.left + a.pad.right);
  const double images = static_cast<double>(p.N);
  const double reach = static_cast<double>(p.P + p.R) * static_cast<double>(p.Q + p.S);
  return rows < extent && columns < extent && p.R * p.S < filter && p.R * p.S * p.C < filter &&
         p.K < filter && a.stride_h <= phases && a.stride_w <= phases &&
         a.stride_h * a.stride_w <= phases &&
         images * rows * columns * static_cast<double>(p.C) < tensor &&
         static_cast<double>(p.K) * static_cast<double>(p.R * p.S * p.C) < tensor &&
         images * reach * static_cast<double>(p.K) < tensor;
}

bool conv2d_direct_can(const Conv2dProblem& problem, DType dtype) {
  return dtype != DType::f64 && problem.params.groups == 1 && problem.params.dilation_h == 1 &&
         problem.params.dilation_w == 1;
}

std::int64_t conv_output_extent(std::int64_t in, std::int64_t kernel, int stride, int pad_before,
                                int pad_after, int dilation) {
  check(stride >= 1 && dilation >= 1, "conv_output_extent", "stride ", stride, " and dilation ",
        dilation, " are at least 1");
  const std::int64_t reach = (kernel - 1) * dilation + 1;
  check(reach <= in + pad_before + pad_after, "conv_output_extent", "a kernel that reaches over ",
        reach, " does not fit into ", in, " with padding ", pad_before, " and ", pad_after);
  return (in + pad_before + pad_after - reach) / stride + 1;
}

std::int64_t conv_transpose_output_extent(std::int64_t in, std::int64_t kernel, int stride,
                                          int pad_before, int pad_after, int dilation,
                                          int output_padding) {
  check(output_padding >= 0 && output_padding < stride, "conv_transpose_output_extent",
        "output padding is at least 0 and less than the stride ", stride, ", not ", output_padding);
  const std::int64_t out =
      (in - 1) * stride + (kernel - 1) * dilation + 1 - pad_before - pad_after + output_padding;
  check(out >= 1, "conv_transpose_output_extent", "an input of ", in, " with padding ", pad_before,
        " and ", pad_after, " leaves no output");
  return out;
}

Conv2dProblem conv2d_problem(const char* op, const Shape& x, const Shape& w,
                             const Conv2dParams& params) {
  check_params(op, params);
  check_images(op, "input", x);
  check_weight(op, w);
  check(w[3] * params.groups == x[3], op, "weight expects C=", w[3] * params.groups,
        " but input is ", x, "; were the weights made for another layer?");
  check(w[0] % params.groups == 0, op, "weight has K=", w[0], " outputs, which ", params.groups,
        " groups do not divide");
  const Padding& pad = params.pad;
  check_fits(op, "rows", x[1], w[1], std::int64_t{pad.top} + pad.bottom, params.dilation_h);
  check_fits(op, "columns", x[2], w[2], std::int64_t{pad.left} + pad.right, params.dilation_w);
  Conv2dProblem d{};
  d.N = x[0], d.H = x[1], d.W = x[2], d.C = x[3];
  d.K = w[0], d.R = w[1], d.S = w[2];
  d.P = conv_output_extent(d.H, d.R, params.stride_h, pad.top, pad.bottom, params.dilation_h);
  d.Q = conv_output_extent(d.W, d.S, params.stride_w, pad.left, pad.right, params.dilation_w);
  d.params = params;
  return d;
}

Tensor conv2d(const Tensor& x, const Tensor& w, const Conv2dParams& params, Engine engine) {
  const char* op = "conv2d";
  check_same(op, x, "input", w, "weight");
  const Conv2dProblem problem = conv2d_problem(op, x.shape(), w.shape(), params);
  const OpRange range(op, x.device());
  range.states_flops(problem.flops());
  const Engine chosen = choose(op, engine, problem, x, w.numel() / problem.K);
  Tensor out = Tensor::empty({problem.N, problem.P, problem.Q, problem.K}, x.dtype(), x.device());
  if constexpr (cuda_build) {
    if (chosen == Engine::naive) conv2d_naive(problem, x, w, out);
    if (chosen == Engine::tiled) conv2d_tiled(problem, x, w, out);
    if (chosen == Engine::blocked) conv2d_blocked(problem, x, w, out);
  }
  if constexpr (cudnn_build) {
    if (chosen == Engine::cudnn) conv2d_cudnn(problem, x, w, out);
  }
  if (chosen == Engine::direct) run_in_f32(conv2d_direct, problem, x, w, out);
  if (chosen == Engine::reference) conv2d_reference(problem, x, w, out);
  return out;
}

Tensor conv2d_input_grad(const Tensor& y, const Tensor& w, std::int64_t height, std::int64_t width,
                         const Conv2dParams& params, Engine engine) {
  const char* op = "conv2d_input_grad";
  check_same(op, y, "y", w, "weight");
  check_images(op, "y", y.shape());
  check_weight(op, w.shape());
  check(height >= 1 && width >= 1, op, "the result is at least 1 x 1, not ", height, " x ", width);
  const Shape x{y.size(0), height, width, w.size(3) * params.groups};
  const Conv2dProblem problem = conv2d_problem(op, x, w.shape(), params);
  check_output(op, problem, y.shape());
  const OpRange range(op, y.device());
  range.states_flops(problem.flops());
  const Engine chosen = choose(op, engine, problem, y, w.numel() / w.size(3));
  Tensor out = Tensor::empty(x, y.dtype(), y.device());
  if constexpr (cuda_build) {
    if (chosen == Engine::naive) conv2d_input_grad_naive(problem, y, w, out);
    if (chosen == Engine::tiled) conv2d_input_grad_tiled(problem, y, w, out);
    if (chosen == Engine::blocked) conv2d_input_grad_blocked(problem, y, w, out);
  }
  if constexpr (cudnn_build) {
    if (chosen == Engine::cudnn) conv2d_input_grad_cudnn(problem, y, w, out);
  }
  if (chosen == Engine::direct) run_in_f32(conv2d_input_grad_direct, problem, y, w, out);
  if (chosen == Engine::reference) conv2d_input_grad_reference(problem, y, w, out);
  return out;
}

Tensor conv2d_weight_grad(const Tensor& x, const Tensor& y, std::int64_t kernel_h,
                          std::int64_t kernel_w, const Conv2dParams& params, DType out_dtype,
                          Engine engine) {
  const char* op = "conv2d_weight_grad";
  check_same(op, x, "input", y, "y");
  check_images(op, "input", x.shape());
  check_images(op, "y", y.shape());
  check(kernel_h >= 1 && kernel_w >= 1, op, "a kernel is at least 1 x 1, not ", kernel_h, " x ",
        kernel_w);
  check_params(op, params);
  check(x.size(3) % params.groups == 0, op, "input has C=", x.size(3), " channels, which ",
        params.groups, " groups do not divide");
  check(out_dtype == x.dtype() || out_dtype == acc_dtype(x.dtype()), op, "the gradient of ",
        x.dtype(), " is of the same type or summed in ", acc_dtype(x.dtype()), ", not ", out_dtype);
  const Shape w{y.size(3), kernel_h, kernel_w, x.size(3) / params.groups};
  const Conv2dProblem problem = conv2d_problem(op, x.shape(), w, params);
  check_output(op, problem, y.shape());
  const OpRange range(op, x.device());
  range.states_flops(problem.flops());
  const Engine chosen = choose(op, engine, problem, x, problem.N * problem.P * problem.Q);
  Tensor out = Tensor::empty(w, out_dtype, x.device());
  if constexpr (cuda_build) {
    if (chosen == Engine::naive) conv2d_weight_grad_naive(problem, x, y, out);
    if (chosen == Engine::tiled) conv2d_weight_grad_tiled(problem, x, y, out);
    if (chosen == Engine::blocked) conv2d_weight_grad_blocked(problem, x, y, out);
  }
  if constexpr (cudnn_build) {
    if (chosen == Engine::cudnn) conv2d_weight_grad_cudnn(problem, x, y, out);
  }
  if (chosen == Engine::direct) run_in_f32(conv2d_weight_grad_direct, problem, x, y, out);
  if (chosen == Engine::reference) conv2d_weight_grad_reference(problem, x, y, out);
  return out;
}

}  // namespace imago::kernels
