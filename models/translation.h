// Image to image: one network for three tasks.
//
//   inpaint    a photograph with a hole       -> the photograph (Iizuka et al. 2017, "Globally and
//              and where that is, (N, S, S, 4)   locally consistent image completion", SIGGRAPH)
//   low-light  a dark, noisy photograph       -> the photograph by daylight (N, S, S, 3)
//   matte      a portrait (N, S, S, 3)        -> how much of a pixel is the person (N, S, S, 1)
//
// The translator is a U-Net (Ronneberger et al. 2015, arXiv 1505.04597), as in pix2pix (Isola et
// al. 2017, arXiv 1611.07004): an encoder halves the image down to 4x4, where every place has seen
// the whole of it, a decoder doubles it again, and at each size the encoder's features go past the
// middle to the decoder, so that what need not change need not be drawn anew.
//
//   first   Conv k3, LeakyReLU                              S x S x W0
//   down.i  Conv k4 s2 p1, batch norm, LeakyReLU            S / 2 x S / 2 x W1, ... , 4 x 4 x Wn
//   middle  two times Conv k3, batch norm, LeakyReLU
//   up.i    nearest doubling, beside it the encoder's
//           features of that size, Conv k3, batch norm, ReLU    ... , S x S x W0
//   last    Conv k3, tanh                                   S x S x output channels
//
// with channels Wi = base 2^i, at most 8 base. Doubling by neighbours leaves no checkerboards.
//
// Two discriminators look at the result: `global` at the whole image, `local` at a window of half
// its side, which has the hole in it (models/degradation.h). For low-light and matte each sees the
// translator's input beside its output, as in pix2pix: not only must the result look real, it must
// belong to what was given. A completed photograph has its input in itself.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nn/conv2d.h"
#include "nn/conv_block.h"
#include "nn/sequential.h"

namespace imago::models {

enum class TranslationTask { inpaint, low_light, matte };

const char* name_of(TranslationTask task);  // "inpaint", "lowlight", "matte"
const std::vector<std::string>& translation_task_names();
// The inverse. Throws, naming the choices.
TranslationTask translation_task(const std::string& name);

// Channels of what a translator takes and of what it makes.
int input_channels(TranslationTask task);
int output_channels(TranslationTask task);

struct TranslationSpec {
  TranslationTask task = TranslationTask::inpaint;
  int image = 32;  // S, height and width: 16, 32, 64 or 128
  int base = 16;   // W0 above; the discriminators have twice as many channels at half their size

  bool operator==(const TranslationSpec&) const = default;
};

// Throws for numbers that the model does not have.
void check_translation_spec(const TranslationSpec& spec);
// How often S is halved to 4; channels at S / 2^i.
int translation_halvings(const TranslationSpec& spec);
int translation_width(const TranslationSpec& spec, int i);

// Children "first", "down.0", ..., "middle.0", "middle.1", "up.0" (the one from 4x4), ..., "last".
class Translator final : public nn::Module {
 public:
  // Fresh weights from the Context's generator: normals that keep the scale of a signal (He et al.
  // 2015, arXiv 1502.01852), Xavier's in the last layer; biases 0.
  explicit Translator(const TranslationSpec& spec);

  // input (N, S, S, input channels) -> (N, S, S, output channels) in [-1, 1], as the network has
  // it. Throws for another shape.
  Var forward(const Var& input) override;
  // The result: for inpaint the photograph, of which only what is missing comes from the network.
  Var translate(const Var& input);

  const TranslationSpec& spec() const { return spec_; }

 private:
  TranslationSpec spec_;
  std::shared_ptr<nn::Conv2d> first_, last_;
  std::vector<std::shared_ptr<nn::ConvBlock>> down_, middle_, up_;
};

// The parts of an inpainting input (N, S, S, 4): the photograph with its hole (N, S, S, 3), and
// where a pixel is missing, u8 (N, S, S, 1), 1 there and else 0.
Tensor photograph_of(const Tensor& input);
Tensor missing_of(const Tensor& input);
// Such an input of photographs (N, S, S, 3) in [-1, 1] and u8 (N, S, S, 1): missing pixels are 0,
// mid-grey; the fourth channel is 1 there and else 0.
Tensor inpainting_input(const Tensor& photographs, const Tensor& missing);

struct TranslationGan {
  TranslationSpec spec;
  Translator translator;
  // (N, S, S, C) and (N, S / 2, S / 2, C) -> logits (N, 1): convolutions k4 s2 p1 down to 4x4,
  // LeakyReLU 0.2, then k4 to one logit, all with spectral norm and biases: the discriminator of
  // sndcgan (models/dcgan.h) of that size. C is 3 for inpaint, else input and output channels.
  nn::Sequential global, local;
};

// Channels that the discriminators see.
int judged_channels(TranslationTask task);
// What they see of a result (N, S, S, output channels): (N, S, S, judged_channels).
Var judged(TranslationTask task, const Tensor& input, const Var& output);

// Fresh weights from the Context's generator, the translator's first.
TranslationGan make_translation_gan(const TranslationSpec& spec);

}  // namespace imago::models
