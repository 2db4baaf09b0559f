// What the exhibits claim, figure by figure: that the wrong one is wrong and the right one is not.
#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "apps/museum/exhibits.h"
#include "tensor/context.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::museum;
using imago::test::contains;

TEST_CASE("zeros in place of faces leave the update of the wrong loop bit-identical") {
  const GanLoop f = gan_loop();
  CHECK(f.d_parameters == 8);  // four convolutions, two batch norms
  CHECK(f.g_parameters == 10);
  CHECK(f.d_statistics == 4);
  CHECK(f.wrong_d_differ == 0);
  CHECK(f.wrong_g_differ == 0);
  CHECK(f.wrong_statistics_differ == f.d_statistics);  // so the faces did go through D
  // Not necessarily all: Adam's first step is little more than a sign, and a small tensor may have
  // the same signs twice. G learns from a D that has learned from the faces.
  CHECK(f.right_d_differ > f.d_parameters / 2);
  CHECK(f.right_g_differ > f.g_parameters / 2);

  CHECK(f.gradient_error < 1e-3);  // of D, against that of 2p - 1 at the logits
  // Right steps tell faces from fakes; as many wrong ones end in 1/2.
  CHECK(f.right_real > 0.6);
  CHECK(f.right_fake < 0.4);
  CHECK(std::abs(f.wrong_fake - 0.5) < 0.15);
  CHECK(std::abs(f.wrong_fake - 0.5) < std::abs(f.right_fake - 0.5));
}

TEST_CASE("labels of another shape are refused; range and first weights show in numbers") {
  const GanSetup f = gan_setup();
  CHECK(contains(f.error, "(16, 1, 1, 1)"));
  CHECK(contains(f.error, "(16,)"));
  CHECK(f.right_loss > 0.1);
  CHECK(f.right_loss < 3);
  CHECK(f.wrong_below > 0.25);
  CHECK(f.right_below == 0);
  CHECK(f.wrong_deviation > 2 * f.right_deviation);
  CHECK(f.right_deviation > 0.05);
  CHECK(f.wrong_saturated > 0.02);
  CHECK(f.right_saturated < 0.001);
}

TEST_CASE("the VAE that is none has 68.8 million parameters and no loss") {
  const VaeShapes f = vae_shapes();
  // 896 + 18,496 + 73,856, then 524,288 x 128 + 128, 128 x 12,288 + 12,288, then 1,792 + 18,464 +
  // 867
  CHECK(f.wrong_parameters == 68'808'515);
  CHECK(f.wrong_width == 524'288);
  CHECK(f.wrong_dense == 67'108'992);
  CHECK(f.image == Shape{1, 64, 64, 3});
  CHECK(f.wrong_output == Shape{1, 256, 256, 3});
  CHECK(contains(f.error, "(1, 256, 256, 3)"));
  CHECK(contains(f.error, "(1, 64, 64, 3)"));
  CHECK(f.right_output == f.image);
  CHECK(f.right_code == Shape{1, 32});
  CHECK(f.right_parameters > 100'000);
  CHECK(f.right_parameters < 2'000'000);
  // An untrained decoder says about 1/2 of each value: log 2 nats each.
  CHECK(f.right_reconstruction == doctest::Approx(64 * 64 * 3 * std::log(2.0)).epsilon(0.1));
  CHECK(f.right_kl > 0);
  CHECK(f.right_kl < 100);
  CHECK(f.right_spread > 0.3);
}

TEST_CASE("the ELBO, maximised over both, is the log likelihood; minimised over q it has no end") {
  const Elbo f = elbo();
  // The mean of log N(x; 3, 2) over 1, ..., 5, term by term.
  double mean = 0;
  for (const double x : {1.0, 2.0, 3.0, 4.0, 5.0}) {
    mean += (-0.5 * std::log(4 * std::acos(-1.0)) - (x - 3) * (x - 3) / 4) / 5;
  }
  CHECK(f.log_likelihood == doctest::Approx(mean).epsilon(1e-12));
  CHECK(f.right_elbo <= f.log_likelihood + 1e-12);
  CHECK(f.right_elbo == doctest::Approx(f.log_likelihood).epsilon(1e-8));
  CHECK(f.right_mean == doctest::Approx(3).epsilon(1e-4));
  CHECK(f.right_slope == doctest::Approx(0.5).epsilon(1e-4));
  CHECK(f.right_offset == doctest::Approx(-1.5).epsilon(1e-4));
  CHECK(f.right_variance == doctest::Approx(0.5).epsilon(1e-4));
  CHECK(f.wrong_elbo[0] > -7);
  for (std::size_t i = 1; i < f.wrong_elbo.size(); ++i) {
    CHECK(f.wrong_elbo[i] < 10 * f.wrong_elbo[i - 1]);  // both are negative: ten times as far down
    CHECK(std::isfinite(f.wrong_elbo[i]));
  }
}

TEST_CASE("without the output position a convolution gives one number") {
  const ConvolutionFormula f = convolution_formula();
  const std::array<double, 9> expected = {26, 38, 50, 44, 56, 68, 74, 86, 98};  // by hand
  CHECK(f.wrong_distinct == 1);
  CHECK(f.wrong[0] == 40);
  CHECK(f.right_distinct == 9);
  CHECK(f.right == expected);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(f.library[i] == doctest::Approx(expected[i]).epsilon(1e-5));
  }
}

TEST_CASE("kernel 3 and stride 2 make a checkerboard of nothing, in the gradient too") {
  const Checkerboard f = checkerboard();
  for (int i = 0; i < 36; ++i) {
    CAPTURE(i);
    const auto at = static_cast<std::size_t>(i);
    const int row = i / 6 % 2, column = i % 2;  // odd or even
    CHECK(f.even[0][at] == (1 + row) * (1 + column));
    CHECK(f.even[1][at] == 4);
    CHECK(f.even[2][at] == 9);
    // Weights 1 2 3: the middle one, or both others. 1 2 3 4: 2 + 4, or 1 + 3.
    CHECK(f.uneven[0][at] == (2 + 2 * row) * (2 + 2 * column));
    CHECK(f.uneven[1][at] == (6 - 2 * row) * (6 - 2 * column));
    CHECK(f.uneven[2][at] == 36);
    CHECK(f.bilinear[at] == 4);
  }
  CHECK(f.deviation[0] == doctest::Approx(std::sqrt(19.0) / 9).epsilon(1e-12));
  CHECK(f.uneven_deviation[1] == doctest::Approx(std::sqrt(51.0) / 25).epsilon(1e-12));
  CHECK(f.deviation[1] == 0);
  CHECK(f.deviation[2] == 0);
  CHECK(f.uneven_deviation[2] == 0);
  CHECK(f.energy[0] == doctest::Approx(1).epsilon(1e-12));
  CHECK(f.energy[1] == 0);
  CHECK(f.energy[2] == 0);
  CHECK(f.gradient_differs == 0);
}

TEST_CASE("the asserted shapes are those of 16x16 images") {
  const Assertions f = assertions();
  CHECK(f.first == f.first_16);
  CHECK(f.second == f.second_16);
  CHECK(f.flat == f.flat_16);
  CHECK(f.first_32 == Shape{1, 16, 16, 64});
  CHECK(f.second_32 == Shape{1, 8, 8, 128});
  CHECK(f.flat_32 == Shape{1, 8192});
  CHECK(contains(f.error, "(1, 2048)"));
  CHECK(contains(f.error, "8192"));
}

TEST_CASE("at the optimum D's loss is log 4 and G's is log 2, neither the least it can be") {
  const Optimum f = optimum();
  CHECK(f.apart_error < 1e-9);
  CHECK(f.equal_error < 1e-9);
  CHECK(f.equal_d == doctest::Approx(std::log(4.0)).epsilon(1e-9));
  CHECK(f.equal_g == doctest::Approx(std::log(2.0)).epsilon(1e-9));
  // -sum p log D - sum q log(1 - D) with D = 4/5, 2/3, 1/3, 1/5; the second sum equals the first.
  const double half =
      std::log(0.8) / 2 + std::log(2.0 / 3) / 4 + std::log(1.0 / 3) / 8 + std::log(0.2) / 8;
  CHECK(f.apart_d == doctest::Approx(-2 * half).epsilon(1e-9));
  CHECK(f.apart_d < f.equal_d);   // D's loss is not at its minimum where G is perfect
  CHECK(f.fooled_g < f.equal_g);  // nor is G's
  CHECK(f.apart_g > f.equal_g);
  CHECK(f.minimax_even == doctest::Approx(0.5));
  CHECK(f.nonsaturating_even == doctest::Approx(0.5));
  const double sure = 1 / (1 + std::exp(10.0));
  CHECK(f.minimax_sure == doctest::Approx(sure).epsilon(1e-9));
  CHECK(f.nonsaturating_sure == doctest::Approx(1 - sure).epsilon(1e-9));
}

TEST_CASE("a mix of noise and faces learns to copy faces; G of noise draws without any") {
  const Mixture f = mixture();
  CHECK(f.values == 8 * 32 * 32 * 3);
  // Other faces for x: the mix is of them, before and after; G is not. Two faces may agree in some
  // values, by chance or where a background is plain.
  CHECK(f.wrong_first_changed > f.values * 4 / 5);
  CHECK(f.wrong_changed > f.values * 4 / 5);
  CHECK(f.right_changed == 0);
  // Trained, it gives out the faces themselves, with the losses of a perfect G.
  CHECK(f.first == 0.5);
  CHECK(std::abs(f.last) < 1e-10);
  CHECK(f.wrong_first_distance > 0.4);  // half of a noise of deviation 1
  CHECK(f.wrong_distance < 1e-9);
  CHECK(f.wrong_copied == f.values);
  CHECK(f.loss_d == doctest::Approx(std::log(4.0)).epsilon(1e-6));
  CHECK(f.loss_g == doctest::Approx(std::log(2.0)).epsilon(1e-6));
  CHECK(f.wrong_first_blank == doctest::Approx(0.5).epsilon(0.05));  // of noise
  CHECK(f.wrong_blank < 1e-9);                                       // and nothing without them
  // G gives out no face, draws without them, and yet has learned from them.
  CHECK(f.right_copied < f.values / 20);
  CHECK(f.right_distance > 0.1);
  CHECK(f.right_blank > 0.02);
  CHECK(f.right_parameters > 10'000);
  CHECK(f.right_tensors == 10);  // four transposed convolutions, three batch norms
  CHECK(f.right_learned > f.right_tensors / 2);
}

TEST_CASE("a linear autoencoder finds the main axis; one with bends does what PCA cannot") {
  const Pca f = pca();
  CHECK(f.axis_error > 0.05);
  CHECK(f.axis_error < 0.25);  // half of the variance 0.25 across the axis, as far as it is known
  CHECK(f.linear_error == doctest::Approx(f.axis_error).epsilon(1e-4));
  CHECK(f.cosine == doctest::Approx(1).epsilon(1e-6));
  CHECK(f.curve_axis_error == doctest::Approx(0.5 * 4 / 45).epsilon(0.05));  // of x^2, x uniform
  CHECK(f.curve_deep_error < 0.5 * f.curve_axis_error);
  CHECK(f.curve_deep_error >= 0);
  CHECK(f.lbp == 0b01011100);  // the ring is 90 120 60 140 100 110 30 70, the middle 100
  CHECK(f.lbp_brighter == f.lbp);
}

TEST_CASE("exhibits repeat to the bit and leave the random numbers of the caller alone") {
  manual_seed(5);
  const Generator before = Context::current().generator;
  const GanSetup a = gan_setup(), b = gan_setup();
  const Pca c = pca();
  CHECK(a.right_loss == b.right_loss);
  CHECK(a.wrong_deviation == b.wrong_deviation);
  CHECK(c.lbp == c.lbp_brighter);
  const Generator& after = Context::current().generator;
  CHECK(after.seed == before.seed);
  CHECK(after.step == before.step);
  CHECK(after.next_draw == before.next_draw);
}
