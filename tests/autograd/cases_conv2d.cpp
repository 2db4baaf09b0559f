#include "autograd/ops/conv2d.h"
#include "autograd/ops/conv2d_input_grad.h"
#include "autograd/ops/conv2d_weight_grad.h"
#include "op_case.h"

namespace imago::test {
namespace {

struct Geometry {
  const char* name;
  Shape x, w;
  Conv2dParams params;
  std::int64_t more_images = 2000, more_channels = 1;  // of the large inputs
};

// Small: gradgradcheck costs the square of the number of elements.
const std::vector<Geometry>& geometries() {
  static const std::vector<Geometry> list = {
      {"k3 s1 p1", {2, 3, 4, 2}, {3, 3, 3, 2}, {.pad = Padding::same(1)}},
      {"k4 s2 p1",
       {1, 5, 4, 2},
       {2, 4, 4, 2},
       {.stride_h = 2, .stride_w = 2, .pad = Padding::same(1)}},
      {"covers the input", {2, 4, 4, 2}, {3, 4, 4, 2}, {}, 100, 32},
      {"asymmetric padding, stride over kernel",
       {1, 6, 5, 1},
       {2, 2, 1, 1},
       {.stride_h = 3, .stride_w = 2, .pad = {1, 0, 0, 2}}},
      {"dilation", {1, 6, 5, 2}, {1, 2, 2, 2}, {.dilation_h = 2, .dilation_w = 3}},
      {"groups", {1, 3, 3, 4}, {2, 2, 2, 2}, {.groups = 2}},
  };
  return list;
}

// x or y (N, ..., channels) and the weight (K, R, S, C) in that size.
Shape images(const Geometry& g, Shape shape, Size size) {
  if (size == Size::large) shape.set(3, shape[3] * g.more_channels);
  return taller(shape, size, g.more_images);
}
Shape weight(const Geometry& g, Size size) {
  return images({.name = "",
                 .x = {},
                 .w = {},
                 .params = {},
                 .more_images = g.more_channels,
                 .more_channels = g.more_channels},
                g.w, size);
}

}  // namespace

std::vector<OpCase> conv2d_cases() {
  std::vector<OpCase> cases;
  for (const Geometry& g : geometries()) {
    const Conv2dProblem problem = kernels::conv2d_problem("case", g.x, g.w, g.params);
    const Shape y{problem.N, problem.P, problem.Q, problem.K};
    cases.push_back({"conv2d", g.name,
                     [g](DType t, Size s) {
                       return leaves(t, {images(g, g.x, s), weight(g, s)});
                     },
                     [g](const Vars& v) { return Vars{ops::conv2d(v[0], v[1], g.params)}; }});
    cases.push_back({"conv2d_input_grad", g.name,
                     [g, y](DType t, Size s) {
                       return leaves(t, {images(g, y, s), weight(g, s)});
                     },
                     [g, problem](const Vars& v) {
                       return Vars{
                           ops::conv2d_input_grad(v[0], v[1], problem.H, problem.W, g.params)};
                     }});
    cases.push_back({"conv2d_weight_grad", g.name,
                     [g, y](DType t, Size s) {
                       return leaves(t, {images(g, g.x, s), images(g, y, s)});
                     },
                     [g, problem](const Vars& v) {
                       return Vars{
                           ops::conv2d_weight_grad(v[0], v[1], problem.R, problem.S, g.params)};
                     }});
  }
  return cases;
}

}  // namespace imago::test
