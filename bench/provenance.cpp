#include "bench/provenance.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace imago::bench {
namespace {

const std::string unknown = "unknown";

// The first line of a file that begins with `start`, without it and what separates; or "unknown".
std::string line_of(const char* path, const std::string& start) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(start, 0) != 0) continue;
    const std::size_t value = line.find_first_not_of(" \t:", start.size());
    return value == std::string::npos ? unknown : line.substr(value);
  }
  return unknown;
}

std::string commit() {
  const char* given = std::getenv("IMAGO_COMMIT");
  if (given && *given) return given;
  // Only where the tree itself is a repository, not some folder around it.
  const std::string source = IMAGO_BENCH_SOURCE;
  if (!std::filesystem::exists(source + "/.git")) return unknown;
  const std::string command =
      "git -C '" + source + "' describe --always --dirty --abbrev=12 2>/dev/null";
  std::FILE* git = popen(command.c_str(), "r");
  if (!git) return unknown;
  char line[128] = "";
  const bool read = std::fgets(line, sizeof line, git) != nullptr;
  if (pclose(git) != 0 || !read) return unknown;
  std::string text = line;
  text.erase(text.find_last_not_of('\n') + 1);
  return text.empty() ? unknown : text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> provenance(Device device) {
  std::vector<std::pair<std::string, std::string>> known{
      {"device", describe(device)}, {"cpu", line_of("/proc/cpuinfo", "model name")}};
  const std::string driver = driver_versions(device);
  if (!driver.empty()) {
    known.emplace_back("driver", driver);
    known.emplace_back("gpu_driver", line_of("/proc/driver/nvidia/version", "NVRM version"));
  }
  known.emplace_back("commit", commit());
  return known;
}

}  // namespace imago::bench
