// Faces with the class of each image, as an endless, reproducible stream of training batches:
//
//   data::LabelledFaces faces = data::procedural_labelled_faces("glasses", {.size = 32});
//   for (auto&& [step, real, labels] : faces.stream(20'000, dev)) { ... }
//
// Images, steps and resuming are those of data::Faces over the same data set and options.
#pragma once

#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "data/faces.h"
#include "data/labels.h"

namespace imago::data {

struct LabelledBatch {
  std::int64_t step = 0;
  Tensor real;    // f32 (B, S, S, 3) in [-1, 1]
  Tensor labels;  // i64 (B), on the same device
};

// The batches of steps start + 1 .. steps, to be walked through once. Keeps the data set alive.
class LabelledStream {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = LabelledBatch;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(LabelledStream* stream = nullptr) : stream_(stream) {}
    LabelledBatch& operator*() const { return stream_->current_; }
    LabelledBatch* operator->() const { return &stream_->current_; }
    Iterator& operator++() {
      ++stream_->at_;
      stream_->take();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t end) const { return stream_->at_ == end; }

   private:
    LabelledStream* stream_;
  };

  // `order` tells which images a batch of `images` has.
  LabelledStream(FacesStream images, std::unique_ptr<Loader> order,
                 std::shared_ptr<const Labels> labels, Device device);
  Iterator begin();  // once
  std::default_sentinel_t end() const { return {}; }

 private:
  void take();

  FacesStream images_;
  FacesStream::Iterator at_;
  std::unique_ptr<Loader> order_;
  std::shared_ptr<const Labels> labels_;
  Device device_;
  LabelledBatch current_;
};

class LabelledFaces {
 public:
  // Throws when there is not one label for each image, a label is out of range, or there are fewer
  // images than a batch. Of the options size, skip_broken and cache_bytes are not used.
  LabelledFaces(std::shared_ptr<const Dataset> dataset, Labels labels,
                const FacesOptions& options = {});

  LabelledStream stream(std::int64_t steps, Device device = Device::best(),
                        std::int64_t start = 0) const;

  std::int64_t size() const { return faces_.size(); }  // images
  std::int64_t batches_per_epoch() const { return faces_.batches_per_epoch(); }
  std::string describe() const { return faces_.describe(); }
  int classes() const { return static_cast<int>(labels_->classes.size()); }
  const Labels& labels() const { return *labels_; }
  const Dataset& dataset() const { return *dataset_; }

 private:
  FacesOptions options_;
  std::shared_ptr<const Dataset> dataset_;
  std::shared_ptr<const Labels> labels_;
  Faces faces_;
};

// The 10,000 faces of Faces("procedural"), with the label of that name (data/labels.h).
LabelledFaces procedural_labelled_faces(const std::string& label, const FacesOptions& options = {});
// A folder of images, with the classes that a text file gives (csv_labels). Throws for skip_broken.
LabelledFaces csv_labelled_faces(const std::filesystem::path& folder,
                                 const std::filesystem::path& csv,
                                 const FacesOptions& options = {});

}  // namespace imago::data
