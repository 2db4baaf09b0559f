#include "data/loader.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <span>
#include <utility>

#include "data/transform.h"
#include "tensor/error.h"

namespace imago::data {
namespace {

// Keeps these streams apart from the draws of noise, which are keyed by the plain seed.
constexpr std::uint64_t loader_streams = 0x6461746173747265;
constexpr std::uint32_t shuffle_index = 0xffffffff;  // no sample has this index

using Groups = std::vector<std::vector<std::uint32_t>>;

// Those of one class, by rising class; all images where there are no classes.
Groups groups_of(std::int64_t images, const std::vector<std::int64_t>& classes) {
  std::map<std::int64_t, std::vector<std::uint32_t>> by_class;
  for (std::uint32_t i = 0; i < images; ++i) {
    by_class[classes.empty() ? 0 : classes[i]].push_back(i);
  }
  Groups groups;
  for (auto& [number, members] : by_class) groups.push_back(std::move(members));
  return groups;
}

// A new order of a class whose images `begun` have just been taken, for a group that needs `wanted`
// more: none of those begun is among the first `wanted` as long as there are others.
void shuffle_again(std::vector<std::uint32_t>& images, std::span<const std::uint32_t> begun,
                   std::size_t wanted, RandomStream& stream) {
  shuffle(images, stream);
  if (begun.empty()) return;
  std::stable_partition(images.begin(), images.end(), [&](std::uint32_t image) {
    return std::find(begun.begin(), begun.end(), image) == begun.end();
  });
  if (wanted < images.size()) shuffle(std::span(images).subspan(wanted), stream);
}

// So many images in turns of `together` of each class. Of a single one, one by one: its images,
// shuffled.
std::vector<std::uint32_t> in_turns(Groups classes, std::size_t count, std::size_t together,
                                    RandomStream& stream) {
  std::vector<std::uint32_t> order, turn(classes.size());
  order.reserve(count + together);
  std::iota(turn.begin(), turn.end(), 0u);
  std::vector<std::size_t> next(classes.size(), 0);
  for (auto& images : classes) shuffle(images, stream);
  while (order.size() < count) {
    shuffle(turn, stream);
    for (const std::uint32_t c : turn) {
      if (order.size() >= count) break;
      std::vector<std::uint32_t>& images = classes[c];
      for (std::size_t k = 0; k < together; ++k) {
        if (next[c] == images.size()) {  // all were there: from the start, in another order
          shuffle_again(images, std::span(order).last(k), together - k, stream);
          next[c] = 0;
        }
        order.push_back(images[next[c]++]);
      }
    }
  }
  order.resize(count);
  return order;
}

}  // namespace

Loader::Loader(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options)
    : dataset_(std::move(dataset)), options_(options) {
  check(dataset_ != nullptr, "loader", "there is no data set");
  check(options.batch >= 1, "loader", "the batch is at least 1, but ", options.batch);
  check(options.workers >= 0 && options.workers <= 1024, "loader", "workers are 0 to 1024, but ",
        options.workers);
  check(options.prefetch >= 1 && options.prefetch <= 1024, "loader", "prefetch is 1 to 1024, but ",
        options.prefetch);
  check(dataset_->size() < shuffle_index, "loader", "takes fewer than 2^32 - 1 images, but ",
        dataset_->size());
  check(dataset_->size() >= options.batch, "loader", dataset_->describe(), ": has ",
        dataset_->size(), " images but the batch is ", options.batch, "; use a smaller batch");
  check(options.together >= 1 && options.batch % options.together == 0, "loader", "a batch of ",
        options.batch, " does not hold whole groups of ", options.together,
        " images; `together` is at least 1 and divides the batch");
  check(options.together == 1 || !options.balance.empty(), "loader", "images of one class come ",
        options.together, " together only where classes take turns: give `balance` too");
  if (!options.balance.empty()) {
    check(std::cmp_equal(options.balance.size(), dataset_->size()), "loader", dataset_->describe(),
          ": has ", dataset_->size(), " images but classes to balance for ",
          options.balance.size());
    check(options.shuffle, "loader", "classes are balanced by the order of images: shuffle them");
  }
  groups_ = groups_of(dataset_->size(), options.balance);
  per_epoch_ = dataset_->size() / options.batch;
  ring_.resize(static_cast<std::size_t>(std::max(options.prefetch, options.workers)));
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    ++generation_;
  }
  room_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::uint32_t Loader::epoch_of(std::int64_t position) const {
  const std::int64_t epoch = position / per_epoch_;
  check(position >= 0 && epoch < 0xffffffff, "loader", "position ", position, " is out of range");
  return static_cast<std::uint32_t>(epoch);
}

Loader::Order Loader::order_of(std::uint32_t epoch) const {
  const std::lock_guard lock(order_mutex_);
  // Workers straddle at most two epochs unless an epoch is shorter than the ring.
  Order& order = order_[epoch % 2];
  if (order && order_epoch_[epoch % 2] == epoch) return order;
  RandomStream stream(options_.seed ^ loader_streams, epoch, shuffle_index);
  order = std::make_shared<const std::vector<std::uint32_t>>(
      options_.shuffle ? in_turns(groups_, static_cast<std::size_t>(dataset_->size()),
                                  static_cast<std::size_t>(options_.together), stream)
                       : groups_.front());
  order_epoch_[epoch % 2] = epoch;
  return order;
}

std::vector<std::int64_t> Loader::indices(std::int64_t position) const {
  const Order order = order_of(epoch_of(position));
  const auto from = order->begin() + position % per_epoch_ * options_.batch;
  return {from, from + options_.batch};
}

bool Loader::stale(std::uint64_t generation) const {
  return generation_.load(std::memory_order_relaxed) != generation;
}

Tensor Loader::make(std::int64_t position, std::uint64_t generation) const {
  const std::uint32_t epoch = epoch_of(position);
  // Of the first sample in the epoch. An image that comes more than once is keyed by its place, or
  // it would be mirrored alike each time.
  auto place = static_cast<std::uint32_t>(position % per_epoch_ * options_.batch);
  const std::int64_t size = dataset_->image_size(), channels = dataset_->channels();
  const std::int64_t bytes = size * size * channels;
  Tensor batch = Tensor::empty({options_.batch, size, size, channels}, DType::u8, Device::cpu());
  auto* out = batch.mutable_data<std::uint8_t>();
  for (const std::int64_t index : indices(position)) {
    if (stale(generation)) return {};
    const std::uint32_t key = options_.balance.empty() ? static_cast<std::uint32_t>(index) : place;
    ++place;
    RandomStream augment(options_.seed ^ loader_streams, epoch, key);
    const bool flip = augment.chance(0.5f);  // drawn first, so that it does not depend on get()
    dataset_->get(index, augment, out);
    if (options_.flip && flip) flip_horizontal(out, int(size), int(size), int(channels));
    out += bytes;
  }
  return batch;
}

void Loader::work() {
  const auto slots = static_cast<std::int64_t>(ring_.size());
  std::unique_lock lock(mutex_);
  while (true) {
    room_.wait(lock, [&] { return stop_ || claimed_ < position_ + slots; });
    if (stop_) return;
    const std::int64_t position = claimed_++;
    const std::uint64_t generation = generation_.load(std::memory_order_relaxed);
    lock.unlock();
    Slot made;
    try {
      made.batch = make(position, generation);
    } catch (...) {
      made.error = std::current_exception();
    }
    made.ready = true;
    lock.lock();
    if (stale(generation)) continue;
    std::swap(ring_[static_cast<std::size_t>(position % slots)], made);
    filled_.notify_one();
  }
}

Tensor Loader::next() {
  if (options_.workers == 0) {
    Tensor batch = make(position_, generation_);
    ++position_;
    return batch;
  }
  while (static_cast<int>(threads_.size()) < options_.workers) {
    threads_.emplace_back([this] { work(); });
  }
  std::unique_lock lock(mutex_);
  Slot& slot = ring_[static_cast<std::size_t>(position_) % ring_.size()];
  filled_.wait(lock, [&] { return slot.ready; });
  if (slot.error) std::rethrow_exception(slot.error);
  Tensor batch = std::exchange(slot, Slot{}).batch;
  ++position_;
  lock.unlock();
  room_.notify_one();
  return batch;
}

bool Loader::ready() const {
  if (options_.workers == 0) return false;
  const std::lock_guard lock(mutex_);
  const Slot& slot = ring_[static_cast<std::size_t>(position_) % ring_.size()];
  return slot.ready && !slot.error;
}

void Loader::seek(std::int64_t position) {
  epoch_of(position);
  {
    const std::lock_guard lock(mutex_);
    ++generation_;
    for (Slot& slot : ring_) slot = Slot{};
    position_ = claimed_ = position;
  }
  room_.notify_all();
}

}  // namespace imago::data
