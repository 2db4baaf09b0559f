// Elements, rows, lists: elementwise operations, sums and choices, losses, random numbers and
// optimisers.
#include "kernels/bce/bce.h"
#include "kernels/cross_entropy/cross_entropy.h"
#include "kernels/elementwise/compare.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/gather/gather.h"
#include "kernels/optimizer/optimizer.h"
#include "kernels/random/random.h"
#include "kernels/reduce/axes.h"
#include "kernels/reduce/reduce.h"
#include "kernels/softmax/softmax.h"
#include "tests/every_kernel/small.h"
#include "tests/kernels/index_inputs.h"
#include "tests/kernels/random.h"

namespace imago::test {
namespace {

using namespace kernels;

void elements() {
  const Tensor x = normals({3, 5, 7, 11}, DType::f32, 1), y = normals(x.shape(), DType::f32, 2);
  const Tensor row = normals({11}, DType::f32, 3), images = normals({3, 1, 1, 11}, DType::f32, 4);
  agree("unary, binary", {x, y}, [&](Tensors& a) {
    return Tensors{tanh(a[0]), gelu(a[0]), add(a[0], a[1]), tanh_grad(a[0], a[1])};
  });
  agree("broadcasting", {x, row, images}, [&](Tensors& a) {
    return Tensors{mul(a[0], a[1]), sub(a[2], a[0])};
  });
  agree("cast, full", {x}, [&](Tensors& a) {
    return Tensors{cast(a[0], DType::bf16), cast(a[0], DType::i32),
                   full({7, 9}, 1.5, a[0].dtype(), a[0].device())};
  });
  agree("comparisons", {x, y, row}, [&](Tensors& a) {
    const Tensor mask = less(a[0], a[1]);
    return Tensors{mask, greater(a[0], a[2]), where(mask, a[0], a[2])};
  });
}

void sums() {
  const Tensor matrix = normals({263, 67}, DType::f32, 5),
               long_row = normals({3001}, DType::f32, 6);
  const Tensor x = normals({9, 65, 8}, DType::f32, 7), some = normals({4, 1, 1, 7}, DType::f32, 8);
  agree("sum_to, broadcast_to", {matrix, long_row, some}, [&](Tensors& a) {
    return Tensors{sum_to(a[0], {67}), sum_to(a[1], {}), broadcast_to(a[2], {4, 3, 5, 7})};
  });
  agree("reductions", {x}, [&](Tensors& a) {
    const Tensor largest = max(a[0], {1}, true);
    return Tensors{sum(a[0], {0, 2}),
                   largest,
                   min(a[0], {}),
                   argmax(a[0], 1),
                   argmax(a[0]),
                   logsumexp(a[0], {2}),
                   norm(a[0], 2, {0, 1, 2}),
                   equal_elements(a[0], broadcast_to(largest, a[0].shape()))};
  });
}

// Short rows, a block for each row, and columns.
void softmaxes() {
  const struct {
    Shape x;
    int axis;
  } problems[] = {{{70, 10}, 1}, {{2, 1500}, 1}, {{2, 9, 70}, 1}};
  for (const auto& [shape, axis] : problems) {
    const Tensor x = normals(shape, DType::f32, 9), dy = normals(shape, DType::f32, 10);
    agree("softmax", {x, dy}, [&, axis = axis](Tensors& a) {
      const Tensor y = softmax(a[0], axis), z = log_softmax(a[0], axis);
      return Tensors{y, z, softmax_grad(a[1], y, axis), log_softmax_grad(a[1], z, axis)};
    });
  }
}

void cross_entropies() {
  const CrossEntropyOptions options{.label_smoothing = 0.25};
  for (const Shape& shape : {Shape{7, 10}, Shape{3, 1028}}) {
    const Tensor x = normals(shape, DType::f32, 11), dy = Tensor::full({}, 0.75);
    const Tensor labels = indices_below(shape[1], {shape[0]}, 12);
    agree("cross_entropy", {x, labels, dy}, [&](Tensors& a) {
      const CrossEntropyResult y = cross_entropy(a[0], a[1], options);
      return Tensors{y.loss, y.weights, cross_entropy_grad(a[2], a[0], a[1], y, options)};
    });
  }
}

void bces() {
  const Tensor x = normals({70, 37}, DType::f32, 13);  // two stretches
  const Tensor dy = Tensor::full({}, 0.75);
  const Tensor targets = uniform(x.shape(), DType::f32, {14, 0, 0});
  agree("bce", {x, targets, dy}, [&](Tensors& a) {
    return Tensors{bce_with_logits(a[0], a[1]), bce_with_logits_grad(a[2], a[0], a[1])};
  });
}

void gathers() {
  const Tensor table = normals({67, 33}, DType::f32, 15),
               terms = normals({300, 33}, DType::f32, 16);
  const Tensor rows = indices_below(67, {300}, 17), picks = indices_below(67, {300, 33}, 18);
  agree("index_select, index_add", {table, terms, rows}, [&](Tensors& a) {
    return Tensors{index_select(a[0], 0, a[2]), index_add(a[1], 0, a[2], 67),
                   one_hot(a[2], 67, a[0].dtype())};
  });
  agree("gather, scatter_add", {table, terms, picks}, [&](Tensors& a) {
    return Tensors{gather(a[0], 0, a[2]), scatter_add(a[1], 0, a[2], 67)};
  });
}

void draws() {
  const Tensor x = normals({13, 7}, DType::f32, 19);
  agree("random", {x}, [&](Tensors& a) {
    const DType dtype = a[0].dtype();
    return Tensors{normal({13, 7}, dtype, {20, 3, 1}), uniform({13, 7}, dtype, {20, 3, 2}),
                   dropout(a[0], 0.4, {20, 3, 3})};
  });
}

// Two tensors, one of them of two chunks of the norm.
void optimizers() {
  const auto pair = [](std::uint64_t seed) {
    return Tensors{normals({7, 11}, DType::f32, seed), normals({16389}, DType::f32, seed + 1)};
  };
  const auto joined = [](std::initializer_list<Tensors> lists) {
    Tensors all;
    for (const Tensors& list : lists) all.insert(all.end(), list.begin(), list.end());
    return all;
  };
  const auto part = [](Tensors& of, std::size_t list) {
    return std::span<Tensor>(of).subspan(2 * list, 2);
  };
  const Tensors p = pair(21), g = pair(23), m = pair(25);
  const Tensors v{square(m[0]), square(m[1])};
  const Tensors slots{Tensor::from<float>({0.01f, 1.25f, 1.5f}, {3})};
  agree("adam", joined({p, g, m, v, slots}), [&](Tensors& a) {
    adam_update(part(a, 0), part(a, 1), part(a, 2), part(a, 3), a[8], {.weight_decay = 0.1});
    return a;
  });
  const Tensors one_slot{Tensor::from<float>({0.25f}, {1})};
  agree("ema, clip_value", joined({p, g, m, one_slot}), [&](Tensors& a) {
    ema_update(part(a, 0), part(a, 1), a[6]);
    clip_value(part(a, 2), a[6]);
    return a;
  });
  agree("clip_norm", g, [&](Tensors& a) {
    Tensors results{clip_norm(a, 3.0)};
    results.insert(results.end(), a.begin(), a.end());
    return results;
  });
}

}  // namespace

std::vector<Family> row_families() {
  return {{"elementwise", elements}, {"reduce", sums},
          {"softmax", softmaxes},    {"bce", bces},
          {"gather", gathers},       {"cross_entropy", cross_entropies},
          {"random", draws},         {"optimizer", optimizers}};
}

}  // namespace imago::test
