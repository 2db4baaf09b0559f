#include "autograd/gradcheck.h"

#include <cmath>
#include <sstream>

#include "autograd/engine.h"
#include "tensor/random_stream.h"

namespace imago {
namespace {

// On the host.
Tensor random_weights(const Shape& shape, RandomStream& stream) {
  Tensor r = Tensor::empty(shape, DType::f64, Device::cpu());
  double* p = r.mutable_data<double>();
  for (std::int64_t i = 0; i < r.numel(); ++i) p[i] = stream.uniform(-1, 1);
  return r;
}

// <weights, f(inputs)>, computed without recording and summed on the host.
double weighted_sum(const Differentiable& f, const Vars& inputs,
                    const std::vector<Tensor>& weights) {
  const NoGrad no_grad;
  const Vars outputs = f(inputs);
  double sum = 0;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const Tensor host = outputs[k].tensor().to(Device::cpu());
    const double* y = host.data<double>();
    const double* w = weights[k].data<double>();
    for (std::int64_t i = 0; i < outputs[k].numel(); ++i) sum += y[i] * w[i];
  }
  return sum;
}

void compare(GradcheckResult& result, const GradcheckOptions& options, double analytic,
             double numeric, std::size_t input, std::int64_t element) {
  const double difference = std::abs(analytic - numeric);
  if (difference > result.worst) result.worst = difference;
  if (difference <= options.atol + options.rtol * std::abs(numeric)) return;  // NaN falls through
  if (result.ok) {
    std::ostringstream message;
    message << "input " << input << ", element " << element << ": analytic " << analytic
            << ", numeric " << numeric;
    result.message = message.str();
  }
  result.ok = false;
}

}  // namespace

GradcheckResult gradcheck(const Differentiable& f, const Vars& inputs,
                          const GradcheckOptions& options) {
  for (const Var& input : inputs) {
    check(!input.requires_grad() || (input.is_leaf() && input.dtype() == DType::f64), "gradcheck",
          "inputs that require a gradient must be f64 leaves");
  }
  const Vars outputs = f(inputs);
  RandomStream stream(options.seed);
  std::vector<Tensor> weights;
  Vars differentiable, seeds;
  for (const Var& output : outputs) {
    check(output.dtype() == DType::f64, "gradcheck", "outputs must be f64, not ", output.dtype());
    weights.push_back(random_weights(output.shape(), stream));
    if (output.requires_grad()) {
      differentiable.push_back(output);
      seeds.emplace_back(weights.back().to(output.device()));
    }
  }
  Vars wanted;
  for (const Var& input : inputs) {
    if (input.requires_grad()) wanted.push_back(input);
  }
  check(!wanted.empty() && !differentiable.empty(), "gradcheck",
        "nothing to check: no input requires a gradient, or no output depends on one");
  const Vars analytic = grad(differentiable, wanted, seeds, {.allow_unused = true});

  GradcheckResult result;
  for (std::size_t j = 0, k = 0; j < inputs.size(); ++j) {
    if (!inputs[j].requires_grad()) continue;
    const Var& g = analytic[k++];
    const Tensor derivative = g ? g.tensor().to(Device::cpu()) : Tensor();
    Tensor x = inputs[j].tensor();
    Tensor values = x.to(Device::cpu()).clone();  // perturbed on the host, then copied to x
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      const auto sum_at = [&](double value) {
        values.mutable_data<double>()[i] = value;
        x.copy_from(values);
        return weighted_sum(f, inputs, weights);
      };
      const double before = values.data<double>()[i];
      const double above = sum_at(before + options.eps);
      const double below = sum_at(before - options.eps);
      values.mutable_data<double>()[i] = before;
      const double numeric = (above - below) / (2 * options.eps);
      compare(result, options, g ? derivative.data<double>()[i] : 0.0, numeric, j, i);
    }
    x.copy_from(values);
  }
  return result;
}

GradcheckResult gradgradcheck(const Differentiable& f, const Vars& inputs,
                              const GradcheckOptions& options) {
  // The weights of the outputs become inputs too: the gradient is linear in them.
  const Vars outputs = f(inputs);
  RandomStream stream(options.seed + 1);
  Vars all = inputs;
  std::vector<bool> used;
  for (const Var& output : outputs) {
    used.push_back(output.requires_grad());
    if (!used.back()) continue;
    const Tensor weights = random_weights(output.shape(), stream);
    all.push_back(parameter(weights.to(output.device())));
  }
  const std::size_t n = inputs.size();
  GradcheckResult law;
  const Differentiable gradient = [&](const Vars& v) {
    const GradMode recording(true);
    const Vars xs(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(n));
    const Vars ys = f(xs);
    Vars differentiable;
    for (std::size_t i = 0; i < ys.size(); ++i) {
      if (used[i]) differentiable.push_back(ys[i]);
    }
    const Vars seeds(v.begin() + static_cast<std::ptrdiff_t>(n), v.end());
    Vars wanted;
    for (const Var& x : xs) {
      if (x.requires_grad()) wanted.push_back(x);
    }
    Vars gs = grad(differentiable, wanted, seeds, {.create_graph = true, .allow_unused = true});
    Vars defined;
    for (const Var& g : gs) {
      if (!g) continue;
      if (!g.requires_grad() && law.ok) {
        law.ok = false;
        law.message = "with create_graph a gradient does not require a gradient";
      }
      defined.push_back(g);
    }
    return defined;
  };
  gradient(all);
  if (!law.ok) return law;
  return gradcheck(gradient, all, options);
}

}  // namespace imago
