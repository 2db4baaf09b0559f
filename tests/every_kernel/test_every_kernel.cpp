#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

#include "kernels/tolerance.h"
#include "tests/every_kernel/small.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/files.h"
#if IMAGO_EMULATED
#include "kernels/emulator/launch_count.h"
#endif

namespace imago::test {

Engine engine_for(const Tensor& t, Engine cuda) {
  return t.device().is_cuda() ? cuda : Engine::reference;
}

void agree(const std::string& what, const Tensors& arguments,
           const std::function<Tensors(Tensors&)>& f) {
  CAPTURE(what);
  const auto results_on = [&](Device device) {
    const ContextScope scope;
    Context::current().device = device;
    Tensors here;
    for (const Tensor& t : arguments) {
      here.push_back(device.is_cpu() && is_floating(t.dtype()) ? to_f64(t) : t.to(device));
    }
    return f(here);
  };
  const Tensors got = results_on(Device::cuda()), expected = results_on(Device::cpu());
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    const DType dtype = got[i].dtype();
    if (!is_floating(dtype)) {
      CHECK(same_bits(got[i], expected[i]));
      continue;
    }
    // One bound for all: no sum here has more than some thousand terms, and a race or a lost
    // element errs by far more. bf16 only stores.
    const double units = dtype == DType::bf16 ? 1 : 256;
    const double scale = std::fmax(largest(expected[i]), 1.0);
    CHECK(largest_error(got[i], expected[i]) <= units * kernels::epsilon(dtype) * scale);
  }
}

namespace {

const fs::path source = fs::path(IMAGO_SOURCE_DIR) / "kernels";

// kernels/<folder>/*.cu
std::vector<fs::path> chapters() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(source)) {
    if (entry.path().extension() == ".cu") found.push_back(entry.path());
  }
  return found;
}

// The kernels that a source defines: each `__global__` is followed by a name that ends in _kernel.
[[maybe_unused]] std::vector<std::string> kernels_in(const std::string& text) {
  const std::string mark = "__global__", end = "_kernel(";
  std::vector<std::string> names;
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    const auto stop = text.find(end, at);
    REQUIRE_MESSAGE(stop < text.find('{', at), "a kernel without a name that ends in _kernel");
    auto start = stop;
    while (std::isalnum(static_cast<unsigned char>(text[start - 1])) || text[start - 1] == '_') {
      --start;
    }
    names.push_back(text.substr(start, stop - start) + "_kernel");
  }
  return names;
}

std::vector<Family> families() {
  std::vector<Family> all = image_families();
  for (const auto& more : {product_families(), row_families()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace

TEST_CASE("no folder of kernels is missing") {
  std::set<std::string> there, tested;
  for (const fs::path& chapter : chapters())
    there.insert(chapter.parent_path().filename().string());
  for (const Family& family : families()) {
    CHECK_MESSAGE(tested.insert(family.folder).second, family.folder << " is there twice");
  }
  CHECK(there.size() > 10);  // the sources were found
  for (const std::string& folder : there) {
    CHECK_MESSAGE(tested.count(folder) == 1, "kernels/" << folder << " has no small problem");
  }
  for (const std::string& folder : tested) {
    CHECK_MESSAGE(there.count(folder) == 1, "kernels/" << folder << " has no CUDA kernels");
  }
}

TEST_CASE("every kernel does a small problem as the CPU does") {
  require_device("test", Device::cuda());
  const Guarded guarded;
  for (const Family& family : families()) {
    CAPTURE(family.folder);
    family.run();
  }
#if IMAGO_EMULATED
  const std::set<std::string> launched = emulator::launched_kernels();
  std::size_t kernels = 0;
  for (const fs::path& chapter : chapters()) {
    const std::string name = fs::relative(chapter, source).string();
    for (const std::string& kernel : kernels_in(read_bytes(chapter))) {
      ++kernels;
      CHECK_MESSAGE(launched.count(kernel) == 1,
                    kernel << " of kernels/" << name << " has no small problem");
    }
  }
  CHECK(kernels > 50);  // the names were found
#endif
}

}  // namespace imago::test
