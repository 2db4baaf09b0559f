#include "data/labelled_faces.h"

#include <utility>

#include "data/procedural/dataset.h"
#include "tensor/context.h"
#include "tensor/error.h"

namespace imago::data {
namespace {

FacesOptions with_seed(FacesOptions options) {
  if (!options.seed) options.seed = Context::current().generator.seed;
  return options;
}

}  // namespace

LabelledStream::LabelledStream(FacesStream images, std::unique_ptr<Loader> order,
                               std::shared_ptr<const Labels> labels, Device device)
    : images_(std::move(images)),
      order_(std::move(order)),
      labels_(std::move(labels)),
      device_(device) {}

LabelledStream::Iterator LabelledStream::begin() {
  at_ = images_.begin();
  take();
  return Iterator(this);
}

void LabelledStream::take() {
  current_ = {};  // its memory may serve the next batch
  if (at_ == std::default_sentinel) return;
  current_.step = at_->step;
  current_.real = at_->real;
  const std::vector<std::int64_t> images = order_->indices(current_.step - 1);
  Tensor labels =
      Tensor::empty({static_cast<std::int64_t>(images.size())}, DType::i64, Device::cpu());
  auto* out = labels.mutable_data<std::int64_t>();
  for (const std::int64_t image : images) {
    *out++ = labels_->images[static_cast<std::size_t>(image)];
  }
  current_.labels = labels.to(device_);
}

LabelledFaces::LabelledFaces(std::shared_ptr<const Dataset> dataset, Labels labels,
                             const FacesOptions& options)
    : options_(with_seed(options)),
      dataset_(std::move(dataset)),
      labels_(std::make_shared<const Labels>(std::move(labels))),
      faces_(dataset_, options_) {
  check(std::cmp_equal(labels_->images.size(), dataset_->size()), "labelled_faces",
        dataset_->describe(), ": ", dataset_->size(), " images but ", labels_->images.size(),
        " labels");
  for (const std::int64_t label : labels_->images) {
    check(label >= 0 && std::cmp_less(label, labels_->classes.size()), "labelled_faces", "label ",
          label, " is not among the ", labels_->classes.size(), " classes");
  }
}

LabelledStream LabelledFaces::stream(std::int64_t steps, Device device, std::int64_t start) const {
  // Only ever asked for indices: of the loader's options batch and seed decide these.
  auto order = std::make_unique<Loader>(
      dataset_, LoaderOptions{.batch = options_.batch, .seed = *options_.seed, .workers = 0});
  return LabelledStream(faces_.stream(steps, device, start), std::move(order), labels_, device);
}

LabelledFaces procedural_labelled_faces(const std::string& label, const FacesOptions& options) {
  const ProceduralFacesOptions procedural{.size = options.size};
  return LabelledFaces(std::make_shared<ProceduralDataset>(procedural, options.cache_bytes),
                       procedural_labels(procedural, label), options);
}

LabelledFaces csv_labelled_faces(const std::filesystem::path& folder,
                                 const std::filesystem::path& csv, const FacesOptions& options) {
  check(!options.skip_broken, "labelled_faces",
        "in place of a broken image comes another one, whose class may be another: mend or remove "
        "broken images instead of skipping them");
  const auto dataset = std::make_shared<FolderDataset>(
      folder, FolderOptions{.size = options.size, .cache_bytes = options.cache_bytes});
  return LabelledFaces(dataset, csv_labels(*dataset, csv), options);
}

}  // namespace imago::data
