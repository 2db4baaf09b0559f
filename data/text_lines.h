// Lines of the text files that come with data sets.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace imago::data {

// Calls f(number, text) for each line, counted from 1, without its end (that of Windows too) and
// without the mark that some editors begin UTF-8 with. Throws, naming `what` and the file, when it
// cannot be read.
void for_each_line(const char* what, const std::filesystem::path& file,
                   const std::function<void(int number, const std::string& text)>& f);

// The parts of a line between blanks (spaces and tabs).
std::vector<std::string> words_of(const std::string& text);

}  // namespace imago::data
