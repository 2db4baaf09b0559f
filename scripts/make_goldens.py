#!/usr/bin/env python3
"""Writes the golden values of tests/goldens: what PyTorch computes in f64, in Imago's layouts.

    python3 scripts/make_goldens.py [--out DIR]    write the files
    python3 scripts/make_goldens.py --check        recompute and compare with the files in DIR

Needs PyTorch (1.13 or later) and numpy: `apt install python3-torch python3-numpy`, then
/usr/bin/python3; or a CPU build of torch in a virtual environment. Not needed to run the tests.
Committed are layers, catalogue, dcgan_steps and optimisers of PyTorch 2.6, the others of 1.13;
scores, recognition, image_quality and classical come from numpy. Seeds are fixed and one thread
computes, so the same PyTorch writes the same bytes; another version agrees to rounding, which is
what --check asks for. --only NAME writes or checks one file and leaves the others alone.

Everything is stored ALREADY CONVERTED: images (N, H, W, C), convolution weights (K, R, S, C /
groups), Linear weights (out, in) as in PyTorch, flattening in (H, W, C) order. A transposed
convolution is conv2d_input_grad, so its weight is (K = its input channels, R, S, C / groups = its
output channels / groups): for both kinds PyTorch's axes 0, 2, 3, 1. Padding is top, bottom, left,
right. F64 unless marked (F32); a scalar has shape (). Suffixes: .x input, .w weight, .b bias, .y
output, .dy gradient arriving at y, .dx .dw .db gradients of sum(y * dy) or of the loss.

layers.safetensors
  linear.*                 x (5, 7), w (4, 7), b (4), y (5, 4), dy dx dw db
  flatten_linear.*         x (2, 3, 4, 5), w (6, 60) in our order, w_chw (6, 60) as PyTorch stores
                           it, b (6), y (2, 6), dy dx dw db
  conv2d.*                 x (2, 9, 8, 3), w (5, 4, 4, 3), b (5), y (2, 4, 4, 5); stride 2, pad 1
  conv2d_groups.*          x (2, 7, 8, 4), w (6, 3, 3, 2), b (6), y (2, 7, 4, 6); stride (1, 2),
                           pad 2, dilation 2, groups 2
  conv2d_asymmetric.*      x (2, 6, 5, 3), w (4, 3, 3, 3), b (4), y (2, 3, 3, 4); stride 2,
                           pad 0 1 2 1
  conv_transpose2d.*       x (2, 4, 3, 5), w (5, 4, 4, 3), b (3), y (2, 8, 6, 3); stride 2, pad 1
  conv_transpose2d_extra.* x (2, 3, 4, 4), w (4, 3, 3, 2), b (2), y (2, 6, 8, 2); stride 2, pad 1,
                           output_padding 1
  conv_transpose2d_groups.*  x (2, 3, 3, 4), w (4, 3, 3, 3), b (6), y (2, 7, 7, 6); stride 2,
                           pad 1, dilation 2, groups 2
  conv_transpose2d_same.*  x (2, 4, 4, 3), w (3, 3, 3, 2), b (2), y (2, 8, 8, 2); stride 2,
                           pad 0 1 0 1 (Keras 'same', k3 s2)
  conv_transpose2d_1x1.*   x (3, 1, 1, 6), w (6, 4, 4, 5), b (5), y (3, 4, 4, 5); stride 1, pad 0
  batch_norm.*             x (4, 3, 3, 5), gamma beta mean_in var_in (5); y dy dx dgamma dbeta, and
                           mean var (5), the running statistics after: eps 1e-5, momentum 0.1
  batch_norm_keras.*       the same with eps 1e-3, momentum 0.01; also var_biased (5), the running
                           variance where the batch's variance is not corrected by n / (n - 1)
  batch_norm_2d.*          x (6, 5), eps 1e-5, momentum 0.1
  batch_norm_groups.*      statistics of images 0..1 and 2..3 apart, running averages in that order
  batch_norm_eval.*        from mean_in and var_in, which stay
  batch_norm_lrelu.*       as batch_norm, then LeakyReLU 0.2
  relu.* leaky_relu.* (0.2) tanh.* sigmoid.* softplus.* exp.* log.*   x y dy dx (2, 3, 3, 4)
  bce_logits.*             x target dx (3, 4), loss (); mean; logits up to +-800, soft targets
  mse.* l1.*               x target dx (3, 4), loss (); mean
  gan.*                    real fake (5) logits; means of: loss_d = softplus(-real) +
                           softplus(fake) with its d_real d_fake; loss_g = softplus(-fake) with
                           g_fake; loss_g_minimax = log(1 - sigmoid(fake)) with g_minimax_fake
  adam.*                   p0 (6), grads p m v (10, 6): after each of 10 steps; lr 0.01,
                           betas (0.5, 0.999), eps 1e-8
  second_order.*           logits (3) = conv(lrelu 0.2(bn(conv(x, w1)))), w2): x (3, 8, 8, 2),
                           w1 (4, 4, 4, 2) s2 p1, gamma beta (4), batch statistics, eps 1e-5,
                           w2 (1, 4, 4, 4) s1 p0; gx (3, 8, 8, 2) = d sum(logits) / dx.
                           r1 = mean over n of sum gx[n]^2 with r1_dx r1_dw1 r1_dgamma r1_dw2;
                           gp = mean over n of (norm(gx[n]) - 1)^2 with gp_dx ... gp_dw2
                           (beta's gradient is zero almost everywhere and not stored)

optimisers.safetensors
  p0 (6), grads (10, 6)    where every optimiser starts and what it is given
  OPTIMISER.p (10, 6)      after each step, and what PyTorch keeps: .momentum .m .v .square .mean;
                           the options of each are VARIANTS in goldens/optimisers.py
  groups.p groups.q (6)    after ten steps of AdamW in two groups: p lr 0.01 decay 0.01, q lr 0.03
                           decay 0 and the doubled gradients, rates halved every 4 steps
  schedule.* (30)          factors of steps 0 .. 29: step_decay (every 7, 0.3), linear (20 steps to
                           0.2), cosine (20 steps, floor 0.1), warmup_step_decay (5 steps from 0.25)
  clip.a (3, 4), clip.b (5)  gradients; clip.norm () and clip.norm_a clip.norm_b after clipping to
                           norm 1.5, clip_loose.* to norm 50; clip.value_a after clipping to +-0.5
  spectral_NAME.*          linear 7 -> 4, conv2d 3 -> 4 k3 s2 p1, conv_transpose2d 4 -> 3 k4 s2 p1:
                           w b, start vectors u0 v0, three passes in training mode x0 y0 dy0 u1 v1
                           ... x2 y2 dy2 u3 v3, dw db of the sum of all y * dy; then in evaluation
                           mode eval_y = y(x0), penalty = mean of
                           (norm(d sum(tanh(eval_y)) / dx0[n]) - 1)^2 with penalty_dw penalty_dx

catalogue.safetensors
  gelu.* gelu_tanh.* silu.* softplus.* clamp.* (-1.5, 0.75) softmax.* (channels) softmax_rows.*
  (axis 1) log_softmax.*   x y dy dx (2, 3, 3, 4)
  logsumexp.*              x dx (3, 4, 5), y dy (4): over axes 0 and 2
  prelu.* prelu_channels.* x y dy dx (2, 3, 3, 4), w dw (1) and (4)
  max_pool.* avg_pool.* avg_pool_image.*  x dx (2, 7, 6, 3): k3 s2 p1, the last without padding
  max_pool_dilated.*       x dx (1, 8, 7, 2): k2 s1, dilation 2
  global_avg_pool.* global_max_pool.*  x dx (2, 5, 3, 4)
  nearest.* x3, bilinear.* x2, nearest_size.* bilinear_size.* (5, 4) to (7, 3), antialias.* (11, 8)
                           to (4, 3); half-pixel centres (PyTorch's "nearest-exact")
  pad.* (0.5) pad_reflect.*  padding 0 3 2 1
  layer_norm.*             x (3, 4, 5), w b (5); layer_norm_images.* x (2, 3, 2, 4), w b (3, 2, 4),
                           eps 1e-3, else 1e-5
  group_norm.*             x (2, 3, 3, 6), w b (6), 3 groups
  instance_norm.* instance_norm_affine.*  x (2, 3, 4, 3), w b (3) of the second
  embedding.*              w dw (6, 4), indices (2, 3) (F32), y dy (2, 3, 4)
  cross_entropy.* cross_entropy_smooth.* (0.1) cross_entropy_ignore.* (0.2; -100 does not count)
                           x dx (4, 5), labels (4) (F32), loss ()
  mse.* l1.* smooth_l1.* smooth_l1_beta.* (0.3) huber.* (1.7)  x target dx dtarget (3, 4), loss ()
  bce.*                    x target dx (3, 4), loss (): with logits
  hinge_d.* hinge_g.*      real fake dreal dfake (5), loss ()
  penalty.*                scores (3, 1) of real (3, 8, 8, 2): conv w1 (4, 4, 4, 2) b1 s2 p1, lrelu
                           0.2, conv w2 (6, 4, 4, 4) b2 s2 p1, group norm gamma beta (6) in 2
                           groups, silu, flatten, linear w3 (1, 24) b3; fake, mix (3, 1, 1, 1).
                           r1 = 5 mean over n of sum g[n]^2, g = d sum(scores) / dx at real;
                           gp = 10 mean of (norm(g[n]) - 1)^2 at mix real + (1 - mix) fake;
                           r1_dw1 ... gp_dw3 their gradients (b3 has none)

blocks.safetensors
  conv_block_ACTIVATION.*  x (3, 5, 4, 3), w (4, 3, 3, 3) s2 p1, gamma beta mean_in var_in mean var
                           (4), y (3, 3, 2, 4), dx dw dgamma dbeta: convolution, batch norm, and
                           none relu leaky_relu (0.2) tanh sigmoid gelu silu; eps 1e-5, momentum 0.1
  conv_block_up_ACTIVATION.*  x (2, 3, 2, 3), w (3, 4, 4, 4) transposed, s2 p1, y (2, 6, 4, 4)
  conv_block_extra.*       w (3, 3, 3, 4) transposed, output_padding 1, silu
  conv_block_keras.*       relu, eps 1e-3, momentum 0.01, variance not corrected by n / (n - 1)
  conv_block_eval.*        gelu, from mean_in and var_in
  conv_block_plain.* conv_block_plain_up.*  w b, gelu and silu, without batch norm
  conv_block_spectral.*    w b, tanh, without batch norm, spectral norm: vectors u_in v_in before
                           the one pass in training mode, u (4) v (27) after
  residual.*               x (2, 4, 3, 3), w (3, 3, 3, 3), b: x + tanh(conv(x))
  residual_shortcut.*      x (2, 4, 6, 2): average 2x2 of conv w1 (3, 3, 3, 2) b1 p1 of silu(x),
                           plus conv w2 (3, 1, 1, 2) s2 of x
  reshape.*                x (3, 5), w1 (18, 5) b1, as images (2, 3, 3), conv w2 (4, 2, 2, 3)
  linear_plain.* conv2d_plain.* (s2 p2, dilation 2, groups 2) conv_transpose2d_plain.* (k2 s2)
                           without bias; layer_norm_plain.* (6) group_norm_plain.* (2 groups)
                           without w and b, log_softmax_rows.* (axis 1): x (2, 3, 2, 6)
  bce_learned.*            x target dx dtarget (3, 4), loss (); bce_one_target.* all targets 0.3
  huber_default.* (delta 1) smooth_l1_zero.* (beta 0)  x target dx dtarget (3, 4), loss ()
  cross_entropy_class.*    x dx (5, 6), labels (5) (F32), loss (): class 1 does not count
  residual_penalty.*       scores (3, 1) of real (3, 8, 8, 2): conv w1 (4, 3, 3, 2) b1 p1, tanh, the
                           block of residual_shortcut with w2 (6, 3, 3, 4) b2 w3 (6, 1, 1, 4), layer
                           norm gamma beta (4, 4, 6), gelu, global average, linear w4 (1, 6) b4 with
                           spectral norm by u (1) v (6); the rest as of penalty.*
  ema.live.P ema.average.P (11, ...)  P those of conv 2 -> 3 k3 (0.weight 0.bias) and batch norm 3
                           (1.*); row 0 is where the average starts, row t follows live's row t
                           with decay min(0.35, t / (t + 10))
  clipped.p0 (2, 3) q0 (5), grads_p (10, 2, 3) grads_q (10, 5)  ten steps of SGD, lr 0.1, momentum
                           0.9; norm_p norm_q after each, gradients clipped to norm 1.5, norm_before
                           (10) the norms; value_p value_q: clipped to +-0.5
  schedule.constant (30)   1

gan.safetensors
  scores.real (7), scores.fake (5); LOSS.loss () and LOSS.dreal LOSS.dfake, where it looks at them:
                           gan_d gan_d_smooth (0.9) gan_g gan_g_minimax hinge_d hinge_g lsgan_d
                           lsgan_d_smooth (0.9) lsgan_g wasserstein_d wasserstein_g
  penalty.*                scores (3, 1) of real (3, 8, 8, 3): conv w1 (4, 4, 4, 3) b1 s2 p1, tanh,
                           conv w2 (5, 3, 3, 4) b2 s2 p1, lrelu 0.2, flatten, linear w3 (1, 20) b3;
                           fake, mix (3). With g = d sum(scores) / dx:
                           gp and gp_target = mean over n of (norm(g[n]) - 1)^2 and - 0.25 at mix
                           real + (1 - mix) fake; r1 = mean of sum g[n]^2 at real; gp_dw1 ...
                           r1_dw3 their gradients (b2 and b3 have none)
  augment.*                x dy (3, 8, 9, 3), draws brightness saturation contrast shift_down
                           shift_right cut_top cut_left (3); colour_y colour_dx, and so on for
                           translation, cutout and all three of them

scores.safetensors
  real (150, 12) (F32), fake (121, 12) (F32), few (7, 12)   features
  frechet (), frechet_few ()  of fake and of few against real
  frechet_sizes (3), frechet_at_infinity ()  quarters, halves, the whole; the line over 1 / n at 0
  kernel (), kernel_error ()  blocks of 40
  directions (24, 12)         of length 1
  sliced (), sliced_equal ()  sliced Wasserstein-1 distance along them of fake and real, and of fake
                              and as many of real, its first 121
  manifold_3 manifold_5 (4)   precision, recall, density, coverage with k = 3 and 5

recognition.safetensors
  similarity (48, 48) (F32), people (48) (F32)   multiples of 1/64; pairs are i < j in that order
  roc (R, 3)               FAR, TAR, threshold of every distinct score, from above, after (0, 0)
  auc () eer () accuracy () accuracy_threshold ()   accuracy is balanced
  tar (2, 2)               TAR and threshold at FAR 0.1 and 0.01
  fold_accuracy (10) fold_thresholds (10) fold_mean () fold_error ()   pair n is of fold n % 10
  probe_similarity (200, 23) (F32), probe_people (200) (F32), gallery_people (23) (F32)
  cmc (14), dir () dir_threshold ()   at a false positive rate of 0.1
  truth (90) (F32), answer (90) (F32), counts (4, 4), recall precision f1 (4), right () balanced ()

image_quality.safetensors
  images (4, 14, 17, 3) (F32), truth (4, 14, 17, 3) (F32)   in [-1, 1]
  psnr (4), ssim (4)

classical.safetensors
  images (20, 18, 18, 3) (F32)   in [-1, 1]; the first 12 are the training images, the last one is
                                 of one colour
  M.rows (20, K), M.variances (K), M.explained (), M.similarity (20, 20)   eigenfaces: M is
                                 whitened (K = 6), skipped (5 after 2, not whitened) or unequalized
                                 (4, whitened); cosines; signs as in models/principal_axes.h
  two_d.projection (18, 4), two_d.rows (20, 72), two_d.similarity (20, 20)   column after column;
                                 minus the sums of the distances of columns
  lbp_2.rows (20, 531) (F32), lbp_1.rows (20, 944) (F32)   radius 2 and grid 3, radius 1 and grid 4;
                                 lbp_2.similarity lbp_1.similarity (20, 20), minus chi-square

margins.safetensors      losses of recognition, whose formulas are in goldens/margins.py
  l2_normalize.*           x y dy dx (3, 2, 5); l2_normalize_zeros.* (4, 3), row 1 being zeros;
                           l2_normalize_eps.* (5, 3) eps 0.5, rows 1 and 3 being shorter
  cosine_linear.*          x (4, 6), w (5, 6), y (4, 5) cosines, dy dx dw
  cosface.* (scale 30, margin 0.35) cosface_smooth.* (12, 0.2, smoothing 0.1) cosface_plain.* (5, 0)
  arcface.* (30, 0.5) arcface_smooth.* (12, 0.3, smoothing 0.1) arcface_beyond.* (30, 0.5; every
  angle beyond pi - 0.5) arcface_wide.* (8, 1.2; some of them) arcface_plain.* (5, 0)
                           x dx (6, 5) cosines, labels (6) (F32), loss ()
  triplet.* (margin 0.2)   x dx (10, 4) of length 1, labels (10) (F32), loss ()
  triplet_far.* (1.5)      x dx (8, 4), labels (8) (F32): any numbers, some of them once; loss ()

dcgan_steps.safetensors: ten training steps of a DCGAN, 16x16, base 8, z 16, batch 4
  G: conv_transpose 16->16 k4 s1 p0, bn, relu, 16->8 k4 s2 p1, bn, relu, 8->3 k4 s2 p1, tanh
  D: conv 3->8 k4 s2 p1, lrelu 0.2, 8->16 k4 s2 p1, bn, lrelu 0.2, 16->1 k4 s1 p0; no biases
  P stands for the tensors of g: conv1 (16, 4, 4, 16), conv2 (16, 4, 4, 8), conv3 (8, 4, 4, 3), bn1
  (16), bn2 (8) and of d: conv1 (8, 4, 4, 3), conv2 (16, 4, 4, 8), conv3 (1, 4, 4, 16), bn2 (16):
  g.conv1.weight, g.bn1.weight, g.bn1.bias, g.bn1.running_mean, g.bn1.running_var, ...
  real (10, 4, 16, 16, 3) (F32), z (10, 4, 16) (F32)     the inputs of step i at index i - 1
  init.P (F32)                                           running_mean 0, running_var 1
  stepNN.P                                               after step NN = 01 .. 10
  stepNN.loss_d stepNN.loss_d_real stepNN.loss_d_fake stepNN.loss_g ()
  stepNN.logits_real stepNN.logits_fake stepNN.logits_g (4)
  step01.fake (4, 16, 16, 3), step01.loss_g_minimax (), step01.grad.P (gradients that Adam saw)
A step: fake = G(z), once; loss_d = bce(D(real), 1) + bce(D(fake.detach()), 0), in that order, each
batch with its own statistics; Adam on D; loss_g = bce(D(fake), 1) through the updated D, whose
running statistics take a third update; Adam on G. lr 0.002, betas (0.5, 0.999), eps 1e-8; batch
norm eps 1e-5, momentum 0.1.

conditional.safetensors: three training steps of conditional GANs, 16x16, base 2, z 5, batch 4, of 3
classes; MODE is projection (hinge loss) or acgan (non-saturating, 0.7 times cross-entropy added)
  The networks are those of goldens/conditional.py; names of their tensors are Imago's. P stands for
  those of g and d but for the v of spectral norm: the first step makes it from u.
  real (4, 16, 16, 3) (F32), labels (4) (F32)            the same in each step
  z (3, 4, 5) (F32)                                      of step i at index i - 1
  MODE.init.P (F32), MODE.last.P                         before the first and after the third step
  MODE.stepN.loss_d MODE.stepN.loss_g ()                 N = 1 .. 3
  MODE.stepN.logits_real MODE.stepN.logits_fake (4, 1)
  MODE.stepN.class_real MODE.stepN.class_fake ()         acgan: cross-entropy of D on real images in
                                                         its update, on fakes in G's
  MODE.drawn (1, 16, 16, 3)                              in evaluation mode, of the first z of the
                                                         first step and class 0
A step is as above, fakes being of the labels of the real images, with acgan D's classes of real and
fake in its loss; Adam of G lr 0.001, of D lr 0.002, betas (0.5, 0.9), eps 1e-8.

translation_steps.safetensors: three steps of image-to-image networks, 16x16, base 2, batch 3
  R is inpaint (hinge loss), matte (non-saturating) or lowlight (least squares, no discriminators):
  the runs of RUNS in goldens/translation.py. The networks are there; names of their tensors are
  Imago's, g the translator, d the global discriminator, d_local the local one. P stands for those
  of all three but for the v of spectral norm: the first step makes it from u.
  R.input (3, 16, 16, 4 or 3) (F32), R.target (3, 16, 16, 3 or 1) (F32)   the same in each step
  R.shift_down R.shift_right (3) (F32)                   to the windows of the local discriminator
  R.init.P (F32), R.last.P                               before the first and after the third step;
                                                         last of lowlight has g alone
  R.stepN.loss R.stepN.l1 R.stepN.l2 ()                  N = 1 .. 3; of the translator
  R.stepN.loss_d_global R.stepN.loss_d_local R.stepN.loss_g ()   but for lowlight
  R.stepN.logits_real R.stepN.logits_fake (3, 1)         of the global one, but for lowlight
  R.drawn (3, 16, 16, 3 or 1)                            in evaluation mode, after the last step
A step: result = G(input), with the known pixels put back where there is a hole; loss_d_global =
loss of D on real and result.detach(), loss_d_local the same of their windows, for matte beside the
input; Adam on both; loss = weights times l1, l2 (means over what was missing) and loss_g, the sum
of both discriminators' on the result; Adam on G. lr 0.001, of D 0.002, betas (0.5, 0.9), eps 1e-8.

vae_steps.safetensors: ten training steps of three VAEs, 16x16, base 2, latent 3, batch 2
  encoder: conv1 3->2, conv2 2->4, k4 s2 p1, lrelu 0.2 after each; flattened; mu, log_variance
  linear 64->3; decoder: dense linear 3->64, lrelu, 4x4x4, up1 4->2, lrelu, up2 2->3, transposed k4
  s2 p1; then tanh, but not of bernoulli, whose outputs are logits. All with biases.
  images (10, 2, 16, 16, 3) (F32), noise (10, 2, 3) (F32)  the inputs of step i at index i - 1
  R is gaussian, learned, bernoulli: the runs of RUNS in goldens/vae.py. P stands for
  conv1.weight (2, 4, 4, 3), conv1.bias, ... and log_sigma () of the first two
  R.init.P (F32)           R.stepNN.P  after steps NN = 01, 04, 07, 10
  R.stepNN.loss R.stepNN.reconstruction R.stepNN.kl ()  of each step, nats per image
A step: z = mu + sigma noise; reconstruction = -log p(x|z), summed over the image and averaged over
the batch (bernoulli: of (x + 1) / 2); kl the same of q from N(0, 1); loss = reconstruction + beta
min(1, NN / warmup) sum_j max(free_bits, mean_n kl[n, j]); Adam, lr 0.002, betas (0.9, 0.999), eps
1e-8, on everything but a fixed log_sigma.

vae_gan_steps.safetensors: four training steps of two VAE-GANs, 16x16, base 2, latent 3, batch 3
  The VAEs are those above; D: conv 3->2, lrelu 0.2, conv 2->4 without a bias, group norm of one
  group, lrelu, both k4 s2 p1, then conv 4->1 k4. Names of their tensors are Imago's.
  images (4, 3, 16, 16, 3) (F32), noise (4, 6, 3) (F32)  the inputs of step i at index i - 1; the
                           first three rows are of the posteriors, the others z_p
  R is given, learned: the runs of RUNS in goldens/vae_gan.py. P stands for the tensors of vae and d
  R.init.P (F32), R.last.P   before the first and after the fourth step
  R.stepN.loss R.stepN.reconstruction R.stepN.kl R.stepN.loss_d R.stepN.loss_gan ()  N = 1 .. 4
  R.stepN.logits_real R.stepN.logits_reconstructed R.stepN.logits_drawn (3, 1)
  R.stepN.pull_features R.stepN.pull_gan ()
A step: reconstruction = -log N(features of x; features of the reconstruction, sigma^2), loss_gan =
softplus(-D(reconstruction)) + softplus(-D(drawn)), loss_d = softplus(-D(x)) + softplus(D(
reconstruction)) + softplus(D(drawn)), each a mean over the batch. Gradients, all of the same
weights: encoder of reconstruction + beta min(1, N / warmup) kl, decoder of reconstruction + weight
loss_gan, log_sigma of reconstruction, D of loss_d; loss is the sum of all terms but loss_d. Then
Adam on both, lr 0.002, betas (0.5, 0.999), eps 1e-8. Pulls: the norms of the gradients of
reconstruction and of weight loss_gan by each decoded image, summed over images; of loss_gan halved.

recogniser_steps.safetensors
six training steps of six recognisers, one for each head; networks, options and optimisers are RUNS
in goldens/recogniser.py, weights and images are its start() and draws(). Names are Imago's. Of a
tensor of n values every max(1, n // 200)th is there, in our order.
  HEAD.step1.gradient.NAME   of the first step's loss, by each parameter
  HEAD.stepN.loss ()         and, but for triplet, HEAD.stepN.accuracy ()
  HEAD.end.NAME              parameters and running statistics after the last step
"""
import argparse
import pathlib
import sys

import numpy as np
import torch

from goldens import (blocks, catalogue, classical, common, conditional, dcgan, gan, image_quality,
                     layers, margins, optimisers, recogniser, recognition, scores, translation, vae,
                     vae_gan)

FILES = {"layers.safetensors": layers.make, "catalogue.safetensors": catalogue.make,
         "blocks.safetensors": blocks.make, "dcgan_steps.safetensors": dcgan.make,
         "optimisers.safetensors": optimisers.make, "gan.safetensors": gan.make,
         "conditional.safetensors": conditional.make, "vae_steps.safetensors": vae.make,
         "vae_gan_steps.safetensors": vae_gan.make, "scores.safetensors": scores.make,
         "recognition.safetensors": recognition.make,
         "recogniser_steps.safetensors": recogniser.make,
         "image_quality.safetensors": image_quality.make,
         "classical.safetensors": classical.make, "margins.safetensors": margins.make,
         "translation_steps.safetensors": translation.make}


def check(path, tensors):
    """The number of tensors that differ from those in the file by more than rounding."""
    stored, wrong = common.load(path), 0
    for name in sorted(stored.keys() | tensors.keys()):
        a, b = stored.get(name), tensors.get(name)
        if a is None or b is None or a.shape != b.shape or a.dtype != b.dtype:
            print(f"{path.name}: {name} is missing on one side or has another shape or dtype")
            wrong += 1
        elif not np.abs(a - b).max() <= 1e-9 * max(1.0, np.abs(a).max()):
            print(f"{path.name}: {name} differs by {np.abs(a - b).max()}")
            wrong += 1
    print(f"{path.name}: {len(stored)} tensors, {wrong} wrong")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--out", type=pathlib.Path, default=root / "tests" / "goldens")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--only", choices=FILES, help="this file alone")
    args = parser.parse_args()
    torch.set_num_threads(1)
    wrong = 0
    for name, make in FILES.items():
        if args.only not in (None, name):
            continue
        tensors, metadata = make()
        if args.check:
            wrong += check(args.out / name, tensors)
        else:
            args.out.mkdir(parents=True, exist_ok=True)
            common.save(args.out / name, tensors, metadata)
            print(f"{name}: {len(tensors)} tensors, {(args.out / name).stat().st_size} bytes")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
