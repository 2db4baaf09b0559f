// Functions that are called when something happens: Module::register_forward_hook and
// Var::register_hook.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace imago {

// Who can take a hook out again.
class HookOwner {
 public:
  virtual ~HookOwner() = default;
  virtual void remove(std::uint64_t id) = 0;
};

// A hook that was registered; it goes when its handle does. A handle may outlive what it hooks.
class [[nodiscard]] HookHandle {
 public:
  HookHandle() = default;
  HookHandle(std::weak_ptr<HookOwner> owner, std::uint64_t id)
      : owner_(std::move(owner)), id_(id) {}
  HookHandle(HookHandle&& other) noexcept : owner_(std::move(other.owner_)), id_(other.id_) {
    other.owner_.reset();
  }
  HookHandle& operator=(HookHandle&& other) noexcept {
    if (this != &other) {
      remove();
      owner_ = std::move(other.owner_);
      id_ = other.id_;
      other.owner_.reset();
    }
    return *this;
  }
  ~HookHandle() { remove(); }

  // Takes the hook out now.
  void remove() {
    if (const auto owner = owner_.lock()) owner->remove(id_);
    owner_.reset();
  }
  // Leaves it in for as long as what it hooks lives.
  void keep() { owner_.reset(); }

 private:
  std::weak_ptr<HookOwner> owner_;
  std::uint64_t id_ = 0;
};

// Hooks of one kind, called in the order they were added.
template <class... Args>
class HookList final : public HookOwner {
 public:
  using Hook = std::function<void(Args...)>;

  std::uint64_t add(Hook hook) {
    hooks_.emplace_back(++last_id_, std::move(hook));
    return last_id_;
  }
  void remove(std::uint64_t id) override {
    std::erase_if(hooks_, [id](const auto& entry) { return entry.first == id; });
  }
  // Of a copy of the list: a hook may remove itself or add others.
  void call(Args... args) const {
    const auto hooks = hooks_;
    for (const auto& [id, hook] : hooks) hook(args...);
  }
  bool empty() const { return hooks_.empty(); }

 private:
  std::vector<std::pair<std::uint64_t, Hook>> hooks_;
  std::uint64_t last_id_ = 0;
};

}  // namespace imago
