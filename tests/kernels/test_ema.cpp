#include <doctest/doctest.h>

#include <vector>

#include "kernels/optimizer/ema.h"
#include "kernels/optimizer/reference.h"
#include "kernels/tolerance.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/orders.h"

using namespace imago;
using namespace imago::kernels;

namespace {

// More tensors than travel in one launch, of every size around a pack, and larger ones.
std::vector<Tensor> tensors(DType dtype, std::uint64_t seed) {
  std::vector<Tensor> list;
  for (std::int64_t i = 0; i < 300; ++i) {
    list.push_back(test::normals({i % 37}, dtype, seed + static_cast<std::uint64_t>(i)));
  }
  list.push_back(test::normals({5, 1001}, dtype, seed));
  list.push_back(test::normals({}, dtype, seed));
  return list;
}

}  // namespace

TEST_CASE("ema: average + weight (value - average), element by element, on every device") {
  const test::Guarded guarded;
  for (const DType dtype : {DType::f32, DType::f64}) {
    CAPTURE(dtype);
    test::for_each_device([&](Device device) {
      const std::vector<Tensor> start = tensors(dtype, 1), values = tensors(dtype, 1000);
      const Tensor weight = Tensor::full({1}, 0.3);
      test::for_each_order(device, [&] {
        std::vector<Tensor> averages;
        for (const Tensor& t : start) averages.push_back(t.clone());
        // One that begins off a multiple of 16 bytes.
        Tensor off = Tensor::zeros({33}, dtype).slice(3, 33);
        off.copy_from(start[30]);
        averages[30] = off;
        const auto before = averages[1].version(), read = values[1].version();
        ema_update(averages, values, weight);
        CHECK(averages[1].version() > before);
        CHECK(values[1].version() == read);
        for (std::size_t k = 0; k < averages.size(); ++k) {
          const Tensor a = start[k].to(Device::cpu()), v = values[k].to(Device::cpu());
          Tensor want = Tensor::empty_like(a);
          dispatch<float, double>(dtype, "test", [&]<class T> {
            const T w = static_cast<T>(0.3f);
            T* p = want.mutable_data<T>();
            for (std::int64_t i = 0; i < a.numel(); ++i) {
              p[i] = a.data<T>()[i] + w * (v.data<T>()[i] - a.data<T>()[i]);
            }
          });
          CHECK(same_bits(averages[k], want));
          Tensor exact = test::to_f64(a);
          const Tensor wide = test::to_f64(v);
          double* e = exact.mutable_data<double>();
          for (std::int64_t i = 0; i < a.numel(); ++i) {
            ema_reference(e[i], wide.data<double>()[i], static_cast<double>(0.3f));
          }
          CHECK(test::largest_error(averages[k], exact) <= 16 * epsilon(dtype));
        }
      });
    });
  }
}

TEST_CASE("ema: messages name what was expected and what came") {
  std::vector<Tensor> averages{Tensor::zeros({3})};
  const std::vector<Tensor> values{Tensor::zeros({3})}, other{Tensor::zeros({4})};
  const Tensor weight = Tensor::full({1}, 0.5);
  CHECK(test::error_of([&] { ema_update(averages, {}, weight); }) ==
        "[ema] a list of 0 values beside one of 1 averages");
  CHECK(test::error_of([&] { ema_update(averages, other, weight); }) ==
        "[ema] value 0 is (4,) f32 on cpu but average 0 is (3,) f32 on cpu");
  CHECK(test::error_of([&] { ema_update(averages, values, Tensor::zeros({2})); }) ==
        "[ema] slots are (2,) f32; it takes (1,) in f32 or f64; were they made for another "
        "operation?");
}
