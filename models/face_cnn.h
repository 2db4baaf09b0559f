// Networks that turn faces into embeddings: what they see, (N, image, image, channels) in [-1, 1],
// becomes (N, dimensions). Heads that say who it is, or what, are models/recogniser.h's.
#pragma once

#include <string>
#include <vector>

#include "nn/sequential.h"

namespace imago::models {

struct FaceCnnOptions {
  std::string network = "residual";  // one of face_cnn_networks()
  int image = 64;
  int channels = 3;      // 1: grey
  int base = 32;         // channels of the widest images; not of seed003
  int dimensions = 128;  // of the embedding; not of seed003, which has 128
  double dropout = 0;    // before the last Linear, in [0, 1); not of seed003
};

// "seed003", "vgg", "residual".
const std::vector<std::string>& face_cnn_networks();
// Throws, saying what is possible: an image size the network cannot have, numbers that are not
// positive.
void check_face_cnn(const FaceCnnOptions& options);

// seed003  three times convolution 3x3 without padding, ReLU, max pooling 2 (channels 32, 64, 128),
//          Flatten, Linear to 128, ReLU. With a Linear(128, 1) behind it this is seed 003's
//          classifier of 64x64 RGB, 683,329 parameters. image 22 to 224.
// vgg      after Simonyan & Zisserman 2014 (arXiv 1409.1556): four blocks of two convolutions 3x3
//          with batch norm and ReLU, then max pooling 2; channels base, 2, 4, 8 base; Flatten,
//          dropout, Linear. image a multiple of 16, 32 to 224.
// residual after the network of ArcFace (Deng et al. 2019, arXiv 1801.07698, section 3.1; He et al.
//          2015, 1512.03385): a convolution 3x3 with batch norm and PReLU, then four residual units
//          (batch norm, convolution 3x3 of stride 1 or 2, batch norm, PReLU, convolution 3x3, batch
//          norm; shortcut 1x1 with batch norm where the shape changes); batch norm, dropout,
//          Flatten, Linear, batch norm. Channels base, 2, 4, 8 base. image a multiple of 16, 32 to
//          224: 64 and 112 are what it is made for.
//          Two things are as in smaller networks, for the sake of a CPU: the first convolution
//          already halves the image (MobileFaceNets, Chen et al. 2018, arXiv 1804.07573, table 1),
//          since norms and slopes of whole images wait for memory; and a unit halves in its first
//          convolution (He et al. 2015), which is then a quarter of the work. The units halve three
//          times more: 7x7 is left of 112, 4x4 of 64.
//
//   of 64x64 RGB   parameters   multiply-adds of an image   (base 32, 128 dimensions)
//   seed003        683,200      30.0 M
//   vgg            1,697,632    211.7 M
//   residual       1,752,480    64.3 M
//
// Fresh weights, from the Context's generator: normals of He et al. 2015 (arXiv 1502.01852) for the
// slope of what follows, ReLU 0, PReLU 0.25 and after the last Linear of vgg and residual 1; biases
// 0, norms the identity.
nn::Sequential face_cnn(const FaceCnnOptions& options);

}  // namespace imago::models
