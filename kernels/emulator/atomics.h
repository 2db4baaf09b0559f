// Atomic operations on integers. They return the old value.
//
// Sums of integers do not depend on the order of the threads; sums of floats do, so there is no
// atomicAdd for floats and using it does not compile. For ThreadSanitizer every atomic operation
// orders the memory accesses around it, as it does on a GPU between two __threadfence().
#pragma once

#include <concepts>
#include <type_traits>

#include "kernels/emulator/tile.h"

namespace imago::emulator {

template <class T>
concept AtomicInteger =
    std::same_as<T, int> || std::same_as<T, unsigned> || std::same_as<T, unsigned long long>;

// Replaces *address by f(old value), as one step.
template <class T, class F>
T atomic_update(T* address, F&& f) {
  check_aligned<T>(address, "an atomic operation");
  T old = __atomic_load_n(address, __ATOMIC_ACQUIRE);
  while (!__atomic_compare_exchange_n(address, &old, f(old), false, __ATOMIC_ACQ_REL,
                                      __ATOMIC_ACQUIRE)) {
  }
  return old;
}

// Sums wrap around.
template <class T>
T wrapped_sum(T a, T b) {
  using U = std::make_unsigned_t<T>;
  return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
}

}  // namespace imago::emulator

template <imago::emulator::AtomicInteger T>
T atomicAdd(T* address, std::type_identity_t<T> value) {
  return imago::emulator::atomic_update(
      address, [value](T old) { return imago::emulator::wrapped_sum(old, value); });
}
float atomicAdd(float*, float) = delete;  // depends on the order of the threads
double atomicAdd(double*, double) = delete;

inline int atomicSub(int* address, int value) {
  return imago::emulator::atomic_update(address, [value](int old) {
    return static_cast<int>(static_cast<unsigned>(old) - static_cast<unsigned>(value));
  });
}
inline unsigned atomicSub(unsigned* address, unsigned value) {
  return imago::emulator::atomic_update(address, [value](unsigned old) { return old - value; });
}

template <imago::emulator::AtomicInteger T>
T atomicMin(T* address, std::type_identity_t<T> value) {
  return imago::emulator::atomic_update(address,
                                        [value](T old) { return value < old ? value : old; });
}
template <imago::emulator::AtomicInteger T>
T atomicMax(T* address, std::type_identity_t<T> value) {
  return imago::emulator::atomic_update(address,
                                        [value](T old) { return old < value ? value : old; });
}
template <imago::emulator::AtomicInteger T>
T atomicAnd(T* address, std::type_identity_t<T> value) {
  return imago::emulator::atomic_update(address, [value](T old) { return old & value; });
}
template <imago::emulator::AtomicInteger T>
T atomicOr(T* address, std::type_identity_t<T> value) {
  return imago::emulator::atomic_update(address, [value](T old) { return old | value; });
}
template <imago::emulator::AtomicInteger T>
T atomicXor(T* address, std::type_identity_t<T> value) {
  return imago::emulator::atomic_update(address, [value](T old) { return old ^ value; });
}
template <imago::emulator::AtomicInteger T>
T atomicExch(T* address, std::type_identity_t<T> value) {
  return imago::emulator::atomic_update(address, [value](T) { return value; });
}

// Stores `value` where the old value is `compare`.
template <imago::emulator::AtomicInteger T>
T atomicCAS(T* address, std::type_identity_t<T> compare, std::type_identity_t<T> value) {
  return imago::emulator::atomic_update(
      address, [compare, value](T old) { return old == compare ? value : old; });
}

// Counts up to `last`, then starts again at 0; and down from it.
inline unsigned atomicInc(unsigned* address, unsigned last) {
  return imago::emulator::atomic_update(address,
                                        [last](unsigned old) { return old >= last ? 0 : old + 1; });
}
inline unsigned atomicDec(unsigned* address, unsigned last) {
  return imago::emulator::atomic_update(
      address, [last](unsigned old) { return old == 0 || old > last ? last : old - 1; });
}
