#include "autograd/anomaly.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "tensor/context.h"
#include "tensor/layer_scope.h"

namespace imago {
namespace {

// (i, j, ...) of element `index`.
Shape position(const Shape& shape, std::int64_t index) {
  Shape where = shape;
  for (int axis = shape.dim(); axis-- > 0; index /= shape[axis]) {
    where.set(axis, index % shape[axis]);
  }
  return where;
}

void describe_bad(std::ostream& out, const Tensor& t, const Finiteness& f) {
  out << f.nan << " NaN and " << f.infinite << " infinite of " << t.numel() << " values of "
      << t.shape() << ' ' << t.dtype() << ", the first at " << position(t.shape(), f.first);
}

std::string inputs_told(const std::vector<Tensor>& inputs) {
  std::ostringstream out;
  bool spoilt = false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Finiteness f = finiteness_of(inputs[i]);
    out << "; input " << i << ", " << inputs[i].shape() << ' ' << inputs[i].dtype() << ", ";
    if (f.all_finite()) {
      out << "is within [" << f.smallest << ", " << f.largest << "]";
    } else {
      spoilt = true;
      out << "was not finite before: ";
      describe_bad(out, inputs[i], f);
    }
  }
  if (spoilt) {
    out << ". So it was made elsewhere: look at the data, at the weights (a learning rate too "
           "large "
           "in an earlier step?) and at operations before the scope";
  }
  return out.str();
}

}  // namespace

Finiteness finiteness_of(const Tensor& t) {
  Finiteness f;
  if (!t.defined() || !is_floating(t.dtype()) || t.numel() == 0) return f;
  const Tensor host = t.to(Device::cpu());
  f.smallest = std::numeric_limits<double>::infinity();
  f.largest = -f.smallest;
  dispatch<float, double, bf16>(t.dtype(), "anomaly", [&]<class T> {
    const T* p = host.data<T>();
    for (std::int64_t i = 0; i < host.numel(); ++i) {
      const auto value = static_cast<double>(p[i]);
      if (std::isfinite(value)) {
        f.smallest = std::min(f.smallest, value);
        f.largest = std::max(f.largest, value);
        continue;
      }
      if (f.first < 0) f.first = i;
      (std::isnan(value) ? f.nan : f.infinite) += 1;
    }
  });
  if (f.smallest > f.largest) f.smallest = f.largest = 0;
  return f;
}

void AnomalyScope::op_begins(const char* op, Device) {
  if (depth_++ == 0) last_op_ = op;  // what runs inside it is its own affair
}

void AnomalyScope::op_ends(const char*, Device) {
  if (depth_ > 0) --depth_;
}

void AnomalyScope::backward_begins(const char* op) {
  backward_.push_back({op, LayerScope::path()});
}

void AnomalyScope::backward_ends() {
  if (!backward_.empty()) backward_.pop_back();
}

void AnomalyScope::value_inputs(std::span<const Tensor> inputs) {
  inputs_.assign(inputs.begin(), inputs.end());
}

void AnomalyScope::value_made(const char* op, const Tensor& result) {
  const char* made_by = op ? op : last_op_ ? last_op_ : "an operation";
  last_op_ = nullptr;
  if (result.device().is_cuda()) {
    log_once("anomaly on cuda",
             "anomaly mode copies every result from the device to the host to look at it: slow");
  }
  const Finiteness f = finiteness_of(result);
  if (f.all_finite()) return;
  std::ostringstream out;
  out << "[anomaly] '" << made_by << "' made ";
  describe_bad(out, result, f);
  if (!backward_.empty()) {
    out << ", in the backward of '" << backward_.back().op << '\'';
    const std::string& layer = backward_.back().layer;
    out << (layer.empty() ? "" : ", called in layer ") << layer;
  }
  out << inputs_told(inputs_);
  inputs_.clear();
  fail_with(out.str());
}

}  // namespace imago
