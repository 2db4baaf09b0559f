// Search: against cosines one by one. Identification: by hand, and the values of scripts/goldens/
// recognition.py.
#include "models/identification.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/models/recognition_checks.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

// Random directions, on the device of the Context.
Tensor directions(std::int64_t rows, std::int64_t D, std::uint64_t seed) {
  Tensor x = normals({rows, D}, DType::f32, seed).to(Device::cpu()).clone();
  float* p = x.mutable_data<float>();
  for (std::int64_t i = 0; i < rows; ++i) {
    double square = 0;
    for (std::int64_t d = 0; d < D; ++d) square += double{p[i * D + d]} * p[i * D + d];
    for (std::int64_t d = 0; d < D; ++d) {
      p[i * D + d] = static_cast<float>(p[i * D + d] / std::sqrt(square));
    }
  }
  return x.to(Context::current().device);
}

// Whether search finds what sorting all cosines finds.
bool is_exact(const Tensor& probes, const Tensor& gallery, int k) {
  const Matches found = search(probes, gallery, k);
  if (found.index.shape() != Shape{probes.size(0), k}) return false;
  if (found.similarity.shape() != Shape{probes.size(0), k}) return false;
  const Tensor hx = probes.to(Device::cpu()), hy = gallery.to(Device::cpu());
  const float *x = hx.data<float>(), *y = hy.data<float>();
  const std::int64_t D = hx.size(1);
  for (std::int64_t i = 0; i < hx.size(0); ++i) {
    std::vector<std::pair<float, std::int64_t>> all;  // falling cosine, row
    for (std::int64_t j = 0; j < hy.size(0); ++j) {
      double cosine = 0;
      for (std::int64_t d = 0; d < D; ++d) cosine += double{x[i * D + d]} * y[j * D + d];
      all.emplace_back(-static_cast<float>(cosine), j);
    }
    std::sort(all.begin(), all.end());
    for (int r = 0; r < k; ++r) {
      const auto& [falling, row] = all[static_cast<std::size_t>(r)];
      if (found.index.data<std::int64_t>()[i * k + r] != row) return false;
      if (found.similarity.data<float>()[i * k + r] != -falling) return false;
    }
  }
  return true;
}

// Row `to` becomes a copy of row `from`.
Tensor with_copies(const Tensor& x,
                   std::initializer_list<std::pair<std::int64_t, std::int64_t>> copies) {
  Tensor y = x.to(Device::cpu()).clone();
  const std::int64_t D = y.size(1);
  float* p = y.mutable_data<float>();
  for (const auto& [from, to] : copies) std::copy(p + from * D, p + (from + 1) * D, p + to * D);
  return y.to(x.device());
}

Tensor with_value(const Tensor& x, std::int64_t at, float value) {
  Tensor y = x.to(Device::cpu()).clone();
  y.mutable_data<float>()[at] = value;
  return y.to(x.device());
}

std::vector<double> figures(const Identification& id) {
  std::vector<double> all = id.cmc;
  append(all, id.rank1);
  append(all, id.rank5);
  for (const OpenSetRate& rate : id.open_set) {
    append(all, rate.dir);
    all.push_back(rate.threshold);
  }
  return all;
}

}  // namespace

TEST_CASE("search finds what sorting all cosines finds") {
  // Two blocks of the gallery, and rows of one in the other.
  const Tensor gallery =
      with_copies(directions(4700, 20, 1), {{3, 4500}, {4600, 4601}, {100, 4095}, {100, 4096}});
  const Tensor probes = directions(30, 20, 2);
  for (const int k : {1, 5, 40}) CHECK(is_exact(probes, gallery, k));
  // Rows of the gallery themselves: their copies are as much alike, and come after them.
  for (const std::int64_t row : {3, 4500, 4600, 100, 4096}) {
    CAPTURE(row);
    CHECK(is_exact(gallery.slice(row, row + 1), gallery, 4));
  }
  const Matches first = search(gallery.slice(4500, 4501), gallery, 2);
  CHECK(first.index.data<std::int64_t>()[0] == 3);
  CHECK(first.index.data<std::int64_t>()[1] == 4500);
  // The whole gallery, one row of it, and two blocks of probes.
  CHECK(is_exact(probes, gallery.slice(0, 50), 50));
  CHECK(is_exact(probes, gallery.slice(0, 1), 1));
  CHECK(is_exact(directions(1100, 6, 3), directions(30, 6, 4), 3));
}

TEST_CASE("search: many equal cosines, and each more alike than the last") {
  // 16 of 64 rows are the probe, 48 at right angles to it.
  Tensor axes = Tensor::empty({64, 4}, DType::f32, Device::cpu());
  axes.set_zero();
  for (std::int64_t i = 0; i < 64; ++i) axes.mutable_data<float>()[i * 4 + i % 4] = 1;
  const Tensor probe = Tensor::from<float>({1, 0, 0, 0}, {1, 4}).to(Device::cpu());
  for (const int k : {1, 16, 20, 64}) CHECK(is_exact(probe, axes, k));

  Tensor turning = Tensor::empty({300, 2}, DType::f32, Device::cpu());
  float* p = turning.mutable_data<float>();
  for (std::int64_t i = 0; i < 300; ++i) {
    const double angle = 1.5 - static_cast<double>(i) / 200;
    p[2 * i] = static_cast<float>(std::cos(angle));
    p[2 * i + 1] = static_cast<float>(std::sin(angle));
  }
  const Tensor x = Tensor::from<float>({1, 0}, {1, 2}).to(Device::cpu());
  for (const int k : {1, 3, 300}) CHECK(is_exact(x, turning, k));
}

TEST_CASE("search is the same bits with 1, 2 and 3 threads") {
  const Tensor gallery = with_copies(directions(4200, 24, 5), {{7, 4100}, {8, 9}});
  const Tensor probes = directions(33, 24, 6);
  CHECK(same_with_threads([&] {
    const Matches found = search(probes, gallery, 6);
    std::vector<double> all = numbers(found.similarity);
    for (std::int64_t i = 0; i < found.index.numel(); ++i) {
      all.push_back(static_cast<double>(found.index.data<std::int64_t>()[i]));
    }
    return all;
  }));
}

TEST_CASE("search: what it cannot do") {
  const Tensor probes = directions(3, 8, 1), gallery = directions(5, 8, 2);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const auto error = [](const Tensor& x, const Tensor& y, int k) {
    return error_of([&] { search(x, y, k); });
  };
  CHECK(error(probes, gallery, 5).empty());
  CHECK(contains(error(probes, gallery, 0), "k must be from 1 to the 5 rows"));
  CHECK(contains(error(probes, gallery, 6), "k must be from 1 to the 5 rows"));
  CHECK(contains(error(with_value(probes, 17, nan), gallery, 1), "row 2 of probes has length"));
  CHECK(contains(error(probes, with_value(gallery, 9, nan), 1), "row 1 of gallery has length"));
  CHECK(contains(error(probes, with_value(gallery, 0, infinity), 1), "row 0 of gallery"));
  CHECK(contains(error(probes, with_value(gallery, 0, 2), 1), "not 1; was it normalised"));
  CHECK(contains(error(Tensor::zeros({2, 8}), gallery, 1), "has length 0"));
  CHECK(contains(error(probes, directions(5, 7, 2), 1), "features of one network"));
  CHECK(contains(error(probes.reshape({24}), gallery, 1), "probes are a matrix"));
  CHECK(contains(error(probes, Tensor(), 1), "gallery are a matrix"));
  CHECK(contains(error(to_f64(probes), gallery, 1), "of f32"));
  CHECK(contains(error(probes, gallery.slice(2, 2), 1), "gallery are empty"));
}

TEST_CASE("identification of three probes and a stranger") {
  const Tensor similarity = Tensor::from<float>({0.1f, 0.9f, 0.5f, 0.2f,   // 7: first
                                                 0.6f, 0.2f, 0.6f, 0.1f,   // 3: 7 is as much alike
                                                 0.9f, 0.1f, 0.8f, 0.3f,   // 5: third
                                                 0.2f, 0.3f, 0.1f, 0.0f},  // a stranger
                                                {4, 4});
  const Identification id = identify(similarity, {7, 3, 5, 99}, {7, 7, 3, 5}, {.resamples = 0});
  CHECK(id.gallery == 4);
  CHECK(id.people == 3);
  CHECK(id.probes == 3);
  CHECK(id.strangers == 1);
  REQUIRE(id.cmc.size() == 3);
  for (std::size_t r = 0; r < 3; ++r) CHECK(near(id.cmc[r], static_cast<double>(r + 1) / 3));
  CHECK(near(id.rank1.value, 1.0 / 3));
  CHECK(id.rank1.low == id.rank1.value);
  CHECK(id.rank5.value == 1);
  REQUIRE(id.open_set.size() == 2);
  for (const OpenSetRate& rate : id.open_set) {
    CHECK_FALSE(rate.supported);
    CHECK(is_nan(rate.dir));
    CHECK(std::isnan(rate.threshold));
  }
  const Identification closed = identify(similarity.slice(0, 3), {7, 3, 5}, {7, 7, 3, 5});
  CHECK(closed.open_set.empty());
  CHECK(closed.strangers == 0);
  CHECK(closed.rank1.value == id.rank1.value);
  CHECK(closed.rank1.low == 0);  // 8 of 27 draws leave the first out
}

TEST_CASE("identification: the curve ends at rank 50") {
  Tensor similarity = Tensor::zeros({1, 60}).to(Device::cpu());
  std::vector<std::int64_t> people;
  for (std::int64_t i = 0; i < 60; ++i) people.push_back(i);
  similarity.mutable_data<float>()[0] = 1;
  const Identification first = identify(similarity, {0}, people, {.resamples = 5});
  CHECK(first.cmc == std::vector<double>(50, 1.0));
  similarity.mutable_data<float>()[0] = -1;  // behind all others
  const Identification last = identify(similarity, {0}, people, {.resamples = 5});
  CHECK(last.cmc == std::vector<double>(50, 0.0));
}

TEST_CASE("open set: the threshold refuses all but a tenth of the strangers") {
  // Strangers at 0.00 ... 0.99, then known probes: above the eleventh, equal to it, and one whose
  // person is second.
  const std::int64_t strangers = 100;
  std::vector<float> values;
  std::vector<std::int64_t> people;
  for (std::int64_t i = 0; i < strangers; ++i) {
    values.insert(values.end(), {static_cast<float>(i) / 100, -1.0f});
    people.push_back(1000 + i);
  }
  values.insert(values.end(), {0.895f, 0.0f, 0.89f, 0.0f, 0.95f, 0.99f});
  people.insert(people.end(), {1, 1, 1});
  const Tensor similarity = Tensor::from(std::span<const float>(values), {strangers + 3, 2});
  const Identification id = identify(similarity, people, {1, 2}, {.resamples = 0});
  CHECK(id.strangers == strangers);
  CHECK(id.probes == 3);
  REQUIRE(id.open_set.size() == 2);
  CHECK(id.open_set[0].fpir == 1e-1);
  CHECK(id.open_set[0].supported);
  const float eleventh = 89.0f / 100;
  CHECK(id.open_set[0].threshold ==
        double{std::nextafter(eleventh, std::numeric_limits<float>::infinity())});
  CHECK(near(id.open_set[0].dir.value, 1.0 / 3));
  CHECK(near(id.rank1.value, 2.0 / 3));
  CHECK(id.open_set[1].fpir == 1e-2);
  CHECK_FALSE(id.open_set[1].supported);
}

TEST_CASE("identification is what numpy finds, and resamples people") {
  const auto file = load_goldens("recognition.safetensors");
  const Tensor similarity = file.tensors.at("probe_similarity");
  const auto probes = integers(file.tensors.at("probe_people"));
  const auto gallery = integers(file.tensors.at("gallery_people"));
  const BootstrapOptions options{.resamples = 30, .seed = 2};
  const Identification id = identify(similarity, probes, gallery, options);
  const std::vector<double> cmc = numbers(file.tensors.at("cmc"));
  REQUIRE(id.cmc.size() == cmc.size());
  for (std::size_t r = 0; r < cmc.size(); ++r) CHECK(near(id.cmc[r], cmc[r]));
  CHECK(near(id.rank1.value, cmc[0]));
  CHECK(near(id.rank5.value, cmc[4]));
  REQUIRE(id.open_set[0].supported);
  CHECK(near(id.open_set[0].dir.value, file.tensors.at("dir").item()));
  CHECK(id.open_set[0].threshold == file.tensors.at("dir_threshold").item());
  CHECK_FALSE(id.open_set[1].supported);

  // Each resample anew: the subjects are the people of the probes, by their numbers.
  std::vector<std::int64_t> subjects = probes;
  std::sort(subjects.begin(), subjects.end());
  subjects.erase(std::unique(subjects.begin(), subjects.end()), subjects.end());
  const std::vector<double> s = numbers(similarity);
  const std::size_t G = gallery.size();
  const auto statistics = [&](std::span<const int> times) {
    struct Seen {
      double weight, best;
      bool first;
    };
    std::vector<Seen> known, strange;
    double all_known = 0, all_strange = 0, first = 0;
    for (std::size_t i = 0; i < probes.size(); ++i) {
      const auto at = std::lower_bound(subjects.begin(), subjects.end(), probes[i]);
      const double weight = times[static_cast<std::size_t>(at - subjects.begin())];
      double own = -9, other = -9;
      for (std::size_t j = 0; j < G; ++j) {
        double& best = gallery[j] == probes[i] ? own : other;
        best = std::max(best, s[i * G + j]);
      }
      const bool is_known = own > -9;
      (is_known ? known : strange).push_back({weight, std::max(own, other), own > other});
      (is_known ? all_known : all_strange) += weight;
      if (is_known && own > other) first += weight;
    }
    // The lowest limit above which at most a tenth of the strangers is.
    const auto share_above = [&](double limit) {
      double above = 0;
      for (const Seen& seen : strange) above += seen.best > limit ? seen.weight : 0;
      return above / all_strange;
    };
    double limit = 9;
    for (const Seen& seen : strange) {
      if (share_above(seen.best) <= 0.1) limit = std::min(limit, seen.best);
    }
    double detected = 0;
    for (const Seen& seen : known) detected += seen.first && seen.best > limit ? seen.weight : 0;
    return std::vector<double>{first / all_known, detected / all_known};
  };
  const std::vector<Interval> expected =
      bootstrap_all(static_cast<std::int64_t>(subjects.size()), statistics, options);
  CHECK(near(id.rank1, expected[0]));
  CHECK(near(id.open_set[0].dir, expected[1]));
  CHECK(id.rank1.low < id.rank1.high);
  CHECK(id.open_set[0].dir.low < id.open_set[0].dir.high);
  CHECK(same_with_threads([&] { return figures(identify(similarity, probes, gallery)); }));
}

TEST_CASE("identification: what it cannot do") {
  const Tensor s = Tensor::from<float>({0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f}, {2, 3});
  const auto error = [](const Tensor& similarity, const std::vector<std::int64_t>& probes,
                        const std::vector<std::int64_t>& gallery) {
    return error_of([&] { identify(similarity, probes, gallery); });
  };
  CHECK(error(s, {1, 2}, {1, 2, 3}).empty());
  CHECK(contains(error(s, {1}, {1, 2, 3}), "people are given of 1 probes and 3"));
  CHECK(contains(error(s, {1, 2}, {1, 2}), "people are given of 2 probes and 2"));
  CHECK(contains(error(s, {8, 9}, {1, 2, 3}), "none of the 2 probes"));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(contains(error(with_value(s, 4, nan), {1, 2}, {1, 2, 3}),
                 "the similarity of probe 1 and gallery image 1 is"));
  CHECK(contains(error(s.slice(1, 1), {}, {1, 2, 3}), "there are no probes"));
  CHECK(contains(error(s.reshape({6}), {1, 2}, {1, 2, 3}), "a matrix"));
  CHECK(contains(error(to_f64(s), {1, 2}, {1, 2, 3}), "of f32"));
  CHECK(contains(error(Tensor(), {}, {}), "a matrix"));
}
