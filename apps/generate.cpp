// Draws images from a checkpoint written by train_gan or train_vae: one grid, or a folder of single
// images.
#include <cctype>
#include <cmath>
#include <cstdio>

#include "apps/support/cli.h"
#include "apps/support/device.h"
#include "apps/support/flags.h"
#include "apps/support/sampling.h"
#include "data/image.h"
#include "kernels/image/image.h"

namespace imago::apps {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string checkpoint, out = "generated.png", grid;
  std::string label;  // a class by name or number, "all", or "": none was asked for
  std::int64_t count = 0;
  std::uint64_t seed = 1;
  int threads = 0;
  std::string device = "auto";
};

constexpr std::int64_t columns_of_all = 8;  // of --label all, unless --count says otherwise

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

// Images (N, S, S, 3) on the CPU, and a sentence on what they show, where that needs one.
struct Drawing {
  Tensor images;
  std::string text;
};

// A row of `columns` images for each class, of the same noise.
Drawing draw_all(const Sampler& generator, std::int64_t columns, std::uint64_t seed) {
  const std::vector<std::string>& names = generator.classes.names;
  const auto rows = static_cast<std::int64_t>(names.size()), S = std::int64_t{generator.image};
  Tensor images = Tensor::empty({rows * columns, S, S, 3}, DType::f32, Device::cpu());
  for (std::int64_t r = 0; r < rows; ++r) {
    images.slice(r * columns, (r + 1) * columns)
        .copy_from(generator.sample_class(r, columns, seed));
  }
  return {images, "Class after class, " + std::to_string(columns) +
                      " images of each from the same noise: " + list_of(names)};
}

Drawing draw(const Sampler& generator, const Options& o) {
  const Classes& classes = generator.classes;
  if (!o.label.empty()) {
    const std::int64_t label = class_named(classes, o.label, "--label");
    return {generator.sample_class(label, o.count, o.seed),
            "All are of class " + list_of({classes.names[static_cast<std::size_t>(label)]})};
  }
  const Tensor images = generator.sample(o.count, o.seed);
  if (!generator.conditional()) return {images, ""};
  return {images, "Each is of a class drawn as often as it comes in the training data (" +
                      list_of(classes.names) +
                      "); --label NAME draws one class, --label all a row of each"};
}

// What can be told from the flags alone.
void check_flags(const Options& o, bool one_file) {
  if (!one_file && !o.grid.empty()) {
    throw UsageError("--grid needs --out to name a .png file; '" + o.out + "' is a folder");
  }
  if (o.label == "all" && !o.grid.empty()) {
    throw UsageError(
        "--grid does not go with --label all, which has a row for each class; --count "
        "says how many images that has");
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
  check_flags(o, one_file);
  const bool all = o.label == "all";
  Grid grid;
  if (!all) settle(o, grid);
  set_num_threads(o.threads);
  const Device device = use_device(o.device);
  const Sampler generator = trained_sampler(load_safetensors(o.checkpoint));
  if (!o.label.empty() && !generator.conditional()) {
    throw UsageError("--label: " + o.checkpoint + " holds " + generator.name +
                     ", which knows no classes; train_gan --labels trains one that does");
  }
  if (all) {
    grid.rows = static_cast<int>(generator.classes.names.size());
    grid.columns = static_cast<int>(o.count == 0 ? columns_of_all : o.count);
    o.count = std::int64_t{grid.rows} * grid.columns;
  }
  const Drawing drawing = all ? draw_all(generator, grid.columns, o.seed) : draw(generator, o);
  const Tensor images = kernels::denormalize_u8(drawing.images);
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
  if (!drawing.text.empty()) std::printf("%s\n", drawing.text.c_str());
  return 0;
}

}  // namespace
}  // namespace imago::apps

int main(int argc, char** argv) {
  using namespace imago::apps;
  Flags flags("generate", "Draws images from a trained generator");
  Options o;
  flags.required("--checkpoint", o.checkpoint, "File written by train_gan or train_vae");
  flags.text(
      "--label", o.label,
      "Of a conditional GAN: draw this class, by its name or number, or all: a row of "
      "each from the same noise, also where a class has that name (default: classes as often "
      "as in the training data)");
  flags.number("--count", o.count, 1, 1000000,
               "Number of images (default: what the grid holds, or 64); with --label all, of each "
               "class (default: 8)");
  flags.text("--grid", o.grid, "ROWSxCOLUMNS of the picture (default: nearly square)");
  flags.seed("--seed", o.seed, "Of the noise");
  flags.text("--out", o.out, "A .png file for one grid, else a folder of single images");
  add_device_flag(flags, o.device);
  flags.number("--threads", o.threads, 0, 1024, "CPU threads; 0 means all cores");
  return flags.run(argc, argv, [&] { return generate(o); });
}
