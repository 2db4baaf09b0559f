#include "models/verification.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <set>
#include <span>

#include "kernels/parallel.h"
#include "models/rates.h"
#include "tensor/error.h"

namespace imago::models {
namespace {

constexpr std::array<double, 3> asked_rates = {1e-1, 1e-2, 1e-3};
constexpr std::size_t most_points = 1000;

void check_scores(const char* op, const ScoredPairs& pairs) {
  const std::size_t P = pairs.size();
  check(P < (std::size_t{1} << 32), op, "takes fewer than 2^32 pairs, not ", P);
  check(pairs.same.size() == P, op, "there are ", P, " similarities, but ", pairs.same.size(),
        " answers to whether they are of one person");
  std::size_t genuine = 0;
  for (std::size_t i = 0; i < P; ++i) {
    if (!std::isfinite(pairs.similarity[i])) {
      fail(op, "the similarity of pair ", i, " is ", pairs.similarity[i],
           "; did the network diverge?");
    }
    if (pairs.same[i] > 1)
      fail(op, "same must be 0 or 1, not ", int{pairs.same[i]}, ", of pair ", i);
    genuine += pairs.same[i];
  }
  check(genuine > 0 && genuine < P, op, "needs pairs of one person and of two, but ", genuine,
        " of ", P, " are of one");
}

void check_people(const char* op, const ScoredPairs& pairs) {
  const std::size_t P = pairs.size();
  check(pairs.a.size() == P && pairs.b.size() == P, op, "there are ", P, " pairs, but people of ",
        pairs.a.size(), " and ", pairs.b.size());
  for (std::size_t i = 0; i < P; ++i) {
    const std::int32_t a = pairs.a[i], b = pairs.b[i];
    if (a < 0 || b < 0 || a >= pairs.people || b >= pairs.people) {
      fail(op, "pair ", i, " is of persons ", a, " and ", b, ", of ", pairs.people);
    }
    if ((pairs.same[i] == 1) != (a == b)) {
      fail(op, "pair ", i, " is of persons ", a, " and ", b, ", but said to be of ",
           pairs.same[i] ? "one" : "two");
    }
  }
}

// The places of the pairs, the most alike first, of equals the first. Integers sort faster than
// pairs of numbers: the upper half of a key falls as the similarity grows.
std::vector<std::uint32_t> descending(const std::vector<float>& similarity) {
  std::vector<std::uint64_t> keys(similarity.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(similarity[i] + 0.0f);  // no -0
    const std::uint32_t falling = bits >> 31 ? bits : ~bits & 0x7fffffffu;
    keys[i] = std::uint64_t{falling} << 32 | i;
  }
  std::sort(keys.begin(), keys.end());
  std::vector<std::uint32_t> places(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) places[i] = static_cast<std::uint32_t>(keys[i]);
  return places;
}

// The pairs in that order.
struct Sorted {
  std::vector<float> score;
  std::vector<std::uint8_t> same, last;  // last of equal scores
  std::vector<std::int32_t> a, b;        // empty where nobody asks for people

  std::size_t size() const { return score.size(); }
};

Sorted sorted(const ScoredPairs& pairs, const std::vector<std::uint32_t>& places, bool people) {
  Sorted s;
  const std::size_t P = pairs.size();
  s.score.reserve(P), s.same.reserve(P), s.last.resize(P);
  for (const std::uint32_t i : places) {
    s.score.push_back(pairs.similarity[i]);
    s.same.push_back(pairs.same[i]);
    if (people) s.a.push_back(pairs.a[i]), s.b.push_back(pairs.b[i]);
  }
  for (std::size_t i = 0; i < P; ++i) s.last[i] = i + 1 == P || s.score[i + 1] != s.score[i];
  return s;
}

// How many pairs of either kind there are, or are accepted.
struct Counts {
  std::int64_t genuine = 0, impostor = 0;
};

// How often each pair counts when its people were drawn so many times.
struct Drawn {
  const Sorted& pairs;
  std::span<const int> times;

  std::int64_t operator()(std::size_t i) const {
    const std::int64_t a = times[static_cast<std::size_t>(pairs.a[i])];
    return pairs.same[i] ? a : a * times[static_cast<std::size_t>(pairs.b[i])];
  }
};

struct Once {
  std::int64_t operator()(std::size_t) const { return 1; }
};

// Lowers the threshold from one score to the next lower one and calls f(accepted, i) at each, i
// being the last pair that it lets in. Scores of which no pair counts are passed over.
template <class Weight, class F>
void sweep(const Sorted& pairs, const Weight& weight, F&& f) {
  Counts accepted;
  bool moved = false;
  const std::size_t P = pairs.size();
  for (std::size_t i = 0; i < P; ++i) {
    if (const std::int64_t w = weight(i); w != 0) {
      (pairs.same[i] ? accepted.genuine : accepted.impostor) += w;
      moved = true;
    }
    if (moved && pairs.last[i]) {
      f(static_cast<const Counts&>(accepted), i);
      moved = false;
    }
  }
}

template <class Weight>
Counts totals(const Sorted& pairs, const Weight& weight) {
  Counts all;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    (pairs.same[i] ? all.genuine : all.impostor) += weight(i);
  }
  return all;
}

// The figures that have intervals.
struct Figures {
  double auc = 0, eer = 0, accuracy = 0;
  std::array<double, asked_rates.size()> tar{};
};

// Counts are integers and their products are held by f64 below 2^53, so a figure is rounded once.
template <class Weight>
Figures figures_of(const Sorted& pairs, const Weight& weight) {
  const Counts all = totals(pairs, weight);
  if (all.genuine == 0 || all.impostor == 0) {
    const double none = std::nan("");
    return {none, none, none, {none, none, none}};
  }
  const double G = static_cast<double>(all.genuine), I = static_cast<double>(all.impostor);
  std::array<std::int64_t, asked_rates.size()> allowed{}, accepted{};
  for (std::size_t r = 0; r < asked_rates.size(); ++r) {
    allowed[r] = allowed_errors(asked_rates[r], all.impostor);
  }
  double area = 0, best = 0;        // times 2 G I, and times G I
  double far = 0, difference = -1;  // at the last point: FAR, and FAR - FRR
  double eer = std::nan("");
  Counts before;
  sweep(pairs, weight, [&](const Counts& now, std::size_t) {
    area += static_cast<double>(now.impostor - before.impostor) *
            static_cast<double>(now.genuine + before.genuine);
    best = std::max(best,
                    static_cast<double>(now.genuine) * I - static_cast<double>(now.impostor) * G);
    for (std::size_t r = 0; r < allowed.size(); ++r) {
      if (now.impostor <= allowed[r]) accepted[r] = now.genuine;
    }
    if (difference < 0) {
      const double far_now = static_cast<double>(now.impostor) / I;
      const double now_difference = far_now - static_cast<double>(all.genuine - now.genuine) / G;
      if (now_difference >= 0) {
        eer = far + (far_now - far) * (difference / (difference - now_difference));
      }
      far = far_now;
      difference = now_difference;
    }
    before = now;
  });
  Figures figures{area / (2 * G * I), eer, (1 + best / (G * I)) / 2, {}};
  for (std::size_t r = 0; r < accepted.size(); ++r) {
    figures.tar[r] = static_cast<double>(accepted[r]) / G;
  }
  return figures;
}

// Above every similarity: lets nobody in.
double above(float similarity) {
  return std::nextafter(similarity, std::numeric_limits<float>::infinity());
}

// The best of the cuts between scores, which come from above. Of equally good ones the one in the
// widest gap, of equally wide ones the highest; the threshold is in the middle of the gap. The cuts
// above and below everything have no gap.
class BestCut {
 public:
  explicit BestCut(float highest) : threshold_(above(highest)) {}

  void offer(double gain, double score, double next) {
    if (gain < gain_ || (gain == gain_ && score - next <= gap_)) return;
    gain_ = gain;
    gap_ = score - next;
    threshold_ = (score + next) / 2;
  }
  double threshold() const { return threshold_; }

 private:
  double gain_ = 0, gap_ = 0;  // nothing is gained where nobody is let in
  double threshold_;
};

double balanced_threshold(const Sorted& pairs, const Counts& all) {
  BestCut best(pairs.score[0]);
  sweep(pairs, Once{}, [&](const Counts& now, std::size_t i) {
    const double gain = static_cast<double>(now.genuine) * static_cast<double>(all.impostor) -
                        static_cast<double>(now.impostor) * static_cast<double>(all.genuine);
    best.offer(gain, pairs.score[i], pairs.score[std::min(i + 1, pairs.size() - 1)]);
  });
  return best.threshold();
}

// Every point, or where there are more than most_points, the ends and of the others half at even
// places and half at places whose logarithms are even, which are those of low rates.
std::vector<RocPoint> roc_of(const Sorted& pairs, const Counts& all) {
  const auto points = static_cast<std::size_t>(std::count(pairs.last.begin(), pairs.last.end(), 1));
  std::set<std::size_t> kept;  // of 1 .. points; point 0 lets nobody in
  const std::size_t half = (most_points - 1) / 2;
  if (points > most_points - 1) {
    for (std::size_t i = 1; i <= half; ++i) {
      const double part = static_cast<double>(i) / static_cast<double>(half);
      kept.insert(1 + (points - 1) * i / half);
      kept.insert(static_cast<std::size_t>(std::pow(static_cast<double>(points), part)));
    }
  }
  std::vector<RocPoint> roc{{0, 0, above(pairs.score[0])}};
  std::size_t point = 0;
  sweep(pairs, Once{}, [&](const Counts& now, std::size_t i) {
    ++point;
    if (!kept.empty() && !kept.contains(point)) return;
    roc.push_back({static_cast<double>(now.impostor) / static_cast<double>(all.impostor),
                   static_cast<double>(now.genuine) / static_cast<double>(all.genuine),
                   pairs.score[i]});
  });
  return roc;
}

// The threshold that is best on the pairs of the other folds.
double best_on_others(const Sorted& pairs, const std::vector<int>& fold, int left_out) {
  double gain = 0, score = 0;
  std::optional<BestCut> best;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (fold[i] == left_out) continue;
    if (!best) {
      best.emplace(pairs.score[i]);
    } else if (pairs.score[i] != score) {
      best->offer(gain, score, pairs.score[i]);
    }
    score = pairs.score[i];
    gain += pairs.same[i] ? 1 : -1;
  }
  best->offer(gain, score, score);
  return best->threshold();
}

FoldAccuracy fold_accuracy(const char* op, const ScoredPairs& pairs, const Sorted& s,
                           const std::vector<std::uint32_t>& places,
                           const BootstrapOptions& options) {
  check(pairs.fold.size() == pairs.size(), op, "there are ", pairs.size(), " pairs, but folds of ",
        pairs.fold.size());
  const auto [lowest, highest] = std::minmax_element(pairs.fold.begin(), pairs.fold.end());
  check(*lowest >= 0 && *highest >= 1 && static_cast<std::size_t>(*highest) < pairs.size(), op,
        "folds are numbered from 0 and there are at least 2, but they are ", *lowest, " to ",
        *highest);
  const auto folds = static_cast<std::size_t>(*highest) + 1;
  std::vector<int> fold;
  for (const std::uint32_t i : places) fold.push_back(pairs.fold[i]);
  std::vector<std::int64_t> sizes(folds);
  for (const int f : fold) ++sizes[static_cast<std::size_t>(f)];
  for (std::size_t f = 0; f < folds; ++f) {
    check(sizes[f] > 0, op, "fold ", f, " of ", folds, " has no pairs");
  }
  FoldAccuracy result;
  result.folds.resize(folds), result.thresholds.resize(folds);
  parallel_for(static_cast<std::int64_t>(folds), [&](std::int64_t f) {
    const auto at = static_cast<std::size_t>(f);
    const double threshold = best_on_others(s, fold, static_cast<int>(f));
    std::int64_t right = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
      right += fold[i] == static_cast<int>(f) && (s.score[i] >= threshold) == (s.same[i] == 1);
    }
    result.folds[at] = static_cast<double>(right) / static_cast<double>(sizes[at]);
    result.thresholds[at] = threshold;
  });
  result.mean = bootstrap(
      pairs.people,
      [&](std::span<const int> times) {
        const Drawn drawn{s, times};
        std::vector<std::int64_t> of_fold(folds), right(folds);
        for (std::size_t i = 0; i < s.size(); ++i) {
          const auto f = static_cast<std::size_t>(fold[i]);
          of_fold[f] += drawn(i);
          right[f] += (s.score[i] >= result.thresholds[f]) == (s.same[i] == 1) ? drawn(i) : 0;
        }
        double sum = 0, seen = 0;  // folds that anybody was drawn of
        for (std::size_t f = 0; f < folds; ++f) {
          seen += of_fold[f] > 0;
          sum +=
              of_fold[f] > 0 ? static_cast<double>(right[f]) / static_cast<double>(of_fold[f]) : 0;
        }
        return sum / seen;
      },
      options);
  const double F = static_cast<double>(folds);
  double square = 0;
  for (const double accuracy : result.folds) square += std::pow(accuracy - result.mean.value, 2);
  result.standard_error = std::sqrt(square / (F - 1) / F);
  return result;
}

// The lowest score with at most so many impostors at or above it, or above all scores.
double threshold_for(const Sorted& pairs, std::int64_t allowed) {
  double threshold = above(pairs.score[0]);
  sweep(pairs, Once{}, [&](const Counts& now, std::size_t i) {
    if (now.impostor <= allowed) threshold = pairs.score[i];
  });
  return threshold;
}

}  // namespace

Verification verify(const ScoredPairs& pairs, const BootstrapOptions& options) {
  const char* op = "verify";
  check_scores(op, pairs);
  check_people(op, pairs);
  const std::vector<std::uint32_t> places = descending(pairs.similarity);
  const Sorted s = sorted(pairs, places, true);
  const Counts all = totals(s, Once{});
  std::vector<Interval> intervals = bootstrap_all(
      pairs.people,
      [&](std::span<const int> times) {
        const Figures f = figures_of(s, Drawn{s, times});
        std::vector<double> figures{f.auc, f.eer, f.accuracy};
        figures.insert(figures.end(), f.tar.begin(), f.tar.end());
        return figures;
      },
      options);

  Verification result;
  result.genuine = all.genuine;
  result.impostor = all.impostor;
  result.auc = intervals[0];
  result.eer = intervals[1];
  result.accuracy = intervals[2];
  result.accuracy_threshold = balanced_threshold(s, all);
  for (std::size_t r = 0; r < asked_rates.size(); ++r) {
    const double rate = asked_rates[r], none = std::nan("");
    if (rate_is_supported(rate, all.impostor)) {
      const double threshold = threshold_for(s, allowed_errors(rate, all.impostor));
      result.tar_at_far.push_back({rate, true, intervals[3 + r], threshold});
    } else {
      result.tar_at_far.push_back({rate, false, {none, none, none}, none});
    }
  }
  if (!pairs.fold.empty()) result.folds = fold_accuracy(op, pairs, s, places, options);
  result.roc = roc_of(s, all);
  return result;
}

double roc_auc(const ScoredPairs& pairs) {
  check_scores("roc_auc", pairs);
  return figures_of(sorted(pairs, descending(pairs.similarity), false), Once{}).auc;
}

double best_balanced_accuracy(const ScoredPairs& pairs) {
  check_scores("best_balanced_accuracy", pairs);
  return figures_of(sorted(pairs, descending(pairs.similarity), false), Once{}).accuracy;
}

}  // namespace imago::models
