// Times the classic DCGAN training step: D on real, D on fakes, Adam, G through the frozen D, Adam.
// bench/peers/dcgan_step.py times the same step in PyTorch and writes the same JSON.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "kernels/random/random.h"
#include "models/dcgan.h"
#include "models/gan_trainer.h"

namespace {

using namespace imago;

struct Options {
  int base = 64, image = 64, batch = 128, steps = 30, warmup = 3, threads = 0;
  std::string json;
};

double quantile(const std::vector<double>& ordered, double q) {
  const double last = static_cast<double>(ordered.size() - 1);
  return ordered[static_cast<std::size_t>(std::lround(q * last))];
}

int run(const Options& o) {
  set_num_threads(o.threads);
  manual_seed(1);
  const models::DcganOptions networks{.base = o.base, .image = o.image};
  models::Gan gan{{"dcgan" + std::to_string(o.image), o.base},
                  models::dcgan_generator(networks),
                  models::dcgan_discriminator(networks),
                  networks.z,
                  o.image};
  models::GanTrainer trainer(std::move(gan), {});
  Tensor real = kernels::uniform({o.batch, o.image, o.image, 3}, DType::f32, {2, 0, 0});
  float* p = real.mutable_data<float>();
  for (std::int64_t i = 0; i < real.numel(); ++i) p[i] = 2 * p[i] - 1;

  for (int i = 0; i < o.warmup; ++i) trainer.step(real);
  cpu_allocator().reset_peak();
  std::vector<double> ms;
  models::GanStep last;
  for (int i = 0; i < o.steps; ++i) {
    const auto start = std::chrono::steady_clock::now();
    last = trainer.step(real);
    ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
                     .count());
  }
  if (!std::isfinite(last.loss_d.item()) || !std::isfinite(last.loss_g.item())) {
    std::fprintf(stderr, "bench_step: a loss is not finite; the times mean nothing\n");
    return 1;
  }
  std::sort(ms.begin(), ms.end());
  const double median = quantile(ms, 0.5);
  const nlohmann::ordered_json result = {
      {"bench", "dcgan_step"},
      {"imago", "f32"},
      {"threads", num_threads()},
      {"freeze_d", true},
      {"base", o.base},
      {"image", o.image},
      {"batch", o.batch},
      {"z", networks.z},
      {"steps", o.steps},
      {"ms_min", ms.front()},
      {"ms_p10", quantile(ms, 0.1)},
      {"ms_median", median},
      {"ms_p90", quantile(ms, 0.9)},
      {"images_per_s", o.batch / median * 1e3},
      {"peak_mib", static_cast<double>(cpu_allocator().stats().peak_live_bytes) / (1 << 20)}};
  std::printf("Imago, %d threads, NHWC, D frozen in the G pass, %.0f MiB of tensors at the peak\n",
              num_threads(), result["peak_mib"].get<double>());
  std::printf(
      "DCGAN %dx%d, base %d, batch %d, f32: median %.1f ms, p10 %.1f, p90 %.1f, min %.1f "
      "over %d steps; %.0f images/s\n",
      o.image, o.image, o.base, o.batch, median, quantile(ms, 0.1), quantile(ms, 0.9), ms.front(),
      o.steps, o.batch / median * 1e3);
  if (!o.json.empty()) {
    std::ofstream out(o.json);
    out << result.dump(1) << '\n';
    if (!out.flush().good()) {
      std::fprintf(stderr, "bench_step: cannot write %s\n", o.json.c_str());
      return 1;
    }
  }
  return 0;
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
  app.add_option("--steps", o.steps, "Timed steps")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
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
  try {
    return run(o);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_step: %s\n", error.what());
    return 1;
  }
}
