#include "models/people.h"
#include "models/verification.h"
#include "tensor/error.h"

namespace imago::models {

ScoredPairs all_pairs(const Tensor& similarity, const std::vector<std::int64_t>& people) {
  const char* op = "all_pairs";
  check(similarity.defined() && similarity.dim() == 2 && similarity.dtype() == DType::f32, op,
        "similarities are a matrix (N, N) of f32");
  const std::int64_t N = similarity.size(0);
  check(similarity.size(1) == N && N >= 2, op, "similarities are a matrix (N, N) of at least 2 ",
        "images with each other, not ", similarity.shape());
  check(static_cast<std::int64_t>(people.size()) == N, op, "there are ", N,
        " images, but people of ", people.size());
  const std::vector<std::int64_t> distinct = distinct_people(people);
  const std::vector<std::int32_t> person = places_of(people, distinct);
  const Tensor host = similarity.to(Device::cpu());
  const float* p = host.data<float>();
  ScoredPairs pairs;
  pairs.people = static_cast<std::int32_t>(distinct.size());
  const auto P = static_cast<std::size_t>(N * (N - 1) / 2);
  pairs.similarity.reserve(P), pairs.same.reserve(P), pairs.a.reserve(P), pairs.b.reserve(P);
  for (std::int64_t i = 0; i < N; ++i) {
    const std::int32_t a = person[static_cast<std::size_t>(i)];
    for (std::int64_t j = i + 1; j < N; ++j) {
      const std::int32_t b = person[static_cast<std::size_t>(j)];
      pairs.similarity.push_back(p[i * N + j]);
      pairs.same.push_back(a == b);
      pairs.a.push_back(a);
      pairs.b.push_back(b);
    }
  }
  return pairs;
}

}  // namespace imago::models
