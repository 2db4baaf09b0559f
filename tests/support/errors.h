// The messages of errors.
#pragma once

#include <string>

#include "tensor/error.h"

namespace imago::test {

// What the Error thrown by f says; "" when nothing is thrown.
template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace imago::test
