// The specification of gemm: one dot product per element of every c, summed in order.
#include "kernels/gemm/engines.h"
#include "kernels/parallel.h"

namespace imago::kernels {

namespace {

// op(m)[i, j] = data[i * row + j * column], of the matrix that product number `batch` takes.
template <class T>
struct View {
  const T* data;
  std::int64_t row, column;

  View(const Tensor& m, Transpose trans, std::int64_t batch)
      : data(m.data<T>() + batch * batch_step(m)),
        row(trans == Transpose::yes ? 1 : m.size(2)),
        column(trans == Transpose::yes ? m.size(2) : 1) {}
  acc_t<T> operator()(std::int64_t i, std::int64_t j) const {
    return static_cast<acc_t<T>>(data[i * row + j * column]);
  }
};

}  // namespace

void gemm_reference(const Tensor& a, const Tensor& b, Transpose trans_a, Transpose trans_b,
                    Tensor& c) {
  dispatch<float, double, bf16>(a.dtype(), "gemm", [&]<class T> {
    const std::int64_t inner = a.size(trans_a == Transpose::yes ? 1 : 2);
    const std::int64_t rows = c.size(1), columns = c.size(2);
    T* out = c.mutable_data<T>();
    parallel_for(c.size(0) * rows, [&](std::int64_t row) {
      const std::int64_t batch = row / rows, i = row % rows;
      const View<T> left(a, trans_a, batch), right(b, trans_b, batch);
      for (std::int64_t j = 0; j < columns; ++j) {
        acc_t<T> sum = 0;
        for (std::int64_t k = 0; k < inner; ++k) sum += left(i, k) * right(k, j);
        out[row * columns + j] = T(sum);
      }
    });
  });
}

}  // namespace imago::kernels
