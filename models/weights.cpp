// Where the committed weights are found. IMAGO_WEIGHTS_SOURCE and IMAGO_WEIGHTS_INSTALLED are
// folders that the build knows (models/CMakeLists.txt).
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "models/face_features.h"
#include "models/recogniser_weights.h"
#include "tensor/error.h"

namespace imago::models {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> folders() {
  if (const char* chosen = std::getenv("IMAGO_WEIGHTS"); chosen && *chosen) return {chosen};
  std::vector<fs::path> all;
  std::error_code error;
  fs::path above = fs::read_symlink("/proc/self/exe", error).parent_path();
  // build/release/apps/evaluate is three folders below the source tree, bin/evaluate one below.
  for (int i = 0; !error && i < 5 && above.has_relative_path(); ++i, above = above.parent_path()) {
    all.push_back(above / "share/imago/weights");
    all.push_back(above / "models/weights");
  }
  all.emplace_back(IMAGO_WEIGHTS_SOURCE);
  all.emplace_back(IMAGO_WEIGHTS_INSTALLED);
  return all;
}

// The file of that name; throws, saying what makes one.
fs::path found(const char* what, const std::string& name, const char* program) {
  std::string looked;
  for (const fs::path& folder : folders()) {
    std::error_code error;
    if (fs::is_regular_file(folder / name, error)) return folder / name;
    looked += (looked.empty() ? "" : ", ") + folder.string();
  }
  fail(what, "the weights ", name, " are in none of ", looked,
       "; set IMAGO_WEIGHTS to their folder, name a file, or train them with ", program);
}

}  // namespace

fs::path default_face_features() {
  return found("face_features",
               "face_features_v" + std::to_string(face_features_version) + ".safetensors",
               "train_features");
}

fs::path default_recogniser() {
  return found("recogniser",
               "face_recogniser_v" + std::to_string(face_recogniser_version) + ".safetensors",
               "train_cnn");
}

}  // namespace imago::models
