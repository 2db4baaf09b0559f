// Draws images from a checkpoint written by train_gan or train_vae: one grid, or a folder of single
// images.
#include <CLI/CLI.hpp>
#include <cctype>
#include <cmath>
#include <cstdio>

#include "apps/support/cli.h"
#include "apps/support/device.h"
#include "apps/support/sampling.h"
#include "data/image.h"
#include "kernels/image/image.h"

namespace imago::apps {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string checkpoint, out = "generated.png", grid;
  std::int64_t count = 0;
  std::uint64_t seed = 1;
  int threads = 0;
  std::string device = "auto";
};

// The flags leave some of count and grid open; together they must fit.
void settle(Options& o, Grid& g) {
  if (!o.grid.empty()) g = parse_grid(o.grid);
  if (o.count == 0) o.count = g.rows ? std::int64_t{g.rows} * g.columns : 64;
  if (g.rows == 0) {
    g.columns = static_cast<int>(std::ceil(std::sqrt(static_cast<double>(o.count))));
    g.rows = static_cast<int>((o.count + g.columns - 1) / g.columns);
  }
  if (o.count > std::int64_t{g.rows} * g.columns) {
    throw UsageError("--count " + std::to_string(o.count) + " does not fit into --grid " + o.grid);
  }
}

int generate(Options o) {
  std::string extension = fs::path(o.out).extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const bool one_file = extension == ".png";
  for (const char* other : {".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm"}) {
    if (extension == other)
      throw UsageError("--out: pictures are written as .png, not " + extension);
  }
  if (!one_file && !o.grid.empty()) {
    throw UsageError("--grid needs --out to name a .png file; '" + o.out + "' is a folder");
  }
  Grid grid;
  settle(o, grid);
  set_num_threads(o.threads);
  const Device device = use_device(o.device);
  const Sampler generator = trained_sampler(load_safetensors(o.checkpoint));
  const Tensor images = kernels::denormalize_u8(generator.sample(o.count, o.seed));
  if (one_file) {
    data::save_png(o.out, data::image_grid(images, grid.rows, grid.columns));
  } else {
    std::error_code error;
    fs::create_directories(o.out, error);
    if (error) fail("generate", "cannot create the folder ", o.out, ": ", error.message());
    for (std::int64_t i = 0; i < o.count; ++i) {
      char name[32];
      std::snprintf(name, sizeof name, "%06lld.png", static_cast<long long>(i));
      data::save_png(fs::path(o.out) / name, data::image_grid(images.slice(i, i + 1), 1, 1, 0));
    }
  }
  std::printf("Wrote %lld images to %s, made on %s\n", static_cast<long long>(o.count),
              o.out.c_str(), describe(device).c_str());
  return 0;
}

}  // namespace
}  // namespace imago::apps

int main(int argc, char** argv) {
  using namespace imago::apps;
  CLI::App app("Draws images from a trained generator", "generate");
  Options o;
  app.add_option("--checkpoint", o.checkpoint, "File written by train_gan or train_vae")
      ->required();
  app.add_option("--count", o.count, "Number of images (default: what the grid holds, or 64)")
      ->check(CLI::Range(1, 1000000));
  app.add_option("--grid", o.grid, "ROWSxCOLUMNS of the picture (default: nearly square)");
  app.add_option("--seed", o.seed, "Of the noise")->check(whole_number())->capture_default_str();
  app.add_option("--out", o.out, "A .png file for one grid, else a folder of single images")
      ->capture_default_str();
  add_device_flag(app, o.device);
  app.add_option("--threads", o.threads, "CPU threads; 0 means all cores")
      ->check(CLI::Range(0, 1024));
  return run_program(app, argc, argv, [&] { return generate(o); });
}
