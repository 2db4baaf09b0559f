#include "models/kernel_distance.h"

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

// The sum of k(x_i, y_j) over all pairs; without those of i = j where `others`. Rows go through in
// parts, so that the products stay in the cache.
double kernel_sum(const View& x, const View& y, bool others) {
  constexpr std::int64_t part = 64;
  const double D = static_cast<double>(x.cols());
  double sum = 0;
  Matrix products;
  for (std::int64_t begin = 0; begin < x.rows(); begin += part) {
    const std::int64_t rows = std::min(part, x.rows() - begin);
    products.noalias() = x.middleRows(begin, rows) * y.transpose();
    for (std::int64_t i = 0; i < rows; ++i) {
      double of_row = 0;
      for (std::int64_t j = 0; j < y.rows(); ++j) {
        const double k = products(i, j) / D + 1;
        of_row += others && begin + i == j ? 0.0 : k * k * k;
      }
      sum += of_row;
    }
  }
  return sum;
}

}  // namespace

KernelDistance kernel_distance(const Tensor& fake, const Tensor& real, std::int64_t block) {
  const FeatureMatrices m = feature_matrices("kernel_distance", fake, real, 2);
  check(block >= 2, "kernel_distance", "a block has at least 2 samples, not ", block);
  const std::int64_t most = std::min(m.fake.size(0), m.real.size(0)), D = m.fake.size(1);
  KernelDistance result;
  result.block = std::min(block, most);
  result.blocks = most / result.block;
  const std::int64_t n = result.block;
  // Three sums for each block, all of them tasks of their own.
  std::vector<double> sums(static_cast<std::size_t>(3 * result.blocks));
  parallel_for(3 * result.blocks, [&](std::int64_t task) {
    const std::int64_t first = task / 3 * n * D;
    const View x(m.fake.data<double>() + first, n, D), y(m.real.data<double>() + first, n, D);
    const std::int64_t which = task % 3;
    sums[static_cast<std::size_t>(task)] = which == 0   ? kernel_sum(x, x, true)
                                           : which == 1 ? kernel_sum(y, y, true)
                                                        : kernel_sum(x, y, false);
  });
  const double pairs = static_cast<double>(n) * static_cast<double>(n - 1);
  const double all = static_cast<double>(n) * static_cast<double>(n);
  const double B = static_cast<double>(result.blocks);
  std::vector<double> values;
  for (std::size_t i = 0; i < sums.size(); i += 3) {
    values.push_back((sums[i] + sums[i + 1]) / pairs - 2 * sums[i + 2] / all);
  }
  for (const double value : values) result.value += value / B;
  double square = 0;
  for (const double value : values) square += (value - result.value) * (value - result.value);
  result.error = result.blocks > 1 ? std::sqrt(square / (B - 1) / B)
                                   : std::numeric_limits<double>::quiet_NaN();
  return result;
}

}  // namespace imago::models
