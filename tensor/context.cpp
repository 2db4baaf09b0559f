#include "tensor/context.h"

#include <cstdio>
#include <mutex>
#include <set>
#include <thread>

#include "tensor/error.h"

namespace imago {

Context& Context::current() {
  thread_local Context context;
  return context;
}

void manual_seed(std::uint64_t seed) {
  Context::current().generator = Generator{seed, 0, 0};
}

void set_num_threads(int threads) {
  check(threads >= 0, "set_num_threads", "the number of threads is not negative, but ", threads);
  Context::current().threads = threads;
}

int num_threads() {
  const int wanted = Context::current().threads;
  if (wanted > 0) return wanted;
  // Asking the system each time would cost more than a small kernel.
  static const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  return cores > 0 ? cores : 1;
}

void log_once(const std::string& key, const std::string& message) {
  static std::mutex mutex;
  static std::set<std::string>& seen = *new std::set<std::string>;
  const std::lock_guard lock(mutex);
  if (seen.insert(key).second) std::fprintf(stderr, "%s\n", message.c_str());
}

}  // namespace imago
