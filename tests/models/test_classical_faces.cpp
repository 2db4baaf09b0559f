// Eigenfaces, 2D-PCA and LBP: the values of scripts/goldens/classical.py, laws, and people.
#include "models/classical_faces.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "data/procedural/faces.h"
#include "kernels/parallel.h"
#include "kernels/random/random.h"
#include "models/principal_axes.h"
#include "tests/nn/goldens.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

// Smooth images (N, S, S, 3) on the CPU: sums of a few waves with random weights.
Tensor smooth_images(std::int64_t N, std::int64_t S, std::uint32_t draw) {
  constexpr std::int64_t waves = 4;
  const Tensor random =
      kernels::normal({N, waves, waves, 3}, DType::f32, {41, 0, draw}, Device::cpu());
  const float* weights = random.data<float>();
  std::vector<double> wave;  // (S, waves)
  for (std::int64_t i = 0; i < S * waves; ++i) {
    const double frequency = double(i % waves), at = (double(i / waves) + 0.5) / double(S);
    wave.push_back(std::cos(3.14159265 * frequency * at) / (1 + frequency));
  }
  Tensor images = Tensor::empty({N, S, S, 3}, DType::f32, Device::cpu());
  float* out = images.mutable_data<float>();
  for (std::int64_t i = 0; i < images.numel(); ++i) {
    const std::int64_t c = i % 3, x = i / 3 % S, y = i / 3 / S % S, n = i / 3 / S / S;
    const double* across = wave.data() + x * waves;
    const double* down = wave.data() + y * waves;
    double sum = 0;
    for (std::int64_t k = 0; k < waves * waves; ++k) {
      sum += weights[(n * waves * waves + k) * 3 + c] * down[k / waves] * across[k % waves];
    }
    out[i] = static_cast<float>(std::tanh(0.5 * sum));
  }
  return images;
}

// `rows` (N, K) with each column's sign as it is in `like`.
Tensor with_signs_of(const Tensor& rows, const Tensor& like) {
  Tensor out = to_f64(rows).clone();
  const Tensor other = to_f64(like);
  REQUIRE(out.shape() == other.shape());
  double* p = out.mutable_data<double>();
  const std::int64_t N = out.size(0), K = out.size(1);
  for (std::int64_t k = 0; k < K; ++k) {
    double product = 0;
    for (std::int64_t n = 0; n < N; ++n) product += p[n * K + k] * other.data<double>()[n * K + k];
    for (std::int64_t n = 0; n < N; ++n) p[n * K + k] *= product < 0 ? -1 : 1;
  }
  return out;
}

bool all_finite(const Tensor& t) {
  for (std::int64_t i = 0; i < t.numel(); ++i) {
    if (!std::isfinite(t.data<float>()[i])) return false;
  }
  return true;
}

// Rows (N, D) on the CPU: random directions of weights 1, 1/2, 1/3, ..., `rank` of them.
Tensor rows_of_rank(std::int64_t N, std::int64_t D, int rank) {
  const Tensor u = kernels::normal({N, rank}, DType::f32, {42, 0, 1}, Device::cpu());
  const Tensor v = kernels::normal({rank, D}, DType::f32, {42, 0, 2}, Device::cpu());
  const float *left = u.data<float>(), *right = v.data<float>();
  Tensor rows = Tensor::empty({N, D}, DType::f32, Device::cpu());
  float* out = rows.mutable_data<float>();
  for (std::int64_t i = 0; i < N * D; ++i) {
    double sum = 0;
    for (int r = 0; r < rank; ++r) {
      sum += double(left[i / D * rank + r]) * right[r * D + i % D] / (1 + r);
    }
    out[i] = static_cast<float>(sum);
  }
  return rows;
}

// The share of probes whose most alike gallery image shows the same person. Images (P I, S, S, 3),
// I of each person: the first half of these is the gallery.
double rank_1(FaceEncoder& method, const Tensor& images, int people, int instances) {
  const Tensor rows = method.encode(images);
  const Tensor table = method.similarity(rows, rows);
  const std::int64_t N = std::int64_t{people} * instances;
  REQUIRE(table.shape() == Shape{N, N});
  const float* alike = table.data<float>();
  int probes = 0, right = 0;
  for (std::int64_t i = 0; i < N; ++i) {
    if (i % instances < instances / 2) continue;
    std::int64_t best = -1;
    for (std::int64_t j = 0; j < N; ++j) {
      if (j % instances >= instances / 2) continue;
      if (best < 0 || alike[i * N + j] > alike[i * N + best]) best = j;
    }
    probes += 1;
    right += best / instances == i / instances;
  }
  return double(right) / probes;
}

Tensor people_of(int people, int instances, int size) {
  data::NuisanceRange mild{.pose = 0.3f, .framing = 0.2f, .light = 0.5f, .expression = 0.5f};
  mild.gaze = 0.5f;
  mild.occlusion = mild.background = mild.clothes = mild.noise = mild.blur = 0;
  const data::ProceduralFaces faces({.size = size,
                                     .seed = 3,
                                     .identities = static_cast<std::uint32_t>(people),
                                     .images_per_identity = static_cast<std::uint32_t>(instances),
                                     .nuisance = mild});
  Tensor images = Tensor::empty({people * instances, size, size, 3}, DType::f32, Device::cpu());
  float* out = images.mutable_data<float>();
  data::FaceImage face;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    faces.get(i, face);
    for (const std::uint8_t byte : face.rgb) *out++ = static_cast<float>(byte) / 127.5f - 1;
  }
  return images;
}

}  // namespace

TEST_CASE("Eigenfaces have the coordinates, variances and similarities of numpy") {
  const SafetensorsFile file = load_goldens("classical.safetensors");
  const Tensor images = file.tensor("images"), training = images.slice(0, 12);
  const auto compare = [&](const std::string& name, const EigenfacesOptions& options) {
    CAPTURE(name);
    Eigenfaces method(training, options);
    const Tensor rows = method.encode(images), golden = file.tensor(name + ".rows");
    check_close(name, with_signs_of(rows, golden), golden, 1e-5);
    check_close(name, method.variances(), file.tensor(name + ".variances"), 1e-5);
    CHECK(std::abs(method.explained() - file.tensor(name + ".explained").item()) <= 1e-6);
    check_close(name, method.similarity(rows, rows), file.tensor(name + ".similarity"), 1e-5);
  };
  compare("whitened", {.size = 18, .components = 6});
  compare("skipped", {.size = 18, .components = 5, .skip = 2, .whiten = false});
  compare("unequalized", {.size = 18, .components = 4, .equalize = false});
}

TEST_CASE("2D-PCA has the features and distances of numpy") {
  const SafetensorsFile file = load_goldens("classical.safetensors");
  const Tensor images = file.tensor("images");
  TwoDPca method(images.slice(0, 12), {.size = 18, .components = 4});
  const Tensor projection = file.tensor("two_d.projection");
  check_close("projection", with_signs_of(method.projection(), projection), projection, 1e-5);
  const Tensor rows = method.encode(images), golden = file.tensor("two_d.rows");
  CHECK(rows.shape() == golden.shape());
  // Columns of Y are rows of 18 numbers here, and have the signs of the projection's.
  const Tensor got = to_f64(rows), want = to_f64(golden);
  for (std::int64_t k = 0; k < 4; ++k) {
    double sign = 0;
    for (std::int64_t s = 0; s < 18; ++s) {
      sign += method.projection().data<float>()[s * 4 + k] *
              to_f64(projection).data<double>()[s * 4 + k];
    }
    for (std::int64_t i = 0; i < 20 * 18; ++i) {
      const std::int64_t at = i / 18 * 72 + k * 18 + i % 18;
      const double error =
          std::abs(got.data<double>()[at] * (sign < 0 ? -1 : 1) - want.data<double>()[at]);
      REQUIRE(error <= 1e-4);
    }
  }
  check_close("similarity", method.similarity(rows, rows), file.tensor("two_d.similarity"), 1e-5);
}

TEST_CASE("LBP histograms are those of numpy to the last bit, and their distances agree") {
  const SafetensorsFile file = load_goldens("classical.safetensors");
  const Tensor images = file.tensor("images");
  const auto compare = [&](const std::string& name, const LbpOptions& options) {
    CAPTURE(name);
    LbpHistograms method(options);
    const Tensor rows = method.encode(images);
    CHECK(same_bits(rows, file.tensor(name + ".rows")));
    check_close(name, method.similarity(rows, rows), file.tensor(name + ".similarity"), 1e-5);
  };
  compare("lbp_2", {.size = 18, .radius = 2, .grid = 3});
  compare("lbp_1", {.size = 18, .radius = 1, .grid = 4});
}

TEST_CASE("subspace iteration finds the axes of the direct solution") {
  constexpr std::int64_t K = 8;
  for (const bool wide : {true, false}) {  // more columns than rows, and the other way round
    CAPTURE(wide);
    const std::int64_t N = wide ? 60 : 220, D = wide ? 200 : 70;
    const Tensor rows = rows_of_rank(N, D, 50);
    const PrincipalAxes direct = principal_axes("test", rows, K, AxesMethod::direct);
    const PrincipalAxes iterated = principal_axes("test", rows, K, AxesMethod::iterated);
    REQUIRE(direct.axes.shape() == Shape{K, D});
    REQUIRE(iterated.axes.shape() == Shape{K, D});
    CHECK(direct.total == iterated.total);
    for (std::int64_t k = 0; k < K; ++k) {
      CAPTURE(k);
      const double ratio =
          double(iterated.variances.data<float>()[k]) / direct.variances.data<float>()[k];
      CHECK(std::abs(ratio - 1) <= 1e-4);
      if (k > 0) CHECK(direct.variances.data<float>()[k] < direct.variances.data<float>()[k - 1]);
      CHECK(std::abs(std::abs(dot(direct.axes.slice(k, k + 1), iterated.axes.slice(k, k + 1))) -
                     1) <= 1e-4);
    }
    // Orthonormal, each with its largest element positive.
    for (const Tensor* axes : {&direct.axes, &iterated.axes}) {
      for (std::int64_t k = 0; k < K; ++k) {
        for (std::int64_t j = 0; j <= k; ++j) {
          const double product = dot(axes->slice(k, k + 1), axes->slice(j, j + 1));
          CHECK(std::abs(product - (j == k)) <= 1e-5);
        }
        double most = 0;
        for (std::int64_t d = 0; d < D; ++d) {
          const double value = axes->data<float>()[k * D + d];
          if (std::abs(value) > std::abs(most)) most = value;
        }
        CHECK(most > 0);
      }
    }
  }
  // Rows of rank 3 have no more axes, with either method.
  const Tensor few = rows_of_rank(40, 30, 3);
  for (const AxesMethod method : {AxesMethod::direct, AxesMethod::iterated}) {
    CHECK(principal_axes("test", few, K, method).axes.size(0) == 3);
  }
  CHECK(axes_method(512, 4096) == AxesMethod::direct);
  CHECK(axes_method(10000, 64) == AxesMethod::direct);
  CHECK(axes_method(513, 4096) == AxesMethod::iterated);
}

TEST_CASE("Eigenfaces: components are cut to those there are, which explain everything") {
  const Tensor training = smooth_images(9, 12, 1);
  Eigenfaces all(training, {.size = 12});  // nine images vary in eight directions
  CHECK(all.components().shape() == Shape{8, 144});
  CHECK(all.variances().numel() == 8);
  CHECK(std::abs(all.explained() - 1) <= 1e-5);
  // Whitened, each coordinate has a mean of 0 and a variance of 1 over the training images.
  const Tensor rows = all.encode(training);
  for (std::int64_t k = 0; k < 8; ++k) {
    double mean = 0, square = 0;
    for (std::int64_t n = 0; n < 9; ++n) {
      mean += rows.data<float>()[n * 8 + k] / 9.0;
      square += std::pow(rows.data<float>()[n * 8 + k], 2) / 8.0;
    }
    CHECK(std::abs(mean) <= 1e-3);
    CHECK(std::abs(square - 1) <= 1e-3);
  }
  const Eigenfaces some(training, {.size = 12, .components = 3});
  const Eigenfaces rest(training, {.size = 12, .skip = 3});
  CHECK(some.components().size(0) == 3);
  CHECK(rest.components().size(0) == 5);
  CHECK(some.explained() > rest.explained());
  CHECK(std::abs(some.explained() + rest.explained() - 1) <= 1e-5);
  const TwoDPca columns(training, {.size = 12, .components = 40});
  CHECK(columns.projection().size(0) == 12);
  CHECK(columns.projection().size(1) <= 12);
}

TEST_CASE("classical faces: an image of one colour is a row like any other") {
  const Tensor training = smooth_images(8, 16, 2);
  Tensor images = training.clone();
  float* flat = images.mutable_data<float>();
  for (int i = 0; i < 16 * 16 * 3; ++i) flat[i] = 0.3f;
  Eigenfaces eigenfaces(images, {.size = 16});
  TwoDPca two_d(images, {.size = 16, .components = 4});
  LbpHistograms lbp({.size = 16, .radius = 2, .grid = 3});
  for (FaceEncoder* method : {static_cast<FaceEncoder*>(&eigenfaces),
                              static_cast<FaceEncoder*>(&two_d), static_cast<FaceEncoder*>(&lbp)}) {
    CAPTURE(method->label());
    const Tensor rows = method->encode(images);
    CHECK(rows.size(0) == 8);
    CHECK(all_finite(rows));
    const Tensor table = method->similarity(rows, rows.slice(0, 5));
    CHECK(table.shape() == Shape{8, 5});
    CHECK(all_finite(table));
    // Nothing is more like an image than itself.
    for (std::int64_t i = 1; i < 5; ++i) {
      for (std::int64_t j = 0; j < 5; ++j) {
        CHECK(table.data<float>()[i * 5 + i] >= table.data<float>()[i * 5 + j]);
      }
    }
    // A row is that of its image alone.
    CHECK(largest_error(method->encode(images.slice(3, 5)), rows.slice(3, 5)) <= 1e-5);
  }
  // Everywhere equal: all neighbours count as not below, code 255, the last uniform one.
  const Tensor rows = lbp.encode(images.slice(0, 1));
  for (std::int64_t i = 0; i < rows.numel(); ++i) {
    CHECK(rows.data<float>()[i] == (i % 59 == 57 ? 1.0f : 0.0f));
  }
  // A row of length 0 is like none, and not NaN.
  const Tensor none =
      Tensor::full({1, eigenfaces.components().size(0)}, 0, DType::f32, Device::cpu());
  CHECK(eigenfaces.similarity(none, none).item() == 0);
}

TEST_CASE(
    "LBP does not see light that changes every pixel alike; Eigenfaces forgive its strength") {
  const Tensor images = smooth_images(6, 20, 3);
  Tensor darker = images.clone();
  float* p = darker.mutable_data<float>();
  for (std::int64_t i = 0; i < darker.numel(); ++i) p[i] = 0.5f * p[i] - 0.25f;
  LbpHistograms lbp({.size = 20, .radius = 2, .grid = 2});
  const Tensor a = lbp.encode(images), b = lbp.encode(darker);
  // Rounding may move a pixel or two of 64 in a cell, each from one bin to another.
  CHECK(largest_error(a, b) <= 2.0 / 64);
  CHECK(largest_error(a.slice(0, 1), a.slice(1, 2)) > 4.0 / 64);
  Eigenfaces method(images, {.size = 20});
  CHECK(largest_error(method.encode(images), method.encode(darker)) <= 1e-3);
  Eigenfaces raw(images, {.size = 20, .equalize = false});
  CHECK(largest_error(raw.encode(images), raw.encode(darker)) > 0.1);
}

TEST_CASE("classical faces: the same bits for 1, 2 and 3 threads") {
  const Tensor training = smooth_images(40, 24, 4);
  const Tensor many = rows_of_rank(300, 280, 20);
  const auto run = [&](int threads) {
    const ContextScope scope;
    set_num_threads(threads);
    const std::int64_t before = Context::current().shared_regions;
    std::vector<Tensor> all;
    Eigenfaces eigenfaces(training, {.size = 24});
    TwoDPca two_d(training, {.size = 24, .components = 5});
    LbpHistograms lbp({.size = 24, .radius = 2, .grid = 4});
    for (FaceEncoder* method :
         {static_cast<FaceEncoder*>(&eigenfaces), static_cast<FaceEncoder*>(&two_d),
          static_cast<FaceEncoder*>(&lbp)}) {
      all.push_back(method->encode(training));
      all.push_back(method->similarity(all.back(), all.back()));
    }
    all.push_back(eigenfaces.mean());
    all.push_back(eigenfaces.components());
    all.push_back(eigenfaces.variances());
    all.push_back(two_d.projection());
    const PrincipalAxes axes = principal_axes("test", many, 4, AxesMethod::iterated);
    all.push_back(axes.axes);
    all.push_back(axes.variances);
    CHECK((threads == 1 || !has_threads || Context::current().shared_regions > before));
    return all;
  };
  const std::vector<Tensor> one = run(1);
  for (const int threads : {2, 3}) {
    CAPTURE(threads);
    const std::vector<Tensor> more = run(threads);
    REQUIRE(more.size() == one.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
      CAPTURE(i);
      CHECK(same_bits(one[i], more[i]));
    }
  }
}

TEST_CASE("classical faces recognise rendered people far better than chance") {
  constexpr int people = 10, instances = 6, size = 32;
  const Tensor images = people_of(people, instances, size);
  std::vector<std::unique_ptr<FaceEncoder>> methods;
  methods.push_back(
      std::make_unique<Eigenfaces>(images, EigenfacesOptions{.size = size, .components = 12}));
  methods.push_back(std::make_unique<TwoDPca>(images, TwoDPcaOptions{.size = size}));
  methods.push_back(
      std::make_unique<LbpHistograms>(LbpOptions{.size = size, .radius = 2, .grid = 4}));
  for (const auto& method : methods) {
    CAPTURE(method->label());
    const double rate = rank_1(*method, images, people, instances);
    CAPTURE(rate);
    CHECK(rate >= 0.5);  // by chance 0.1
  }
}

TEST_CASE("classical faces name what is wrong with their arguments") {
  const Tensor images = smooth_images(4, 12, 5);
  const auto says = [](const std::function<void()>& f, const std::string& part) {
    const std::string message = error_of(f);
    CAPTURE(message);
    CAPTURE(part);
    CHECK(contains(message, part));
  };
  says([&] { Eigenfaces(images.slice(0, 1), {.size = 12}); }, "at least 2 images");
  says([&] { TwoDPca(images.slice(0, 1), {.size = 12}); }, "at least 2 images");
  says([&] { Eigenfaces(images.reshape({4, 12, 36, 1}), {.size = 12}); }, "(N, H, W, 3)");
  says([&] { Eigenfaces(kernels::cast(images, DType::f64), {.size = 12}); }, "f32");
  says([&] { Eigenfaces(Tensor(), {.size = 12}); }, "undefined");
  says([&] { Eigenfaces(images, {.size = 12, .components = 0}); }, "at least 1 component");
  says([&] { TwoDPca(images, {.size = 12, .components = 0}); }, "at least 1 component");
  says([&] { Eigenfaces(images, {.size = 12, .skip = 3}); }, "skip leaves out 3");
  says([&] { LbpHistograms({.size = 12, .radius = 3, .grid = 7}); }, "fewer than 7");
  says([&] { LbpHistograms({.size = 12, .radius = 0, .grid = 2}); }, "radius");
  const Tensor same = Tensor::full({3, 12, 12, 3}, 0.5, DType::f32, Device::cpu());
  says([&] { Eigenfaces(same, {.size = 12}); }, "all the same");
  says([&] { TwoDPca(same, {.size = 12, .equalize = false}); }, "all the same");
  LbpHistograms lbp({.size = 12, .radius = 1, .grid = 2});
  Tensor broken = images.clone();
  broken.mutable_data<float>()[2 * 12 * 12 * 3 + 7] = std::numeric_limits<float>::quiet_NaN();
  says([&] { lbp.encode(broken); }, "image 2 has a value that is not finite");
  says([&] { Eigenfaces(broken, {.size = 12}); }, "not finite");
  const Tensor rows = lbp.encode(images);
  says([&] { (void)lbp.similarity(rows, rows.reshape({8, -1})); }, "another method");
  Eigenfaces method(images, {.size = 12});
  says([&] { (void)method.similarity(rows, rows); }, "another method");
  says([&] { (void)method.similarity(method.encode(images), Tensor()); }, "undefined");
}
