#include "op_case.h"

#include <cmath>

#include "tensor/context.h"
#include "tensor/random_stream.h"

namespace imago::test {

Vars leaves(DType dtype, const std::vector<Shape>& shapes, const Range& range, std::uint64_t seed) {
  Vars result;
  for (std::size_t k = 0; k < shapes.size(); ++k) {
    RandomStream stream(seed, static_cast<std::uint32_t>(k));
    Tensor t = Tensor::empty(shapes[k], dtype, Device::cpu());
    for (std::int64_t i = 0; i < t.numel(); ++i) {
      double v = 0;
      const auto near_kink = [&] {
        for (const double kink : range.kinks) {
          if (std::abs(v - kink) < 0.05) return true;
        }
        return false;
      };
      do {
        v = range.low + (range.high - range.low) * static_cast<double>(stream.uniform());
      } while (near_kink());
      dispatch<float, double>(dtype, "leaves",
                              [&]<class T> { t.mutable_data<T>()[i] = static_cast<T>(v); });
    }
    result.push_back(parameter(t.to(Context::current().device)));
  }
  return result;
}

Shape taller(Shape shape, Size size, std::int64_t times) {
  if (size == Size::large) shape.set(0, shape[0] * times);
  return shape;
}

}  // namespace imago::test
