// What the tests of image-to-image networks share.
#pragma once

#include "kernels/elementwise/elementwise.h"
#include "kernels/random/random.h"
#include "models/translation_trainer.h"

namespace imago::test {

inline constexpr models::TranslationTask translation_tasks[] = {models::TranslationTask::inpaint,
                                                                models::TranslationTask::low_light,
                                                                models::TranslationTask::matte};

inline models::TranslationSpec tiny_translation(models::TranslationTask task) {
  return {.task = task, .image = 16, .base = 2};
}

// Images in [-1, 1) as degraded() takes them for a task, on the device of the Context.
inline Tensor translation_images(models::TranslationTask task, std::int64_t count,
                                 std::uint32_t step, std::int64_t size = 16) {
  const std::int64_t channels = task == models::TranslationTask::matte ? 4 : 3;
  const Tensor u = kernels::uniform({count, size, size, channels}, DType::f32, {77, step, 0});
  return kernels::add_scalar(kernels::scale(u, 2), -1);
}

}  // namespace imago::test
