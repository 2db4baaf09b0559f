// Images per second that the loader delivers, while nothing else runs: the first epoch (decoding
// or rendering, cropping, resizing) and a later one (from memory), for several numbers of workers.
//
//   bench_loader --data procedural --size 64 --batch 128 --workers 0 1 2
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>

#include "data/dataset.h"
#include "data/loader.h"
#include "data/procedural/dataset.h"
#include "tensor/error.h"

using namespace imago;

namespace {

double images_per_second(data::Loader& loader) {
  const auto start = std::chrono::steady_clock::now();
  for (std::int64_t i = 0; i < loader.batches_per_epoch(); ++i) loader.next();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return static_cast<double>(loader.batches_per_epoch() * loader.options().batch) / seconds.count();
}

std::shared_ptr<const data::Dataset> open(const std::string& path, int size) {
  if (path == "procedural") {
    return std::make_shared<data::ProceduralDataset>(data::ProceduralFacesOptions{.size = size});
  }
  return std::make_shared<data::FolderDataset>(path, data::FolderOptions{.size = size});
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures the loader.");
  std::string path = "procedural";
  int size = 64, batch = 128;
  std::vector<int> workers = {0, 1, 2};
  app.add_option("--data", path, "folder of images, or procedural");
  app.add_option("--size", size, "edge of the images in pixels");
  app.add_option("--batch", batch, "images of a batch");
  app.add_option("--workers", workers, "numbers of worker threads to try");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    for (const int n : workers) {
      const auto dataset = open(path, size);  // with an empty cache
      if (n == workers.front()) std::printf("%s\n", dataset->describe().c_str());
      data::Loader loader(dataset, {.batch = batch, .workers = n});
      const double first = images_per_second(loader);
      // The incomplete batch of an epoch is left out, so a few images come up only now.
      images_per_second(loader);
      std::printf("workers %d: first epoch %8.0f images/s, from memory %9.0f images/s\n", n, first,
                  images_per_second(loader));
      std::fflush(stdout);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
