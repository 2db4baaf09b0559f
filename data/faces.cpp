#include "data/faces.h"

#include <utility>

#include "data/procedural/dataset.h"
#include "kernels/image/image.h"
#include "tensor/context.h"
#include "tensor/error.h"

namespace imago::data {
namespace {

std::shared_ptr<const Dataset> open(const std::filesystem::path& path,
                                    const FacesOptions& options) {
  if (path == "procedural") {
    return std::make_shared<ProceduralDataset>(ProceduralFacesOptions{.size = options.size},
                                               options.cache_bytes);
  }
  return std::make_shared<FolderDataset>(path, FolderOptions{.size = options.size,
                                                             .skip_broken = options.skip_broken,
                                                             .cache_bytes = options.cache_bytes});
}

}  // namespace

FacesStream::FacesStream(std::unique_ptr<Loader> loader, std::int64_t steps, std::int64_t start,
                         Device device)
    : loader_(std::move(loader)),
      ring_(std::make_unique<DeviceRing>(*loader_, device)),
      start_(start),
      steps_(steps) {
  check(start >= 0, "faces", "the step to start after is not negative, but ", start);
  loader_->seek(start);
  current_.step = start;
}

FacesStream::Iterator FacesStream::begin() {
  check(!begun_, "faces", "a stream can be walked through only once; ask for another one");
  begun_ = true;
  advance();
  return Iterator(this);
}

void FacesStream::advance() {
  current_.real = Tensor();  // its memory may serve the next batch
  if (current_.step < steps_) {
    current_.real = kernels::normalize_u8(ring_->next());
    ring_->prefetch(steps_ - start_);
  }
  current_.step += 1;
}

Faces::Faces(const std::filesystem::path& path, const FacesOptions& options)
    : Faces(open(path, options), options) {}

Faces::Faces(std::shared_ptr<const Dataset> dataset, const FacesOptions& options)
    : options_(options), dataset_(std::move(dataset)) {
  if (!options_.seed) options_.seed = Context::current().generator.seed;
  loader();  // reports bad options now, not at the first step
}

std::unique_ptr<Loader> Faces::loader() const {
  return std::make_unique<Loader>(dataset_, LoaderOptions{.batch = options_.batch,
                                                          .seed = *options_.seed,
                                                          .workers = options_.workers,
                                                          .prefetch = options_.prefetch,
                                                          .shuffle = true,
                                                          .flip = options_.flip});
}

FacesStream Faces::stream(std::int64_t steps, Device device, std::int64_t start) const {
  return FacesStream(loader(), steps, start, device);
}

}  // namespace imago::data
