// What stands in command lines: a grid of images as a flag's value, a path as a word.
#pragma once

#include <string>

namespace imago::apps {

// A path as one word of a shell command.
std::string quoted(const std::string& path);

struct Grid {
  int rows = 0, columns = 0;
};

// "8x10" is 8 rows of 10; each from 1 to 1000. Throws UsageError otherwise.
Grid parse_grid(const std::string& text);

}  // namespace imago::apps
