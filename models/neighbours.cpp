#include "models/neighbours.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/gemm/gemm.h"
#include "kernels/parallel.h"
#include "models/feature_matrix.h"

namespace imago::models {
namespace {

// A set of features, exact and rough.
struct Points {
  Tensor exact;                // (N, D), f64
  Tensor rough;                // (N, D), f32: exact minus the centre
  std::vector<double> square;  // of each rough row, |x|^2
};

std::vector<double> mean_of(const Tensor& x) {
  const std::int64_t N = x.size(0), D = x.size(1);
  std::vector<double> mean(static_cast<std::size_t>(D));
  const double* p = x.data<double>();
  for (std::int64_t i = 0; i < N; ++i) {
    for (std::int64_t d = 0; d < D; ++d) mean[static_cast<std::size_t>(d)] += p[i * D + d];
  }
  for (double& value : mean) value /= static_cast<double>(N);
  return mean;
}

Points prepare(const Tensor& x, const std::vector<double>& centre) {
  const std::int64_t N = x.size(0), D = x.size(1);
  Points points{x, Tensor::empty(x.shape(), DType::f32, Device::cpu()),
                std::vector<double>(static_cast<std::size_t>(N))};
  const double* from = x.data<double>();
  float* to = points.rough.mutable_data<float>();
  parallel_for(N, [&](std::int64_t i) {
    double square = 0;
    for (std::int64_t d = 0; d < D; ++d) {
      to[i * D + d] = static_cast<float>(from[i * D + d] - centre[static_cast<std::size_t>(d)]);
      square += double(to[i * D + d]) * to[i * D + d];
    }
    points.square[static_cast<std::size_t>(i)] = square;
  });
  return points;
}

// |x_i - y_j|^2 in f64: the same bits for (y, j) and (x, i).
double exact_square(const Points& x, std::int64_t i, const Points& y, std::int64_t j) {
  const std::int64_t D = x.exact.size(1);
  const double *a = x.exact.data<double>() + i * D, *b = y.exact.data<double>() + j * D;
  double square = 0;
  for (std::int64_t d = 0; d < D; ++d) {
    const double difference = a[d] - b[d];
    square += difference * difference;
  }
  return square;
}

// The squared distances of x_i to all of y, from products: |x|^2 + |y|^2 - 2 x . y.
struct Row {
  const Points& x;
  const Points& y;
  std::int64_t i;
  const float* products;  // (M)
  double unit;            // (D + 8) / 2^24

  double rough(std::int64_t j) const {
    return x.square[static_cast<std::size_t>(i)] + y.square[static_cast<std::size_t>(j)] -
           2 * double(products[j]);
  }
  // How far rough(j) may be off: D roundings in the product and one in each coordinate.
  double slack(std::int64_t j) const {
    return unit * (x.square[static_cast<std::size_t>(i)] + y.square[static_cast<std::size_t>(j)]);
  }
  // Whether |x_i - y_j|^2 <= square, exactly.
  bool within(std::int64_t j, double square) const {
    const double difference = rough(j) - square;
    if (std::abs(difference) > slack(j)) return difference < 0;
    return exact_square(x, i, y, j) <= square;
  }
};

// Calls f(row) for every row of x, on several threads.
template <class F>
void for_each_row(const Points& x, const Points& y, F&& f) {
  const std::int64_t N = x.exact.size(0), M = y.exact.size(0);
  const double unit = std::ldexp(static_cast<double>(x.exact.size(1) + 8), -24);
  // Blocks of at most 64 MiB of products, which are all that is kept of them.
  const std::int64_t rows = std::clamp<std::int64_t>((std::int64_t{1} << 24) / M, 1, 1024);
  for (std::int64_t begin = 0; begin < N; begin += rows) {
    const std::int64_t end = std::min(begin + rows, N);
    const Tensor products = kernels::gemm(x.rough.slice(begin, end), y.rough,
                                          kernels::Transpose::no, kernels::Transpose::yes);
    const float* p = products.data<float>();
    parallel_for(end - begin, [&](std::int64_t r) { f(Row{x, y, begin + r, p + r * M, unit}); });
  }
}

using Candidate = std::pair<double, std::int64_t>;  // squared distance, row of y

// The k nearest to a row, by (distance, index), row `skip` of y left out.
std::vector<Candidate> nearest(const Row& row, std::int64_t k, std::int64_t skip) {
  constexpr std::int64_t spare = 16;  // rough places are not final ones
  const std::int64_t M = row.y.exact.size(0), room = k + spare;
  std::vector<Candidate> found;  // sorted
  found.reserve(static_cast<std::size_t>(room) + 1);
  double worst = std::numeric_limits<double>::infinity();
  for (std::int64_t j = 0; j < M; ++j) {
    const double square = row.rough(j);
    if (!(square < worst) || j == skip) continue;
    const Candidate candidate(square, j);
    found.insert(std::upper_bound(found.begin(), found.end(), candidate), candidate);
    if (static_cast<std::int64_t>(found.size()) > room) found.pop_back();
    if (static_cast<std::int64_t>(found.size()) == room) worst = found.back().first;
  }
  for (auto& [square, j] : found) square = exact_square(row.x, row.i, row.y, j);
  std::sort(found.begin(), found.end());
  found.resize(static_cast<std::size_t>(k));
  return found;
}

// The squared radii of the balls of a set.
std::vector<double> radii(const Points& x, int k) {
  std::vector<double> squares(static_cast<std::size_t>(x.exact.size(0)));
  for_each_row(x, x, [&](const Row& row) {
    squares[static_cast<std::size_t>(row.i)] = nearest(row, k, row.i).back().first;
  });
  return squares;
}

}  // namespace

Neighbours nearest_neighbours(const Tensor& queries, const Tensor& base, int k) {
  const char* op = "nearest_neighbours";
  const Tensor x = feature_matrix(op, "query", queries, 1);
  const Tensor y = feature_matrix(op, "base", base, 1);
  check(x.size(1) == y.size(1), op, "both sets need features of one network, but they are ",
        queries.shape(), " and ", base.shape());
  check(k >= 1 && k <= y.size(0), op, "k must be from 1 to the ", y.size(0),
        " samples of the base, not ", k);
  const std::vector<double> centre = mean_of(y);
  const Points a = prepare(x, centre), b = prepare(y, centre);
  Neighbours result{Tensor::empty({x.size(0), k}, DType::i64, Device::cpu()),
                    Tensor::empty({x.size(0), k}, DType::f64, Device::cpu())};
  std::int64_t* index = result.index.mutable_data<std::int64_t>();
  double* distance = result.distance.mutable_data<double>();
  for_each_row(a, b, [&](const Row& row) {
    const std::vector<Candidate> found = nearest(row, k, -1);
    for (std::int64_t n = 0; n < k; ++n) {
      index[row.i * k + n] = found[static_cast<std::size_t>(n)].second;
      distance[row.i * k + n] = std::sqrt(found[static_cast<std::size_t>(n)].first);
    }
  });
  return result;
}

ManifoldScores manifold_scores(const Tensor& fake, const Tensor& real, int k) {
  const char* op = "manifold_scores";
  check(k >= 1, op, "k must be at least 1, not ", k);
  const FeatureMatrices m = feature_matrices(op, fake, real, std::int64_t{k} + 1);
  const std::vector<double> centre = mean_of(m.real);
  const Points fakes = prepare(m.fake, centre), reals = prepare(m.real, centre);
  const std::vector<double> fake_radius = radii(fakes, k), real_radius = radii(reals, k);
  const std::int64_t N = m.fake.size(0), M = m.real.size(0);

  std::vector<std::int64_t> inside(static_cast<std::size_t>(M));  // fakes in the ball of a real
  std::vector<char> recalled(static_cast<std::size_t>(M));
  for_each_row(reals, fakes, [&](const Row& row) {
    const auto i = static_cast<std::size_t>(row.i);
    for (std::int64_t j = 0; j < N; ++j) {
      if (row.within(j, real_radius[i])) ++inside[i];
      if (!recalled[i] && row.within(j, fake_radius[static_cast<std::size_t>(j)])) recalled[i] = 1;
    }
  });
  std::vector<char> precise(static_cast<std::size_t>(N));
  for_each_row(fakes, reals, [&](const Row& row) {
    for (std::int64_t j = 0; j < M; ++j) {
      if (row.within(j, real_radius[static_cast<std::size_t>(j)])) {
        precise[static_cast<std::size_t>(row.i)] = 1;
        break;
      }
    }
  });

  const auto share = [](std::int64_t part, std::int64_t of) {
    return static_cast<double>(part) / static_cast<double>(of);
  };
  std::int64_t covered = 0, total = 0;
  for (const std::int64_t count : inside) covered += count > 0, total += count;
  ManifoldScores scores;
  scores.k = k;
  scores.precision = share(std::count(precise.begin(), precise.end(), 1), N);
  scores.recall = share(std::count(recalled.begin(), recalled.end(), 1), M);
  scores.density = share(total, N) / k;
  scores.coverage = share(covered, M);
  return scores;
}

}  // namespace imago::models
