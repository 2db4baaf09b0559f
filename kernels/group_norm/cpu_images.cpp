// Group norm on the CPU, f32: image after image, each with the loops of batch norm over its rows of
// channels (kernels/batch_norm/cpu_rows.h): the moments of channels are merged into those of
// groups. An image that fits the cache comes from memory once for both passes. Images go to
// different threads where there are enough of them, else the parts of one image do; the parts are
// the same.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/batch_norm/cpu_folding.h"
#include "kernels/batch_norm/cpu_rows.h"
#include "kernels/group_norm/engines.h"

namespace imago::kernels {
namespace {

template <class F>
void for_images(std::int64_t images, F&& f) {
  if (images >= 2 * num_threads()) {
    parallel_for(images, f);
  } else {
    for (std::int64_t n = 0; n < images; ++n) f(n);
  }
}

// Two f64 rows of a piece's width for each piece of an image.
class Partials {
 public:
  explicit Partials(const Folding& folding)
      : width_(folding.width()),
        data_(static_cast<std::size_t>(folding.pieces() * 2 * width_), 0.0) {}
  double* first(std::int64_t piece) { return data_.data() + piece * 2 * width_; }
  double* second(std::int64_t piece) { return first(piece) + width_; }

 private:
  std::int64_t width_;
  std::vector<double> data_;
};

// Five numbers for each column of an image: mean, scale, beta, slope and offset of dx.
class Tables {
 public:
  Tables(const NormProblem& p, const Folding& folding)
      : p_(p),
        width_(folding.width()),
        data_(static_cast<std::size_t>(5 * width_), 0.0f),
        tables_{row(0), row(1), row(2), row(3), row(4)} {}
  // Gives number `which` of channel c the value f(c).
  template <class F>
  void set(int which, F&& f) {
    for (std::int64_t c = 0; c < p_.channels(); ++c) {
      const float value = f(c);
      for (std::int64_t j = c; j < width_; j += p_.channels()) row(which)[j] = value;
    }
  }
  const BatchNormTables& get() const { return tables_; }

 private:
  float* row(int which) { return data_.data() + which * width_; }

  NormProblem p_;
  std::int64_t width_;
  std::vector<float> data_;
  BatchNormTables tables_;
};

bool past_caches(const NormProblem& p) {
  return p.images * p.pixels * p.channels() * 4 >= stream_bytes &&
         p.pixels * p.channels() % 16 == 0;
}

}  // namespace

void normalise_images(const NormProblem& p, const Tensor& x, const Tensor& gamma,
                      const Tensor& beta, double eps, NormResult& out) {
  const std::int64_t channels = p.channels();
  const Folding folding({1, p.pixels, channels});
  const float *px = x.data<float>(), *pg = gamma.data<float>(), *pb = beta.data<float>();
  float* py = out.y.mutable_data<float>();
  float *pm = out.mean.mutable_data<float>(), *ps = out.invstd.mutable_data<float>();
  const bool stream = past_caches(p);
  for_images(p.images, [&](std::int64_t n) {
    const float* image = px + n * p.pixels * channels;
    float* y = py + n * p.pixels * channels;
    Partials partials(folding);
    folding.for_pieces([&](std::int64_t, std::int64_t index, const Folding::Piece& piece) {
      for (std::int64_t row = 0; row < piece.rows; row += block_rows) {
        merge_block_moments(
            image + piece.begin + row * piece.width, std::min(block_rows, piece.rows - row),
            piece.width, static_cast<double>(row), partials.first(index), partials.second(index));
      }
    });
    // Columns that hold the same channel, piece after piece.
    double *mean = partials.first(0), *squares = partials.second(0);
    double merged = 0;
    for (std::int64_t index = 0; index < folding.pieces(); ++index) {
      const Folding::Piece piece = folding.piece(0, index);
      const auto rows = static_cast<double>(piece.rows);
      for (std::int64_t j = 0; j < piece.width; j += channels, merged += rows) {
        if (merged == 0) continue;  // where it is merged into
        merge_moments(merged, mean, squares, rows, partials.first(index) + j,
                      partials.second(index) + j, channels);
      }
    }
    // Channels of a group.
    for (std::int64_t g = 0; g < p.groups; ++g) {
      const std::int64_t first = g * p.width;
      for (std::int64_t d = 1; d < p.width; ++d) {
        merge_moments(merged * static_cast<double>(d), mean + first, squares + first, merged,
                      mean + first + d, squares + first + d, 1);
      }
      const double variance = squares[first] / static_cast<double>(p.terms());
      pm[n * p.groups + g] = static_cast<float>(mean[first]);
      ps[n * p.groups + g] = static_cast<float>(1.0 / std::sqrt(variance + eps));
    }
    Tables tables(p, folding);
    tables.set(0, [&](std::int64_t c) { return pm[n * p.groups + c / p.width]; });
    tables.set(1, [&](std::int64_t c) { return pg[c] * ps[n * p.groups + c / p.width]; });
    tables.set(2, [&](std::int64_t c) { return pb[c]; });
    folding.for_pieces_reversed([&](std::int64_t, std::int64_t, const Folding::Piece& piece) {
      affine_rows(image + piece.begin, y + piece.begin, piece.rows, piece.width, tables.get(), 1.0f,
                  stream);
    });
  });
}

void normalise_images_grad(const NormProblem& p, const Tensor& dy, const Tensor& x,
                           const Tensor& gamma, const Tensor& mean, const Tensor& invstd,
                           NormGrads& out) {
  const std::int64_t channels = p.channels();
  const Folding folding({1, p.pixels, channels});
  const float *px = x.data<float>(), *pdy = dy.data<float>(), *pg = gamma.data<float>();
  const float *pm = mean.data<float>(), *ps = invstd.data<float>();
  float* pdx = out.dx.mutable_data<float>();
  // What each image adds to dgamma and dbeta.
  std::vector<double> shares(static_cast<std::size_t>(p.images * 2 * channels));
  const auto terms = static_cast<double>(p.terms());
  const bool stream = past_caches(p);
  for_images(p.images, [&](std::int64_t n) {
    const std::int64_t base = n * p.pixels * channels;
    Partials partials(folding);
    Tables tables(p, folding);
    const auto inverse = [&](std::int64_t c) { return ps[n * p.groups + c / p.width]; };
    tables.set(0, [&](std::int64_t c) { return pm[n * p.groups + c / p.width]; });
    tables.set(1, [&](std::int64_t c) { return pg[c] * inverse(c); });
    folding.for_pieces([&](std::int64_t, std::int64_t index, const Folding::Piece& piece) {
      for (std::int64_t row = 0; row < piece.rows; row += block_rows) {
        const std::int64_t at = base + piece.begin + row * piece.width;
        add_block_grad_sums(pdy + at, px + at, std::min(block_rows, piece.rows - row), piece.width,
                            tables.get(), 1.0f, partials.first(index), partials.second(index));
      }
    });
    double *sum = partials.first(0), *sum_d = partials.second(0);
    for (std::int64_t index = 0; index < folding.pieces(); ++index) {
      for (std::int64_t j = 0; j < folding.piece(0, index).width; j += channels) {
        if (index == 0 && j == 0) continue;
        for (std::int64_t c = 0; c < channels; ++c) {
          sum[c] += partials.first(index)[j + c];
          sum_d[c] += partials.second(index)[j + c];
        }
      }
    }
    std::vector<double> slope(static_cast<std::size_t>(p.groups)), offset(slope.size());
    for (std::int64_t c = 0; c < channels; ++c) {
      const auto g = static_cast<std::size_t>(c / p.width);
      const double s = static_cast<double>(inverse(c));
      slope[g] -= s * s * s * static_cast<double>(pg[c]) * sum_d[c] / terms;
      offset[g] -= s * static_cast<double>(pg[c]) * sum[c] / terms;
      shares[static_cast<std::size_t>(n * 2 * channels + c)] = s * sum_d[c];
      shares[static_cast<std::size_t>((n * 2 + 1) * channels + c)] = sum[c];
    }
    const auto group = [&](std::int64_t c) { return static_cast<std::size_t>(c / p.width); };
    tables.set(3, [&](std::int64_t c) { return static_cast<float>(slope[group(c)]); });
    tables.set(4, [&](std::int64_t c) { return static_cast<float>(offset[group(c)]); });
    folding.for_pieces_reversed([&](std::int64_t, std::int64_t, const Folding::Piece& piece) {
      const std::int64_t at = base + piece.begin;
      grad_rows(pdy + at, px + at, pdx + at, piece.rows, piece.width, tables.get(), 1.0f, stream);
    });
  });
  if (!out.dgamma.defined()) return;
  float *dgamma = out.dgamma.mutable_data<float>(), *dbeta = out.dbeta.mutable_data<float>();
  for (std::int64_t c = 0; c < channels; ++c) {
    double of_gamma = 0, of_beta = 0;
    for (std::int64_t n = 0; n < p.images; ++n) {
      of_gamma += shares[static_cast<std::size_t>(n * 2 * channels + c)];
      of_beta += shares[static_cast<std::size_t>((n * 2 + 1) * channels + c)];
    }
    dgamma[c] = static_cast<float>(of_gamma);
    dbeta[c] = static_cast<float>(of_beta);
  }
}

}  // namespace imago::kernels
