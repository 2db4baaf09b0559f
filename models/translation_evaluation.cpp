#include "models/translation_evaluation.h"

#include <algorithm>
#include <cmath>

#include "kernels/elementwise/elementwise.h"
#include "models/frechet.h"
#include "models/image_quality.h"

namespace imago::models {

Tensor translate_all(Translator& translator, const Tensor& input) {
  constexpr std::int64_t batch = 64;
  check(input.defined() && input.dim() == 4 && input.size(0) > 0 && input.dtype() == DType::f32,
        "translate_all", "expects inputs (N, S, S, C) of f32, at least one");
  const NoGrad no_grad;
  const nn::Evaluating mode(translator);
  const TranslationSpec& spec = translator.spec();
  const Device device = translator.parameters().at(0).device();
  const std::int64_t count = input.size(0);
  Tensor results = Tensor::empty({count, spec.image, spec.image, output_channels(spec.task)},
                                 DType::f32, Device::cpu());
  for (std::int64_t i = 0; i < count; i += batch) {
    const std::int64_t end = std::min(i + batch, count);
    const Var part = translator.translate(Var(input.slice(i, end).to(device)));
    results.slice(i, end).copy_from(part.tensor());
  }
  return results;
}

Tensor portraits_of(TranslationTask task, const Tensor& input, const Tensor& result) {
  if (task != TranslationTask::matte) return result;
  const Tensor opacity = kernels::add_scalar(kernels::scale(result, 0.5), 0.5);
  return kernels::mul(input, opacity);
}

double mean_cosine(const Tensor& a, const Tensor& b) {
  check(a.defined() && b.defined() && a.dim() == 2 && a.shape() == b.shape() && a.numel() > 0,
        "mean_cosine", "compares features (N, D) of one shape, at least one row");
  const Tensor x = kernels::cast(a.to(Device::cpu()), DType::f64);
  const Tensor y = kernels::cast(b.to(Device::cpu()), DType::f64);
  const double* p = x.data<double>();
  const double* q = y.data<double>();
  double total = 0;
  for (std::int64_t n = 0; n < x.size(0); ++n) {
    double xx = 0, yy = 0, xy = 0;
    for (std::int64_t d = 0; d < x.size(1); ++d, ++p, ++q) {
      xx += *p * *p;
      yy += *q * *q;
      xy += *p * *q;
    }
    if (xx != 0 && yy != 0) total += xy / (std::sqrt(xx) * std::sqrt(yy));
  }
  return total / static_cast<double>(x.size(0));
}

TranslationScores score_translation(FaceFeatures& network, TranslationTask task,
                                    const Tensor& input, const Tensor& result,
                                    const Tensor& truth) {
  TranslationScores scores;
  scores.images = result.size(0);
  scores.psnr = mean_of(psnr(result, truth));
  scores.ssim = mean_of(ssim(result, truth));
  const Tensor of_result = network.features_of(portraits_of(task, input, result));
  const Tensor of_truth = network.features_of(portraits_of(task, input, truth));
  scores.frechet = frechet_distance(of_result, of_truth);
  scores.identity = mean_cosine(of_result, of_truth);
  return scores;
}

std::optional<Tensor> untouched(TranslationTask task, const Tensor& input) {
  switch (task) {
    case TranslationTask::inpaint:
      return photograph_of(input);
    case TranslationTask::low_light:
      return input;
    case TranslationTask::matte:
      return {};
  }
  fail("untouched", "there is no task ", static_cast<int>(task));
}

}  // namespace imago::models
