#include "data/text_lines.h"

#include <fstream>

#include "tensor/error.h"

namespace imago::data {

void for_each_line(const char* what, const std::filesystem::path& file,
                   const std::function<void(int number, const std::string& text)>& f) {
  constexpr std::string_view mark = "\xef\xbb\xbf";
  std::ifstream in(file, std::ios::binary);
  check(in.is_open(), what, "cannot read ", file.native());
  int number = 0;
  for (std::string text; std::getline(in, text);) {
    number += 1;
    if (number == 1 && text.starts_with(mark)) text.erase(0, mark.size());
    if (text.ends_with('\r')) text.pop_back();
    f(number, text);
  }
  check(!in.bad(), what, "cannot read ", file.native());
}

std::vector<std::string> words_of(const std::string& text) {
  constexpr const char* blanks = " \t";
  std::vector<std::string> words;
  for (std::size_t at = text.find_first_not_of(blanks); at != std::string::npos;) {
    const std::size_t end = text.find_first_of(blanks, at);
    words.push_back(text.substr(at, end - at));
    at = end == std::string::npos ? end : text.find_first_not_of(blanks, end);
  }
  return words;
}

}  // namespace imago::data
