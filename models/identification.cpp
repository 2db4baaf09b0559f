#include "models/identification.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "kernels/gemm/gemm.h"
#include "kernels/parallel.h"
#include "models/people.h"
#include "models/rates.h"
#include "tensor/error.h"

namespace imago::models {
namespace {

constexpr std::array<double, 2> asked_rates = {1e-1, 1e-2};

// |x|^2 to a few roundings, in sums that the compiler can keep side by side.
float square_of(const float* x, std::int64_t D) {
  constexpr std::int64_t lanes = 16;
  std::array<float, lanes> sums{};
  std::int64_t d = 0;
  for (; d + lanes <= D; d += lanes) {
    for (std::int64_t l = 0; l < lanes; ++l)
      sums[static_cast<std::size_t>(l)] += x[d + l] * x[d + l];
  }
  float square = 0;
  for (; d < D; ++d) square += x[d] * x[d];
  for (const float sum : sums) square += sum;
  return square;
}

Tensor unit_rows(const char* op, const char* what, const Tensor& x) {
  check(x.defined() && x.dim() == 2 && x.dtype() == DType::f32, op, what,
        " are a matrix (rows, features) of f32");
  check(x.numel() > 0, op, what, " are empty: ", x.shape());
  const Tensor host = x.to(Device::cpu());
  const float* p = host.data<float>();
  const std::int64_t D = x.size(1);
  parallel_ranges(x.size(0), 256, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float square = square_of(p + i * D, D);
      if (!(std::abs(square - 1) <= 0.02f)) {
        fail(op, "row ", i, " of ", what, " has length ", std::sqrt(square),
             ", not 1; was it normalised, and is it finite?");
      }
    }
  });
  return host;
}

struct Candidate {
  float similarity;
  std::int32_t index;
};

bool before(const Candidate& a, const Candidate& b) {
  return a.similarity != b.similarity ? a.similarity > b.similarity : a.index < b.index;
}

// The best `room` of what it has seen, at least: it collects as many again before it looks which
// those are, so that a new one costs a comparison, rarely more.
class Best {
 public:
  explicit Best(std::size_t room) : room_(room) { found_.reserve(2 * room); }

  // Rows come in order, so one that equals the worst comes after it.
  void offer(const float* similarity, std::int64_t count, std::int64_t first) {
    for (std::int64_t j = 0; j < count; ++j) {
      if (!(similarity[j] > worst_)) continue;
      found_.push_back({similarity[j], static_cast<std::int32_t>(first + j)});
      if (found_.size() == 2 * room_) cut();
    }
  }
  std::vector<Candidate>& found() {
    if (found_.size() > room_) cut();
    return found_;
  }

 private:
  void cut() {
    const auto last = found_.begin() + static_cast<std::ptrdiff_t>(room_) - 1;
    std::nth_element(found_.begin(), last, found_.end(), before);
    worst_ = last->similarity;
    found_.resize(room_);
  }

  std::size_t room_;
  float worst_ = -std::numeric_limits<float>::infinity();
  std::vector<Candidate> found_;
};

float cosine(const float* a, const float* b, std::int64_t D) {
  double sum = 0;
  for (std::int64_t d = 0; d < D; ++d) sum += double{a[d]} * b[d];
  return static_cast<float>(sum);
}

}  // namespace

Matches search(const Tensor& probes, const Tensor& gallery, int k) {
  const char* op = "search";
  const Tensor x = unit_rows(op, "probes", probes), y = unit_rows(op, "gallery", gallery);
  const std::int64_t N = x.size(0), M = y.size(0), D = x.size(1);
  check(y.size(1) == D, op, "both sides need features of one network, but they are ", x.shape(),
        " and ", y.shape());
  check(k >= 1 && k <= M, op, "k must be from 1 to the ", M, " rows of the gallery, not ", k);
  check(M <= std::numeric_limits<std::int32_t>::max(), op, "a gallery has fewer than 2^31 rows");
  constexpr std::int64_t probe_rows = 1024, gallery_rows = 4096;  // 16 MiB of products
  constexpr std::int64_t spare = 16;  // places by f32 products are not final ones
  const std::int64_t room = std::min(k + spare, M);
  Matches result{Tensor::empty({N, k}, DType::i64, Device::cpu()),
                 Tensor::empty({N, k}, DType::f32, Device::cpu())};
  std::int64_t* index = result.index.mutable_data<std::int64_t>();
  float* similarity = result.similarity.mutable_data<float>();
  const float *px = x.data<float>(), *py = y.data<float>();
  for (std::int64_t n = 0; n < N; n += probe_rows) {
    const std::int64_t rows = std::min(probe_rows, N - n);
    std::vector<Best> best(static_cast<std::size_t>(rows), Best(static_cast<std::size_t>(room)));
    for (std::int64_t m = 0; m < M; m += gallery_rows) {
      const std::int64_t columns = std::min(gallery_rows, M - m);
      const Tensor products = kernels::gemm(x.slice(n, n + rows), y.slice(m, m + columns),
                                            kernels::Transpose::no, kernels::Transpose::yes);
      const float* p = products.data<float>();
      parallel_for(rows, [&](std::int64_t i) {
        best[static_cast<std::size_t>(i)].offer(p + i * columns, columns, m);
      });
    }
    parallel_for(rows, [&](std::int64_t i) {
      std::vector<Candidate>& found = best[static_cast<std::size_t>(i)].found();
      for (Candidate& c : found) c.similarity = cosine(px + (n + i) * D, py + c.index * D, D);
      std::partial_sort(found.begin(), found.begin() + k, found.end(), before);
      for (int r = 0; r < k; ++r) {
        index[(n + i) * k + r] = found[static_cast<std::size_t>(r)].index;
        similarity[(n + i) * k + r] = found[static_cast<std::size_t>(r)].similarity;
      }
    });
  }
  return result;
}

namespace {

// What identification knows of a probe.
struct Probe {
  std::size_t person = 0;  // among the people of the probes
  bool known = false;      // in the gallery
  std::int64_t rank = 0;   // of a known one, from 1
  float best = 0;          // similarity to anybody
};

std::vector<Probe> ranked(const char* op, const Tensor& similarity,
                          const std::vector<std::int64_t>& probe_people,
                          const std::vector<std::int64_t>& people_of_probes,
                          const std::vector<std::int64_t>& gallery_people,
                          const std::vector<std::int64_t>& people) {
  const std::vector<std::int32_t> shown = places_of(gallery_people, people);
  const std::int64_t P = similarity.size(0), G = similarity.size(1);
  const float* s = similarity.data<float>();
  std::vector<Probe> probes(static_cast<std::size_t>(P));
  parallel_for(P, [&](std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    constexpr float none = -std::numeric_limits<float>::infinity();
    std::vector<float> best(people.size(), none);  // of each person
    for (std::int64_t j = 0; j < G; ++j) {
      const float value = s[i * G + j];
      if (!std::isfinite(value)) {
        fail(op, "the similarity of probe ", i, " and gallery image ", j, " is ", value,
             "; did the network diverge?");
      }
      float& of_person = best[static_cast<std::size_t>(shown[static_cast<std::size_t>(j)])];
      of_person = std::max(of_person, value);
    }
    Probe& probe = probes[at];
    probe.person = static_cast<std::size_t>(place_of(probe_people[at], people_of_probes));
    probe.best = *std::max_element(best.begin(), best.end());
    const std::int32_t own = place_of(probe_people[at], people);
    probe.known = own >= 0;
    if (!probe.known) return;
    const float right = best[static_cast<std::size_t>(own)];
    // Its own person is one of those that are as much alike.
    probe.rank = std::count_if(best.begin(), best.end(), [&](float b) { return b >= right; });
  });
  return probes;
}

// The highest similarity that is too low: at it, too many strangers would be taken for somebody.
// `strangers` come the most alike first.
float refused(const std::vector<Probe>& strangers, std::span<const int> times,
              std::int64_t allowed) {
  std::int64_t accepted = 0;
  for (const Probe& stranger : strangers) {
    accepted += times[stranger.person];
    if (accepted > allowed) return stranger.best;
  }
  return -std::numeric_limits<float>::infinity();
}

}  // namespace

Identification identify(const Tensor& similarity, const std::vector<std::int64_t>& probe_people,
                        const std::vector<std::int64_t>& gallery_people,
                        const BootstrapOptions& options) {
  const char* op = "identify";
  check(similarity.defined() && similarity.dim() == 2 && similarity.dtype() == DType::f32, op,
        "similarities are a matrix (probes, gallery images) of f32");
  check(similarity.size(0) == static_cast<std::int64_t>(probe_people.size()) &&
            similarity.size(1) == static_cast<std::int64_t>(gallery_people.size()),
        op, "similarities are ", similarity.shape(), ", but people are given of ",
        probe_people.size(), " probes and ", gallery_people.size(), " gallery images");
  check(similarity.numel() > 0, op, "there are no probes, or no gallery: ", similarity.shape());
  const std::vector<std::int64_t> people = distinct_people(gallery_people);
  const std::vector<std::int64_t> subjects = distinct_people(probe_people);
  std::vector<Probe> known =
      ranked(op, similarity.to(Device::cpu()), probe_people, subjects, gallery_people, people);
  const auto strange = std::stable_partition(known.begin(), known.end(),
                                             [](const Probe& probe) { return probe.known; });
  std::vector<Probe> strangers(strange, known.end());
  known.erase(strange, known.end());
  check(!known.empty(), op, "none of the ", probe_people.size(),
        " probes shows anybody of the gallery; are people numbered alike on both sides?");
  std::stable_sort(strangers.begin(), strangers.end(),
                   [](const Probe& a, const Probe& b) { return a.best > b.best; });

  // Rank 1, rank 5, and the detection rates.
  const auto figures = [&](std::span<const int> times) {
    constexpr std::size_t R = asked_rates.size();
    std::vector<double> values(2 + R, std::nan(""));
    std::int64_t n_known = 0, n_strangers = 0;
    for (const Probe& probe : strangers) n_strangers += times[probe.person];
    std::array<float, R> limit{};
    for (std::size_t r = 0; r < R && n_strangers > 0; ++r) {
      limit[r] = refused(strangers, times, allowed_errors(asked_rates[r], n_strangers));
    }
    std::int64_t first = 0, fifth = 0;
    std::array<std::int64_t, R> detected{};
    for (const Probe& probe : known) {
      const int n = times[probe.person];
      n_known += n;
      if (probe.rank <= 5) fifth += n;
      if (probe.rank > 1) continue;
      first += n;
      for (std::size_t r = 0; r < R; ++r) {
        if (probe.best > limit[r]) detected[r] += n;
      }
    }
    if (n_known == 0) return values;
    const auto share = [&](std::int64_t n) {
      return static_cast<double>(n) / static_cast<double>(n_known);
    };
    values[0] = share(first);
    values[1] = share(fifth);
    for (std::size_t r = 0; r < R && n_strangers > 0; ++r) values[2 + r] = share(detected[r]);
    return values;
  };
  const std::vector<Interval> intervals =
      bootstrap_all(static_cast<std::int64_t>(subjects.size()), figures, options);

  Identification result;
  result.gallery = similarity.size(1);
  result.people = static_cast<std::int64_t>(people.size());
  result.probes = static_cast<std::int64_t>(known.size());
  result.strangers = static_cast<std::int64_t>(strangers.size());
  result.rank1 = intervals[0];
  result.rank5 = intervals[1];
  for (std::int64_t rank = 1; rank <= std::min<std::int64_t>(result.people, 50); ++rank) {
    const auto found = std::count_if(known.begin(), known.end(),
                                     [&](const Probe& probe) { return probe.rank <= rank; });
    result.cmc.push_back(static_cast<double>(found) / static_cast<double>(known.size()));
  }
  const std::vector<int> once(subjects.size(), 1);
  for (std::size_t r = 0; r < asked_rates.size() && !strangers.empty(); ++r) {
    const double rate = asked_rates[r], none = std::nan("");
    if (!rate_is_supported(rate, result.strangers)) {
      result.open_set.push_back({rate, false, {none, none, none}, none});
      continue;
    }
    const float limit = refused(strangers, once, allowed_errors(rate, result.strangers));
    result.open_set.push_back({rate, true, intervals[2 + r],
                               std::nextafter(limit, std::numeric_limits<float>::infinity())});
  }
  return result;
}

}  // namespace imago::models
