#include "bench/conv_check.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "kernels/elementwise/elementwise.h"
#include "tensor/error.h"
#include "tensor/random_stream.h"

namespace imago::bench {

using kernels::Conv2dCase;
using kernels::Conv2dPass;

namespace {

// Reads "n128", "p1" or "p0_1_2_3" and so on from the front of a string.
class Fields {
 public:
  explicit Fields(const std::string& text) : text_(text) {}

  bool has(char name) const { return at_ < text_.size() && text_[at_] == name; }
  int number(char name) {
    check(has(name), "problem", "expected '", name, "' and a number at position ", at_, " of '",
          text_, "'; problems look like n128h32w32c64k128r4s4u2v2p1");
    const std::size_t first = ++at_;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_]))) ++at_;
    check(at_ > first && at_ - first <= 8, "problem", "'", name,
          "' needs a number of 1 to 8 digits", " in '", text_, "'");
    return std::stoi(text_.substr(first, at_ - first));
  }
  void end() const {
    check(at_ == text_.size(), "problem", "'", text_.substr(at_), "' is left over of '", text_,
          "'");
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

template <class Next>
Tensor filled(const Shape& shape, DType dtype, Next&& next) {
  Tensor t = Tensor::empty(shape, dtype, Device::cpu());
  dispatch<float, double, bf16>(dtype, "bench_conv", [&]<class T> {
    T* p = t.mutable_data<T>();
    for (std::int64_t i = 0; i < t.numel(); ++i) p[i] = static_cast<T>(next());
  });
  return t;
}

Tensor integers(const Shape& shape, DType dtype, std::uint64_t seed) {
  RandomStream stream(seed);
  return filled(shape, dtype, [&] { return static_cast<float>(stream.below(7)) - 3.0f; });
}

Tensor normals(const Shape& shape, DType dtype, std::uint64_t seed) {
  RandomStream stream(seed);
  return filled(shape, dtype, [&] { return stream.normal(); });
}

// One element of a pass, from the trilinear form of conv2d.h; operands are f64. `term` is called
// for every (n, p, q, k, r, s, c) that the loops below leave after fixing those of the element.
double element(Conv2dPass pass, const Conv2dCase& c, const ConvOperands& o, std::int64_t index) {
  const Conv2dProblem d = c.problem();
  const std::int64_t cg = d.C / d.params.groups, kg = d.K / d.params.groups;
  const double* x = o.x.data<double>();
  const double* w = o.w.data<double>();
  const double* y = o.y.data<double>();
  // Ranges of the free indices; a range of one fixes an index.
  struct Range {
    std::int64_t begin, end;
  };
  const auto one = [](std::int64_t i) { return Range{i, i + 1}; };
  Range n{0, d.N}, p{0, d.P}, q{0, d.Q}, k{0, d.K}, r{0, d.R}, s{0, d.S}, i{0, cg};
  std::int64_t h = -1, v = -1;  // fixed input pixel, if any
  if (pass == Conv2dPass::forward) {
    k = one(index % d.K), q = one(index / d.K % d.Q), p = one(index / d.K / d.Q % d.P);
    n = one(index / d.K / d.Q / d.P);
  } else if (pass == Conv2dPass::input_grad) {
    const std::int64_t channel = index % d.C;
    i = one(channel % cg), k = {channel / cg * kg, (channel / cg + 1) * kg};
    v = index / d.C % d.W, h = index / d.C / d.W % d.H, n = one(index / d.C / d.W / d.H);
  } else {
    i = one(index % cg), s = one(index / cg % d.S), r = one(index / cg / d.S % d.R);
    k = one(index / cg / d.S / d.R);
  }
  double sum = 0;
  for (std::int64_t in = n.begin; in < n.end; ++in)
    for (std::int64_t ip = p.begin; ip < p.end; ++ip)
      for (std::int64_t ir = r.begin; ir < r.end; ++ir) {
        const std::int64_t ih =
            ip * d.params.stride_h + ir * d.params.dilation_h - d.params.pad.top;
        if (ih < 0 || ih >= d.H || (h >= 0 && ih != h)) continue;
        for (std::int64_t iq = q.begin; iq < q.end; ++iq)
          for (std::int64_t is = s.begin; is < s.end; ++is) {
            const std::int64_t iv =
                iq * d.params.stride_w + is * d.params.dilation_w - d.params.pad.left;
            if (iv < 0 || iv >= d.W || (v >= 0 && iv != v)) continue;
            for (std::int64_t ik = k.begin; ik < k.end; ++ik)
              for (std::int64_t ic = i.begin; ic < i.end; ++ic) {
                const double a = x[((in * d.H + ih) * d.W + iv) * d.C + ik / kg * cg + ic];
                const double b = w[((ik * d.R + ir) * d.S + is) * cg + ic];
                const double e = y[((in * d.P + ip) * d.Q + iq) * d.K + ik];
                sum += pass == Conv2dPass::forward      ? a * b
                       : pass == Conv2dPass::input_grad ? b * e
                                                        : a * e;
              }
          }
      }
  return sum;
}

void expect(Conv2dPass pass, const Conv2dCase& c, std::int64_t index, double got, double want) {
  check(got == want, "bench_conv", kernels::name_of(pass), " of ", c.problem().to_string(),
        " differs from the reference at element ", index, ": ", got, " instead of ", want);
}

}  // namespace

Conv2dCase parse_problem(const std::string& text) {
  Fields fields(text);
  Conv2dCase c{text, 0, 0, 0, 0, 0, 0, 0, {}};
  c.N = fields.number('n'), c.H = fields.number('h'), c.W = fields.number('w');
  c.C = fields.number('c'), c.K = fields.number('k'), c.R = fields.number('r');
  c.S = fields.number('s');
  c.params.stride_h = fields.number('u'), c.params.stride_w = fields.number('v');
  c.params.pad = Padding::same(fields.number('p'));
  if (fields.has('_')) {
    c.params.pad.bottom = fields.number('_'), c.params.pad.left = fields.number('_');
    c.params.pad.right = fields.number('_');
  }
  if (fields.has('g')) c.params.groups = fields.number('g');
  if (fields.has('d')) c.params.dilation_h = c.params.dilation_w = fields.number('d');
  if (fields.has('_')) c.params.dilation_w = fields.number('_');
  fields.end();
  check(c.params.groups > 0, "problem", "groups is at least 1 in '", text, "'");
  c.problem();
  return c;
}

ConvOperands integer_operands(const Conv2dCase& c, DType dtype) {
  return {integers(c.x(), dtype, 1), integers(c.w(), dtype, 2), integers(c.y(), dtype, 3)};
}

ConvOperands normal_operands(const Conv2dCase& c, DType dtype) {
  return {normals(c.x(), dtype, 1), normals(c.w(), dtype, 2), normals(c.y(), dtype, 3)};
}

Tensor run_pass(Conv2dPass pass, const Conv2dCase& c, const ConvOperands& o, Engine engine) {
  switch (pass) {
    case Conv2dPass::forward:
      return kernels::conv2d(o.x, o.w, c.params, engine);
    case Conv2dPass::input_grad:
      return kernels::conv2d_input_grad(o.y, o.w, c.H, c.W, c.params, engine);
    case Conv2dPass::weight_grad:
      return kernels::conv2d_weight_grad(o.x, o.y, c.R, c.S, c.params, acc_dtype(o.x.dtype()),
                                         engine);
  }
  return {};
}

void verify(Conv2dPass pass, const Conv2dCase& c, const ConvCheck& options) {
  // In f64, which holds every value of the other types.
  const auto result = [&](const Conv2dCase& problem, const ConvOperands& operands) {
    const Tensor got = run_pass(pass, problem, operands.to(options.device), options.engine);
    Tensor wide = kernels::cast(got.to(Device::cpu()), DType::f64);
    if (options.inject_error) wide.mutable_data<double>()[wide.numel() / 2] += 1;
    return wide;
  };

  Conv2dCase small = c;
  small.N = std::min<std::int64_t>(options.small_only ? 1 : 2, c.N);
  const ConvOperands few = integer_operands(small, options.dtype);
  const Tensor got_few = result(small, few);
  const Tensor want = kernels::cast(run_pass(pass, small, few, Engine::reference), DType::f64);
  for (std::int64_t i = 0; i < want.numel(); ++i) {
    expect(pass, small, i, got_few.data<double>()[i], want.data<double>()[i]);
  }
  if (options.small_only) return;

  const ConvOperands all = integer_operands(c, options.dtype);
  const Tensor got = result(c, all);
  const auto wide = [](const Tensor& t) { return kernels::cast(t, DType::f64); };
  const ConvOperands exact{wide(all.x), wide(all.w), wide(all.y)};
  // f32 and f64 hold these sums exactly, and so does the f32 gradient of bf16 weights.
  const DType stored = pass == Conv2dPass::weight_grad ? acc_dtype(options.dtype) : options.dtype;
  RandomStream stream(7);
  for (int sample = 0; sample < 50; ++sample) {
    const std::int64_t i = stream.below(static_cast<std::uint32_t>(got.numel()));
    const double rounded =
        Tensor::full({}, element(pass, c, exact, i), stored, Device::cpu()).item();
    expect(pass, c, i, got.data<double>()[i], rounded);
  }
}

}  // namespace imago::bench
