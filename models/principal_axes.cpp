#include "models/principal_axes.h"

// Threads are ours to split (kernels/parallel.h), so that results do not depend on their number.
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/gemm/gemm.h"
#include "kernels/parallel.h"
#include "kernels/random/random.h"

namespace imago::models {
namespace {

using kernels::Transpose;
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using FloatMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using View = Eigen::Map<const FloatMatrix>;
using Eigen::Index;

constexpr int rounds = 10;  // of the iteration
constexpr DrawKey start_key{1, 0, 0};
constexpr double least_variance = 1e-8;  // of the first axis's: below it f32 rounding has a say

View view(const Tensor& m) {
  return View(m.data<float>(), m.size(0), m.size(1));
}

// x^T x, or x x^T where `of_rows`, in f64: at most 8 parts of what is summed over, which the shape
// alone decides, and their sums in order.
Matrix moments(const View& x, bool of_rows) {
  const Index depth = of_rows ? x.cols() : x.rows(), extent = of_rows ? x.rows() : x.cols();
  const Index part = std::max<Index>(ceil_div(depth, 8), 256), parts = ceil_div(depth, part);
  std::vector<Matrix> sums(static_cast<std::size_t>(parts));
  parallel_for(parts, [&](std::int64_t p) {
    Matrix sum = Matrix::Zero(extent, extent);
    const Index end = std::min<Index>((p + 1) * part, depth);
    constexpr Index step = 256;  // so that no copy of all in f64 is needed
    for (Index begin = p * part; begin < end; begin += step) {
      const Index count = std::min(step, end - begin);
      Matrix block;  // (count, extent)
      if (of_rows) {
        block = x.middleCols(begin, count).transpose().cast<double>();
      } else {
        block = x.middleRows(begin, count).cast<double>();
      }
      sum.noalias() += block.transpose() * block;
    }
    sums[static_cast<std::size_t>(p)] = std::move(sum);
  });
  for (std::size_t p = 1; p < sums.size(); ++p) sums[0] += sums[p];
  return std::move(sums[0]);
}

double sum_of_squares(const View& x) {
  std::vector<double> rows(static_cast<std::size_t>(x.rows()));
  parallel_for(x.rows(), [&](std::int64_t i) {
    rows[static_cast<std::size_t>(i)] = x.row(i).cast<double>().squaredNorm();
  });
  double sum = 0;
  for (const double row : rows) sum += row;
  return sum;
}

struct Leading {
  Eigen::VectorXd values;  // (K), falling
  Matrix vectors;          // (K, n), rows
};

// The eigenvectors of a symmetric matrix (n, n) with the largest eigenvalues, at most `most`.
Leading leading(const char* op, const Matrix& symmetric, std::int64_t most) {
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(symmetric);
  check(solver.info() == Eigen::Success, op, "the eigenvalues of a matrix of ", symmetric.rows(),
        " rows did not converge");
  const Eigen::VectorXd values = solver.eigenvalues().reverse();
  Index count = 0;
  while (count < std::min<Index>(most, values.size()) &&
         values[count] > least_variance * values[0]) {
    ++count;
  }
  return {values.head(count),
          solver.eigenvectors().rowwise().reverse().leftCols(count).transpose()};
}

PrincipalAxes finish(const Eigen::VectorXd& squares, Matrix vectors, Index N, double total) {
  const Index K = vectors.rows(), D = vectors.cols();
  PrincipalAxes result{Tensor::empty({K, D}, DType::f32, Device::cpu()),
                       Tensor::empty({K}, DType::f32, Device::cpu()),
                       total / static_cast<double>(N - 1)};
  float* axes = result.axes.mutable_data<float>();
  float* variances = result.variances.mutable_data<float>();
  for (Index k = 0; k < K; ++k) {
    Index at = 0;
    for (Index d = 1; d < D; ++d) {
      if (std::abs(vectors(k, d)) > std::abs(vectors(k, at))) at = d;
    }
    const double scale = (vectors(k, at) < 0 ? -1 : 1) / vectors.row(k).norm();
    for (Index d = 0; d < D; ++d) axes[k * D + d] = static_cast<float>(vectors(k, d) * scale);
    variances[k] = static_cast<float>(squares[k] / static_cast<double>(N - 1));
  }
  return result;
}

// As many orthonormal rows that span those of m (n, D) f32, n <= D; where they span less, others.
Tensor orthonormal(const Tensor& m) {
  const Index n = m.size(0), D = m.size(1);
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(view(m).transpose().cast<double>());
  const Eigen::MatrixXd q = qr.householderQ() * Eigen::MatrixXd::Identity(D, n);
  Tensor out = Tensor::empty({n, D}, DType::f32, Device::cpu());
  Eigen::Map<FloatMatrix>(out.mutable_data<float>(), n, D) = q.transpose().cast<float>();
  return out;
}

PrincipalAxes direct(const char* op, const View& x, std::int64_t most, double total) {
  const bool of_rows = x.rows() < x.cols();
  Leading found = leading(op, moments(x, of_rows), most);
  if (of_rows) {  // x^T u is an eigenvector of x^T x when u is one of x x^T
    Matrix axes = Matrix::Zero(found.vectors.rows(), x.cols());
    axes.noalias() += found.vectors * Matrix(x.cast<double>());
    found.vectors = std::move(axes);
  }
  return finish(found.values, std::move(found.vectors), x.rows(), total);
}

PrincipalAxes iterated(const char* op, const Tensor& x, std::int64_t most, double total) {
  const std::int64_t N = x.size(0), D = x.size(1);
  const std::int64_t vectors = std::min({2 * most + 10, N, D});
  Tensor q =
      orthonormal(kernels::normal({vectors, D}, DType::f32, start_key, Device::cpu()));  // (n, D)
  for (int round = 0; round < rounds; ++round) {
    const Tensor along = kernels::gemm(x, q, Transpose::no, Transpose::yes);  // (N, n)
    q = orthonormal(kernels::gemm(along, x, Transpose::yes, Transpose::no));
  }
  // Rayleigh and Ritz: the axes of x within the span of q.
  const Tensor along = kernels::gemm(x, q, Transpose::no, Transpose::yes);
  const Leading found = leading(op, moments(view(along), false), most);
  Matrix axes = Matrix::Zero(found.vectors.rows(), D);
  axes.noalias() += found.vectors * Matrix(view(q).cast<double>());
  return finish(found.values, std::move(axes), N, total);
}

}  // namespace

AxesMethod axes_method(std::int64_t rows, std::int64_t columns) {
  return std::min(rows, columns) <= 512 ? AxesMethod::direct : AxesMethod::iterated;
}

PrincipalAxes principal_axes(const char* op, const Tensor& centred, std::int64_t most,
                             AxesMethod method) {
  check(centred.dim() == 2 && centred.dtype() == DType::f32 && centred.size(0) >= 2, op,
        "principal axes are those of f32 rows (N, D), N >= 2, not ", centred.shape(), " ",
        centred.dtype());
  check(most >= 1, op, "needs at least 1 component, not ", most);
  const double total = sum_of_squares(view(centred));
  check(total > 0, op, "the training images are all the same: there is nothing in which they vary");
  return method == AxesMethod::direct ? direct(op, view(centred), most, total)
                                      : iterated(op, centred, most, total);
}

}  // namespace imago::models
