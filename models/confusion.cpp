#include "models/confusion.h"

#include <cmath>
#include <span>

#include "models/people.h"
#include "tensor/error.h"

namespace imago::models {
namespace {

// part / of; NaN where both are 0.
double share(std::int64_t part, std::int64_t of) {
  return static_cast<double>(part) / static_cast<double>(of);
}

void check_class(const char* op, const char* what, std::size_t image, std::int64_t value,
                 std::size_t classes) {
  if (value < 0 || value >= static_cast<std::int64_t>(classes)) {
    fail(op, "the ", what, " of image ", image, " is ", value, ", not one of ", classes,
         " classes");
  }
}

}  // namespace

std::int64_t Confusion::total() const {
  std::int64_t sum = 0;
  for (const auto& row : counts) {
    for (const std::int64_t count : row) sum += count;
  }
  return sum;
}

Confusion confusion(const std::vector<std::int64_t>& truth, const std::vector<std::int64_t>& answer,
                    const std::vector<std::string>& classes, const BootstrapOptions& options,
                    const std::vector<std::int64_t>& people) {
  const char* op = "confusion";
  const std::size_t N = truth.size(), K = classes.size();
  check(N > 0, op, "there are no images");
  check(answer.size() == N, op, "there are ", N, " truths, but ", answer.size(), " answers");
  check(people.empty() || people.size() == N, op, "there are ", N, " truths, but people of ",
        people.size(), " images");
  Confusion result;
  result.classes = classes;
  result.counts.assign(K, std::vector<std::int64_t>(K));
  for (std::size_t i = 0; i < N; ++i) {
    check_class(op, "truth", i, truth[i], K);
    check_class(op, "answer", i, answer[i], K);
    ++result.counts[static_cast<std::size_t>(truth[i])][static_cast<std::size_t>(answer[i])];
  }

  const std::vector<std::int64_t> distinct = distinct_people(people);
  const std::vector<std::int32_t> person = places_of(people, distinct);
  const auto figures_of = [&](std::span<const int> times) {
    std::vector<std::int64_t> shown(K), right(K);
    std::int64_t all = 0, all_right = 0;
    for (std::size_t i = 0; i < N; ++i) {
      const int n = times[people.empty() ? i : static_cast<std::size_t>(person[i])];
      const auto k = static_cast<std::size_t>(truth[i]);
      shown[k] += n;
      if (truth[i] == answer[i]) right[k] += n;
    }
    double recalls = 0, occurring = 0;
    std::vector<double> figures(2);
    for (std::size_t k = 0; k < K; ++k) {
      figures.push_back(share(right[k], shown[k]));
      all += shown[k];
      all_right += right[k];
      if (shown[k] == 0) continue;
      recalls += share(right[k], shown[k]);
      occurring += 1;
    }
    figures[0] = share(all_right, all);
    figures[1] = recalls / occurring;
    return figures;
  };
  const std::size_t subjects = people.empty() ? N : distinct.size();
  const std::vector<Interval> intervals =
      bootstrap_all(static_cast<std::int64_t>(subjects), figures_of, options);
  result.accuracy = intervals[0];
  result.balanced_accuracy = intervals[1];

  for (std::size_t k = 0; k < K; ++k) {
    std::int64_t shown = 0, answered = 0;
    for (std::size_t other = 0; other < K; ++other) {
      shown += result.counts[k][other];
      answered += result.counts[other][k];
    }
    const std::int64_t right = result.counts[k][k];
    result.recall.push_back(intervals[2 + k]);
    result.precision.push_back(share(right, answered));
    result.f1.push_back(share(2 * right, shown + answered));  // 2 P R / (P + R)
  }
  return result;
}

std::vector<std::int64_t> answers_of(const Tensor& probabilities) {
  const char* op = "answers_of";
  check(probabilities.defined() && probabilities.dim() == 2 && probabilities.dtype() == DType::f32,
        op, "probabilities are a matrix (images, classes) of f32");
  const std::int64_t N = probabilities.size(0), K = probabilities.size(1);
  check(K > 0, op, "there are no classes: ", probabilities.shape());
  const Tensor host = probabilities.to(Device::cpu());
  const float* p = host.data<float>();
  std::vector<std::int64_t> answers(static_cast<std::size_t>(N));
  for (std::int64_t i = 0; i < N; ++i) {
    std::int64_t best = 0;
    for (std::int64_t k = 0; k < K; ++k) {
      if (std::isnan(p[i * K + k])) {
        fail(op, "the probability of class ", k, " for image ", i,
             " is NaN; did the network diverge?");
      }
      if (p[i * K + k] > p[i * K + best]) best = k;
    }
    answers[static_cast<std::size_t>(i)] = best;
  }
  return answers;
}

}  // namespace imago::models
