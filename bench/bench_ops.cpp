// Times the memory-bound kernels: elementwise operations, a sum per channel, Adam, and batch norm
// with its leaky ReLU at the layers of DCGAN (--megabytes 32: batch 128). Each is verified before
// it is timed, and set beside a plain copy.
//
//   bench_ops [--megabytes 32] [--threads 2] [Google Benchmark's flags]
//
// Columns, from the best time of a row: GB/s of the bytes that must move (each operand once), and
// the per cent of the rate at which memcpy moves bytes, measured next to it.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "kernels/adam/adam.h"
#include "kernels/adam/cases.h"
#include "kernels/batch_norm/cases.h"
#include "kernels/elementwise/cases.h"
#include "kernels/parallel.h"
#include "kernels/random/random.h"
#include "kernels/reduce/cases.h"
#include "kernels/reduce/reduce.h"

using namespace imago;
using namespace imago::kernels;

namespace {

constexpr std::int64_t channels = 64;

struct Row {
  std::string name;
  double bytes;
  std::function<void()> run;
  std::function<bool()> verify;
};

// Every element of `got` within tolerance(want) of `want`, which is f64.
bool close(const Tensor& got, const Tensor& want, const std::function<double(double)>& tolerance) {
  const Tensor g = cast(got, DType::f64);
  for (std::int64_t i = 0; i < g.numel(); ++i) {
    const double value = want.data<double>()[i];
    if (!(std::fabs(g.data<double>()[i] - value) <= tolerance(value))) return false;
  }
  return true;
}

struct Operands {
  Tensor x, y, channel;  // (rows, channels) twice, (channels,)
};

Row unary_row(const UnaryCase& c, const Operands& o) {
  // Into the range where the function is defined.
  const Tensor x = c.low > 0 ? add_scalar(square(o.x), c.low) : o.x;
  return {name_of(c.op), c.bytes(DType::f32, x.numel()),
          [=] { benchmark::DoNotOptimize(unary(c.op, x, c.a)); },
          [=] {
            return close(unary(c.op, x, c.a), unary_reference(c.op, cast(x, DType::f64), c.a),
                         [&](double v) { return c.tolerance(DType::f32, v); });
          }};
}

Row binary_row(const std::string& name, const BinaryCase& c, const Tensor& x, const Tensor& y) {
  const double bytes = static_cast<double>(2 * x.nbytes() + y.nbytes());
  return {name, bytes, [=] { benchmark::DoNotOptimize(binary(c.op, x, y, c.a)); },
          [=] {
            const Tensor want =
                binary_reference(c.op, cast(x, DType::f64), cast(y, DType::f64), c.a);
            return close(binary(c.op, x, y, c.a), want,
                         [&](double v) { return c.tolerance(DType::f32, v); });
          }};
}

Row sum_row(const Operands& o) {
  const ReduceCase c{o.x.shape(), o.channel.shape()};
  return {"sum per channel", c.bytes(DType::f32),
          [=] { benchmark::DoNotOptimize(sum_to(o.x, c.small)); },
          [=] {
            const Tensor want = sum_to_reference(cast(o.x, DType::f64), c.small);
            const double bound = c.tolerance(DType::f32, 0);
            return close(sum_to(o.x, c.small), want, [=](double) { return bound; });
          }};
}

// Parameters, gradients and both moments are a quarter of the memory of x each.
Row adam_row(const Operands& o) {
  const std::int64_t quarter = o.x.size(0) / 4;
  const AdamCase c{{{quarter, channels}}};
  const Tensor scalars = Tensor::from<float>({1e-3f, 10.0f, 31.6f}, {3});
  auto lists = std::make_shared<std::vector<std::vector<Tensor>>>();
  for (int i = 0; i < 4; ++i) {
    const Tensor part = o.x.slice(i * quarter, (i + 1) * quarter);
    lists->push_back({i == 3 ? square(part) : part.clone()});
  }
  const auto run = [=] {
    adam_update((*lists)[0], (*lists)[1], (*lists)[2], (*lists)[3], scalars, {});
  };
  return {"adam", c.bytes(DType::f32), run, [=] {
            std::vector<Tensor> before;
            for (const auto& list : *lists) before.push_back(cast(list[0], DType::f64));
            run();
            for (std::int64_t i = 0; i < quarter * channels; ++i) {
              const double g = before[1].data<double>()[i];
              const double m = 0.9 * before[2].data<double>()[i] + 0.1 * g;
              const double v = 0.999 * before[3].data<double>()[i] + 0.001 * g * g;
              const double step = 1e-2 * m / (std::sqrt(v) * 31.6 + 1e-8);
              const double want = before[0].data<double>()[i] - step;
              const double got = static_cast<double>((*lists)[0][0].data<float>()[i]);
              if (!(std::fabs(got - want) <= 1e-6 * (1 + std::fabs(step) + std::fabs(want)))) {
                return false;
              }
            }
            return true;
          }};
}

double largest(const Tensor& x) {
  const Tensor wide = cast(x, DType::f64);
  double most = 0;
  for (std::int64_t i = 0; i < wide.numel(); ++i) {
    most = std::max(most, std::fabs(wide.data<double>()[i]));
  }
  return most;
}

bool close_within(const Tensor& got, const Tensor& want, double bound) {
  return close(got, want, [=](double) { return bound; });
}

// The fused forward and backward pass of one layer.
void add_batch_norm_rows(const BatchNormCase& c, std::vector<Row>& table) {
  constexpr double eps = 1e-5, slope = 0.2;
  const Shape per_channel{c.channels()};
  const Tensor x = normal(c.x, DType::f32, {1, 0, 3});
  const Tensor gamma = add_scalar(uniform(per_channel, DType::f32, {1, 0, 4}), 0.5);
  const Tensor beta = normal(per_channel, DType::f32, {1, 0, 5});
  const auto wide = [](const Tensor& t) { return cast(t, DType::f64); };
  const auto forward = [=] { return batch_norm_lrelu(x, gamma, beta, eps, slope, c.stat_groups); };
  const BatchNormResult stats = forward();
  // 0 next to the kink, where rounding alone decides which slope an element has.
  Tensor dy = normal(c.x, DType::f32, {1, 0, 6});
  for (std::int64_t i = 0; i < dy.numel(); ++i) {
    if (std::fabs(stats.y.data<float>()[i]) < 1e-4f) dy.mutable_data<float>()[i] = 0;
  }
  const Tensor mean = stats.mean, invstd = stats.invstd;
  const auto backward = [=] {
    return batch_norm_lrelu_grad(dy, x, gamma, beta, mean, invstd, slope, c.stat_groups);
  };

  table.push_back(
      {"batch_norm_lrelu " + c.name, c.forward_bytes(DType::f32),
       [=] { benchmark::DoNotOptimize(forward()); },
       [=] {
         const BatchNormResult got = forward();
         const BatchNormResult want = batch_norm_lrelu(wide(x), wide(gamma), wide(beta), eps, slope,
                                                       c.stat_groups, Engine::reference);
         const auto bound = [&](double scale) {
           return c.tolerance(DType::f32, DType::f32, scale);
         };
         const double shift = largest(gamma) * largest(want.mean) * largest(want.invstd);
         return close_within(got.y, want.y, bound(largest(want.y) + shift)) &&
                close_within(got.mean, want.mean, bound(largest(want.mean) + largest(want.var))) &&
                close_within(got.var, want.var, bound(largest(want.var))) &&
                close_within(got.invstd, want.invstd, bound(largest(want.invstd)));
       }});
  table.push_back(
      {"batch_norm_lrelu_grad " + c.name, c.backward_bytes(DType::f32),
       [=] { benchmark::DoNotOptimize(backward()); },
       [=] {
         const BatchNormGrads got = backward();
         const BatchNormGrads want =
             batch_norm_lrelu_grad(wide(dy), wide(x), wide(gamma), wide(beta), wide(mean),
                                   wide(invstd), slope, c.stat_groups, Engine::reference);
         const double most = largest(dy), sums = c.parameter_tolerance(DType::f32, most);
         const double scale = most * largest(gamma) * largest(invstd);
         return close_within(got.dx, want.dx, c.tolerance(DType::f32, DType::f32, scale)) &&
                close_within(got.dgamma, want.dgamma, sums) &&
                close_within(got.dbeta, want.dbeta, sums);
       }});
}

double seconds_of(const std::function<void()>& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// GB/s, bytes read and written, of the best of several copies of x.
double copy_rate(const Tensor& x) {
  Tensor out = Tensor::empty_like(x);
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 10; ++i) {
    best = std::min(best, seconds_of([&] {
                      std::byte* to = out.mutable_bytes();
                      const std::byte* from = x.bytes();
                      parallel_ranges(static_cast<std::int64_t>(x.nbytes()), 131072,
                                      [&](std::int64_t begin, std::int64_t end) {
                                        std::memcpy(to + begin, from + begin,
                                                    static_cast<std::size_t>(end - begin));
                                      });
                    }));
  }
  return 2e-9 * static_cast<double>(x.nbytes()) / best;
}

void time_row(benchmark::State& state, const Row& row, const Tensor& x) {
  const double copy = copy_rate(x);
  double best = std::numeric_limits<double>::infinity();
  for (auto _ : state) {
    const double seconds = seconds_of(row.run);
    best = std::min(best, seconds);
    state.SetIterationTime(seconds);
  }
  const double rate = 1e-9 * row.bytes / best;
  state.counters["best_ms"] = best * 1e3;
  state.counters["GB/s"] = rate;
  state.counters["copy"] = copy;
  state.counters["%copy"] = 100.0 * rate / copy;
}

// Takes "--name value" or "--name=value" out of argv.
int take_number(int& argc, char** argv, const std::string& name, int fallback) {
  int number = fallback;
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    std::string value;
    if (flag == name && i + 1 < argc) {
      value = argv[++i];
    } else if (flag.starts_with(name + "=")) {
      value = flag.substr(name.size() + 1);
    } else {
      argv[kept++] = argv[i];
      continue;
    }
    std::size_t used = 0;
    try {
      number = std::stoi(value, &used);
    } catch (const std::exception&) {
      used = 0;
    }
    check(used > 0 && used == value.size() && number > 0, "bench_ops", name,
          " takes a positive number, not '", value, "'");
  }
  argc = kept;
  return number;
}

}  // namespace

int main(int argc, char** argv) {
  int megabytes = 0;
  try {
    megabytes = take_number(argc, argv, "--megabytes", 32);
    set_num_threads(take_number(argc, argv, "--threads", num_threads()));
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 2;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;

  const std::int64_t rows = (std::int64_t{megabytes} << 20) / 4 / channels;
  const Operands o{normal({rows, channels}, DType::f32, {1, 0, 0}),
                   uniform({rows, channels}, DType::f32, {1, 0, 1}),
                   uniform({channels}, DType::f32, {1, 0, 2})};
  std::vector<Row> table;
  for (const UnaryCase& c : unary_cases()) table.push_back(unary_row(c, o));
  for (const BinaryCase& c : binary_cases()) {
    if (c.op == Binary::div || c.op == Binary::tanh_grad || c.op == Binary::sigmoid_grad) continue;
    table.push_back(binary_row(name_of(c.op), c, o.x, o.y));
    if (c.op == Binary::add) {
      table.push_back(binary_row("add per channel", c, o.x, o.channel));
    }
  }
  table.push_back(sum_row(o));
  table.push_back(adam_row(o));
  for (const BatchNormCase& c : dcgan_batch_norms(4 * std::int64_t{megabytes})) {
    add_batch_norm_rows(c, table);
  }
  for (const Row& row : table) {
    if (!row.verify()) {
      std::fprintf(stderr, "error: [bench_ops] %s differs from the reference\n", row.name.c_str());
      return 1;
    }
    benchmark::RegisterBenchmark(row.name.c_str(), time_row, row, o.x)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
