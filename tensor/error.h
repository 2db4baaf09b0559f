// Errors: one exception type whose message names the operation, what was expected, what came and,
// where it helps, the likely cause: "[conv2d] weight expects C=64 but input is (128, 32, 32, 3)".
// What is thrown inside a layer ends in its path: "... (in layer D.layers.3)".
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace imago {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws Error(message), with the layer that this thread is in (tensor/layer_scope.h).
[[noreturn]] void fail_with(const std::string& message);

// Throws Error("[op] part part ..."); the parts are streamed one after another.
template <class... Parts>
[[noreturn]] void fail(const char* op, const Parts&... parts) {
  std::ostringstream message;
  message << '[' << op << "] ";
  (message << ... << parts);
  fail_with(message.str());
}

// fail(...) unless the condition holds. The parts are evaluated either way: keep them cheap.
template <class... Parts>
void check(bool condition, const char* op, const Parts&... parts) {
  if (!condition) fail(op, parts...);
}

}  // namespace imago
