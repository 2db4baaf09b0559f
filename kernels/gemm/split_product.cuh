// The host's side of a product on rung 3: its plan, its launch, and the sum of its parts.
#pragma once

#include "kernels/gemm/split_sum.h"
#include "kernels/gemm/tile_shapes.cuh"
#include "tensor/stream.h"
#include "tensor/tensor.h"

namespace imago::kernels {

class SplitProduct {
 public:
  // `vectors`: whether the extents of the operand let every load of four elements start at a
  // multiple of four.
  struct From {
    const Tensor& tensor;
    bool vectors;
  };

  // A product of f32 operands into `out`, whose rows have `columns` elements. `out` must outlive
  // this.
  SplitProduct(const char* op, const ProductExtents& extents, const From& a, const From& b,
               Tensor& out, std::int64_t columns)
      : op_(op), extents_(extents), plan_(plan_tiles(extents, a.vectors, b.vectors)), result_(out) {
    // Slices may start anywhere. One-element loads of the same depths give the same bits.
    const bool both = plan_.tile != TileKind::slim;
    if (!starts_at_16(a.tensor) || (both && !starts_at_16(b.tensor))) plan_.tile = TileKind::scalar;
    if (plan_.splits > 1) {
      parts_ = Tensor::empty({plan_.splits, out.numel()}, DType::f32, out.device());
    }
    Tensor& target = plan_.splits > 1 ? parts_ : result_;
    out_ = target.mutable_device_data<float>();
    vectors_ = columns % 4 == 0 && starts_at_16(target);
  }

  TileKind tile() const { return plan_.tile; }
  // Where the kernel shall write: part 0 of the parts, or the result.
  float* out() const { return out_; }

  // Launches kernel(args..., SplitDepth) with the tiles of Shape.
  template <class Shape, auto kernel, class... Args>
  void launch(Args... args) const {
    const dim3 grid(static_cast<unsigned>(tiles_over(extents_.m, Shape::m)),
                    static_cast<unsigned>(tiles_over(extents_.n, Shape::n)),
                    static_cast<unsigned>(extents_.batches * plan_.splits));
    const SplitDepth cut{plan_.splits, static_cast<int>(plan_.stride), result_.numel(), vectors_};
    kernels::launch<kernel>(current_stream(), grid, dim3(Shape::threads),
                            sizeof(typename Shape::Block), args..., cut);
  }

  // Adds up the parts, if there are several.
  void finish() {
    if (plan_.splits > 1) sum_splits(op_, parts_, result_);
  }

 private:
  static bool starts_at_16(const Tensor& t) { return misalignment16(t.device_bytes()) == 0; }

  const char* op_;
  ProductExtents extents_;
  TilePlan plan_;
  Tensor& result_;
  Tensor parts_;  // (splits, elements of the result)
  float* out_;
  bool vectors_;
};

}  // namespace imago::kernels
