// Properties of operations that move elements, or add those up that meet at a place, over random
// shapes: the formulas of output shapes, the bits of the specification in every order of threads,
// and inverses that give back what there was.
#include <doctest/doctest.h>

#include <numeric>
#include <utility>
#include <vector>

#include "kernels/concat/concat.h"
#include "kernels/gather/gather.h"
#include "kernels/pad/pad.h"
#include "kernels/permute/permute.h"
#include "random_shapes.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/index_inputs.h"
#include "tests/kernels/permute_engines.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/orders.h"

using namespace imago;
using namespace imago::kernels;
using namespace imago::test;

namespace {

constexpr int trials = 100;

// An axis of `shape`, and the same one as a caller may name it.
struct Axis {
  int at, named;

  Axis(Draw& draw, const Shape& shape) : at(draw.between(0, shape.dim() - 1)), named(at) {
    if (draw.between(0, 1) == 1) named -= shape.dim();
  }
};

Shape with(Shape shape, int axis, std::int64_t extent) {
  shape.set(axis, extent);
  return shape;
}

}  // namespace

TEST_CASE("random shapes: permute") {
  const Guarded guarded;
  for_each_problem(trials, 9000, [](Device device, Draw& draw) {
    const Shape shape = draw.shape(1);
    std::vector<int> order(static_cast<std::size_t>(shape.dim()));
    std::iota(order.begin(), order.end(), 0);
    for (int i = shape.dim() - 1; i > 0; --i) {
      std::swap(order[static_cast<std::size_t>(i)],
                order[static_cast<std::size_t>(draw.between(0, i))]);
    }
    Shape expected;
    std::vector<int> named, back(order.size());
    for (int i = 0; i < shape.dim(); ++i) {
      const int axis = order[static_cast<std::size_t>(i)];
      expected.append(shape[axis]);
      named.push_back(draw.between(0, 1) == 1 ? axis : axis - shape.dim());
      back[static_cast<std::size_t>(axis)] = i;
    }
    CAPTURE(shape);
    CAPTURE(expected);
    const Tensor x = counted(shape, draw.dtype());
    const Tensor want = permute(on_host(x), order, Engine::reference);
    CHECK(want.shape() == expected);
    for (const Engine engine : permute_engines(x, order)) {
      CAPTURE(name_of(engine));
      for_each_order(device, [&] { CHECK(same_bits(permute(x, named, engine), want)); });
      CHECK(same_bits(permute(permute(x, named, engine), back), x));
    }
  });
}

TEST_CASE("random shapes: flip") {
  const Guarded guarded;
  for_each_problem(trials, 10'000, [](Device device, Draw& draw) {
    const Shape shape = draw.shape(1);
    const Axis axis(draw, shape);
    CAPTURE(shape);
    CAPTURE(axis.named);
    constexpr DType dtypes[] = {DType::f32, DType::f64, DType::bf16, DType::u8};
    const Tensor x = counted(shape, dtypes[draw.between(0, 3)]);
    const Tensor want = flip_reference(on_host(x), axis.at);
    CHECK(want.shape() == shape);
    for_each_order(device, [&] { CHECK(same_bits(flip(x, axis.named), want)); });
    CHECK(same_bits(flip(flip(x, axis.named), axis.named), x));
  });
}

TEST_CASE("random shapes: concat, slice and place") {
  const Guarded guarded;
  for_each_problem(trials, 11'000, [](Device device, Draw& draw) {
    Shape shape = draw.shape(1);
    const Axis axis(draw, shape);
    const DType dtype = draw.dtype();
    // Parts that are counted apart, the first with elements.
    std::vector<Tensor> parts, host;
    std::int64_t total = 0;
    for (int left = draw.between(1, 4); left > 0; --left) {
      const int extent = total == 0 ? draw.extent() : draw.among({0, 1, 2, 3, 8, 16, 17});
      parts.push_back(counted(with(shape, axis.at, extent), dtype));
      host.push_back(on_host(parts.back()));
      total += extent;
    }
    shape = with(shape, axis.at, total);
    CAPTURE(shape);
    CAPTURE(axis.named);
    CAPTURE(dtype);
    const Tensor all = concat_reference(host, axis.at);
    CHECK(all.shape() == shape);
    for_each_order(device, [&] { CHECK(same_bits(concat(parts, axis.named), all)); });
    const Tensor x = all.to(device);
    std::int64_t at = 0;
    for (const Tensor& part : parts) {
      const std::int64_t end = at + part.size(axis.at);
      CHECK(same_bits(slice(x, axis.named, at, end), part));
      at = end;
    }
    const std::int64_t begin = draw.between(0, static_cast<int>(total));
    const std::int64_t end =
        begin + draw.between(0, static_cast<int>(total) - static_cast<int>(begin));
    const Tensor cut = slice_reference(all, axis.at, begin, end);
    CHECK(cut.shape() == with(shape, axis.at, end - begin));
    for_each_order(device, [&] { CHECK(same_bits(slice(x, axis.named, begin, end), cut)); });

    const std::int64_t before = draw.among({0, 1, 2, 5, 16}), after = draw.among({0, 1, 3, 16});
    const std::int64_t extent = before + total + after;
    const Tensor placed = place_reference(all, axis.at, before, extent);
    CHECK(placed.shape() == with(shape, axis.at, extent));
    for_each_order(device, [&] { CHECK(same_bits(place(x, axis.named, before, extent), placed)); });
    CHECK(same_bits(slice(placed.to(device), axis.named, before, before + total), all));
    CHECK(contains(error_of([&] { slice(x, axis.named, begin, total + 1); }), "[slice]"));
    CHECK(contains(error_of([&] { place(x, axis.named, before + 1, before + total); }), "[place]"));
  });
}

TEST_CASE("random shapes: index_select and index_add") {
  const Guarded guarded;
  for_each_problem(trials, 12'000, [](Device device, Draw& draw) {
    const Shape shape = draw.shape(1);
    const Axis axis(draw, shape);
    const std::int64_t extent = shape[axis.at];
    Shape picks, expected;
    const int dims = draw.between(0, 2);
    if (dims > 1) picks.append(draw.among({1, 2, 3}));
    if (dims > 0) picks.append(draw.extent());
    for (int i = 0; i < shape.dim(); ++i) {
      if (i != axis.at) expected.append(shape[i]);
      for (int j = 0; i == axis.at && j < picks.dim(); ++j) expected.append(picks[j]);
    }
    CAPTURE(shape);
    CAPTURE(axis.named);
    CAPTURE(picks);
    const Tensor indices = indices_below(extent, picks, 1);
    const Tensor x = counted(shape, draw.dtype());
    const Tensor chosen = index_select_reference(on_host(x), axis.at, on_host(indices));
    CHECK(chosen.shape() == expected);
    for_each_order(device, [&] { CHECK(same_bits(index_select(x, axis.named, indices), chosen)); });

    const Tensor dy = normals(expected, draw.floating_dtype(), 2);
    const Tensor sums = index_add_reference(on_host(dy), axis.at, on_host(indices), extent);
    CHECK(sums.shape() == shape);
    for_each_order(device,
                   [&] { CHECK(same_bits(index_add(dy, axis.named, indices, extent), sums)); });
  });
}

TEST_CASE("random shapes: gather and scatter_add") {
  const Guarded guarded;
  for_each_problem(trials, 13'000, [](Device device, Draw& draw) {
    const Shape shape = draw.shape(1);
    const Axis axis(draw, shape);
    const std::int64_t extent = shape[axis.at];
    const Shape picks = with(shape, axis.at, draw.extent());
    CAPTURE(shape);
    CAPTURE(axis.named);
    CAPTURE(picks);
    const Tensor indices = indices_below(extent, picks, 1);
    const Tensor x = counted(shape, draw.dtype());
    const Tensor chosen = gather_reference(on_host(x), axis.at, on_host(indices));
    CHECK(chosen.shape() == picks);
    for_each_order(device, [&] { CHECK(same_bits(gather(x, axis.named, indices), chosen)); });

    const Tensor dy = normals(picks, draw.floating_dtype(), 2);
    const Tensor sums = scatter_add_reference(on_host(dy), axis.at, on_host(indices), extent);
    CHECK(sums.shape() == shape);
    for_each_order(device,
                   [&] { CHECK(same_bits(scatter_add(dy, axis.named, indices, extent), sums)); });
  });
}
