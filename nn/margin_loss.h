// Losses that make embeddings of one person lie close and those of different people far apart. Each
// is a scalar (), the mean over all images or pairs, in f64 for f64 arguments and else f32.
// Labels are i64 (N).
#pragma once

#include "autograd/var.h"

namespace imago::loss {

// CosFace, Wang et al. 2018 (arXiv 1801.09414, eq. 4): cross-entropy of
//     scale (cos - margin [k = label])
// over cosines (N, K) such as nn::CosineLinear gives. The margin must be earned by being closer to
// the own direction than to all others, by that much. scale > 0, margin in [0, 1].
// Labels in [0, K), and every row counts: one out of range, -100 too, throws on the CPU and makes
// the loss NaN on CUDA.
struct CosFaceOptions {
  double scale = 30;
  double margin = 0.35;
  double label_smoothing = 0;
};
Var cosface(const Var& cosines, const Var& labels, const CosFaceOptions& options = {});

// ArcFace, Deng et al. 2019 (arXiv 1801.07698, eq. 3): the margin is added to the angle,
//     scale cos(theta + margin)   of the own class,   scale cos theta of the others.
// cos(theta + m) = cos theta cos m - sin theta sin m. Two traps of code that is often copied:
//  - sin theta = sqrt(1 - cos^2) has an infinite slope at cos = +-1, and is NaN when rounding takes
//    a cosine beyond 1. Here the sine is that of a cosine clamped to +-(1 - 1e-7) in f32 (1e-12 in
//    f64), with gradient 0 beyond; what multiplies cos m is not clamped, so that the loss falls
//    with the own cosine up to 1, and a margin of 0 changes no bit.
//  - for theta > pi - m the cosine of the sum rises again, so a face that points away from its own
//    class would be pushed further away. There the straight continuation cos theta - m sin m of the
//    authors' code is taken, which falls all the way; it has a small step at the joint. The "easy
//    margin", no margin at all where theta > pi / 2, has none of its merit and is not offered.
// scale > 0, margin in [0, pi / 2). Labels as of cosface.
struct ArcFaceOptions {
  double scale = 30;
  double margin = 0.5;
  double label_smoothing = 0;
};
Var arcface(const Var& cosines, const Var& labels, const ArcFaceOptions& options = {});

// Triplets of an anchor a, a positive p of the same label and a negative n of another one, FaceNet,
// Schroff et al. 2015 (arXiv 1503.03832, eq. 1 to 4): for every pair (a, p) of the batch
//     max(0, |a - p|^2 - |a - n|^2 + margin)
// with the semi-hard n: the nearest of those farther from a than p is; where there is none, the
// farthest. (Always taking the very nearest makes training collapse to a point, section 3.2 there.)
// Which n is taken is a constant, of several equally far the first row, or one that is NaN;
// gradients go through all three. Embeddings (N, D) should have length 1 (nn::l2_normalize). Labels
// are any numbers. The mean over all pairs (a, p), a != p, also those whose loss is 0; throws when
// no label comes twice or all are alike: a batch needs several images of several people
// (data::LoaderOptions::together). margin > 0. The n are chosen on the host: on CUDA this copies
// embeddings and labels there and waits for the device, so it cannot be part of a captured step.
struct TripletOptions {
  double margin = 0.2;
};
Var triplet_semi_hard(const Var& embeddings, const Var& labels, const TripletOptions& options = {});

}  // namespace imago::loss
