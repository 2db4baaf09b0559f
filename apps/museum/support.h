// What several exhibits need.
#pragma once

#include <string>

#include "nn/module.h"
#include "tensor/error.h"

namespace imago::museum {

// What the framework says to a mistake: the message of the Error that f throws. Throws itself when
// f does not: the exhibit would show nothing.
template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  fail("museum", "a mistake on show was not noticed");
}

// Procedural faces number first, first + 1, ... of different people, (count, 32, 32, 3) f32. Bytes
// 0 to 255 become low to high.
Tensor faces(int first, int count, double low, double high);

}  // namespace imago::museum
