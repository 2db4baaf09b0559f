// The rules of kernels/launch.h for kernel sources, enforced on the text of every .cu and .cuh
// file outside kernels/cuda/ but for kernels/ptx.cuh, where the assembly lives. That no float meets
// an atomic is enforced by the emulator's headers, with which such a call does not compile; the
// rule here sees literals only.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "tests/support/files.h"

namespace {

namespace fs = std::filesystem;

// The code without comments; line breaks stay, so that lines can be counted.
std::string without_comments(const std::string& text) {
  std::string code;
  for (std::size_t i = 0; i < text.size();) {
    if (text.compare(i, 2, "//") == 0) {
      while (i < text.size() && text[i] != '\n') ++i;
    } else if (text.compare(i, 2, "/*") == 0) {
      const std::size_t end = std::min(text.find("*/", i + 2), text.size());
      code += std::string(static_cast<std::size_t>(
                              std::count(text.begin() + static_cast<std::ptrdiff_t>(i),
                                         text.begin() + static_cast<std::ptrdiff_t>(end), '\n')),
                          '\n');
      i = std::min(end + 2, text.size());
    } else {
      code += text[i++];
    }
  }
  return code;
}

struct Rule {
  const char* forbidden;  // a regular expression
  const char* instead;
};

const Rule rules[] = {
    {"<<<", "launch<kernel>(stream, ...) checks for errors and runs under the emulator"},
    {"\\bcub\\b", "write the algorithm, this is what the project is for"},
    {"cooperative_groups", "launch<kernel> and __syncthreads"},
    {"\\b(__shared__|__constant__|__managed__)\\b", "shared<Block>() with Tile members"},
    {"\\breinterpret_cast\\b", "load_as and store_as check the alignment"},
    {"__CUDA_ARCH", "IMAGO_SM, which the emulator defines too"},
    {"\\bcuda[A-Z]\\w*", "the CUDA runtime is for kernels/cuda/"},
    {"#\\s*include\\s*[<\"](cuda|cub|thrust|cutlass|cute)", "kernels/launch.h"},
    {"\\basm\\b", "a wrapper with an emulated twin in kernels/ptx.cuh"},
    {"\\batomic[A-Z]\\w*\\s*\\([^;]*\\b\\d+\\.\\d*f?",
     "integers, or sums of a fixed order; float atomics are not deterministic"},
    {"(^|[^\\w>])\\(\\s*(const\\s+)?\\w+\\s*\\*\\s*\\)",
     "load_as and store_as check the alignment"},
    {"\\b(__expf|__logf|__powf|__sinf|__cosf|__fdividef|__use_fast_math)\\b",
     "functions that both compilers round alike"},
    {"\\bprintf\\b", "nothing: kernels are silent"},
    {"\\bstatic\\s+(thread_local|\\w+\\s+\\w+\\s*[;=\\[])", "shared<Block>() or an argument"},
};

// "name:line: ...", one for each offence.
std::vector<std::string> offences(const std::string& name, const std::string& text) {
  std::vector<std::string> found;
  const std::string code = without_comments(text);
  for (const Rule& rule : rules) {
    const std::regex pattern(rule.forbidden);
    for (std::sregex_iterator match(code.begin(), code.end(), pattern), end; match != end;
         ++match) {
      const auto line = 1 + std::count(code.begin(), code.begin() + match->position(), '\n');
      found.push_back(name + ":" + std::to_string(line) + ": '" + match->str() +
                      "' has no place in a kernel source: " + rule.instead);
    }
  }
  return found;
}

std::vector<fs::path> kernel_sources() {
  std::vector<fs::path> paths;
  const fs::path root = IMAGO_SOURCE_DIR;
  for (const char* folder : {"kernels", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const auto kind = entry.path().extension();
      if ((kind == ".cu" || kind == ".cuh") &&
          entry.path().parent_path() != root / "kernels" / "cuda" &&
          entry.path() != root / "kernels" / "ptx.cuh") {
        paths.push_back(entry.path());
      }
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

TEST_CASE("kernel sources keep to the vocabulary of kernels/launch.h") {
  const auto paths = kernel_sources();
  REQUIRE(paths.size() >= 3);
  for (const auto& path : paths) {
    const std::string text = imago::test::read_bytes(path);
    REQUIRE_FALSE(text.empty());
    for (const auto& offence : offences(path.string(), text)) FAIL_CHECK(offence);
    CAPTURE(path.string());
    CHECK_MESSAGE(text.rfind("//", 0) == 0, "a chapter opens with its idea");
    CHECK_MESSAGE(std::count(text.begin(), text.end(), '\n') <= 250, "a chapter is short");
  }
}

TEST_CASE("the rules find what they forbid, and comments are free") {
  const char* forbidden[] = {
      "kernel<<<grid, block>>>(x);",
      "cub::BlockReduce<float, 128> reduce;",
      "#include <cub/cub.cuh>",
      "#include <cuda_runtime.h>",
      "namespace cg = cooperative_groups;",
      "static __shared__ float tile[32];",
      "template <class T> extern __shared__ T raw[];",
      "__constant__ float table[4];",
      "auto v = *reinterpret_cast<const float4*>(p);",
      "float* f = (float*)p;",
      "auto v = *(const float4*)(p + i);",
      "#if __CUDA_ARCH__ >= 900",
      "#if defined(__CUDA_ARCH_FEAT_SM90_ALL)",
      "cudaMalloc(&p, 4);",
      "asm volatile(\"bar.sync 0;\");",
      "atomicAdd(&sum, 1.0f);",
      "y = __expf(x);",
      "printf(\"%d\", i);",
      "static int count = 0;",
      "static float scratch[16];",
  };
  for (const char* line : forbidden) {
    CAPTURE(line);
    CHECK_FALSE(offences("planted", line).empty());
    CHECK(offences("planted", std::string("// ") + line + "\nint x;").empty());
    CHECK(offences("planted", std::string("/* ") + line + " */ int x;").empty());
  }
  CHECK(offences("planted.cu", "\n// cub\n/* two\nlines */\nf<<<1, 1>>>();")[0].rfind(
            "planted.cu:5: '<<<'", 0) == 0);
  const char* allowed[] = {
      "launch<kernel<T>>(stream, grid, block, 0, x);",
      "auto& s = shared<Block>();",
      "static_assert(sizeof(T) == 4);",
      "sum = fma(static_cast<float>(x[c]), w[c], sum);",
      "static constexpr int lanes = 4;",
      "atomicAdd(&s.count(i), 1); x = 1.0f;",
      "ticket = atomicInc(done, gridDim.x - 1);",
      "template void f(Stream&, const float*, float*);",
      "template void g<float>(float*);",
      "#if IMAGO_SM >= 90",
      "#include \"kernels/conv2d/engines.h\"",
  };
  for (const char* line : allowed) {
    CAPTURE(line);
    CHECK(offences("plain", line).empty());
  }
}
