// Scores a generator: how far its images are from real ones, and how varied they are.
#include <algorithm>
#include <cstdio>

#include "apps/support/cli.h"
#include "apps/support/device.h"
#include "apps/support/sampling.h"
#include "data/faces.h"
#include "models/metrics.h"

namespace imago::apps {
namespace {

constexpr int projections = 512;

struct Options {
  std::string generator, data = "procedural";
  int count = 0;  // 0: as many as there are, up to 1000
  std::uint64_t seed = 20'000;
  int threads = 0;
  std::string device = "auto";
};

// The first batch of a stream over the data.
Tensor real_images(Options& o, int size) {
  const std::int64_t have = data::Faces(o.data, {.size = size, .batch = 1}).size();
  if (o.count == 0) o.count = static_cast<int>(std::min<std::int64_t>(have, 1000));
  if (have < o.count) {
    throw UsageError("--count is " + std::to_string(o.count) + " but " + o.data + " holds only " +
                     std::to_string(have) + " images");
  }
  const data::Faces faces(o.data, {.size = size, .batch = o.count, .seed = o.seed});
  for (auto&& [step, real] : faces.stream(1, Device::cpu())) return real;
  fail("evaluate", "there are no images in ", o.data);
}

int evaluate(Options o) {
  set_num_threads(o.threads);
  const Device device = use_device(o.device);
  const SafetensorsFile file = load_safetensors(o.generator);
  const Sampler trained = trained_sampler(file);
  manual_seed(o.seed);
  const Sampler untrained = untrained_sampler(file);
  const Tensor real = real_images(o, trained.image);
  const Tensor fake = trained.sample(o.count, o.seed);
  const double distance = models::sliced_wasserstein(fake, real, projections, o.seed);
  const double start =
      models::sliced_wasserstein(untrained.sample(o.count, o.seed), real, projections, o.seed);
  const double variety = models::mean_pairwise_distance(fake);
  const double real_variety = models::mean_pairwise_distance(real);
  std::printf("%d images of %s after %s steps, made on %s, against %s\n", o.count,
              trained.name.c_str(), file.metadata_entry("step").c_str(), describe(device).c_str(),
              o.data.c_str());
  std::printf(
      "sliced Wasserstein distance to real   %.4f   untrained generator %.4f   ratio %.3f\n",
      distance, start, distance / start);
  std::printf("mean pairwise distance of samples     %.4f   real images %.4f   ratio %.3f\n",
              variety, real_variety, variety / real_variety);
  return 0;
}

}  // namespace
}  // namespace imago::apps

int main(int argc, char** argv) {
  using namespace imago::apps;
  CLI::App app("Scores a trained generator", "evaluate");
  Options o;
  app.add_option("--generator", o.generator, "Checkpoint written by train_gan or train_vae")
      ->required();
  app.add_option("--data", o.data, "Folder of real images, or procedural")->capture_default_str();
  app.add_option("--count", o.count, "Images of each kind (default: what DATA holds, up to 1000)")
      ->check(CLI::Range(2, 100000));
  app.add_option("--seed", o.seed, "Of noise, choice of images and directions")
      ->check(whole_number())
      ->capture_default_str();
  add_device_flag(app, o.device);
  app.add_option("--threads", o.threads, "CPU threads; 0 means all cores")
      ->check(CLI::Range(0, 1024));
  return run_program(app, argc, argv, [&] { return evaluate(o); });
}
