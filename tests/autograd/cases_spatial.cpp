// Padding, cropping, mirroring, shifting, pooling, resampling.
#include "autograd/ops/avg_pool2d.h"
#include "autograd/ops/avg_pool2d_grad.h"
#include "autograd/ops/crop.h"
#include "autograd/ops/flip.h"
#include "autograd/ops/global_avg_pool2d.h"
#include "autograd/ops/global_max_pool2d.h"
#include "autograd/ops/max_pool2d.h"
#include "autograd/ops/max_pool2d_grad.h"
#include "autograd/ops/max_pool2d_pick.h"
#include "autograd/ops/pad.h"
#include "autograd/ops/pad_reflect.h"
#include "autograd/ops/pad_reflect_grad.h"
#include "autograd/ops/resample.h"
#include "autograd/ops/resample_grad.h"
#include "autograd/ops/shift_images.h"
#include "op_case.h"

namespace imago::test {
namespace {

void add_pad_cases(std::vector<OpCase>& cases) {
  const auto of = [](const Shape& shape) {
    return [shape](DType t, Size s) { return leaves(t, {taller(shape, s)}); };
  };
  const Padding border{1, 2, 0, 1};
  cases.push_back({"pad", "four sides", of({2, 2, 3, 2}),
                   [=](const Vars& v) { return Vars{ops::pad(v[0], border, 0.5)}; }});
  cases.push_back({"crop", "a window", of({2, 4, 3, 2}),
                   [](const Vars& v) { return Vars{ops::crop(v[0], 1, 0, 2, 2)}; }});
  cases.push_back({"pad_reflect", "four sides", of({1, 3, 3, 2}),
                   [=](const Vars& v) { return Vars{ops::pad_reflect(v[0], border)}; }});
  cases.push_back({"pad_reflect_grad", "four sides", of({1, 6, 4, 2}),
                   [=](const Vars& v) { return Vars{ops::pad_reflect_grad(v[0], border)}; }});
  cases.push_back({"flip", "columns", of({2, 2, 3, 2}),
                   [](const Vars& v) { return Vars{ops::flip(v[0], -2)}; }});
}

// Distances of n images, another one for each of `period`, some of them right out of the image.
Tensor distances(std::int64_t n, std::int64_t period) {
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < n; ++i) values.push_back(i % period - period / 2);
  return Tensor::from(std::span<const std::int64_t>(values), {n});
}

void add_shift_cases(std::vector<OpCase>& cases) {
  cases.push_back({"shift_images", "every way, and out of the image",
                   [](DType t, Size s) {
                     return leaves(t, {taller({5, 2, 3, 2}, s, 2000)});
                   },
                   [](const Vars& v) {
                     const std::int64_t n = v[0].size(0);
                     return Vars{ops::shift_images(v[0], distances(n, 5), distances(n, 3))};
                   }});
}

void add_pool_cases(std::vector<OpCase>& cases) {
  struct Geometry {
    const char* name;
    Shape x;
    Pool2dParams params;
  };
  Pool2dParams image_only{.kernel_h = 3, .kernel_w = 2, .pad = {1, 1, 1, 0}};
  image_only.count_include_pad = false;
  const Geometry geometries[] = {
      {"k2 s2", {2, 4, 4, 2}, {}},
      {"overlapping, padded", {1, 5, 4, 2}, {.kernel_h = 3, .kernel_w = 3, .pad = {1, 1, 1, 1}}},
      {"dilation, padding that does not count", {1, 5, 4, 2}, image_only},
  };
  for (const Geometry& g : geometries) {
    const Pool2dParams params = g.params;
    const Shape y = kernels::pool2d_output("case", g.x, params);
    const std::int64_t height = g.x[1], width = g.x[2];
    const auto of = [](const Shape& shape) {
      return [shape](DType t, Size s) { return leaves(t, {taller(shape, s)}); };
    };
    // Where the maxima of some image of the batch and dtype of v are.
    const auto taps = [=](const Var& v) {
      Shape x = g.x;
      x.set(0, v.size(0));
      return kernels::max_pool2d(leaves(v.dtype(), {x}, {}, 5)[0].tensor(), params).taps;
    };
    cases.push_back({"max_pool2d", g.name, of(g.x),
                     [=](const Vars& v) { return Vars{ops::max_pool2d(v[0], params)}; }});
    cases.push_back({"max_pool2d_grad", g.name, of(y), [=](const Vars& v) {
                       return Vars{ops::max_pool2d_grad(v[0], taps(v[0]), height, width, params)};
                     }});
    cases.push_back({"max_pool2d_pick", g.name, of(g.x), [=](const Vars& v) {
                       return Vars{ops::max_pool2d_pick(v[0], taps(v[0]), params)};
                     }});
    cases.push_back({"avg_pool2d", g.name, of(g.x),
                     [=](const Vars& v) { return Vars{ops::avg_pool2d(v[0], params)}; }});
    cases.push_back({"avg_pool2d_grad", g.name, of(y), [=](const Vars& v) {
                       return Vars{ops::avg_pool2d_grad(v[0], height, width, params)};
                     }});
  }
  const auto images = [](DType t, Size s) { return leaves(t, {taller({2, 3, 2, 2}, s)}); };
  cases.push_back({"global_avg_pool2d", "", images,
                   [](const Vars& v) { return Vars{ops::global_avg_pool2d(v[0])}; }});
  cases.push_back({"global_max_pool2d", "", images,
                   [](const Vars& v) { return Vars{ops::global_max_pool2d(v[0])}; }});
}

void add_resample_cases(std::vector<OpCase>& cases) {
  const Shape small{1, 2, 3, 2}, large{1, 4, 5, 2};
  for (const Filter filter : {Filter::nearest, Filter::bilinear, Filter::bilinear_antialias}) {
    const auto add = [&](const char* op, const std::string& how, const Shape& from, const Shape& to,
                         const auto& f) {
      cases.push_back({op, name_of(filter) + how,
                       [=](DType t, Size s) { return leaves(t, {taller(from, s)}); },
                       [=](const Vars& v) { return Vars{f(v[0], to[1], to[2], filter)}; }});
    };
    add("resample", ", growing", small, large, ops::resample);
    add("resample", ", shrinking", large, small, ops::resample);
    add("resample_grad", ", growing", large, small, ops::resample_grad);
    add("resample_grad", ", shrinking", small, large, ops::resample_grad);
  }
}

}  // namespace

std::vector<OpCase> spatial_cases() {
  std::vector<OpCase> cases;
  add_pad_cases(cases);
  add_shift_cases(cases);
  add_pool_cases(cases);
  add_resample_cases(cases);
  return cases;
}

}  // namespace imago::test
