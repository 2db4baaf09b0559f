// Data sets: numbered square images of one size, RGB unless they say otherwise, to be asked for in
// any order from any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/transform.h"
#include "tensor/random_stream.h"

namespace imago::data {

class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual std::int64_t size() const = 0;  // number of images
  virtual int image_size() const = 0;     // S
  // C, bytes of a pixel: red, green and blue; a data set with more says what they are.
  virtual int channels() const { return 3; }
  virtual std::string describe() const = 0;  // for people: what it is, how much there is
  // Writes image `index` to out (S, S, C). Safe on any number of threads at once; the result
  // depends on the index and on the numbers drawn from `augment` only. Throws when the index is out
  // of [0, size()) or the image cannot be had.
  virtual void get(std::int64_t index, RandomStream& augment, std::uint8_t* out) const = 0;
};

// Keeps finished images in memory, up to a budget: the first budget / image_bytes indices are kept
// once they were made, the others never (which ones does not depend on timing). Memory is claimed
// from the system as it fills. Thread-safe without locks.
class ImageCache {
 public:
  ImageCache(std::int64_t images, std::size_t image_bytes, std::size_t budget_bytes);

  bool load(std::int64_t index, std::uint8_t* out) const;  // false when it is not there
  void store(std::int64_t index, const std::uint8_t* image) const;
  std::int64_t capacity() const { return capacity_; }  // images

 private:
  enum State : std::uint8_t { empty, filling, ready };

  std::int64_t capacity_;
  std::size_t image_bytes_;
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::unique_ptr<std::atomic<std::uint8_t>[]> states_;
};

inline constexpr std::size_t default_cache_bytes = std::size_t{1} << 30;

struct FolderOptions {
  int size = 64;       // S: images are cropped to the middle square and resized to S x S
  FaceCrop crop = {};  // of that square; within it, else opening throws
  // What to do with an image that cannot be loaded: false throws its error; true says so once per
  // file on stderr and takes the next good image of the folder (in order, from the last on to the
  // first) in its place, so that the number of images stays and every run sees the same.
  bool skip_broken = false;
  std::size_t cache_bytes = default_cache_bytes;  // 0: decode in every epoch
};

// The images below a folder, sorted by path (see list_images). Opening only lists them: a broken
// image is found when it is first loaded.
class FolderDataset : public Dataset {
 public:
  explicit FolderDataset(const std::filesystem::path& folder, const FolderOptions& options = {});
  // These files, at least one, in this order; `folder` is what describe() says.
  FolderDataset(const std::filesystem::path& folder, std::vector<std::filesystem::path> paths,
                const FolderOptions& options);
  // Images [begin, end) of `whole`, at least one, with a cache of their own. A broken one is
  // replaced by another of them, so that two parts which share no image never show the same one.
  // Throws when they are not all there.
  FolderDataset(const FolderDataset& whole, std::int64_t begin, std::int64_t end);

  std::int64_t size() const override { return static_cast<std::int64_t>(paths_.size()); }
  int image_size() const override { return options_.size; }
  std::string describe() const override;
  void get(std::int64_t index, RandomStream& augment, std::uint8_t* out) const override;

  const std::vector<std::filesystem::path>& paths() const { return paths_; }

 private:
  FolderDataset(const std::filesystem::path& folder, const FolderOptions& options,
                std::vector<std::filesystem::path> paths, std::int64_t of);

  std::filesystem::path folder_;
  FolderOptions options_;
  std::vector<std::filesystem::path> paths_;
  std::int64_t of_;  // images of the whole folder, of which a part has fewer
  ImageCache cache_;
};

}  // namespace imago::data
