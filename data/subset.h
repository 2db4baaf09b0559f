// Some images of a data set: what training is not to see, and what is left to train on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace imago::data {

// Of a folder whose broken images are skipped take FolderDataset's parts: what replaces a broken
// image of the whole may be in another subset.
class Subset : public Dataset {
 public:
  // These images of `whole`, in this order, repeats allowed, at least one. Throws when they are not
  // all there.
  Subset(std::shared_ptr<const Dataset> whole, std::vector<std::int64_t> indices);

  std::int64_t size() const override { return static_cast<std::int64_t>(indices_.size()); }
  int image_size() const override { return whole_->image_size(); }
  int channels() const override { return whole_->channels(); }
  std::string describe() const override;
  void get(std::int64_t index, RandomStream& augment, std::uint8_t* out) const override;

 private:
  std::shared_ptr<const Dataset> whole_;
  std::vector<std::int64_t> indices_;
};

}  // namespace imago::data
