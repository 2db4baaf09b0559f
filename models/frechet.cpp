#include "models/frechet.h"

// Threads are ours to split (kernels/parallel.h), so that results do not depend on their number.
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/parallel.h"
#include "models/feature_matrix.h"

namespace imago::models {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using View = Eigen::Map<const Matrix>;

View view(const Tensor& m) {
  return View(m.data<double>(), m.size(0), m.size(1));
}

// Of x (N, D), f64 on the CPU.
Gaussian estimate(const Tensor& x) {
  const std::int64_t N = x.size(0), D = x.size(1);
  const auto rows = view(x);
  Gaussian g{N, Tensor::empty({D}, DType::f64, Device::cpu()),
             Tensor::empty({D, D}, DType::f64, Device::cpu())};
  const Eigen::RowVectorXd mean = rows.colwise().sum() / static_cast<double>(N);
  // In parts, so that no centred copy of all features is needed.
  constexpr std::int64_t part = 1024;
  Matrix sum = Matrix::Zero(D, D);
  for (std::int64_t begin = 0; begin < N; begin += part) {
    const Matrix centred = rows.middleRows(begin, std::min(part, N - begin)).rowwise() - mean;
    sum.noalias() += centred.transpose() * centred;
  }
  sum /= static_cast<double>(N - 1);
  Eigen::Map<Eigen::RowVectorXd>(g.mean.mutable_data<double>(), D) = mean;
  // One triangle for both, so that the matrix is symmetric to the last bit.
  Eigen::Map<Matrix>(g.covariance.mutable_data<double>(), D, D) =
      sum.selfadjointView<Eigen::Lower>();
  return g;
}

Eigen::SelfAdjointEigenSolver<Matrix> eigen(const Matrix& symmetric,
                                            Eigen::DecompositionOptions what) {
  Eigen::SelfAdjointEigenSolver<Matrix> solver(symmetric, what);
  check(solver.info() == Eigen::Success, "frechet_distance", "the eigenvalues of a matrix of ",
        symmetric.rows(), " rows did not converge");
  return solver;
}

// The sum of the singular values of m (D, D): they are the positive eigenvalues of [0 m; m^T 0],
// and as exact, which roots of the eigenvalues of m m^T are not where they are small.
double sum_of_singular_values(const Matrix& m) {
  const Eigen::Index D = m.rows();
  Matrix both = Matrix::Zero(2 * D, 2 * D);
  both.topRightCorner(D, D) = m;
  both.bottomLeftCorner(D, D) = m.transpose();
  return eigen(both, Eigen::EigenvaluesOnly).eigenvalues().cwiseAbs().sum() / 2;
}

// The symmetric square root of a covariance. What rounding leaves of eigenvalues that are 0 is cut
// off: its root would be a hundred million times as large.
Matrix root(const Tensor& covariance) {
  const auto solver = eigen(view(covariance), Eigen::ComputeEigenvectors);
  Eigen::VectorXd values = solver.eigenvalues();
  const double cut = std::max(values.maxCoeff(), 0.0) * static_cast<double>(values.size()) *
                     std::numeric_limits<double>::epsilon();
  for (double& value : values) value = value > cut ? std::sqrt(value) : 0.0;
  return solver.eigenvectors() * values.asDiagonal() * solver.eigenvectors().transpose();
}

}  // namespace

Gaussian gaussian_of(const Tensor& features) {
  return estimate(feature_matrix("gaussian_of", "given", features, 2));
}

double frechet_distance(const Gaussian& a, const Gaussian& b) {
  check(a.mean.defined() && b.mean.defined(), "frechet_distance", "a Gaussian is undefined");
  check(a.mean.shape() == b.mean.shape() && a.covariance.shape() == b.covariance.shape(),
        "frechet_distance", "both sets need features of one network, but theirs have ",
        a.mean.numel(), " and ", b.mean.numel(), " dimensions");
  const std::int64_t D = a.mean.numel();
  double shift = 0;
  for (std::int64_t i = 0; i < D; ++i) {
    const double difference = a.mean.data<double>()[i] - b.mean.data<double>()[i];
    shift += difference * difference;
  }
  const Matrix product = root(a.covariance) * root(b.covariance);
  const double trace = sum_of_singular_values(product);
  const double value = shift + view(a.covariance).trace() + view(b.covariance).trace() - 2 * trace;
  return value < 0 ? 0 : value;  // rounding; NaN stays
}

double frechet_distance(const Tensor& a, const Tensor& b) {
  const FeatureMatrices m = feature_matrices("frechet_distance", a, b, 2);
  return frechet_distance(estimate(m.fake), estimate(m.real));
}

FrechetBySize frechet_by_size(const Tensor& fake, const Tensor& real) {
  const FeatureMatrices m = feature_matrices("frechet_by_size", fake, real, 8);
  const std::int64_t N = m.fake.size(0), M = m.real.size(0);
  // Four quarters, two halves, the whole: each is one task.
  struct Part {
    int of, index;
  };
  const std::vector<Part> parts = {{1, 0}, {2, 0}, {2, 1}, {4, 0}, {4, 1}, {4, 2}, {4, 3}};
  std::vector<double> values(parts.size());
  parallel_for(static_cast<std::int64_t>(parts.size()), [&](std::int64_t i) {
    const Part p = parts[static_cast<std::size_t>(i)];
    const auto piece = [&](const Tensor& x, std::int64_t rows) {
      return estimate(x.slice(p.index * (rows / p.of), (p.index + 1) * (rows / p.of)));
    };
    values[static_cast<std::size_t>(i)] = frechet_distance(piece(m.fake, N), piece(m.real, M));
  });
  FrechetBySize result;
  result.samples = {N / 4, N / 2, N};
  result.distance = {(values[3] + values[4] + values[5] + values[6]) / 4,
                     (values[1] + values[2]) / 2, values[0]};
  // Least squares over x = 1 / n.
  double mean_x = 0, mean_y = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    mean_x += 1.0 / static_cast<double>(result.samples[i]) / 3;
    mean_y += result.distance[i] / 3;
  }
  double above = 0, below = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const double x = 1.0 / static_cast<double>(result.samples[i]) - mean_x;
    above += x * (result.distance[i] - mean_y);
    below += x * x;
  }
  result.at_infinity = mean_y - above / below * mean_x;
  return result;
}

}  // namespace imago::models
