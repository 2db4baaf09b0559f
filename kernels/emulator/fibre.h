// Fibres: stacks of their own on one CPU thread, which change places only when told to. Every
// switch is announced to AddressSanitizer and ThreadSanitizer, which otherwise take one stack for
// another. To ThreadSanitizer a switch does not order what the two sides do.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace imago::emulator {

// A fibre calls `body` each time it is resumed after the body has returned, so that it can be kept
// for the next piece of work. The body must not let exceptions out.
class Fibre {
 public:
  explicit Fibre(std::function<void()> body);
  // The body must have returned; nothing on the stack is destroyed.
  ~Fibre();
  Fibre(const Fibre&) = delete;
  Fibre& operator=(const Fibre&) = delete;

  // From the scheduler: runs the fibre until it suspends itself or its body returns.
  void resume();
  // From within the fibre: goes back to the scheduler, until the next resume.
  void suspend();
  // What ThreadSanitizer's reports call it.
  void set_name(const std::string& name);

 private:
  struct Entry;

  std::function<void()> body_;
  std::byte* mapping_;           // a guard page, then the stack
  void* context_;                // where the fibre stopped
  void* caller_ = nullptr;       // where resume was called
  void* fake_stack_ = nullptr;   // AddressSanitizer's, of the fibre
  void* caller_fake_ = nullptr;  // ... and of the caller
  const void* caller_bottom_ = nullptr;
  std::size_t caller_size_ = 0;
  void* tsan_fibre_ = nullptr;
  void* tsan_caller_ = nullptr;
};

}  // namespace imago::emulator
