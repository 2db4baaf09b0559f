#include "nn/named_tensors.h"

#include <sstream>

namespace imago {

void insert_under(NamedTensors& into, std::string_view prefix, const NamedTensors& tensors) {
  check(!prefix.empty(), "named_tensors", "a prefix may not be empty");
  for (const auto& [name, tensor] : tensors) {
    const std::string full = std::string(prefix) + "." + name;
    check(into.emplace(full, tensor).second, "named_tensors", "'", full, "' is there twice");
  }
}

NamedTensors entries_under(const NamedTensors& from, std::string_view prefix) {
  const std::string start = std::string(prefix) + ".";
  NamedTensors result;
  for (auto it = from.lower_bound(start); it != from.end() && it->first.starts_with(start); ++it) {
    result.emplace(it->first.substr(start.size()), it->second);
  }
  return result;
}

void copy_named(const char* what, const NamedTensors& source, NamedTensors target) {
  std::ostringstream missing, unexpected, different;
  for (const auto& [name, tensor] : target) {
    const auto found = source.find(name);
    if (found == source.end()) {
      missing << "\n  missing: " << name << ' ' << tensor.shape() << ' ' << tensor.dtype();
      continue;
    }
    const Tensor& given = found->second;
    if (!given.defined()) {
      different << "\n  undefined: " << name;
    } else if (!(given.shape() == tensor.shape()) || given.dtype() != tensor.dtype()) {
      different << "\n  different: " << name << " expects " << tensor.shape() << ' '
                << tensor.dtype() << " but was given " << given.shape() << ' ' << given.dtype();
    }
  }
  for (const auto& [name, tensor] : source) {
    if (!target.contains(name)) {
      unexpected << "\n  unexpected: " << name;
      if (tensor.defined()) unexpected << ' ' << tensor.shape() << ' ' << tensor.dtype();
    }
  }
  const std::string problems = missing.str() + unexpected.str() + different.str();
  check(problems.empty(), what, "the names or shapes do not fit; was it made for another model?",
        problems);
  for (auto& [name, tensor] : target) tensor.copy_from(source.at(name).to(tensor.device()));
}

}  // namespace imago
