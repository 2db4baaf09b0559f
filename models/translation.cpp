#include "models/translation.h"

#include <algorithm>
#include <array>
#include <bit>

#include "autograd/ops/concat.h"
#include "autograd/ops/leaky_relu.h"
#include "autograd/ops/resample.h"
#include "autograd/ops/tanh.h"
#include "autograd/ops/where.h"
#include "kernels/concat/concat.h"
#include "kernels/elementwise/compare.h"
#include "kernels/elementwise/elementwise.h"
#include "models/dcgan.h"
#include "nn/init.h"

namespace imago::models {
namespace {

constexpr int smallest_map = 4;  // encoder and decoder meet at 4x4
constexpr int middle_blocks = 2;
constexpr int widest = 8;  // times base
constexpr double slope = 0.2;
constexpr int channels = 3;  // of a photograph

nn::ConvBlock block(int in, int out, int kernel, int stride, nn::Activation activation) {
  return nn::ConvBlock({.in = in,
                        .out = out,
                        .kernel = kernel,
                        .stride = stride,
                        .padding = Padding::same(1),
                        .activation = activation,
                        .slope = slope});
}

nn::Conv2d convolution(int in, int out) {
  return nn::Conv2d({.in = in, .out = out, .kernel = 3, .padding = Padding::same(1)});
}

// What judges images (N, size, size, in): a discriminator of DCGAN with spectral norm.
nn::Sequential critic(int in, int size, int base) {
  return dcgan_discriminator({.base = base, .image = size, .channels = in, .spectral_norm = true});
}

void require_inpainting_input(const char* op, const Tensor& input) {
  check(input.defined() && input.dim() == 4 && input.size(3) == channels + 1, op,
        "expects photographs with their holes (N, S, S, 4)");
}

}  // namespace

const char* name_of(TranslationTask task) {
  switch (task) {
    case TranslationTask::inpaint:
      return "inpaint";
    case TranslationTask::low_light:
      return "lowlight";
    case TranslationTask::matte:
      return "matte";
  }
  fail("translation", "there is no task ", static_cast<int>(task));
}

const std::vector<std::string>& translation_task_names() {
  static const std::vector<std::string> names = {name_of(TranslationTask::inpaint),
                                                 name_of(TranslationTask::low_light),
                                                 name_of(TranslationTask::matte)};
  return names;
}

TranslationTask translation_task(const std::string& name) {
  for (const TranslationTask task :
       {TranslationTask::inpaint, TranslationTask::low_light, TranslationTask::matte}) {
    if (name == name_of(task)) return task;
  }
  fail("translation", "there is no task '", name, "'; there are inpaint, lowlight and matte");
}

int input_channels(TranslationTask task) {
  return task == TranslationTask::inpaint ? channels + 1 : channels;
}

int output_channels(TranslationTask task) {
  return task == TranslationTask::matte ? 1 : channels;
}

int judged_channels(TranslationTask task) {
  return task == TranslationTask::inpaint ? channels : input_channels(task) + output_channels(task);
}

void check_translation_spec(const TranslationSpec& spec) {
  const char* op = "translation";
  check(spec.image >= 16 && spec.image <= 128 &&
            std::has_single_bit(static_cast<unsigned>(spec.image)),
        op, "image size must be 16, 32, 64 or 128, not ", spec.image);
  check(spec.base >= 1 && spec.base <= 256, op, "base must be from 1 to 256, not ", spec.base);
}

int translation_halvings(const TranslationSpec& spec) {
  check_translation_spec(spec);
  return std::countr_zero(static_cast<unsigned>(spec.image / smallest_map));
}

int translation_width(const TranslationSpec& spec, int i) {
  return std::min(spec.base << i, widest * spec.base);
}

Translator::Translator(const TranslationSpec& spec) : spec_(spec) {
  const int n = translation_halvings(spec);
  const auto width = [&](int i) { return translation_width(spec, i); };
  first_ = add_child("first", convolution(input_channels(spec.task), width(0)));
  for (int i = 0; i < n; ++i) {
    down_.push_back(add_child("down." + std::to_string(i),
                              block(width(i), width(i + 1), 4, 2, nn::Activation::leaky_relu)));
  }
  for (int i = 0; i < middle_blocks; ++i) {
    middle_.push_back(add_child("middle." + std::to_string(i),
                                block(width(n), width(n), 3, 1, nn::Activation::leaky_relu)));
  }
  for (int i = 0; i < n; ++i) {
    const int to = n - 1 - i;  // the halving that this one undoes
    up_.push_back(add_child("up." + std::to_string(i), block(width(to + 1) + width(to), width(to),
                                                             3, 1, nn::Activation::relu)));
  }
  last_ = add_child("last", convolution(width(0), output_channels(spec.task)));
  nn::init_weights(*this, [](const Var& weight) { nn::kaiming_normal(weight, {.slope = slope}); });
  nn::init_weights(*last_, [](const Var& weight) { nn::xavier_uniform(weight); });
}

Var Translator::forward(const Var& input) {
  const std::int64_t size = spec_.image, in = input_channels(spec_.task);
  check(input.dim() == 4 && input.size(1) == size && input.size(2) == size && input.size(3) == in,
        "translator", "expects (N, ", size, ", ", size, ", ", in, ") for ", name_of(spec_.task),
        " but the input is ", input.shape(),
        input.dim() == 3 ? "; is the batch dimension missing?" : "");
  Vars features;  // of the encoder, largest first
  Var x = ops::leaky_relu((*first_)(input), slope);
  for (const auto& down : down_) {
    features.push_back(x);
    x = (*down)(x);
  }
  for (const auto& middle : middle_) x = (*middle)(x);
  for (const auto& up : up_) {
    const Var doubled = ops::resample(x, 2 * x.size(1), 2 * x.size(2), Filter::nearest);
    x = (*up)(ops::concat({doubled, features.back()}, 3));
    features.pop_back();
  }
  return ops::tanh((*last_)(x));
}

Var Translator::translate(const Var& input) {
  const Var output = (*this)(input);
  if (spec_.task != TranslationTask::inpaint) return output;
  const Tensor given = input.tensor();
  return ops::where(missing_of(given), output, Var(photograph_of(given)));
}

Tensor photograph_of(const Tensor& input) {
  require_inpainting_input("photograph_of", input);
  return kernels::slice(input, 3, 0, channels);
}

Tensor missing_of(const Tensor& input) {
  require_inpainting_input("missing_of", input);
  return kernels::greater(kernels::slice(input, 3, channels, channels + 1), 0.5);
}

Tensor inpainting_input(const Tensor& photographs, const Tensor& missing) {
  check(photographs.defined() && photographs.dim() == 4 && photographs.size(3) == channels,
        "inpainting_input", "expects photographs (N, S, S, 3)");
  const Shape expected{photographs.size(0), photographs.size(1), photographs.size(2), 1};
  check(missing.defined() && missing.dtype() == DType::u8 && missing.shape() == expected,
        "inpainting_input", "expects u8 ", expected, " to say which pixels are missing");
  const Tensor grey = kernels::full({}, 0, photographs.dtype(), photographs.device());
  const std::array parts = {kernels::where(missing, grey, photographs),
                            kernels::cast(missing, photographs.dtype())};
  return kernels::concat(parts, 3);
}

Var judged(TranslationTask task, const Tensor& input, const Var& output) {
  if (task == TranslationTask::inpaint) return output;
  return ops::concat({Var(input), output}, 3);
}

TranslationGan make_translation_gan(const TranslationSpec& spec) {
  check_translation_spec(spec);
  Translator translator(spec);
  const int seen = judged_channels(spec.task), width = 2 * spec.base;
  nn::Sequential global = critic(seen, spec.image, width);
  nn::Sequential local = critic(seen, spec.image / 2, width);
  return {spec, std::move(translator), std::move(global), std::move(local)};
}

}  // namespace imago::models
