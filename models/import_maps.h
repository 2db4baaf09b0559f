// What the layers of these models are called in PyTorch, and how their weights lie there: give one
// to nn::load_pytorch or nn::save_pytorch (nn/import_map.h).
//
// In PyTorch most models are an nn.Sequential, `prefix` its name in the class around it:
// self.main = nn.Sequential(...) is "main", a bare nn.Sequential "". Its modules are numbered as
// listed here; those without weights only count. The others are a class, whose attributes are
// listed; `prefix` is its name in another one, "" for none.
#pragma once

#include <string>

#include "models/conditional_gan.h"
#include "models/dcgan.h"
#include "models/face_cnn.h"
#include "models/face_features.h"
#include "models/gan.h"
#include "models/translation.h"
#include "models/vae.h"
#include "models/vae_gan.h"
#include "nn/import_map.h"

namespace imago::models {

// As in the DCGAN that everybody writes: ConvTranspose2d 0, BatchNorm2d 1, ReLU 2, ConvTranspose2d
// 3, BatchNorm2d 4, ReLU 5, ..., ConvTranspose2d, Tanh. Takes z as (N, z, 1, 1). With `upsample`
// all ConvTranspose2d but the first are an Upsample and a Conv2d.
nn::ImportMap dcgan_generator_map(const DcganOptions& options = {},
                                  const std::string& prefix = "main");
// Conv2d 0, LeakyReLU 1, Conv2d 2, BatchNorm2d 3, LeakyReLU 4, ..., Conv2d; a Sigmoid or Flatten
// may follow. Gives logits as (N, 1, 1, 1) without a Flatten. With `spectral_norm` each Conv2d has
// a bias and torch.nn.utils.spectral_norm, and there are no BatchNorm2d.
nn::ImportMap dcgan_discriminator_map(const DcganOptions& options = {},
                                      const std::string& prefix = "main");

// Linear 0, Unflatten(1, (width, 4, 4)) 1, up blocks 2, 3, ..., BatchNorm2d, ReLU, Conv2d, Tanh. A
// block has two nn.Sequentials, whose results it adds: body of BatchNorm2d 0, ReLU 1, Upsample 2,
// Conv2d 3, BatchNorm2d 4, ReLU 5, Conv2d 6; shortcut of Conv2d 0, Upsample 1.
nn::ImportMap resnet_generator_map(const ResnetGanOptions& options = {},
                                   const std::string& prefix = "main");
// Down blocks 0, 1, ..., then ReLU, the sum over the image, Linear; torch.nn.utils.spectral_norm on
// Linear and each Conv2d. Blocks are as of the generator: body of ReLU 0, Conv2d 1, ReLU 2, Conv2d
// 3, AvgPool2d 4, the first without its ReLU 0, the last without its AvgPool2d; shortcut of
// AvgPool2d 0, Conv2d 1, the last block having none.
nn::ImportMap resnet_discriminator_map(const ResnetGanOptions& options = {},
                                       const std::string& prefix = "main");

// Linear 0, BatchNorm1d 1, LeakyReLU 2, Unflatten(1, (512, 4, 4)) 3, ConvTranspose2d 4, BatchNorm2d
// 5, LeakyReLU 6, ConvTranspose2d 7, BatchNorm2d 8, LeakyReLU 9, ConvTranspose2d 10, Tanh 11.
nn::ImportMap seed001_generator_map(const std::string& prefix = "main");
// Conv2d 0, LeakyReLU 1, Dropout 2, Conv2d 3, LeakyReLU 4, Dropout 5, Flatten 6, Linear 7.
nn::ImportMap seed001_discriminator_map(const std::string& prefix = "main");

// The DCGAN's, at 32x32.
nn::ImportMap seed003_generator_map(const std::string& prefix = "main");
nn::ImportMap seed003_discriminator_map(const std::string& prefix = "main");

// The classifier of seed 003, for images of 64x64: Conv2d 0, ReLU 1, MaxPool2d 2, Conv2d 3, ReLU 4,
// MaxPool2d 5, Conv2d 6, ReLU 7, MaxPool2d 8, Flatten 9, Linear 10, ReLU 11, Linear 12; here the
// Sequential of the same layers. Its Flatten is of images 6x6 with 128 channels.
nn::ImportMap seed003_cnn_map(const std::string& prefix = "main");

// Of a network of models/face_cnn.h, the body of a recogniser (`ours` "body." there, else ""):
//   seed003    as above, up to ReLU 11; the Flatten is of what the convolutions leave of the image
//   vgg        Conv2d 0 without a bias, BatchNorm2d 1, ReLU 2, Conv2d 3, BatchNorm2d 4, ReLU 5,
//              MaxPool2d 6, ... four times, Flatten 28, Dropout 29, Linear 30
//   residual   Conv2d 0 without a bias, BatchNorm2d 1, PReLU 2, units 3 to 6, BatchNorm2d 7,
//              Dropout 8, Flatten 9, Linear 10 without a bias, BatchNorm1d 11. A unit has two
//              nn.Sequentials, whose results it adds: body of BatchNorm2d 0, Conv2d 1 without a
//              bias, BatchNorm2d 2, PReLU 3, Conv2d 4 without a bias, BatchNorm2d 5; shortcut of
//              Conv2d 0 without a bias, BatchNorm2d 1, the first unit having none.
nn::ImportMap face_cnn_map(const FaceCnnOptions& options = {}, const std::string& prefix = "main",
                           const std::string& ours = "");

// Of a network by name, as make_gan takes it.
nn::ImportMap generator_map(const GanSpec& spec, const std::string& prefix = "main");
nn::ImportMap discriminator_map(const GanSpec& spec, const std::string& prefix = "main");

// Of a VAE, whose class in PyTorch has, with S / 4 = 2^n:
//   encoder       nn.Sequential: Conv2d 0, LeakyReLU 1, ..., Conv2d 2 (n - 1), LeakyReLU, Flatten
//   mu, log_variance   nn.Linear
//   decoder       nn.Sequential: Linear 0, LeakyReLU 1, Unflatten(1, (W, 4, 4)) 2, ConvTranspose2d
//                 3, LeakyReLU 4, ..., ConvTranspose2d 2 n + 1; a Tanh where pixels are Gaussian
//   pixels        where they are: a module with log_sigma (), a parameter or a buffer
nn::ImportMap vae_map(const VaeOptions& options = {}, const std::string& prefix = "");
// Of the discriminator of a VAE-GAN, a class with two nn.Sequential:
//   features  Conv2d 0, LeakyReLU 1, Conv2d 2 without a bias, GroupNorm(1, C) 3, LeakyReLU 4, ...
//             to the layer of the features
//   head      Conv2d 0 without a bias, GroupNorm 1, LeakyReLU 2, ... on to 4x4, then Conv2d; a
//             Flatten may follow
nn::ImportMap vae_gan_discriminator_map(const VaeOptions& vae, const VaeGanOptions& options = {},
                                        const std::string& prefix = "");

// Of the generator of a conditional GAN, a class with, W being its channels at 4x4 and K classes:
//   linear    nn.Linear, then reshaped to (W, 4, 4)
//   blocks    nn.ModuleList, from 4x4 on, of a class with norm1, conv1, norm2, conv2, shortcut:
//             Conv2d without a bias, and batch norms of a class with norm, BatchNorm2d, and gain
//             and bias, nn.Embedding(K, channels): norm(x) (1 + gain(label)) + bias(label)
//   norm, conv   BatchNorm2d and Conv2d
nn::ImportMap conditional_generator_map(const ConditionalGanSpec& spec,
                                        const std::string& prefix = "");
// Of its discriminator, a class with
//   features  nn.Sequential: what resnet_discriminator_map lists before its Linear
//   linear    nn.Linear
//   embedding    nn.Embedding(K, channels), with projection
//   classifier   nn.Linear, with acgan
// with torch.nn.utils.spectral_norm on all but the classifier.
nn::ImportMap conditional_discriminator_map(const ConditionalGanSpec& spec,
                                            const std::string& prefix = "");

// Of a translator, a class with, S / 4 being 2^n:
//   first, last   nn.Conv2d
//   down, up      nn.ModuleLists of n nn.Sequentials, up's first being that from 4x4: Conv2d 0
//                 without a bias, BatchNorm2d 1, LeakyReLU or ReLU 2
//   middle        an nn.ModuleList of two of these
nn::ImportMap translator_map(const TranslationSpec& spec = {}, const std::string& prefix = "");
// Of its discriminators, the global one and the local one: those of dcgan_discriminator_map with
// spectral_norm, at the size that each looks at.
nn::ImportMap global_critic_map(const TranslationSpec& spec = {},
                                const std::string& prefix = "main");
nn::ImportMap local_critic_map(const TranslationSpec& spec = {},
                               const std::string& prefix = "main");

// Of FaceFeatures, whatever its attributes: a class with
//   body         nn.Sequential: Conv2d 0 without a bias, BatchNorm2d 1, LeakyReLU 2, ... eight
//                times, Flatten 24, Linear 25, BatchNorm1d 26
//   attributes   nn.Linear
nn::ImportMap face_features_map(const std::string& prefix = "");

}  // namespace imago::models
