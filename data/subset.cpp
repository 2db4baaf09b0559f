#include "data/subset.h"

#include <sstream>
#include <utility>

#include "tensor/error.h"

namespace imago::data {

Subset::Subset(std::shared_ptr<const Dataset> whole, std::int64_t begin, std::int64_t end)
    : whole_(std::move(whole)), begin_(begin), end_(end) {
  check(whole_ != nullptr, "subset", "there is no data set");
  check(begin >= 0 && begin < end && end <= whole_->size(), "subset", "images ", begin, " to ", end,
        " are not a part of ", whole_->describe());
}

std::string Subset::describe() const {
  std::ostringstream text;
  text << size() << " of " << whole_->describe();
  return text.str();
}

void Subset::get(std::int64_t index, RandomStream& augment, std::uint8_t* out) const {
  check(index >= 0 && index < size(), "subset", "image ", index, " of ", size());
  whole_->get(begin_ + index, augment, out);
}

}  // namespace imago::data
