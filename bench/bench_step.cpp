// Times the classic DCGAN training step: D on real, D on fakes, Adam, G through the frozen D, Adam.
// bench/peers/dcgan_step.py times the same step in PyTorch and writes the same JSON.
//
// Wall clock of the host, nothing read back in between. On a GPU the host runs ahead, so the figure
// is ms_mean, the time of all steps over their number; the quantiles are of CUDA events between the
// steps. Under the emulator the step runs and its losses are looked at, but there is no time.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "bench/flags.h"
#include "bench/provenance.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/random/random.h"
#include "models/dcgan.h"
#include "models/gan_trainer.h"
#include "tensor/context.h"
#include "tensor/device_memory.h"
#include "tensor/error.h"
#include "tensor/stream.h"

namespace {

using namespace imago;

struct Options {
  Device device;
  int base = 64, image = 64, batch = 128, steps = 0, warmup = 3, threads = 0;
  std::string json;
};

// In ms: of each step, and over all of them.
struct Times {
  std::vector<double> each;
  double mean = 0;
};

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

Times time_cpu(int steps, const std::function<void()>& step) {
  Times times;
  for (int i = 0; i < steps; ++i) {
    const auto start = std::chrono::steady_clock::now();
    step();
    times.each.push_back(milliseconds_since(start));
    times.mean += times.each.back() / steps;
  }
  return times;
}

Times time_gpu(int steps, const std::function<void()>& step) {
  Stream& stream = current_stream();
  std::vector<Event> marks(static_cast<std::size_t>(steps) + 1);
  stream.synchronize();
  const auto start = std::chrono::steady_clock::now();
  marks[0].record(stream);
  for (int i = 0; i < steps; ++i) {
    step();
    marks[static_cast<std::size_t>(i) + 1].record(stream);
  }
  stream.synchronize();
  Times times{{}, milliseconds_since(start) / steps};
  for (std::size_t i = 1; i < marks.size(); ++i) {
    times.each.push_back(marks[i].milliseconds_since(marks[i - 1]));
  }
  return times;
}

double quantile(const std::vector<double>& ordered, double q) {
  const double last = static_cast<double>(ordered.size() - 1);
  return ordered[static_cast<std::size_t>(std::lround(q * last))];
}

void write_json(const std::string& path, const nlohmann::ordered_json& result) {
  if (path.empty()) return;
  std::ofstream out(path);
  out << result.dump(1) << '\n';
  check(out.flush().good(), "bench_step", "cannot write ", path);
}

void run(const Options& o) {
  set_num_threads(o.threads);
  Context::current().device = o.device;
  manual_seed(1);
  const models::DcganOptions networks{.base = o.base, .image = o.image};
  models::Gan gan{{"dcgan" + std::to_string(o.image), o.base},
                  models::dcgan_generator(networks),
                  models::dcgan_discriminator(networks),
                  networks.z,
                  o.image};
  models::GanTrainer trainer(std::move(gan), {});
  const Shape images{o.batch, o.image, o.image, 3};
  const Tensor real =
      kernels::add_scalar(kernels::scale(kernels::uniform(images, DType::f32, {2, 0, 0}), 2), -1);
  models::GanStep last;
  const auto step = [&] { last = trainer.step(real); };
  for (int i = 0; i < o.warmup; ++i) step();
  CachingAllocator& memory = o.device.is_cuda() ? cuda_allocator() : cpu_allocator();
  memory.reset_peak();
  Times times = o.device.is_cuda() ? time_gpu(o.steps, step) : time_cpu(o.steps, step);
  check(std::isfinite(last.loss_d.item()) && std::isfinite(last.loss_g.item()), "bench_step",
        "a loss is not finite; the times mean nothing");

  const double peak_mib = static_cast<double>(memory.stats().peak_live_bytes) / (1 << 20);
  std::printf("Imago on %s, NHWC, D frozen in the G pass, %.0f MiB of tensors at the peak\n",
              describe(o.device).c_str(), peak_mib);
  if (o.device.is_cuda() && bench::emulated) {
    std::printf("emulated: %d steps ran, not timed\n", o.steps);
    return;
  }
  std::sort(times.each.begin(), times.each.end());
  const double p10 = quantile(times.each, 0.1), median = quantile(times.each, 0.5);
  const double p90 = quantile(times.each, 0.9), best = times.each.front();
  const double images_per_s = o.batch / (o.device.is_cuda() ? times.mean : median) * 1e3;
  std::printf(
      "DCGAN %dx%d, base %d, batch %d, f32: mean %.3f ms, median %.3f, p10 %.3f, p90 %.3f, min "
      "%.3f over %d steps; %.0f images/s\n",
      o.image, o.image, o.base, o.batch, times.mean, median, p10, p90, best, o.steps, images_per_s);
  nlohmann::ordered_json result = {{"bench", "dcgan_step"}, {"imago", "f32"}};
  for (const auto& [name, value] : bench::provenance(o.device)) result[name] = value;
  const nlohmann::ordered_json figures = {{"threads", num_threads()},
                                          {"freeze_d", true},
                                          {"base", o.base},
                                          {"image", o.image},
                                          {"batch", o.batch},
                                          {"z", networks.z},
                                          {"steps", o.steps},
                                          {"ms_mean", times.mean},
                                          {"ms_min", best},
                                          {"ms_p10", p10},
                                          {"ms_median", median},
                                          {"ms_p90", p90},
                                          {"images_per_s", images_per_s},
                                          {"peak_mib", peak_mib}};
  result.update(figures);
  write_json(o.json, result);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Times the DCGAN training step", "bench_step");
  Options o;
  app.add_option("--base", o.base)->check(CLI::Range(1, 1024))->capture_default_str();
  app.add_option("--image", o.image)
      ->check(CLI::IsMember({16, 32, 64, 128}))
      ->capture_default_str();
  app.add_option("--batch", o.batch)->check(CLI::Range(2, 65536))->capture_default_str();
  bench::add_device(app, o.device);
  app.add_option("--steps", o.steps, "Timed steps; default: 30, on a GPU 500")
      ->check(CLI::Range(1, 100000));
  app.add_option("--warmup", o.warmup, "Steps before timing")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app.add_option("--threads", o.threads, "0: all cores")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--json", o.json, "Also write the result to this file");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& done) {
    return app.exit(done);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "bench_step: %s\n", error.what());
    return 2;
  }
  if (o.steps == 0) o.steps = o.device.is_cuda() && !bench::emulated ? 500 : 30;
  try {
    run(o);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_step: %s\n", error.what());
    return 1;
  }
}
