#include "data/folder.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <system_error>

#include "tensor/error.h"

namespace imago::data {
namespace {

namespace fs = std::filesystem;

bool has_image_extension(const fs::path& path) {
  std::string extension = path.extension().native();
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  static constexpr std::string_view known[] = {".png", ".jpg", ".jpeg", ".bmp",
                                               ".pgm", ".ppm", ".pnm"};
  return std::find(std::begin(known), std::end(known), extension) != std::end(known);
}

void list_below(const fs::path& folder, std::set<fs::path>& visited, std::vector<fs::path>& out) {
  std::error_code error;
  const auto cannot = [&] {
    fail("list_images", folder.native(), ": cannot be read: ", error.message());
  };
  const fs::path real = fs::canonical(folder, error);
  if (error) cannot();
  if (!visited.insert(real).second) return;
  std::vector<fs::path> entries;
  fs::directory_iterator it(folder, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    entries.push_back(it->path());
  }
  if (error) cannot();
  // Which of two ways to a folder counts must not depend on the order of the file system.
  std::sort(entries.begin(), entries.end(),
            [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
  for (const fs::path& entry : entries) {
    if (entry.filename().native().starts_with('.')) continue;
    const fs::file_status status = fs::status(entry, error);
    if (fs::is_directory(status)) {
      list_below(entry, visited, out);
    } else if (has_image_extension(entry) &&
               // A dangling link is listed, so that loading it says what is wrong.
               (fs::is_regular_file(status) || status.type() == fs::file_type::not_found)) {
      out.push_back(entry);
    }
  }
}

}  // namespace

std::vector<fs::path> list_images(const fs::path& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  check(status.type() != fs::file_type::not_found, "list_images", folder.native(),
        ": no such folder");
  check(fs::is_directory(status), "list_images", folder.native(),
        ": is not a folder that can be read", error ? ": " + error.message() : "");
  std::vector<fs::path> paths;
  std::set<fs::path> visited;
  list_below(folder, visited, paths);
  check(!paths.empty(), "list_images", folder.native(),
        ": holds no image, nor do the folders in it (looked for .png .jpg .jpeg .bmp .pgm .ppm "
        ".pnm)");
  std::sort(paths.begin(), paths.end(),
            [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
  return paths;
}

}  // namespace imago::data
