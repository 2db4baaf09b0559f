// The museum of mistakes: plausible code and formulas about GANs, CNNs and VAEs that do not do what
// they say, each beside one that does. An exhibit is a function that computes both and returns what
// differs as figures, and one that prints them. All compute on the CPU in a few seconds at most,
// from seeds of their own: the random numbers of the caller stay as they were.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tensor/shape.h"

namespace imago::museum {

struct Exhibit {
  const char* name;   // "gan-loop"
  const char* title;  // one line: the mistake
  void (*show)();     // prints Wrong, Right and What differs on stdout
};

// In the order of the walk.
const std::vector<Exhibit>& exhibits();

// A training loop of a GAN in which real images count for nothing (gan_loop.cpp).
struct GanLoop {
  // One step twice, on faces and on zeros in their place: how many of the parameter tensors and of
  // the running averages of batch norm then differ in any byte.
  int d_parameters = 0, g_parameters = 0, d_statistics = 0;
  int wrong_d_differ = 0, wrong_g_differ = 0, wrong_statistics_differ = 0;
  int right_d_differ = 0, right_g_differ = 0;
  // In the wrong step D's gradient is that of sum (2p - 1) logit / N over the fakes, p = D(fake):
  // |difference| / |gradient| over all weights of D.
  double gradient_error = 0;
  // Means of D over the last five steps: first of right steps, then of as many wrong ones after
  // them.
  int steps = 0;
  double right_real = 0, right_fake = 0, wrong_real = 0, wrong_fake = 0;
};
GanLoop gan_loop(int steps = 30);  // at least 5

// What surrounds a loop: shapes of labels, range of images, first weights (gan_setup.cpp).
struct GanSetup {
  std::string error;       // of logits (N, 1, 1, 1) against labels (N)
  double right_loss = 0;   // of logits (N, 1) against labels (N, 1), from an untrained D
  double wrong_below = 0;  // share of an untrained G's pixels that no face in [0, 1] can have
  double right_below = 0;  // the same for faces in [-1, 1]
  // An untrained G whose weights are uniform in +-1 / sqrt(fan in), and one from N(0, 0.02): the
  // deviation of its pixels, and the share beyond +-0.9, where tanh passes under a fifth of a
  // gradient.
  double wrong_deviation = 0, right_deviation = 0;
  double wrong_saturated = 0, right_saturated = 0;
};
GanSetup gan_setup();

// An autoencoder of 68.8 million parameters called a VAE (vae.cpp).
struct VaeShapes {
  std::int64_t wrong_parameters = 0, wrong_dense = 0;  // of all layers; of the widest one
  std::int64_t wrong_width = 0;                        // of that layer's input
  Shape image, wrong_output;
  std::string error;  // of the loss
  std::int64_t right_parameters = 0;
  Shape right_code, right_output;  // mean and log variance have the shape of the code
  double right_reconstruction = 0, right_kl = 0;  // per image, in nats, before training
  double right_spread = 0;                        // deviation of two codes of one image
};
VaeShapes vae_shapes();

// An objective to be minimised over q (elbo.cpp).
struct Elbo {
  double log_likelihood = 0;              // the best that any model of the family reaches
  double right_elbo = 0, right_mean = 0;  // after maximising over model and q
  double right_slope = 0, right_offset = 0,
         right_variance = 0;              // of q(z | x) = N(slope x + offset, variance)
  std::array<double, 4> wrong_elbo = {};  // of minimising over q, after `wrong_steps`
  std::array<int, 4> wrong_steps = {};
};
Elbo elbo();

// A formula of convolution in which the output position does not occur (convolution.cpp).
struct ConvolutionFormula {
  std::array<double, 9> wrong = {}, right = {}, library = {};  // 3x3 outputs, row by row
  int wrong_distinct = 0, right_distinct = 0;                  // different values among them
};
ConvolutionFormula convolution_formula();

// A transposed convolution whose kernel its stride does not divide (checkerboard.cpp).
struct Checkerboard {
  using Map = std::array<double, 36>;  // 6x6 pixels from the middle of an output, row by row
  // Of an input of ones: a transposed convolution of kernel 3 and stride 2, one of kernel 4, and a
  // convolution of kernel 3 after nearest doubling. With weights of 1, then with 1, 2, 3 (4) by
  // rows times the same by columns.
  std::array<Map, 3> even = {}, uneven = {};
  std::array<double, 3> deviation = {}, uneven_deviation = {};  // of the pixels, over their mean
  std::array<double, 3> energy = {};  // models::checkerboard_energy of `even`
  Map bilinear = {};                  // kernel 3 with weights 1, 2, 1 by rows times the same
  // Pixels in which the gradient of a convolution of kernel 3 and stride 2 is not even[0].
  int gradient_differs = 0;
};
Checkerboard checkerboard();

// Shape assertions that hold for another input (assertions.cpp).
struct Assertions {
  Shape first, second, flat;           // what the assertions say
  Shape first_16, second_16, flat_16;  // what the layers make of 16x16 images
  Shape first_32, second_32, flat_32;  // and of 32x32 images
  std::string error;                   // of the dense layer for 32x32, given 16x16
};
Assertions assertions();

// "Both losses reach their minimum" (optimum.cpp).
struct Optimum {
  // With the best D for four values that data and G draw with different probabilities, and with
  // equal ones: -V(D, G), what D minimises, and the non-saturating loss of G.
  double apart_d = 0, apart_g = 0, equal_d = 0, equal_g = 0;
  double apart_error = 0, equal_error = 0;  // of a trained D, against p / (p + q)
  double fooled_g =
      0;  // G's loss against a D that says 0.99 of everything, where nothing is learned
  // |d loss / d logit| at D = 1/2, and where D says e^-10 of a fake.
  double minimax_even = 0, minimax_sure = 0, nonsaturating_even = 0, nonsaturating_sure = 0;
};
Optimum optimum();

// A generator whose output is a mix of noise and real data, a z + (1 - a) x (mixture.cpp), beside
// one of noise alone. Outputs are as many as the faces x.
struct Mixture {
  int values = 0;  // of all faces together
  int wrong_steps = 100, right_steps = 5;
  double first = 0, last = 0;     // a, before and after training
  double loss_d = 0, loss_g = 0;  // of the mix, in the last step
  // Values of the output that change with other faces in the place of x: of the mix before and
  // after training, of G(z).
  int wrong_first_changed = 0, wrong_changed = 0, right_changed = 0;
  int wrong_copied = 0, right_copied = 0;  // values equal to those of x at their place
  // Of an output to the nearest face in x, root mean square over values.
  double wrong_first_distance = 0, wrong_distance = 0, right_distance = 0;
  // Deviation of the output with zeros for x.
  double wrong_first_blank = 0, wrong_blank = 0, right_blank = 0;
  std::int64_t right_parameters = 0;
  // How many tensors of parameters G(z) has, and how many differ once D has seen other faces.
  int right_tensors = 0, right_learned = 0;
};
Mixture mixture();

// PCA and LBP called deep learning (pca.cpp).
struct Pca {
  // Mean squared errors of points in the plane that go through one number: by the main axis from
  // power iteration, and by an autoencoder of the same width.
  double axis_error = 0, linear_error = 0;  // a stretched cloud; a linear autoencoder
  double cosine = 0;                        // between the axis and that autoencoder's decoder
  double curve_axis_error = 0, curve_deep_error = 0;  // points on a parabola; one with tanh layers
  int lbp = 0, lbp_brighter = 0;  // the code of one pixel, and with all pixels brighter by 40
};
Pca pca();

}  // namespace imago::museum
