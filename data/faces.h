// A folder of face images as an endless, reproducible stream of training batches:
//
//   data::Faces faces("photos/", {.size = 64, .batch = 128});
//   for (auto&& [step, real] : faces.stream(20'000, dev)) { ... }
//
// Faces may be labelled (data/labelled_faces.h opens such); a batch then has the class of each
// image too:
//
//   for (auto&& batch : labelled.stream(20'000, dev)) trainer.step(batch.real, batch.labels);
//
// Steps count from 1. The batch of a step is a pure function of the data, the options and the step,
// so a run that resumes after step n continues with stream(20'000, dev, n) as if never stopped.
//
// Instead of a folder, the name "procedural" gives 10,000 rendered faces of 1,000 people, the same
// ones whatever the seed (write "./procedural" for a folder of that name).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "data/dataset.h"
#include "data/device_ring.h"
#include "data/labels.h"
#include "data/loader.h"
#include "tensor/device.h"
#include "tensor/tensor.h"

namespace imago::data {

struct FacesOptions {
  int size = 64;    // S: images are cropped to the middle square and resized to S x S
  int batch = 128;  // B
  // Of order and mirroring; by default the seed given to manual_seed.
  std::optional<std::uint64_t> seed = {};
  int workers = 2;           // loading threads; 0 loads in the caller. Results do not depend on it
  int prefetch = 4;          // batches ready ahead of time
  bool flip = true;          // mirror half of the samples
  bool skip_broken = false;  // see FolderOptions
  bool balance = false;      // show every class equally often (LoaderOptions); needs labels
  int together = 1;          // images of a class next to each other; over 1 needs balance
  std::size_t cache_bytes = default_cache_bytes;  // decoded images kept in memory
};

struct FacesBatch {
  std::int64_t step = 0;
  Tensor real;    // f32 (B, S, S, 3) in [-1, 1]
  Tensor labels;  // i64 (B) on the same device, where the data are labelled; else undefined

  // What [step, real] takes: most batches have no labels, so these are asked for by name.
  template <std::size_t I>
  const auto& get() const {
    if constexpr (I == 0) {
      return step;
    } else {
      return real;
    }
  }
};

// The batches of steps start + 1 .. steps, to be walked through once. Keeps the data set alive.
class FacesStream {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = FacesBatch;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(FacesStream* stream = nullptr) : stream_(stream) {}
    FacesBatch& operator*() const { return stream_->current_; }
    FacesBatch* operator->() const { return &stream_->current_; }
    Iterator& operator++() {
      stream_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const {
      return stream_->current_.step > stream_->steps_;
    }

   private:
    FacesStream* stream_;
  };

  // `labels` may be null; else it has a class for each image of the loader's data set.
  FacesStream(std::unique_ptr<Loader> loader, std::shared_ptr<const Labels> labels,
              std::int64_t steps, std::int64_t start, Device device);
  Iterator begin();  // once
  std::default_sentinel_t end() const { return {}; }

 private:
  void advance();

  std::unique_ptr<Loader> loader_;
  std::shared_ptr<const Labels> labels_;
  std::unique_ptr<DeviceRing> ring_;
  std::int64_t start_, steps_;
  Device device_;
  FacesBatch current_;
  bool begun_ = false;
};

class Faces {
 public:
  // A folder, or "procedural". Throws when the folder holds no image, or fewer than a batch.
  explicit Faces(const std::filesystem::path& path, const FacesOptions& options = {});
  // The same over any data set; size, skip_broken and cache_bytes are not used. Throws when there
  // is not one label for each image, a label is out of range, or classes are to be balanced that
  // are not known.
  Faces(std::shared_ptr<const Dataset> dataset, const FacesOptions& options,
        std::shared_ptr<const Labels> labels = nullptr);

  FacesStream stream(std::int64_t steps, Device device = Device::best(),
                     std::int64_t start = 0) const;

  // The images of step 1 of a stream: f32 (B, S, S, C) in [-1, 1], in random order. Mirrored where
  // the options say so: to look at the images as they are, ask for no flip.
  Tensor first_batch(Device device = Device::best()) const;

  std::int64_t size() const { return dataset_->size(); }  // images
  std::int64_t batches_per_epoch() const { return size() / options_.batch; }
  std::string describe() const { return dataset_->describe(); }
  const Dataset& dataset() const { return *dataset_; }
  bool labelled() const { return labels_ != nullptr; }
  const Labels& labels() const;  // throws where there are none

 private:
  std::unique_ptr<Loader> loader() const;

  FacesOptions options_;
  std::shared_ptr<const Dataset> dataset_;
  std::shared_ptr<const Labels> labels_;
};

}  // namespace imago::data

template <>
struct std::tuple_size<imago::data::FacesBatch> : std::integral_constant<std::size_t, 2> {};
template <>
struct std::tuple_element<0, imago::data::FacesBatch> {
  using type = const std::int64_t;
};
template <>
struct std::tuple_element<1, imago::data::FacesBatch> {
  using type = const imago::Tensor;
};
