// What the emulator tells ThreadSanitizer. To it every CUDA thread is a thread of its own, and the
// scheduler, which runs them one at a time, must not look like something that orders them: its own
// accesses are not watched, and only what orders threads on a GPU is announced as an order.
#pragma once

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

namespace imago::emulator {

#if defined(__SANITIZE_THREAD__)
inline constexpr bool thread_sanitizer = true;
inline void watch() {
  AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
  AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
}
inline void look_away() {
  AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
  AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
}
// What the caller did before release(x) comes before what follows acquire(x) elsewhere.
inline void release(void* x) {
  __tsan_release(x);
}
inline void acquire(void* x) {
  __tsan_acquire(x);
}
#else
inline constexpr bool thread_sanitizer = false;
inline void watch() {}
inline void look_away() {}
inline void release(void*) {}
inline void acquire(void*) {}
#endif

// The scheduler at work.
class Unwatched {
 public:
  Unwatched() { look_away(); }
  ~Unwatched() { watch(); }
  Unwatched(const Unwatched&) = delete;
  Unwatched& operator=(const Unwatched&) = delete;
};

// Inside an Unwatched: memory accesses in the name of the CUDA thread.
class Watched {
 public:
  Watched() { watch(); }
  ~Watched() { look_away(); }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
};

}  // namespace imago::emulator
