// How good an image-to-image network is, on images that it was not trained on.
#pragma once

#include <cstdint>
#include <optional>

#include "models/face_features.h"
#include "models/translation.h"

namespace imago::models {

// The results (N, S, S, output channels), f32 on the CPU, of inputs (N, S, S, input channels), f32
// of any device: in evaluation mode, without gradients, in batches, on the device of the weights.
Tensor translate_all(Translator& translator, const Tensor& input);

// What a recogniser can look at: photographs (N, S, S, 3). The results themselves, but for matte
// the person cut out of the input by the result, on mid-grey: with opacity a = (result + 1) / 2, a
// times the photograph. input and result of one device.
Tensor portraits_of(TranslationTask task, const Tensor& input, const Tensor& result);

// The mean over rows of the cosine between features (N, D) of one image and of another, f32 or f64;
// 1 where all point the same way. A row of zeros counts 0. Throws when the shapes differ.
double mean_cosine(const Tensor& a, const Tensor& b);

struct TranslationScores {
  std::int64_t images = 0;
  double psnr = 0, ssim = 0;  // means over the images (models/image_quality.h)
  // On features of a recogniser (models/face_features.h), of which 128 and so at least as many
  // images are wanted. The Fréchet distance (models/frechet.h) of portraits of results from those
  // of the truth sees what all results have in common and no truth has, such as blur: an image's
  // own answer does not matter to it. Identity does: the mean cosine between an image's two
  // portraits.
  double frechet = 0, identity = 0;
};

// Of results and truth (N, S, S, output channels) for inputs (N, S, S, input channels), f32, two or
// more.
TranslationScores score_translation(FaceFeatures& network, TranslationTask task,
                                    const Tensor& input, const Tensor& result, const Tensor& truth);

// The input itself in place of a result, where it can stand there: what doing nothing scores. For
// matte there is none.
std::optional<Tensor> untouched(TranslationTask task, const Tensor& input);

}  // namespace imago::models
