// Spectral normalisation (Miyato et al. 2018, arXiv 1802.05957): a layer computes with
// W / sigma(W), sigma being the largest singular value of its weight, so that it stretches no input
// by more than 1.
//
// It is an option of Linear, Conv2d, ConvTranspose2d and ConvBlock: {.spectral_norm = true}. Such a
// layer has, named as in PyTorch, the parameter "weight_orig" in place of "weight" and the buffers
// "weight_u" (out) and "weight_v" (the rest), unit vectors near the singular ones. Each forward
// pass in training mode improves them by one step of the power method,
//     v <- W^T u / |W^T u|,  u <- W v / |W v|,
// and sigma = u^T W v; evaluation leaves them alone. Gradients flow through W in W / sigma, u and v
// being constants, and can be differentiated again (WGAN-GP).
//
// W is the weight as a matrix (out, all others): (out, R S in / groups) of a convolution, and of a
// transposed one, whose weight is (in, R, S, out / groups), (out / groups, in R S). The layer whose
// weight that is has norm 1 for a Linear; convolutions overlap, and theirs may be larger.
#pragma once

#include "autograd/var.h"

namespace imago::nn {

// Where the weight has its outputs.
enum class Outputs { first, last };

class SpectralNorm {
 public:
  // Start vectors for a weight: u drawn from the generator of the Context, v from one half of a
  // step of the power method.
  struct Vectors {
    Tensor u, v;
  };
  static Vectors start(const Tensor& weight, Outputs outputs);

  // The weight (out, ...) or (..., out) and its vectors u (out) and v (the rest): a parameter and
  // two buffers of the layer.
  SpectralNorm(Var weight, Var u, Var v, Outputs outputs);

  // W / sigma, of the weight's shape. With `improve`, after one step of the power method, which
  // writes u and v in place; what was computed from earlier ones may still be differentiated, since
  // it holds copies.
  Var operator()(bool improve) const;

 private:
  Var weight_, u_, v_;
  Outputs outputs_;
};

}  // namespace imago::nn
