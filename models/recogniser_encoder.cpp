#include <algorithm>
#include <utility>

#include "autograd/ops/add.h"
#include "autograd/ops/concat.h"
#include "autograd/ops/flip.h"
#include "autograd/ops/neg.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sigmoid.h"
#include "autograd/ops/softmax.h"
#include "kernels/gemm/gemm.h"
#include "kernels/resample/resample.h"
#include "models/recogniser.h"
#include "nn/cosine.h"

namespace imago::models {
namespace {

constexpr std::int64_t batch = 128;  // images at a time
constexpr int width = -2;            // the axis of images that a mirror turns round

}  // namespace

RecogniserEncoder::RecogniserEncoder(Recogniser network, bool mirror)
    : network_(std::move(network)), mirror_(mirror) {}

std::string RecogniserEncoder::label() const {
  const RecogniserOptions& o = network_.options();
  const std::string head = o.trained_with.empty() ? name(o.head) : o.trained_with;
  return o.cnn.network + ", " + head + (o.grey ? ", grey" : "");
}

Tensor RecogniserEncoder::in_batches(const Tensor& images, std::int64_t columns,
                                     const std::function<Var(const Var&)>& f) {
  check(images.defined() && images.dim() == 4 && images.size(3) == 3 && images.size(0) >= 1 &&
            images.dtype() == DType::f32,
        "RecogniserEncoder", "expects images (N, H, W, 3) of f32 in [-1, 1], at least one");
  const NoGrad no_grad;
  const nn::Evaluating mode(network_);
  const Device device = network_.device();
  const std::int64_t N = images.size(0), size = network_.options().cnn.image;
  Tensor rows = Tensor::empty({N, columns}, DType::f32, Device::cpu());
  for (std::int64_t i = 0; i < N; i += batch) {
    const std::int64_t end = std::min(i + batch, N);
    Tensor part = images.slice(i, end).to(device);
    if (part.size(1) != size || part.size(2) != size) {
      part = kernels::resample(part, size, size, Filter::bilinear_antialias);
    }
    Var embeddings = network_(part);
    if (mirror_) {
      // The mean: as long as one embedding, as heads that are not of cosines want it.
      embeddings = ops::scale(ops::add(embeddings, network_(ops::flip(part, width))), 0.5);
    }
    rows.slice(i, end).copy_from(f(embeddings).tensor());
  }
  return rows;
}

Tensor RecogniserEncoder::encode(const Tensor& images) {
  return in_batches(images, network_.dimensions(),
                    [](const Var& embeddings) { return nn::l2_normalize(embeddings); });
}

Tensor RecogniserEncoder::similarity(const Tensor& a, const Tensor& b) const {
  check(a.defined() && b.defined() && a.dim() == 2 && b.dim() == 2 && a.size(1) == b.size(1),
        "similarity", "expects rows (N, D) and (M, D) that encode() gave");
  return kernels::gemm(a.to(Device::cpu()), b.to(Device::cpu()), kernels::Transpose::no,
                       kernels::Transpose::yes);
}

Tensor RecogniserEncoder::classify(const Tensor& images) {
  const RecogniserOptions& o = network_.options();
  check(o.head != RecognitionHead::triplet, "classify",
        "a network trained with triplets knows no classes; compare embeddings instead");
  return in_batches(
      images, static_cast<std::int64_t>(o.classes.size()), [&](const Var& embeddings) -> Var {
        const Var answer = network_.answer(embeddings);
        switch (o.head) {
          case RecognitionHead::binary:
            return ops::concat({ops::sigmoid(ops::neg(answer)), ops::sigmoid(answer)}, 1);
          case RecognitionHead::cosface:
          case RecognitionHead::arcface:
            return ops::softmax(ops::scale(answer, o.scale));
          default:
            return ops::softmax(answer);
        }
      });
}

}  // namespace imago::models
