#include "layer_case.h"

#include "nn/init.h"
#include "tensor/context.h"
#include "tensor/random_stream.h"
#include "tests/kernels/random.h"

namespace imago::test {

Var input_of(const LayerCase& c, DType dtype) {
  if (c.indices == 0) return parameter(normals(c.x, dtype, 21));
  Tensor indices = Tensor::empty(c.x, DType::i64, Device::cpu());
  RandomStream stream(21);
  for (std::int64_t i = 0; i < indices.numel(); ++i) {
    indices.mutable_data<std::int64_t>()[i] =
        static_cast<std::int64_t>(stream.below(static_cast<std::uint32_t>(c.indices)));
  }
  return Var(indices.to(Context::current().device));
}

std::shared_ptr<nn::Module> layer_of(const LayerCase& c, DType dtype) {
  const std::shared_ptr<nn::Module> layer = c.make();
  for (Var& p : layer->parameters()) nn::fill_normal(p, 0.3, 0.5);
  if (dtype != DType::f32) layer->to(dtype);
  layer->train(c.training);
  return layer;
}

std::vector<LayerCase> all_layer_cases() {
  std::vector<LayerCase> all;
  for (const auto& kind : {convolution_layer_cases(), elementwise_layer_cases(),
                           image_layer_cases(), norm_layer_cases(), structure_layer_cases()}) {
    append(all, kind);
  }
  return all;
}

}  // namespace imago::test
