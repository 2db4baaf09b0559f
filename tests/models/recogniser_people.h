// Small recognisers and people to tell apart: of each person one smooth picture, of each image of a
// person that picture and noise.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/random/random.h"
#include "kernels/resample/resample.h"
#include "models/recogniser.h"

namespace imago::test {

inline constexpr std::int64_t people = 4;

// On the CPU, with draws of their own, until it goes out of scope.
struct OnCpu {
  OnCpu() {
    Context::current().device = Device::cpu();
    manual_seed(3);
  }
  ContextScope scope;
};

// Options of 32x32 with that head, for people 0 to 3, or 0 and 1 for binary.
inline models::RecogniserOptions tiny(models::RecognitionHead head,
                                      const std::string& network = "residual", bool grey = false) {
  models::RecogniserOptions o;
  o.cnn = {.network = network, .image = 32, .base = 4, .dimensions = 16};
  o.head = head;
  o.grey = grey;
  o.classes = {"ann", "bob"};
  if (head != models::RecognitionHead::binary) o.classes = {"ann", "bob", "cy, jr.", "d\xc3\xa9"};
  return o;
}

struct Faces {
  Tensor images;  // (each * count, size, size, 3) in about [-1, 1], on the CPU
  Tensor labels;  // (each * count), i64: 0, 1, ..., count - 1, 0, 1, ...
};

// `each` images of the first `count` people; others with another seed.
inline Faces faces(std::int64_t each, std::int64_t count = people, std::uint64_t seed = 1,
                   std::int64_t size = 32) {
  const Device cpu = Device::cpu();
  const Tensor plain = kernels::resample(
      kernels::normal({count, 4, 4, 3}, DType::f32, {77, 0, 0}, cpu), size, size, Filter::bilinear);
  const Tensor noise =
      kernels::normal({each * count, size, size, 3}, DType::f32, {seed, 1, 0}, cpu);
  Faces all{Tensor::empty(noise.shape(), DType::f32, cpu),
            Tensor::empty({each * count}, DType::i64, cpu)};
  float* out = all.images.mutable_data<float>();
  std::int64_t* label = all.labels.mutable_data<std::int64_t>();
  const std::int64_t values = size * size * 3;
  for (std::int64_t i = 0; i < each * count; ++i) {
    label[i] = i % count;
    for (std::int64_t k = 0; k < values; ++k) {
      out[i * values + k] = 0.5f * plain.data<float>()[label[i] * values + k] +
                            0.1f * noise.data<float>()[i * values + k];
    }
  }
  return all;
}

}  // namespace imago::test
