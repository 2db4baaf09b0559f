#include "models/vae_evaluation.h"

#include <algorithm>
#include <numeric>
#include <sstream>

#include "autograd/ops/add.h"
#include "autograd/ops/concat.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/random/random.h"
#include "nn/vae_loss.h"

namespace imago::models {
namespace {

// The samples' step of the random numbers: no step of training has it.
constexpr std::uint32_t evaluation_step = 0xfffffffeu;

double total(const Var& x) {
  return ops::sum(x).item();
}

// log p(x|z) and log p(z) - log q(z|x) of one sample for each image: (N) each.
struct Sample {
  Var likelihood, ratio;
};

// Some of the images, what the encoder says of them, and what came of each sample.
struct Chunk {
  std::int64_t begin = 0;  // of its images among all
  Tensor images;           // (n, S, S, 3)
  Posterior q;
  Vars log_weights;                         // K of (n)
  std::vector<double> likelihoods, bounds;  // K sums over the images
};

Sample draw(Vae& vae, const Var& images, const Posterior& q, const Var& noise) {
  const Var z = loss::reparameterise(q.mu, q.log_variance, noise);
  // With z = mu + sigma noise, log q(z|x) = log N(noise; 0, 1) - sum log sigma.
  const Var log_sigmas = ops::scale(ops::sum(q.log_variance, {1}), 0.5);
  const Var log_q = ops::sub(loss::standard_normal_log_density(noise), log_sigmas);
  return {vae.log_likelihood(images, vae.decode(z)),
          ops::sub(loss::standard_normal_log_density(z), log_q)};
}

// Adds the rows of x (n, Z), transformed, to sums (Z).
void add_rows(const Tensor& x, std::vector<double>& sums, const auto& f) {
  const Tensor host = kernels::cast(x.to(Device::cpu()), DType::f64);
  const double* p = host.data<double>();
  const std::size_t width = sums.size();
  for (std::int64_t n = 0; n < host.size(0); ++n) {
    for (std::size_t j = 0; j < width; ++j) sums[j] += f(*p++, j);
  }
}

}  // namespace

std::vector<int> VaeEvaluation::by_activity() const {
  std::vector<int> order(variance.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return variance[static_cast<std::size_t>(a)] > variance[static_cast<std::size_t>(b)];
  });
  return order;
}

VaeEvaluation evaluate_vae(Vae& vae, const Tensor& images, const VaeEvaluationOptions& o) {
  check(o.samples >= 1 && o.chunk >= 1, "evaluate_vae", "samples and chunk are 1 or more, not ",
        o.samples, " and ", o.chunk);
  check(images.dim() == 4 && images.size(0) >= 1, "evaluate_vae",
        "expects images (N, S, S, 3), not ", images.shape());
  const NoGrad no_grad;
  const nn::Evaluating mode(vae);
  const std::int64_t count = images.size(0);
  const std::int64_t latent = vae.options().latent;

  VaeEvaluation e;
  e.kl_per_latent.assign(static_cast<std::size_t>(latent), 0);
  std::vector<Chunk> chunks;
  for (std::int64_t begin = 0; begin < count; begin += o.chunk) {
    const Tensor some = images.slice(begin, std::min(begin + o.chunk, count));
    chunks.push_back({begin, some, vae.encode(some), {}, {}, {}});
    const Posterior& q = chunks.back().q;
    const Var kl = loss::gaussian_kl(q.mu, q.log_variance);
    add_rows(kl.tensor(), e.kl_per_latent, [](double v, std::size_t) { return v; });
  }
  // Sample by sample, each drawn for all images at once: so a chunk takes its part of the same
  // numbers, and nothing is drawn twice.
  for (int k = 0; k < o.samples; ++k) {
    const DrawKey key{o.seed, evaluation_step, static_cast<std::uint32_t>(k)};
    const Tensor noise = kernels::normal({count, latent}, images.dtype(), key, images.device());
    for (Chunk& c : chunks) {
      const Sample s = draw(vae, c.images, c.q, noise.slice(c.begin, c.begin + c.images.size(0)));
      c.log_weights.push_back(ops::add(s.likelihood, s.ratio));
      c.likelihoods.push_back(total(s.likelihood));
      c.bounds.push_back(total(c.log_weights.back()));
    }
  }
  for (const Chunk& c : chunks) {
    for (const double sum : c.likelihoods) e.reconstruction -= sum / o.samples;
    for (const double sum : c.bounds) e.sampled_elbo += sum / o.samples;
    e.iwae += total(loss::iwae_bound(ops::stack(c.log_weights, 0)));
  }
  const auto n = static_cast<double>(count);
  e.reconstruction /= n;
  e.sampled_elbo /= n;
  e.iwae /= n;
  for (double& v : e.kl_per_latent) e.kl += v /= n;
  e.elbo = -(e.reconstruction + e.kl);

  std::vector<double> mean(static_cast<std::size_t>(latent), 0);
  for (const Chunk& c : chunks) {
    add_rows(c.q.mu.tensor(), mean, [&](double v, std::size_t) { return v / n; });
  }
  e.variance.assign(static_cast<std::size_t>(latent), 0);
  for (const Chunk& c : chunks) {
    add_rows(c.q.mu.tensor(), e.variance,
             [&](double v, std::size_t j) { return (v - mean[j]) * (v - mean[j]) / n; });
  }
  e.active_units = static_cast<int>(std::count_if(e.variance.begin(), e.variance.end(),
                                                  [&](double v) { return v > o.active_variance; }));
  return e;
}

std::string posterior_collapse(const VaeEvaluation& e) {
  constexpr double little = 0.5;  // nats: less than one yes or no (0.69)
  const auto latent = static_cast<int>(e.variance.size());
  const bool silent = e.kl < little;
  if (!silent && 10 * e.active_units >= latent) return "";
  std::ostringstream text;
  text.precision(2);
  text << std::fixed << "posterior collapse: ";
  if (silent) {
    text << "the KL is " << e.kl
         << " nats per image, so z says nothing about x and every reconstruction is the same image";
  } else {
    text << "only " << e.active_units << " of " << latent
         << " latents are active, the others say the same about every image";
  }
  text << "; a longer warm-up of the KL, free bits, a smaller beta or a smaller sigma help";
  return text.str();
}

}  // namespace imago::models
