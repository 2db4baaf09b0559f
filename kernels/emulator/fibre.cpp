#include "kernels/emulator/fibre.h"

#include <sys/mman.h>
#include <unistd.h>

#include <boost/context/detail/fcontext.hpp>
#include <utility>

#include "tensor/error.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace imago::emulator {
namespace {

namespace context = boost::context::detail;

// Only touched pages cost memory, but ThreadSanitizer marks all of them at each mapping. Sanitizers
// make frames several times larger.
#if defined(__SANITIZE_THREAD__)
constexpr std::size_t stack_size = 64 * 1024;
#else
constexpr std::size_t stack_size = 256 * 1024;
#endif

std::size_t page_size() {
  return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

void start_switch([[maybe_unused]] void** fake_stack, [[maybe_unused]] const void* bottom,
                  [[maybe_unused]] std::size_t size) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(fake_stack, bottom, size);
#endif
}

void finish_switch([[maybe_unused]] void* fake_stack, [[maybe_unused]] const void** bottom,
                   [[maybe_unused]] std::size_t* size) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake_stack, bottom, size);
#endif
}

}  // namespace

// The switches themselves are not watched by ThreadSanitizer: both sides see a fibre's members.
struct Fibre::Entry {
  [[gnu::no_sanitize("thread")]] static void run(context::transfer_t from) {
    auto& fibre = *static_cast<Fibre*>(from.data);
    fibre.caller_ = from.fctx;
    finish_switch(nullptr, &fibre.caller_bottom_, &fibre.caller_size_);
    while (true) {
      fibre.body_();
      fibre.suspend();
    }
  }
};

Fibre::Fibre(std::function<void()> body) : body_(std::move(body)) {
  const std::size_t guard = page_size();
  void* mapping = mmap(nullptr, guard + stack_size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED || mprotect(mapping, guard, PROT_NONE) != 0) {
    fail("emulator", "no memory for the stack of one more thread");
  }
  mapping_ = static_cast<std::byte*>(mapping);
  context_ = context::make_fcontext(mapping_ + guard + stack_size, stack_size, &Entry::run);
#if defined(__SANITIZE_THREAD__)
  tsan_fibre_ = __tsan_create_fiber(0);
#endif
}

Fibre::~Fibre() {
#if defined(__SANITIZE_THREAD__)
  __tsan_destroy_fiber(tsan_fibre_);
#endif
#if defined(__SANITIZE_ADDRESS__)
  // Frames that are still on the stack left poison, which the next mapping here would inherit.
  __asan_unpoison_memory_region(mapping_ + page_size(), stack_size);
#endif
  munmap(mapping_, page_size() + stack_size);
}

[[gnu::no_sanitize("thread")]] void Fibre::resume() {
  start_switch(&caller_fake_, mapping_ + page_size(), stack_size);
#if defined(__SANITIZE_THREAD__)
  tsan_caller_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(tsan_fibre_, __tsan_switch_to_fiber_no_sync);
#endif
  context_ = context::jump_fcontext(context_, this).fctx;
  finish_switch(caller_fake_, nullptr, nullptr);
}

[[gnu::no_sanitize("thread")]] void Fibre::suspend() {
  start_switch(&fake_stack_, caller_bottom_, caller_size_);
#if defined(__SANITIZE_THREAD__)
  __tsan_switch_to_fiber(tsan_caller_, __tsan_switch_to_fiber_no_sync);
#endif
  caller_ = context::jump_fcontext(caller_, this).fctx;
  finish_switch(fake_stack_, &caller_bottom_, &caller_size_);
}

void Fibre::set_name([[maybe_unused]] const std::string& name) {
#if defined(__SANITIZE_THREAD__)
  __tsan_set_fiber_name(tsan_fibre_, name.c_str());
#endif
}

}  // namespace imago::emulator
