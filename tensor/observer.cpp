#include "tensor/observer.h"

namespace imago {

constinit thread_local Observer* Observer::current_ = nullptr;

Observer::Observer() : outer_(current_) {
  if (outer_) outer_->inner_ = this;
  current_ = this;
}

Observer::~Observer() {
  if (outer_) outer_->inner_ = inner_;
  if (inner_) {
    inner_->outer_ = outer_;
  } else {
    current_ = outer_;
  }
}

Observer::Muted::Muted() : newest(current_), oldest(current_) {
  while (oldest->outer_) oldest = oldest->outer_;
  current_ = nullptr;
}

Observer::Muted::~Muted() {
  current_ = newest;
}

}  // namespace imago
