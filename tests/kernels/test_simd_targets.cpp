// The memory-bound kernels promise the same bits on every SIMD target: compare all that this
// processor has with the baseline that any has.
#include <doctest/doctest.h>
#include <hwy/highway.h>

#include <vector>

#include "kernels/bce/bce.h"
#include "kernels/elementwise/cases.h"
#include "kernels/elementwise/compare.h"
#include "kernels/optimizer/adam.h"
#include "kernels/optimizer/clip.h"
#include "kernels/optimizer/rmsprop.h"
#include "kernels/random/random.h"
#include "kernels/reduce/cases.h"
#include "kernels/reduce/reduce.h"
#include "tests/kernels/random.h"

using namespace imago;
using namespace imago::kernels;

namespace {

// While it lives, kernels run on one SIMD target.
class OnlyTarget {
 public:
  explicit OnlyTarget(std::int64_t target) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().DeInit();
  }
  ~OnlyTarget() {
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().DeInit();
  }
  OnlyTarget(const OnlyTarget&) = delete;
  OnlyTarget& operator=(const OnlyTarget&) = delete;
};

std::vector<Tensor> everything() {
  std::vector<Tensor> results;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    const Tensor x = test::normals({1009}, dtype, 1), y = test::normals({1009}, dtype, 2);
    for (const UnaryCase& c : unary_cases()) {
      results.push_back(unary(c.op, c.low > 0 ? add_scalar(abs(x), c.low) : x, c.a, c.b));
    }
    for (const BinaryCase& c : binary_cases()) {
      results.push_back(binary(c.op, c.positive ? abs(x) : x, y, c.a, c.b));
    }
    results.push_back(less(x, y));
    results.push_back(where(less(x, y), x, y));
    const DrawKey key{.seed = 7, .step = 8, .draw = 9};
    const Tensor t = uniform({1009}, dtype, key), dy = Tensor::full({}, 1009);
    results.insert(results.end(), {t, normal({1009}, dtype, key), dropout(x, 0.4, key),
                                   bce_with_logits(x, t), bce_with_logits_grad(dy, x, t)});
    for (const ReduceCase& c : reduce_cases()) {
      if (c.large.numel() <= 300000) {
        results.push_back(sum_to(test::normals(c.large, dtype, 3), c.small));
      }
    }
  }
  std::vector<Tensor> p{test::normals({1009}, DType::f32, 4)};
  const std::vector<Tensor> g{test::normals({1009}, DType::f32, 5)};
  std::vector<Tensor> m{test::normals({1009}, DType::f32, 6)}, v{square(m[0])}, none;
  adam_update(p, g, m, v, Tensor::from<float>({0.1f, 10.0f, 31.6f}, {3}), {.weight_decay = 0.1});
  rmsprop_update(p, g, v, m, none, Tensor::full({1}, 0.1), {.eps = 0.5, .centered = true});
  results.insert(results.end(), {p[0], m[0], v[0], clip_norm(p, 1.0)});
  return results;
}

}  // namespace

TEST_CASE("simd: every target computes the same bits") {
  std::vector<Tensor> baseline;
  {
    const OnlyTarget only(HWY_STATIC_TARGET);
    baseline = everything();
  }
  for (const std::int64_t target : {HWY_AVX3, HWY_AVX2, HWY_SSE4}) {
    if (!(hwy::SupportedTargets() & target)) {
      MESSAGE("this processor lacks " << hwy::TargetName(target) << "; not compared");
      continue;
    }
    const OnlyTarget only(target);
    REQUIRE(hwy::SupportedTargets() == target);
    const std::vector<Tensor> got = everything();
    REQUIRE(got.size() == baseline.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      CAPTURE(i);
      CHECK(same_bits(got[i], baseline[i]));
    }
  }
}
