#include "data/dataset.h"

#include <algorithm>
#include <cstring>
#include <sstream>
#include <utility>

#include "data/folder.h"
#include "data/image.h"
#include "data/transform.h"
#include "tensor/context.h"
#include "tensor/error.h"

namespace imago::data {
namespace {

std::size_t square_bytes(const char* op, int size) {
  check(size >= 1 && size <= 16384, op, "the image size is 1 to 16384, but ", size);
  return static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * 3;
}

std::vector<std::filesystem::path> part_of(const FolderDataset& whole, std::int64_t begin,
                                           std::int64_t end) {
  check(begin >= 0 && begin < end && end <= whole.size(), "folder", "images ", begin, " to ", end,
        " are not a part of ", whole.describe());
  return {whole.paths().begin() + begin, whole.paths().begin() + end};
}

}  // namespace

ImageCache::ImageCache(std::int64_t images, std::size_t image_bytes, std::size_t budget_bytes)
    : capacity_(std::min(images, static_cast<std::int64_t>(budget_bytes / image_bytes))),
      image_bytes_(image_bytes),
      // Left uninitialised on purpose: pages that are never filled cost nothing.
      bytes_(new std::uint8_t[static_cast<std::size_t>(capacity_) * image_bytes]),
      states_(new std::atomic<std::uint8_t>[static_cast<std::size_t>(capacity_)] {}) {}

bool ImageCache::load(std::int64_t index, std::uint8_t* out) const {
  if (index >= capacity_) return false;
  const auto i = static_cast<std::size_t>(index);
  if (states_[i].load(std::memory_order_acquire) != ready) return false;
  std::memcpy(out, bytes_.get() + i * image_bytes_, image_bytes_);
  return true;
}

void ImageCache::store(std::int64_t index, const std::uint8_t* image) const {
  if (index >= capacity_) return;
  const auto i = static_cast<std::size_t>(index);
  // Two threads may have made the same image; the second one's copy is not needed.
  std::uint8_t expected = empty;
  if (!states_[i].compare_exchange_strong(expected, filling, std::memory_order_relaxed)) return;
  std::memcpy(bytes_.get() + i * image_bytes_, image, image_bytes_);
  states_[i].store(ready, std::memory_order_release);
}

FolderDataset::FolderDataset(const std::filesystem::path& folder, const FolderOptions& options)
    : FolderDataset(folder, options, list_images(folder), 0) {
  of_ = size();
}

FolderDataset::FolderDataset(const std::filesystem::path& folder,
                             std::vector<std::filesystem::path> paths, const FolderOptions& options)
    : FolderDataset(folder, options, std::move(paths), 0) {
  check(!paths_.empty(), "folder", folder.native(), ": there are no files to show");
  of_ = size();
}

FolderDataset::FolderDataset(const FolderDataset& whole, std::int64_t begin, std::int64_t end)
    : FolderDataset(whole.folder_, whole.options_, part_of(whole, begin, end), whole.of_) {}

FolderDataset::FolderDataset(const std::filesystem::path& folder, const FolderOptions& options,
                             std::vector<std::filesystem::path> paths, std::int64_t of)
    : folder_(folder),
      options_(options),
      paths_(std::move(paths)),
      of_(of),
      cache_(static_cast<std::int64_t>(paths_.size()), square_bytes("folder", options.size),
             options.cache_bytes) {
  const FaceCrop& c = options.crop;
  constexpr double most = 1 + 1e-9;  // 0.7 + 0.3 may be above 1
  check(c.x >= 0 && c.y >= 0 && c.side > 0 && c.x + c.side <= most && c.y + c.side <= most,
        "folder", "the crop at (", c.x, ", ", c.y, ") of side ", c.side,
        " leaves the image; all are shares of its middle square");
}

std::string FolderDataset::describe() const {
  std::ostringstream text;
  text << paths_.size();
  if (of_ != size()) text << " of " << of_;
  text << " images of " << folder_.native() << " at " << options_.size << " x " << options_.size;
  if (cache_.capacity() < size()) {
    text << ", of which the first " << cache_.capacity() << " are kept in memory once decoded";
  } else {
    text << ", kept in memory once decoded";
  }
  return text.str();
}

void FolderDataset::get(std::int64_t index, RandomStream&, std::uint8_t* out) const {
  check(index >= 0 && index < size(), "folder", "image ", index, " of ", size());
  if (cache_.load(index, out)) return;
  for (std::int64_t tried = 0;; ++tried) {
    const auto& path = paths_[static_cast<std::size_t>((index + tried) % size())];
    try {
      const Image image = face_square(load_image(path), options_.crop, options_.size);
      std::copy(image.pixels.begin(), image.pixels.end(), out);
      break;
    } catch (const Error& error) {
      if (!options_.skip_broken) throw;
      log_once("broken image " + path.native(), "skipped: " + std::string(error.what()));
      check(tried + 1 < size(), "folder", folder_.native(), ": none of its ", size(), " images",
            of_ == size() ? "" : " of this part", " can be loaded; the last error was ",
            error.what());
    }
  }
  cache_.store(index, out);
}

}  // namespace imago::data
