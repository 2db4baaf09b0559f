// Draws a grid of procedural faces into a PNG file, or measures how fast they are drawn.
//   render_faces --grid 8x8 --size 64 --seed 1 --out faces.png
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "apps/support/cli.h"
#include "apps/support/flags.h"
#include "data/image.h"
#include "data/procedural/faces.h"

namespace {

using namespace imago;

struct Options {
  std::string grid = "8x8", out = "faces.png", expression, occlusion;
  int size = 64, zoom = 1, first = 0;
  std::uint64_t seed = 1;
  bool same_identity = false, plain = false, labels = false, masks = false;
  int bench = 0, threads = 1;
};

// The value of an enumeration by its name; throws when there is none.
template <class Kind>
Kind parse_name(const char* flag, const std::string& text, int count) {
  std::string known;
  for (int i = 0; i < count; ++i) {
    const auto kind = static_cast<Kind>(i);
    if (text == data::name(kind)) return kind;
    known += std::string(i ? ", " : "") + data::name(kind);
  }
  throw apps::UsageError(std::string(flag) + " expects one of " + known + "; got " + text);
}

void dot(data::FaceImage& image, data::Point p) {
  const int size = image.size;
  const int x = static_cast<int>(p.x), y = static_cast<int>(p.y);
  if (x < 0 || y < 0 || x >= size || y >= size) return;
  std::uint8_t* pixel = image.rgb.data() + 3 * (static_cast<std::size_t>(y) * size + x);
  pixel[0] = 0, pixel[1] = 255, pixel[2] = 0;
}

void draw(const Options& o) {
  const auto [rows, columns] = apps::parse_grid(o.grid);
  data::ProceduralFacesOptions options{.size = o.size, .seed = o.seed, .identities = 1u << 24};
  if (o.plain) options.nuisance = data::NuisanceRange::none();
  const int cell = o.size * o.zoom, width = cell * columns, height = cell * rows;
  data::Image sheet(width, height);
  data::FaceImage image;
  for (int n = 0; n < columns * rows; ++n) {
    // Unsigned: the number of the last person may not fit into an int.
    const std::uint32_t person =
        static_cast<std::uint32_t>(o.first) + static_cast<std::uint32_t>(o.same_identity ? 0 : n);
    const auto instance = static_cast<std::uint32_t>(o.same_identity ? n : 0);
    const data::FaceIdentity identity = data::sample_identity(o.seed, person);
    data::FaceNuisance nuisance = data::sample_nuisance(o.seed, person, instance, options.nuisance);
    if (!o.expression.empty()) {
      nuisance.expression =
          parse_name<data::Expression>("--expression", o.expression, data::expression_count);
      nuisance.strength = 1.0f;
    }
    if (!o.occlusion.empty()) {
      nuisance.occlusion =
          parse_name<data::Occlusion>("--occlusion", o.occlusion, data::occlusion_count);
    }
    data::render_face(identity, nuisance, o.size, static_cast<std::uint64_t>(n), image);
    if (o.labels) {
      for (const data::Point& p : image.landmarks) dot(image, p);
    }
    const int left = n % columns * cell, top = n / columns * cell;
    for (int y = 0; y < cell; ++y) {
      for (int x = 0; x < cell; ++x) {
        const std::size_t from = static_cast<std::size_t>(y / o.zoom) * o.size + x / o.zoom;
        std::uint8_t* to = sheet.at(left + x, top + y);
        for (int c = 0; c < 3; ++c) {
          to[c] =
              o.masks ? (c == 0 ? image.mask[from] : image.matte[from]) : image.rgb[3 * from + c];
        }
      }
    }
  }
  data::save_png(o.out, sheet);
}

void measure(const Options& o) {
  const data::ProceduralFaces faces({.size = o.size, .seed = o.seed, .identities = 1u << 16});
  const auto begin = std::chrono::steady_clock::now();
  const std::clock_t cpu_begin = std::clock();
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(o.threads));
  {
    std::vector<std::jthread> workers;
    for (int w = 0; w < o.threads; ++w) {
      workers.emplace_back([&, w] {
        try {
          data::FaceImage image;
          for (std::int64_t i = w; i < o.bench; i += o.threads) {
            faces.get(static_cast<std::size_t>(i) * 7 % faces.size(), image);
          }
        } catch (...) {
          errors[static_cast<std::size_t>(w)] = std::current_exception();
        }
      });
    }
  }
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  // On a busy machine the wall clock says more about the neighbours than about the renderer.
  const double cpu = static_cast<double>(std::clock() - cpu_begin) / CLOCKS_PER_SEC;
  std::printf("%d images of %dx%d on %d threads: %.0f images/s, %.0f images per second of CPU\n",
              o.bench, o.size, o.size, o.threads, o.bench / seconds.count(), o.bench / cpu);
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int most = std::numeric_limits<int>::max();
  Options o;
  apps::Flags flags("render_faces", "Draws a grid of procedural faces into a PNG file");
  flags.text("--grid", o.grid, "ROWSxCOLUMNS");
  flags.number("--size", o.size, data::min_face_size, data::max_face_size, "pixels of one face");
  flags.number("--zoom", o.zoom, 1, 16, "enlarge the pixels this many times");
  flags.seed("--seed", o.seed, "seed of people and pictures");
  flags.number("--first", o.first, 0, most, "number of the first person");
  flags.text("--out", o.out, "PNG file to write");
  flags.on("--same-identity", o.same_identity, "many pictures of one person");
  flags.on("--plain", o.plain, "without nuisances");
  flags.on("--landmarks", o.labels, "mark the five landmarks");
  flags.on("--masks", o.masks, "draw the masks: face white, other parts of the person cyan");
  flags.text("--expression", o.expression, "give every face this expression");
  flags.text("--occlusion", o.occlusion, "give every face this occlusion");
  flags.number("--bench", o.bench, 0, most, "render this many images and print the speed instead");
  flags.number("--threads", o.threads, 1, 1024, "threads of --bench");
  return flags.run(argc, argv, [&] {
    if (o.bench > 0) {
      measure(o);
    } else {
      draw(o);
    }
    return 0;
  });
}
