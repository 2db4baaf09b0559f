// The image files below a folder.
#pragma once

#include <filesystem>
#include <vector>

namespace imago::data {

// Paths of all files below `folder` (at any depth) that end in .png, .jpg, .jpeg, .bmp, .pgm, .ppm
// or .pnm in upper or lower case, sorted by the bytes of the path: the order depends neither on the
// locale nor on the file system. Names that start with a dot are skipped (thumbnails and droppings
// of other programs), links are followed, a folder reached twice through links is listed once.
// Throws Error when the folder is missing, is a file, cannot be read or holds no image.
std::vector<std::filesystem::path> list_images(const std::filesystem::path& folder);

}  // namespace imago::data
