// Times the search of faces in a gallery (models/identification.h): rows of embeddings, and the
// product of matrices of one of its blocks, which is the least that it has to do.
//
//   bench_search [--probes 1000] [--gallery 100000] [--numbers 128]... [--k 5] [--threads 2]
//                [--benchmark_out=FILE --benchmark_out_format=json]...
//
// bench/timing.h says what a row holds: %floor of `search` is the per cent of the processor's peak
// of fused multiply-adds, and of `gemm` that of the product alone. The first probes are compared
// with cosines one by one before anything is timed. On the CPU, as the search is.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "bench/flags.h"
#include "bench/timing.h"
#include "kernels/gemm/gemm.h"
#include "kernels/parallel.h"
#include "kernels/peak/peak.h"
#include "kernels/random/random.h"
#include "models/identification.h"
#include "tensor/context.h"
#include "tensor/error.h"

using namespace imago;

namespace {

constexpr std::int64_t block_rows = 4096;  // of the gallery, as in the search

struct Options {
  int probes = 1000, gallery = 100000, k = 5, threads = 0;
  std::vector<int> numbers;
  bool inject_error = false;
};

// Random embeddings (rows, D) of length 1.
Tensor embeddings(std::int64_t rows, std::int64_t D, std::uint32_t draw) {
  Tensor x = kernels::normal({rows, D}, DType::f32, {1, 0, draw}, Device::cpu());
  float* p = x.mutable_data<float>();
  parallel_for(rows, [&](std::int64_t i) {
    double square = 0;
    for (std::int64_t d = 0; d < D; ++d) square += double{p[i * D + d]} * p[i * D + d];
    const double length = std::sqrt(square);
    for (std::int64_t d = 0; d < D; ++d) p[i * D + d] = static_cast<float>(p[i * D + d] / length);
  });
  return x;
}

void verify(const std::string& name, const Tensor& probes, const Tensor& gallery, int k,
            bool inject_error) {
  const Tensor few = probes.slice(0, std::min<std::int64_t>(probes.size(0), 3));
  const models::Matches found = models::search(few, gallery, k);
  const std::int64_t D = gallery.size(1);
  const float *x = few.data<float>(), *y = gallery.data<float>();
  for (std::int64_t i = 0; i < few.size(0); ++i) {
    std::vector<std::pair<float, std::int64_t>> all;  // falling cosine, row
    for (std::int64_t j = 0; j < gallery.size(0); ++j) {
      double cosine = 0;
      for (std::int64_t d = 0; d < D; ++d) cosine += double{x[i * D + d]} * y[j * D + d];
      all.emplace_back(-static_cast<float>(cosine), j);
    }
    std::partial_sort(all.begin(), all.begin() + k, all.end());
    for (int r = 0; r < k; ++r) {
      const std::int64_t row = all[static_cast<std::size_t>(r)].second + (inject_error ? 1 : 0);
      check(found.index.data<std::int64_t>()[i * k + r] == row, "bench_search", name,
            " differs from the reference");
    }
  }
}

bench::Work work_of(const std::string& name, double rows, double columns, double D,
                    bench::Launch launch) {
  bench::Work work;
  work.name = name;
  work.flops = 2 * rows * columns * D;
  work.bytes = 4 * (rows + columns) * D;
  work.prepare = [launch = std::move(launch)](int) { return launch; };
  work.ceilings = []() -> bench::Ceilings {
    return {.flops = kernels::measure_fma_peak(num_threads()) * 1e9};
  };
  return work;
}

void run(const Options& o) {
  bench::add_provenance(Device::cpu());
  std::uint32_t draw = 0;
  for (const int D : o.numbers) {
    const std::string size = std::to_string(D);
    const std::string of_search =
        "search/" + std::to_string(o.probes) + "x" + std::to_string(o.gallery) + "x" + size;
    const std::int64_t block = std::min<std::int64_t>(o.gallery, block_rows);
    const std::string of_gemm =
        "gemm/" + std::to_string(o.probes) + "x" + std::to_string(block) + "x" + size;
    if (!bench::selected(of_search) && !bench::selected(of_gemm)) continue;
    const Tensor probes = embeddings(o.probes, D, draw++);
    const Tensor gallery = embeddings(o.gallery, D, draw++);
    if (bench::selected(of_search)) {
      verify(of_search, probes, gallery, o.k, o.inject_error);
      bench::register_cpu(work_of(of_search, o.probes, o.gallery, D, [=, k = o.k](int) {
        const models::Matches found = models::search(probes, gallery, k);
        return std::vector<Tensor>{found.index, found.similarity};
      }));
    }
    if (bench::selected(of_gemm)) {
      const Tensor part = gallery.slice(0, block);
      bench::register_cpu(work_of(of_gemm, o.probes, static_cast<double>(block), D, [=](int) {
        return std::vector<Tensor>{
            kernels::gemm(probes, part, kernels::Transpose::no, kernels::Transpose::yes)};
      }));
    }
  }
  benchmark::RunSpecifiedBenchmarks();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Times the search of faces in a gallery.", "bench_search");
  app.add_option("--probes", options.probes, "faces to be searched")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--gallery", options.gallery, "faces of the gallery")
      ->check(CLI::Range(1, 10000000))
      ->capture_default_str();
  app.add_option("--numbers", options.numbers, "of an embedding; default: 128 and 512")
      ->check(CLI::Range(1, 65536));
  app.add_option("--k", options.k, "matches of each")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "of the CPU; 0: all cores")
      ->check(CLI::Range(0, 1024));
  app.add_flag("--inject-error", options.inject_error)->group("");  // for the test that it fails
  if (const auto code = bench::parse(app, argc, argv)) return *code;
  if (options.numbers.empty()) options.numbers = {128, 512};
  if (options.k > options.gallery) {
    std::fprintf(stderr, "bench_search: --k must be at most --gallery, %d\n", options.gallery);
    return 2;
  }
  try {
    set_num_threads(options.threads);
    run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
  return 0;
}
