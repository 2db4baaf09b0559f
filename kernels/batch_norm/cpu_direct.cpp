// Batch norm on the CPU, in f32, and in bf16 by way of an f32 copy: each pass streams over memory
// once, in the parts of cpu_folding.h. Blocks of rows merge into their part in order, parts into
// the group in order, columns into channels in order, all in f64.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/batch_norm/cpu_folding.h"
#include "kernels/batch_norm/cpu_rows.h"
#include "kernels/batch_norm/engines.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::kernels {

namespace {

// Two f64 rows of a piece's width for each piece: what the first pass leaves for the merge.
class Partials {
 public:
  Partials(const Folding& folding, std::int64_t groups)
      : pieces_(folding.pieces()),
        width_(folding.width()),
        memory_(Tensor::empty({groups, pieces_, 2, width_}, DType::f64, Device::cpu())),
        data_(memory_.mutable_data<double>()) {}

  double* first(std::int64_t group, std::int64_t piece) const {
    return data_ + (group * pieces_ + piece) * 2 * width_;
  }
  double* second(std::int64_t group, std::int64_t piece) const {
    return first(group, piece) + width_;
  }

 private:
  std::int64_t pieces_, width_;
  Tensor memory_;
  double* data_;
};

// The tables of all groups, each channel's entry repeated over the columns it owns.
class Tables {
 public:
  Tables(const Folding& folding, const BatchNormProblem& p, const Tensor& gamma, const Tensor& beta,
         const Tensor& mean, const Tensor& invstd)
      : width_(folding.width()),
        memory_(Tensor::empty({p.groups, 5, width_}, DType::f32, Device::cpu())),
        data_(memory_.mutable_data<float>()) {
    for (std::int64_t g = 0; g < p.groups; ++g)
      for (std::int64_t j = 0; j < width_; ++j) {
        const std::int64_t c = j % p.channels;
        row(g, 0)[j] = mean.data<float>()[g * p.channels + c];
        row(g, 1)[j] = gamma.data<float>()[c] * invstd.data<float>()[g * p.channels + c];
        row(g, 2)[j] = beta.data<float>()[c];
      }
  }

  float* row(std::int64_t group, int which) const { return data_ + (group * 5 + which) * width_; }
  BatchNormTables group(std::int64_t g) const {
    return {row(g, 0), row(g, 1), row(g, 2), row(g, 3), row(g, 4)};
  }

 private:
  std::int64_t width_;
  Tensor memory_;
  float* data_;
};

}  // namespace

void batch_norm_apply_direct(const BatchNormProblem& problem, const Tensor& x, const Tensor& gamma,
                             const Tensor& beta, const Tensor& mean, const Tensor& invstd,
                             double slope, Tensor& y) {
  if (x.dtype() == DType::bf16) {
    Tensor wide = Tensor::empty(x.shape(), DType::f32, x.device());
    batch_norm_apply_direct(problem, cast(x, DType::f32), gamma, beta, mean, invstd, slope, wide);
    y = cast(wide, DType::bf16);
    return;
  }
  const Folding folding(problem);
  const Tables tables(folding, problem, gamma, beta, mean, invstd);
  const float* px = x.data<float>();
  float* py = y.mutable_data<float>();
  folding.for_pieces_reversed([&](std::int64_t g, std::int64_t, const Folding::Piece& piece) {
    affine_rows(px + piece.begin, py + piece.begin, piece.rows, piece.width, tables.group(g),
                static_cast<float>(slope), folding.stream());
  });
}

void batch_norm_direct(const BatchNormProblem& problem, const Tensor& x, const Tensor& gamma,
                       const Tensor& beta, double eps, double slope, BatchNormResult& out) {
  if (x.dtype() == DType::bf16) {
    BatchNormResult wide = out;
    wide.y = Tensor::empty(x.shape(), DType::f32, x.device());
    batch_norm_direct(problem, cast(x, DType::f32), gamma, beta, eps, slope, wide);
    out.y = cast(wide.y, DType::bf16);
    return;
  }
  const Folding folding(problem);
  const Partials partials(folding, problem.groups);
  const float* px = x.data<float>();
  folding.for_pieces([&](std::int64_t g, std::int64_t index, const Folding::Piece& piece) {
    double* mean = partials.first(g, index);
    double* squares = partials.second(g, index);
    std::fill(mean, mean + piece.width, 0.0);
    std::fill(squares, squares + piece.width, 0.0);
    for (std::int64_t row = 0; row < piece.rows; row += block_rows)
      merge_block_moments(px + piece.begin + row * piece.width,
                          std::min(block_rows, piece.rows - row), piece.width,
                          static_cast<double>(row), mean, squares);
  });

  const std::int64_t channels = problem.channels;
  float* pm = out.mean.mutable_data<float>();
  float* pv = out.var.mutable_data<float>();
  float* ps = out.invstd.mutable_data<float>();
  for (std::int64_t g = 0; g < problem.groups; ++g) {
    double rows = 0;  // merged so far, in each column
    for (std::int64_t index = 0; index < folding.parts(); ++index) {
      const double more = static_cast<double>(folding.piece(g, index).rows);
      if (index > 0)
        merge_moments(rows, partials.first(g, 0), partials.second(g, 0), more,
                      partials.first(g, index), partials.second(g, index), folding.width());
      rows += more;
    }
    double merged = rows;  // merged so far, in each channel
    double* mean = partials.first(g, 0);
    double* squares = partials.second(g, 0);
    if (folding.parts() > 0) {
      for (std::int64_t k = 1; k < folding.fold(); ++k, merged += rows)
        merge_moments(merged, mean, squares, rows, mean + k * channels, squares + k * channels,
                      channels);
      if (folding.pieces() > folding.parts())
        merge_moments(
            merged, mean, squares, static_cast<double>(folding.piece(g, folding.parts()).rows),
            partials.first(g, folding.parts()), partials.second(g, folding.parts()), channels);
    }
    for (std::int64_t c = 0; c < channels; ++c) {
      const double var = squares[c] / static_cast<double>(problem.rows);
      pm[g * channels + c] = static_cast<float>(mean[c]);
      pv[g * channels + c] = static_cast<float>(var);
      ps[g * channels + c] = static_cast<float>(1.0 / std::sqrt(var + eps));
    }
  }
  batch_norm_apply_direct(problem, x, gamma, beta, out.mean, out.invstd, slope, out.y);
}

void batch_norm_grad_direct(const BatchNormProblem& problem, const Tensor& dy, const Tensor& x,
                            const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                            const Tensor& invstd, double slope, BatchNormGrads& out) {
  if (x.dtype() == DType::bf16) {
    BatchNormGrads wide = out;
    wide.dx = Tensor::empty(x.shape(), DType::f32, x.device());
    batch_norm_grad_direct(problem, cast(dy, DType::f32), cast(x, DType::f32), gamma, beta, mean,
                           invstd, slope, wide);
    out.dx = cast(wide.dx, DType::bf16);
    return;
  }
  const Folding folding(problem);
  const Partials partials(folding, problem.groups);
  const Tables tables(folding, problem, gamma, beta, mean, invstd);
  const float* px = x.data<float>();
  const float* pdy = dy.data<float>();
  const float slope_f = static_cast<float>(slope);
  folding.for_pieces([&](std::int64_t g, std::int64_t index, const Folding::Piece& piece) {
    double* sum_dz = partials.first(g, index);
    double* sum_dz_d = partials.second(g, index);
    std::fill(sum_dz, sum_dz + piece.width, 0.0);
    std::fill(sum_dz_d, sum_dz_d + piece.width, 0.0);
    for (std::int64_t row = 0; row < piece.rows; row += block_rows) {
      const std::int64_t at = piece.begin + row * piece.width;
      add_block_grad_sums(pdy + at, px + at, std::min(block_rows, piece.rows - row), piece.width,
                          tables.group(g), slope_f, sum_dz, sum_dz_d);
    }
  });

  const std::int64_t channels = problem.channels;
  const auto count = static_cast<std::size_t>(channels);
  std::vector<double> dgamma(count, 0.0), dbeta(count, 0.0);
  for (std::int64_t g = 0; g < problem.groups; ++g) {
    std::vector<double> sum_dz(count, 0.0), sum_dz_d(count, 0.0);
    for (std::int64_t index = 0; index < folding.pieces(); ++index)
      for (std::int64_t j = 0; j < folding.piece(g, index).width; j += channels)
        for (std::int64_t c = 0; c < channels; ++c) {
          sum_dz[static_cast<std::size_t>(c)] += partials.first(g, index)[j + c];
          sum_dz_d[static_cast<std::size_t>(c)] += partials.second(g, index)[j + c];
        }
    const double rows = static_cast<double>(problem.rows);
    for (std::int64_t c = 0; c < channels; ++c) {
      const auto i = static_cast<std::size_t>(c);
      const double s = static_cast<double>(invstd.data<float>()[g * channels + c]);
      const double scale = static_cast<double>(tables.row(g, 1)[c]);
      const double dx_slope = -scale * s * s * sum_dz_d[i] / rows;
      const double dx_offset = -scale * sum_dz[i] / rows;
      for (std::int64_t j = c; j < folding.width(); j += channels) {
        tables.row(g, 3)[j] = static_cast<float>(dx_slope);
        tables.row(g, 4)[j] = static_cast<float>(dx_offset);
      }
      dgamma[i] += s * sum_dz_d[i];
      dbeta[i] += sum_dz[i];
    }
  }
  float* pdg = out.dgamma.mutable_data<float>();
  float* pdb = out.dbeta.mutable_data<float>();
  for (std::size_t i = 0; i < count; ++i) {
    pdg[i] = static_cast<float>(dgamma[i]);
    pdb[i] = static_cast<float>(dbeta[i]);
  }

  float* pdx = out.dx.mutable_data<float>();
  folding.for_pieces_reversed([&](std::int64_t g, std::int64_t, const Folding::Piece& piece) {
    grad_rows(pdy + piece.begin, px + piece.begin, pdx + piece.begin, piece.rows, piece.width,
              tables.group(g), slope_f, folding.stream());
  });
}

}  // namespace imago::kernels
