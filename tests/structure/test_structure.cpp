// The shape of the source tree: includes run one way, files stay readable.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "tests/support/files.h"

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
    {"apps", {"tensor", "kernels", "autograd", "nn", "models", "data", "apps", "imago.h"}},
    {"bench", {"tensor", "kernels", "autograd", "nn", "models", "data", "bench"}},
};

bool is_source(const fs::path& file) {
  static const std::set<std::string> endings = {".h", ".cpp", ".cu", ".cuh"};
  return endings.contains(file.extension().string());
}

// The folder of this project that a line includes from, "imago.h" for the header of everything, or
// "" for none. A header is named as in the source tree ("nn/layers.h", also in angle brackets) or
// as it is installed (<imago/nn/layers.h>).
std::string included_folder(const std::string& line) {
  static const std::regex include(R"(^\s*#\s*include\s*["<](imago/)?([^">]+)[">])");
  std::smatch match;
  if (!std::regex_search(line, match, include)) return "";
  const std::string path = match[2];
  if (path == "imago.h") return path;
  const std::string folder = path.substr(0, path.find('/'));
  const bool ours = folder != path && fs::is_directory(root / folder);
  // <imago/x.h> that is no header of everything belongs to no folder that may be included.
  return ours ? folder : match[1].matched ? path : "";
}

// Whether a line includes CLI11, a large header that is slow to compile.
bool includes_cli11(const std::string& line) {
  static const std::regex include(R"(^\s*#\s*include\s*[<"]([^">]*/)?CLI(/|11))");
  return std::regex_search(line, include);
}

int lines_of(const fs::path& file) {
  std::ifstream in(file);
  int lines = 0;
  for (std::string line; std::getline(in, line);) lines += 1;
  return lines;
}

std::string text_of(const fs::path& file) {
  return imago::test::read_bytes(file);
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

TEST_CASE("the spellings of an include are understood") {
  CHECK(included_folder("#include \"tensor/shape.h\"") == "tensor");
  CHECK(included_folder("  #  include <nn/layers.h>") == "nn");
  CHECK(included_folder("#include <imago/kernels/gemm/gemm.h>") == "kernels");
  CHECK(included_folder("#include \"imago/data/image.h\"") == "data");
  CHECK(included_folder("#include \"tests/support/files.h\"") == "tests");
  CHECK(included_folder("#include \"imago.h\"") == "imago.h");
  CHECK(included_folder("#include <imago/imago.h>") == "imago.h");
  CHECK(included_folder("#include <imago/other.h>") == "other.h");
  CHECK(included_folder("#include <vector>").empty());
  CHECK(included_folder("#include <stb/stb_image.h>").empty());
  CHECK(included_folder("#include \"cases.h\"").empty());
  CHECK(included_folder("// see tensor/shape.h").empty());
}

TEST_CASE("CLI11 is included by apps/support/flags.cpp and bench alone") {
  const fs::path facade = root / "apps/support/flags.cpp";
  bool found = false;
  for (const char* folder :
       {"tensor", "kernels", "autograd", "nn", "models", "data", "apps", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (!is_source(entry.path())) continue;
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) {
        if (!includes_cli11(line)) continue;
        found = found || entry.path() == facade;
        INFO(entry.path().string() << " has " << line << "; take apps/support/flags.h");
        CHECK(entry.path() == facade);
      }
    }
  }
  CHECK(found);
  CHECK(includes_cli11("#include <CLI/CLI.hpp>"));
  CHECK(includes_cli11("  # include \"CLI/App.hpp\""));
  CHECK(includes_cli11("#include <third/CLI11.hpp>"));
  CHECK_FALSE(includes_cli11("#include \"apps/support/cli.h\""));
  CHECK_FALSE(includes_cli11("// #include <CLI/CLI.hpp>"));
}

TEST_CASE("no source file is longer than 410 lines") {
  int files = 0;
  for (const char* folder :
       {"tensor", "kernels", "autograd", "nn", "models", "data", "apps", "bench", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (!is_source(entry.path())) continue;
      files += 1;
      const int lines = lines_of(entry.path());
      INFO(entry.path().string() << " has " << lines << " lines");
      CHECK(lines <= 410);
    }
  }
  CHECK(files > 200);
}

TEST_CASE("autograd/ops.h has every operation, and imago.h has autograd/ops.h") {
  const std::string all = text_of(root / "autograd/ops.h");
  int ops = 0;
  for (const auto& entry : fs::directory_iterator(root / "autograd/ops")) {
    if (entry.path().extension() != ".h") continue;
    ops += 1;
    const std::string line = "#include \"autograd/ops/" + entry.path().filename().string() + "\"\n";
    INFO(line);
    CHECK(all.find(line) != std::string::npos);
  }
  CHECK(ops > 30);
  CHECK(text_of(root / "imago.h").find("#include \"autograd/ops.h\"\n") != std::string::npos);
}

TEST_CASE("the example in the README is the program that is compiled and run") {
  const std::string readme = text_of(root / "README.md");
  const std::string example = text_of(root / "apps/examples/minimal_gan.cpp");
  REQUIRE(!example.empty());
  INFO("README.md should hold apps/examples/minimal_gan.cpp between ```cpp and ```");
  CHECK(readme.find("```cpp\n" + example + "```\n") != std::string::npos);
}

TEST_CASE("the collected mistakes have the same numbers, in order, in every build") {
  std::istringstream lines(text_of(root / "tests/apps/test_mistakes.cpp"));
  const std::string start = "TEST_CASE(\"mistake ";
  int number = 0, conditions = 0;
  for (std::string line; std::getline(lines, line);) {
    conditions += static_cast<int>(line.rfind("#if", 0) == 0);
    conditions -= static_cast<int>(line.rfind("#endif", 0) == 0);
    if (line.rfind("TEST_CASE(", 0) != 0) continue;
    number += 1;
    INFO(line);
    CHECK(line.rfind(start + std::to_string(number) + ": ", 0) == 0);
    CHECK(conditions == 0);
  }
  CHECK(number > 30);
}
