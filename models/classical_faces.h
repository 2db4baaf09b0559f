// Face recognition before deep learning: what a network has to be better than.
//
// All see grey images of size x size (grey_images of models/face_encoder.h). Eigenfaces and 2D-PCA
// are fitted to training images, whose people need not be named; LBP needs none. All are
// deterministic, for any number of threads. They throw for images of another shape or dtype, for
// values that are not finite, for options out of range, and for rows to compare that are not their
// own. An image of one colour is equalized to all 0.
#pragma once

#include <string>

#include "models/face_encoder.h"

namespace imago::models {

// Turk & Pentland 1991 ("Eigenfaces for recognition", J. Cogn. Neurosci. 3(1)): the coordinates of
// an image on the directions in which the training images vary most.
struct EigenfacesOptions {
  int size = 64;
  int components = 100;  // at most, after those skipped; fewer where the images vary in no more
  int skip = 0;          // leading ones left out: they are mostly light (Belhumeur et al. 1997)
  bool whiten = true;    // divide each coordinate by its standard deviation (Mahalanobis)
  bool equalize = true;  // each image to mean 0 and variance 1 first, against light
};

class Eigenfaces final : public FaceEncoder {
 public:
  // Of training images (N, H, W, 3), f32 in [-1, 1], N >= 2, not all the same. With D = size * size
  // numbers, the eigenproblem of the smaller of the covariance (D, D) and the Gram matrix (N, N) is
  // solved in f64 up to 512 rows; beyond that subspace iteration finds the leading components
  // (models/principal_axes.h), without either matrix. Throws also when skip leaves no component.
  explicit Eigenfaces(const Tensor& training, const EigenfacesOptions& options = {});
  std::string label() const override;
  Tensor encode(const Tensor& images) override;  // (N, K)
  // The cosine; 0 with a row of length 0.
  Tensor similarity(const Tensor& a, const Tensor& b) const override;

  const Tensor& mean() const { return mean_; }  // (size * size) f32
  // (K, size * size) f32, K <= components: rows of length 1, falling variance; the largest element
  // of each is positive
  const Tensor& components() const { return components_; }
  const Tensor& variances() const { return variances_; }  // (K) f32, with N - 1 below
  double explained() const { return explained_; }         // the share of all variance they have

 private:
  EigenfacesOptions options_;
  Tensor mean_, components_, variances_;
  double explained_ = 0;
};

// Yang et al. 2004 ("Two-dimensional PCA", IEEE TPAMI 26(1)): an image A (size, size) is projected
// as a matrix, Y = A X (size, components), X the leading eigenvectors of the image covariance
// E (A - mean)^T (A - mean). Two images are as far apart as the sum over the columns of Y of their
// Euclidean distances (eq. 11); similarity is minus that.
struct TwoDPcaOptions {
  int size = 64;
  int components = 10;  // at most; at most size
  bool equalize = true;
};

class TwoDPca final : public FaceEncoder {
 public:
  // As of Eigenfaces.
  explicit TwoDPca(const Tensor& training, const TwoDPcaOptions& options = {});
  std::string label() const override;
  Tensor encode(const Tensor& images) override;  // (N, K * size): column after column of Y
  Tensor similarity(const Tensor& a, const Tensor& b) const override;

  const Tensor& projection() const { return projection_; }  // X (size, K) f32

 private:
  TwoDPcaOptions options_;
  Tensor projection_;
};

// Local binary patterns, Ahonen et al. 2006 (IEEE TPAMI 28(12)): LBP(8, radius) uniform patterns,
// 59 bins (58 uniform ones and one for the rest; Ojala et al. 2002), a histogram for each of grid x
// grid cells. Similarity is minus the chi-square distance sum (a - b)^2 / (a + b) (eq. 5 there, all
// cells of one weight; 0 / 0 counts 0).
//
// Neighbour p of a pixel lies at the angle 2 pi p / 8 counter-clockwise from the right and sets bit
// p where it is not below the pixel; neighbours between pixels are interpolated. Bins are in the
// order of the uniform codes. The cells share the pixels whose neighbours all lie inside, size - 2
// radius in a row: cell i of a row begins at pixel radius + floor(i (size - 2 radius) / grid).
struct LbpOptions {
  int size = 64;
  int radius = 2;
  int grid = 7;
};

class LbpHistograms final : public FaceEncoder {
 public:
  // Throws unless every cell has a pixel.
  explicit LbpHistograms(const LbpOptions& options = {});
  std::string label() const override;
  Tensor encode(const Tensor& images) override;  // (N, grid * grid * 59), each cell's sum is 1
  Tensor similarity(const Tensor& a, const Tensor& b) const override;

 private:
  LbpOptions options_;
};

}  // namespace imago::models
