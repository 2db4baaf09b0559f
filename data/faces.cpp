#include "data/faces.h"

#include <utility>
#include <vector>

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

void check_labels(const Dataset& dataset, const Labels& labels) {
  check(std::cmp_equal(labels.images.size(), dataset.size()), "faces", dataset.describe(), ": ",
        dataset.size(), " images but ", labels.images.size(), " labels");
  for (const std::int64_t label : labels.images) {
    check(label >= 0 && std::cmp_less(label, labels.classes.size()), "faces", "label ", label,
          " is not among the ", labels.classes.size(), " classes");
  }
}

// The classes of some images: i64 (B).
Tensor labels_of(const Labels& labels, const std::vector<std::int64_t>& images, Device device) {
  const Shape shape{static_cast<std::int64_t>(images.size())};
  Tensor result = Tensor::empty(shape, DType::i64, Device::cpu());
  auto* out = result.mutable_data<std::int64_t>();
  for (const std::int64_t i : images) *out++ = labels.images[static_cast<std::size_t>(i)];
  return result.to(device);
}

}  // namespace

FacesStream::FacesStream(std::unique_ptr<Loader> loader, std::shared_ptr<const Labels> labels,
                         std::int64_t steps, std::int64_t start, Device device)
    : loader_(std::move(loader)),
      labels_(std::move(labels)),
      ring_(std::make_unique<DeviceRing>(*loader_, device)),
      start_(start),
      steps_(steps),
      device_(device) {
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
  current_.real = current_.labels = Tensor();  // their memory may serve the next batch
  if (current_.step < steps_) {
    current_.real = kernels::normalize_u8(ring_->next());
    // Steps count from 1, positions from 0: that of the next step is the number of this one.
    if (labels_) current_.labels = labels_of(*labels_, loader_->indices(current_.step), device_);
    ring_->prefetch(steps_ - start_);
  }
  current_.step += 1;
}

Faces::Faces(const std::filesystem::path& path, const FacesOptions& options)
    : Faces(open(path, options), options) {}

Faces::Faces(std::shared_ptr<const Dataset> dataset, const FacesOptions& options,
             std::shared_ptr<const Labels> labels)
    : options_(options), dataset_(std::move(dataset)), labels_(std::move(labels)) {
  if (!options_.seed) options_.seed = Context::current().generator.seed;
  if (dataset_ && labels_) check_labels(*dataset_, *labels_);
  check(labels_ || !options_.balance, "faces",
        "only classes can be balanced, and these images have none; give labels too");
  loader();  // reports bad options now, not at the first step
}

std::unique_ptr<Loader> Faces::loader() const {
  LoaderOptions options{.batch = options_.batch,
                        .seed = *options_.seed,
                        .workers = options_.workers,
                        .prefetch = options_.prefetch,
                        .shuffle = true,
                        .flip = options_.flip,
                        .together = options_.together};
  if (options_.balance) options.balance = labels_->images;
  return std::make_unique<Loader>(dataset_, options);
}

const Labels& Faces::labels() const {
  check(labelled(), "faces", describe(), ": has no labels");
  return *labels_;
}

FacesStream Faces::stream(std::int64_t steps, Device device, std::int64_t start) const {
  return FacesStream(loader(), labels_, steps, start, device);
}

Tensor Faces::first_batch(Device device) const {
  FacesStream first = stream(1, device);
  return first.begin()->real;
}

}  // namespace imago::data
