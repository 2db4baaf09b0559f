// Scores on feature matrices: cases worked out by hand, laws, and the values of scripts/goldens/
// scores.py.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/elementwise/elementwise.h"
#include "kernels/parallel.h"
#include "models/metrics.h"
#include "models/scores.h"
#include "tests/kernels/random.h"
#include "tests/nn/goldens.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

Tensor matrix(std::initializer_list<double> values, std::int64_t rows) {
  return Tensor::from<double>(values, {rows, static_cast<std::int64_t>(values.size()) / rows});
}

Gaussian gaussian(std::initializer_list<double> mean, std::initializer_list<double> covariance) {
  const auto D = static_cast<std::int64_t>(mean.size());
  return {1000, Tensor::from<double>(mean, {D}).to(Device::cpu()),
          Tensor::from<double>(covariance, {D, D}).to(Device::cpu())};
}

// x + s, in f64.
Tensor shifted(const Tensor& x, double s) {
  Tensor y = to_f64(x).clone();
  double* p = y.mutable_data<double>();
  for (std::int64_t i = 0; i < y.numel(); ++i) p[i] += s;
  return y;
}

// All figures of a score.
std::vector<double> figures(const Scores& s) {
  return {s.frechet.distance[0], s.frechet.distance[1], s.frechet.distance[2],
          s.frechet.at_infinity, s.kernel.value,        s.kernel.error,
          s.manifold.precision,  s.manifold.recall,     s.manifold.density,
          s.manifold.coverage,   s.sliced_wasserstein};
}

bool close(double a, double b, double relative) {
  return std::abs(a - b) <= relative * std::max(1.0, std::abs(b));
}

}  // namespace

TEST_CASE("the Fréchet distance of Gaussians that are known") {
  // Covariances that commute: |m1 - m2|^2 + sum (sqrt a - sqrt b)^2.
  CHECK(close(frechet_distance(gaussian({0, 0}, {4, 0, 0, 9}), gaussian({3, 4}, {1, 0, 0, 25})),
              25 + 1 + 4, 1e-12));
  // Two that do not: of 2x2 matrices tr(S1 S2)^(1/2) = sqrt(tr(S1 S2) + 2 sqrt(det S1 det S2)).
  const Gaussian a = gaussian({0, 0}, {2, 1, 1, 3}), b = gaussian({0, 0}, {5, -2, -2, 1});
  const double product = 2 * 5 + 1 * -2 + 1 * -2 + 3 * 1;
  CHECK(close(frechet_distance(a, b), 5 + 6 - 2 * std::sqrt(product + 2 * std::sqrt(5.0 * 1.0)),
              1e-12));
  CHECK(frechet_distance(a, b) == doctest::Approx(frechet_distance(b, a)).epsilon(1e-12));
  // Without full rank, in directions that are not those of the axes: S1 = 2 u u^T with u = (1, 1),
  // S2 = 8 u u^T, so the roots are 2 and 4 along one direction and 0 along the other.
  CHECK(close(frechet_distance(gaussian({0, 0}, {2, 2, 2, 2}), gaussian({0, 0}, {8, 8, 8, 8})), 4,
              1e-12));
  // And apart: (1, 0) against (0, 1).
  CHECK(close(frechet_distance(gaussian({0, 0}, {4, 0, 0, 0}), gaussian({0, 0}, {0, 0, 0, 9})), 13,
              1e-12));
}

TEST_CASE("mean and covariance are those of the features") {
  const Gaussian g = gaussian_of(matrix({1, 2, 3, 6, 5, 1}, 3));
  CHECK(g.count == 3);
  CHECK(g.mean.data<double>()[0] == 3);
  CHECK(g.mean.data<double>()[1] == 3);
  const double* s = g.covariance.data<double>();
  CHECK(s[0] == 4);
  CHECK(s[1] == -1);
  CHECK(s[2] == -1);
  CHECK(s[3] == 7);
  // More rows than one part of the sum has.
  const Tensor many = normals({2500, 3}, DType::f64, 5);
  const Gaussian whole = gaussian_of(many);
  double mean = 0, square = 0;
  const Tensor host = many.to(Device::cpu());
  for (int i = 0; i < 2500; ++i) mean += host.data<double>()[3 * i + 2] / 2500;
  for (int i = 0; i < 2500; ++i) square += std::pow(host.data<double>()[3 * i + 2] - mean, 2);
  CHECK(close(whole.mean.data<double>()[2], mean, 1e-12));
  CHECK(close(whole.covariance.data<double>()[8], square / 2499, 1e-12));
}

TEST_CASE("equal sets are at a Fréchet distance of 0, also with fewer samples than features") {
  for (const std::int64_t N : {200, 5}) {
    CAPTURE(N);
    const Tensor x = normals({N, 12}, DType::f64, 1);
    CHECK(frechet_distance(x, x) <= 1e-12);
    // A shift of every feature by s adds s^2 for each, and nothing else.
    CHECK(close(frechet_distance(shifted(x, 0.5), x), 12 * 0.25, 1e-10));
  }
}

TEST_CASE("the Fréchet distance is too large for few samples, and is extrapolated") {
  const FrechetBySize sizes =
      frechet_by_size(normals({400, 8}, DType::f32, 1), normals({400, 8}, DType::f32, 2));
  CHECK(sizes.samples == std::array<std::int64_t, 3>{100, 200, 400});
  CHECK(sizes.distance[0] > 1.5 * sizes.distance[1]);
  CHECK(sizes.distance[1] > 1.5 * sizes.distance[2]);
  CHECK(sizes.distance[2] > 0);
  CHECK(std::abs(sizes.at_infinity) < sizes.distance[0] / 4);  // the truth is 0
}

TEST_CASE("the kernel distance of four numbers") {
  // k(0, 1) = 1, k(2, 3) = 343, and between the sets 1, 1, 27 and 64.
  const KernelDistance d = kernel_distance(matrix({0, 1}, 2), matrix({2, 3}, 2));
  CHECK(d.value == 1 + 343 - 2 * (1 + 1 + 27 + 64) / 4.0);
  CHECK(d.blocks == 1);
  CHECK(d.block == 2);
  CHECK(std::isnan(d.error));
  // Two blocks of these, and a row that fills none.
  const KernelDistance twice =
      kernel_distance(matrix({0, 1, 0, 1, 9}, 5), matrix({2, 3, 2, 3}, 4), 2);
  CHECK(twice.value == d.value);
  CHECK(twice.blocks == 2);
  CHECK(twice.error == 0);
}

TEST_CASE("the kernel distance has no bias") {
  const Tensor a = normals({2000, 8}, DType::f32, 3), b = normals({2000, 8}, DType::f32, 4);
  const KernelDistance same = kernel_distance(a, b, 50);
  CHECK(same.blocks == 40);
  CHECK(same.error > 0);
  CHECK(std::abs(same.value) <= 4 * same.error);
  const KernelDistance apart = kernel_distance(shifted(a, 0.3), b, 50);
  CHECK(apart.value > 8 * apart.error);
}

TEST_CASE("precision, recall, density and coverage by hand") {
  // Radii with k = 1: reals 1, 1, 2; fakes 9.5, 1, 1.
  const Tensor real = matrix({0, 1, 3}, 3);
  const ManifoldScores s = manifold_scores(matrix({0.5, 10, 11}, 3), real, 1);
  CHECK(s.precision == 1.0 / 3);  // 0.5 lies in two real balls, the others in none
  CHECK(s.recall == 1);           // the first fake's ball holds all
  CHECK(s.density == 2.0 / 3);
  CHECK(s.coverage == 2.0 / 3);
  CHECK(s.k == 1);
  // On the border of the balls of 1 and inside that of 3; a ball of 98 holds 3 and 1 and 0.
  const ManifoldScores border = manifold_scores(matrix({2, 100, 200}, 3), real, 1);
  CHECK(border.precision == 1.0 / 3);
  CHECK(border.recall == 1);
  CHECK(border.density == 2.0 / 3);
  CHECK(border.coverage == 2.0 / 3);
  // k = 2: radii of the reals 3, 2, 3.
  const ManifoldScores two = manifold_scores(matrix({3.5, -4, 7}, 3), real, 2);
  CHECK(two.precision == 1.0 / 3);  // 3.5 in the ball of 3 alone
  CHECK(two.density == 1.0 / 6);
  CHECK(two.coverage == 1.0 / 3);
}

TEST_CASE("equal sets score 1; a generator of one picture has almost no recall") {
  const Tensor x = normals({60, 6}, DType::f32, 7).to(Device::cpu());
  const ManifoldScores same = manifold_scores(x, x, 5);
  CHECK(same.precision == 1);
  CHECK(same.recall == 1);
  CHECK(same.coverage == 1);
  CHECK(same.density == 6.0 / 5);  // each ball holds its centre and five more
  Tensor one = Tensor::empty(x.shape(), DType::f32, Device::cpu());
  for (std::int64_t i = 0; i < 60; ++i) one.slice(i, i + 1).copy_from(x.slice(3, 4));
  const ManifoldScores collapsed = manifold_scores(one, x, 5);
  CHECK(collapsed.precision == 1);
  CHECK(collapsed.recall == 1.0 / 60);  // balls of radius 0 hold the picture itself
  CHECK(collapsed.coverage < 0.5);
}

TEST_CASE("the sliced Wasserstein distance of a few numbers, along given directions") {
  // Sorted 0 1 3 and 0 2 7: differences 0, 1 and 4. Along -1 they are the same.
  const Tensor a = matrix({0, 3, 1}, 3), b = matrix({2, 0, 7}, 3);
  CHECK(close(sliced_wasserstein(a, b, matrix({1}, 1)), 5.0 / 3, 1e-15));
  CHECK(close(sliced_wasserstein(a, b, matrix({-1}, 1)), 5.0 / 3, 1e-15));
  // Two against three, in sixths: 1 against 0 0 2, 5 against 2 7 7.
  const Tensor two = matrix({5, 1}, 2);
  CHECK(close(sliced_wasserstein(two, b, matrix({1}, 1)), (1 + 1 + 1 + 3 + 2 + 2) / 6.0, 1e-15));
  CHECK(sliced_wasserstein(b, two, matrix({1}, 1)) == sliced_wasserstein(two, b, matrix({1}, 1)));
  // The mean over directions: both axes and (3, 4) / 5, of points that are moved by (5, 10).
  const Tensor plane = matrix({0, 0, 1, 2, 7, 3}, 3), moved = matrix({12, 13, 5, 10, 6, 12}, 3);
  CHECK(
      close(sliced_wasserstein(plane, moved, matrix({1, 0, 0, 1, 0.6, 0.8}, 3)), 26 / 3.0, 1e-12));
  CHECK(sliced_wasserstein(plane, plane, matrix({1, 0, 0, 1, 0.6, 0.8}, 3)) == 0);
}

TEST_CASE("directions have length 1, point everywhere, and are those of their seed") {
  const Tensor d = unit_directions(400, 6, 3);
  CHECK(same_bits(d, unit_directions(400, 6, 3)));
  CHECK(same_bits(d.slice(0, 5), unit_directions(5, 6, 3)));
  CHECK_FALSE(same_bits(d, unit_directions(400, 6, 4)));
  for (std::int64_t j = 0; j < 6; ++j) {
    double mean = 0, square = 0;
    for (std::int64_t k = 0; k < 400; ++k) {
      mean += d.data<float>()[k * 6 + j] / 400.0;
      square += std::pow(d.data<float>()[k * 6 + j], 2) / 400.0;
    }
    CHECK(std::abs(mean) <= 4 * std::sqrt(1 / 6.0 / 400));
    CHECK(std::abs(square - 1 / 6.0) <= 0.05);
  }
  // Along them a score of features, and the distance of sets that draws its own.
  const Tensor a = normals({40, 6}, DType::f32, 1), b = normals({40, 6}, DType::f32, 2);
  CHECK(sliced_wasserstein(a, b, 400, 3) == sliced_wasserstein(a, b, d));
  const Scores s = score(a, b, {.directions = 16});
  CHECK(s.directions == 16);
  CHECK(s.sliced_wasserstein == sliced_wasserstein(kernels::cast(a, DType::f64),
                                                   kernels::cast(b, DType::f64),
                                                   unit_directions(16, 6, 1)));
  CHECK(score(a, b).directions == 128);
}

TEST_CASE("neighbours are found exactly, ties in order, far from the origin too") {
  const Neighbours near = nearest_neighbours(matrix({5}, 1), matrix({5, 1, 5, 0}, 4), 3);
  const std::int64_t* index = near.index.data<std::int64_t>();
  CHECK(index[0] == 0);
  CHECK(index[1] == 2);
  CHECK(index[2] == 1);
  CHECK(near.distance.data<double>()[1] == 0);
  CHECK(near.distance.data<double>()[2] == 4);

  const Tensor queries = shifted(normals({37, 16}, DType::f64, 11), 1e5);
  const Tensor base = shifted(normals({301, 16}, DType::f64, 12), 1e5);
  const Neighbours found = nearest_neighbours(queries, base, 4);
  for (std::int64_t i = 0; i < 37; ++i) {
    std::vector<std::pair<double, std::int64_t>> all;
    for (std::int64_t j = 0; j < 301; ++j) {
      double square = 0;
      for (std::int64_t d = 0; d < 16; ++d) {
        const double difference =
            queries.data<double>()[i * 16 + d] - base.data<double>()[j * 16 + d];
        square += difference * difference;
      }
      all.emplace_back(square, j);
    }
    std::sort(all.begin(), all.end());
    for (std::int64_t n = 0; n < 4; ++n) {
      CAPTURE(i);
      CAPTURE(n);
      const auto& [square, j] = all[static_cast<std::size_t>(n)];
      CHECK(found.index.data<std::int64_t>()[i * 4 + n] == j);
      CHECK(found.distance.data<double>()[i * 4 + n] == std::sqrt(square));
    }
  }
}

TEST_CASE("scores agree with the formulas in numpy") {
  const SafetensorsFile file =
      load_safetensors(IMAGO_SOURCE_DIR "/tests/goldens/scores.safetensors");
  const auto golden = [&](const std::string& name, std::int64_t i = 0) {
    return to_f64(file.tensor(name)).data<double>()[i];
  };
  const Tensor fake = file.tensor("fake"), real = file.tensor("real");
  CHECK(close(frechet_distance(fake, real), golden("frechet"), 1e-10));
  // The root of a product, as numpy takes it, is good to 1e-7 where it should be 0.
  CHECK(close(frechet_distance(file.tensor("few"), kernels::cast(real, DType::f64)),
              golden("frechet_few"), 1e-6));
  const Scores s = score(fake, real, {.neighbours = 3, .kernel_block = 40});
  for (std::int64_t i = 0; i < 3; ++i) {
    CHECK(close(s.frechet.distance[static_cast<std::size_t>(i)], golden("frechet_sizes", i), 1e-9));
  }
  CHECK(close(s.frechet.at_infinity, golden("frechet_at_infinity"), 1e-9));
  CHECK(close(s.kernel.value, golden("kernel"), 1e-10));
  CHECK(close(s.kernel.error, golden("kernel_error"), 1e-10));
  for (const int k : {3, 5}) {
    CAPTURE(k);
    const std::string name = "manifold_" + std::to_string(k);
    const ManifoldScores m = manifold_scores(fake, real, k);
    CHECK(close(m.precision, golden(name, 0), 1e-12));
    CHECK(close(m.recall, golden(name, 1), 1e-12));
    CHECK(close(m.density, golden(name, 2), 1e-12));
    CHECK(close(m.coverage, golden(name, 3), 1e-12));
  }
  // W1 and of sorted values: taken as W2 it would be 0.249, of unsorted ones 1.09.
  const Tensor directions = file.tensor("directions");
  const Tensor fewer = real.slice(0, fake.size(0));
  for (const DType dtype : {DType::f64, DType::f32}) {
    CAPTURE(dtype);
    const double bound = dtype == DType::f64 ? 1e-12 : 1e-5;
    const auto sliced = [&](const Tensor& a, const Tensor& b) {
      return sliced_wasserstein(kernels::cast(a, dtype), kernels::cast(b, dtype), directions);
    };
    CHECK(std::abs(sliced(fake, real) / golden("sliced") - 1) <= bound);
    CHECK(std::abs(sliced(fake, fewer) / golden("sliced_equal") - 1) <= bound);
  }
  // The same values as f64 give the same bits.
  const Scores doubles = score(kernels::cast(fake, DType::f64), kernels::cast(real, DType::f64),
                               {.neighbours = 3, .kernel_block = 40});
  CHECK(figures(s) == figures(doubles));
}

TEST_CASE("scores are the same bits with 1, 2 and 3 threads") {
  const Tensor fake = normals({1100, 20}, DType::f32, 21),
               real = normals({1300, 20}, DType::f32, 22);
  const auto with = [&](int threads) {
    const ContextScope scope;
    set_num_threads(threads);
    const std::int64_t before = Context::current().shared_regions;
    std::vector<double> all = figures(score(fake, real, {.kernel_block = 200}));
    CHECK((threads == 1 || !has_threads || Context::current().shared_regions > before));
    const Neighbours near = nearest_neighbours(fake, real, 3);
    const double* p = near.distance.data<double>();
    all.insert(all.end(), p, p + near.distance.numel());
    return all;
  };
  const std::vector<double> one = with(1);
  for (const double value : one) CHECK(std::isfinite(value));
  CHECK(one == with(2));
  CHECK(one == with(3));
}

TEST_CASE("scores say what makes them doubtful") {
  const auto warnings = [](std::int64_t N, std::int64_t M, std::int64_t D) {
    std::string all;
    for (const std::string& w :
         score(normals({N, D}, DType::f32, 1), normals({M, D}, DType::f32, 2)).warnings) {
      all += w + "\n";
    }
    return all;
  };
  CHECK(contains(warnings(12, 12, 16), "no full rank"));
  CHECK(contains(warnings(40, 40, 16), "rough guess"));
  CHECK(contains(warnings(40, 50, 4), "same sizes"));
  CHECK(contains(warnings(40, 40, 4), "single block"));
  CHECK_FALSE(contains(warnings(40, 40, 4), "rank"));
  CHECK_FALSE(contains(warnings(40, 40, 4), "guess"));
}

TEST_CASE("scores refuse what they cannot score, and say why") {
  const Tensor x = normals({20, 4}, DType::f32, 1);
  const auto message = [](auto&& f) { return error_of(f); };
  CHECK(contains(message([&] {
                   frechet_distance(x, normals({20, 5}, DType::f32, 1));
                 }),
                 "features of one network"));
  CHECK(contains(message([&] {
                   frechet_distance(x, normals({1, 4}, DType::f32, 1));
                 }),
                 "at least 2 real samples"));
  CHECK(contains(message([&] {
                   gaussian_of(normals({20, 4, 1}, DType::f32, 1));
                 }),
                 "matrix (N, D)"));
  CHECK(contains(message([&] { manifold_scores(x, x, 20); }), "at least 21 fake samples"));
  CHECK(contains(message([&] { manifold_scores(x, x, 0); }), "k must be"));
  CHECK(contains(message([&] { nearest_neighbours(x, x, 21); }), "from 1 to the 20"));
  CHECK(contains(message([&] { kernel_distance(x, x, 1); }), "at least 2 samples"));
  CHECK(contains(message([&] { score(normals({7, 4}, DType::f32, 1), x); }), "at least 8 fake"));
  const Tensor axes = matrix({1, 0, 0, 0, 0, 0, 0, 1}, 2);
  CHECK(contains(message([&] { sliced_wasserstein(x, shifted(x, 1), axes); }), "two f32 samples"));
  CHECK(contains(message([&] {
                   sliced_wasserstein(x, normals({20, 5}, DType::f32, 1), axes);
                 }),
                 "as many values"));
  CHECK(contains(message([&] { sliced_wasserstein(x, x, matrix({1, 0, 0}, 1)); }), "(K, 4)"));
  CHECK(contains(message([&] {
                   sliced_wasserstein(x, x, matrix({1, 0, 0, 0, 1, 1, 0, 0}, 2));
                 }),
                 "direction 1 has length"));
  CHECK(contains(message([&] { sliced_wasserstein(x, x, Tensor()); }), "(K, 4)"));
  CHECK(contains(message([&] { score(x, x, {.directions = 0}); }), "at least one direction"));
  Tensor bad = x.to(Device::cpu()).clone();
  bad.mutable_data<float>()[6] = std::numeric_limits<float>::quiet_NaN();
  CHECK(contains(message([&] { score(x, bad); }), "not finite: row 1"));
  CHECK(contains(message([&] { sliced_wasserstein(x, bad, axes); }), "not finite"));
}
