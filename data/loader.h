// Batches of images, loaded ahead of time by worker threads.
//
// Everything is a pure function of the data set, the options and a position: batch p holds the
// samples [p mod P * B, ... + B) of epoch p / P, where P = batches_per_epoch() and the order of an
// epoch is a shuffle by (seed, epoch). So position is all that a checkpoint must remember, and any
// number of workers, 0 included, delivers the same bytes.
//
// With `balance` an epoch has as many samples, but takes turns: each turn has one image (or a group
// of `together` of them) of every class, in an order of its own, and the images of a class come in
// a shuffled order, again and again. So all classes come equally often (but for one group), as do
// all images of a class (but for one), and a batch has of no class more than two groups more than
// of another. A batch begins with a group and ends with one. Images of a group are different ones
// where the class has enough of them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "data/dataset.h"
#include "tensor/tensor.h"

namespace imago::data {

struct LoaderOptions {
  int batch = 128;         // B; the rest of an epoch that does not fill a batch is left out
  std::uint64_t seed = 1;  // of shuffles and augmentation
  int workers = 2;         // threads; 0 loads in the caller
  int prefetch = 4;        // batches in the making or waiting at most, at least `workers`
  bool shuffle = true;     // false: every epoch in the order of the data set
  bool flip = true;        // mirror each sample with probability 1/2
  // The class of each image, any numbers: those of few images come as often as the others, and
  // their images more often in an epoch, each time augmented anew. Empty: every image comes once.
  std::vector<std::int64_t> balance = {};
  // With `balance`: a turn has so many images of every class, next to each other, so a batch has
  // B / together classes (or all there are, some of them twice): what losses that compare images of
  // one person need. Must divide B.
  int together = 1;
};

// For one consumer thread. Workers start with the first next() and never enter a parallel region
// of the kernels.
class Loader {
 public:
  // Throws when the data set has fewer images than a batch, an option is out of range, `balance`
  // has not one class for each image or meets no shuffle, or `together` is over 1 without `balance`
  // or does not divide the batch.
  Loader(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options = {});
  ~Loader();  // at any time, with batches waiting or in the making; prompt
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  std::int64_t batches_per_epoch() const { return per_epoch_; }
  std::int64_t position() const { return position_; }  // of the batch that next() will deliver
  void seek(std::int64_t position);                    // 0 or more

  // The batch at position(), then moves on: u8 (B, S, S, C) on the CPU, owned by the caller. An
  // error in loading one of its images is thrown here, whichever thread met it, and again by the
  // next call unless seek() leaves that batch.
  Tensor next();

  // Whether next() would deliver at once; never without workers.
  bool ready() const;

  // The B data set indices of the batch at a position (for labels).
  std::vector<std::int64_t> indices(std::int64_t position) const;

  const Dataset& dataset() const { return *dataset_; }
  const LoaderOptions& options() const { return options_; }

 private:
  struct Slot {
    bool ready = false;
    Tensor batch;
    std::exception_ptr error;
  };
  using Order = std::shared_ptr<const std::vector<std::uint32_t>>;

  Order order_of(std::uint32_t epoch) const;
  std::uint32_t epoch_of(std::int64_t position) const;
  // Fills a new batch; gives up and returns an undefined tensor when the generation has passed.
  Tensor make(std::int64_t position, std::uint64_t generation) const;
  bool stale(std::uint64_t generation) const;
  void work();

  std::shared_ptr<const Dataset> dataset_;
  LoaderOptions options_;
  std::int64_t per_epoch_ = 0;
  std::vector<std::vector<std::uint32_t>> groups_;  // the images of each class; or all as one
  std::int64_t position_ = 0;                       // written by the consumer under mutex_

  mutable std::mutex mutex_;
  std::condition_variable room_, filled_;
  std::vector<Slot> ring_;    // the batch at position p lives in slot p mod ring size
  std::int64_t claimed_ = 0;  // batches before this one were taken by a worker
  // seek() and the destructor start a new generation; what belongs to an old one is thrown away.
  std::atomic<std::uint64_t> generation_{0};
  bool stop_ = false;
  std::vector<std::thread> threads_;

  mutable std::mutex order_mutex_;
  mutable std::uint32_t order_epoch_[2] = {0, 0};
  mutable Order order_[2];  // of the last two epochs asked for
};

}  // namespace imago::data
