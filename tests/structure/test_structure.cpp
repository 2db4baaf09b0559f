// The shape of the source tree: includes run one way, files stay readable.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

namespace {

namespace fs = std::filesystem;

const fs::path root = IMAGO_SOURCE_DIR;

// What a file of each folder may include.
const std::map<std::string, std::set<std::string>> allowed = {
    {"tensor", {"tensor"}},
    {"kernels", {"tensor", "kernels"}},
    {"autograd", {"tensor", "kernels", "autograd"}},
    {"nn", {"tensor", "kernels", "autograd", "nn"}},
    {"models", {"tensor", "kernels", "autograd", "nn", "models"}},
    {"data", {"tensor", "kernels", "data"}},
    {"apps", {"tensor", "kernels", "autograd", "nn", "models", "data", "apps"}},
    {"bench", {"tensor", "kernels", "autograd", "nn", "models", "data", "bench"}},
};

bool is_source(const fs::path& file) {
  static const std::set<std::string> endings = {".h", ".cpp", ".cu", ".cuh"};
  return endings.contains(file.extension().string());
}

// The top folder of a quoted include, or "" when there is none on this line.
std::string included_folder(const std::string& line) {
  const std::size_t start = line.find("#include \"");
  if (start == std::string::npos) return "";
  const std::string path = line.substr(start + 10, line.find('"', start + 10) - start - 10);
  const std::size_t slash = path.find('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

}  // namespace

TEST_CASE("includes run one way: tensor, kernels, autograd, nn, models, apps; data beside them") {
  int includes = 0;
  for (const auto& [folder, may] : allowed) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (!is_source(entry.path())) continue;
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) {
        const std::string target = included_folder(line);
        if (target.empty()) continue;
        includes += 1;
        INFO(entry.path().string() << " has " << line);
        CHECK(may.contains(target));
      }
    }
  }
  CHECK(includes > 200);
}

TEST_CASE("no source file is longer than 450 lines") {
  for (const auto& [folder, may] : allowed) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (!is_source(entry.path())) continue;
      std::ifstream in(entry.path());
      int lines = 0;
      for (std::string line; std::getline(in, line);) lines += 1;
      INFO(entry.path().string() << " has " << lines << " lines");
      CHECK(lines <= 450);
    }
  }
}

TEST_CASE("the example in the README is the program that is compiled and run") {
  const auto text = [](const fs::path& file) {
    std::ifstream in(file);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string readme = text(root / "README.md");
  const std::string example = text(root / "apps/examples/minimal_gan.cpp");
  REQUIRE(!example.empty());
  INFO("README.md should hold apps/examples/minimal_gan.cpp between ```cpp and ```");
  CHECK(readme.find("```cpp\n" + example + "```\n") != std::string::npos);
}
