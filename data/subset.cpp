#include "data/subset.h"

#include <sstream>
#include <utility>

#include "tensor/error.h"

namespace imago::data {

Subset::Subset(std::shared_ptr<const Dataset> whole, std::vector<std::int64_t> indices)
    : whole_(std::move(whole)), indices_(std::move(indices)) {
  check(whole_ != nullptr, "subset", "there is no data set");
  check(!indices_.empty(), "subset", "there are no images to take of ", whole_->describe());
  for (const std::int64_t index : indices_) {
    check(index >= 0 && index < whole_->size(), "subset", "there is no image ", index, " in ",
          whole_->describe());
  }
}

std::string Subset::describe() const {
  std::ostringstream text;
  text << size() << " of " << whole_->describe();
  return text.str();
}

void Subset::get(std::int64_t index, RandomStream& augment, std::uint8_t* out) const {
  check(index >= 0 && index < size(), "subset", "image ", index, " of ", size());
  whole_->get(indices_[static_cast<std::size_t>(index)], augment, out);
}

}  // namespace imago::data
