#include "tests/support/declarations.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <sstream>

#include "tests/support/files.h"

namespace imago::test {
namespace {

bool in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Without comments and lines of the preprocessor.
std::string code_of(const std::string& text) {
  std::istringstream lines(text);
  std::string code, line;
  while (std::getline(lines, line)) {
    if (!line.empty() && line[0] == '#') continue;
    code += line.substr(0, line.find("//")) + '\n';
  }
  return code;
}

// Where the bracket at `open` is closed; the end of the code if nowhere.
std::size_t closing(const std::string& code, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < code.size(); ++i) {
    if (code[i] == '(' || code[i] == '{') ++depth;
    if (code[i] == ')' || code[i] == '}') --depth;
    if (depth == 0) return i;
  }
  return code.size();
}

std::vector<std::string> words_of(const std::string& code) {
  std::istringstream in(code);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

// The statements of the namespaces, without the bodies of functions, classes and enumerations.
std::vector<std::string> statements_of(const std::string& code) {
  std::vector<std::string> statements;
  std::string now;
  const auto end = [&] {
    if (!words_of(now).empty()) statements.push_back(now);
    now.clear();
  };
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (code[i] == '(') {  // braces in it are default arguments
      const std::size_t last = closing(code, i);
      now += code.substr(i, last - i + 1);
      i = last;
    } else if (code[i] == '{') {
      const std::vector<std::string> words = words_of(now);
      if (words.empty() || words[0] != "namespace") i = closing(code, i);
      end();
    } else if (code[i] == ';' || code[i] == '}') {
      end();
    } else {
      now += code[i];
    }
  }
  return statements;
}

// The last name in `code`, which a default argument may follow.
std::string parameter_name(const std::string& code) {
  std::size_t end = std::min(code.find('='), code.size());
  while (end > 0 && !in_name(code[end - 1])) --end;
  std::size_t begin = end;
  while (begin > 0 && in_name(code[begin - 1])) --begin;
  return code.substr(begin, end - begin);
}

// `code` is what stands between the parentheses.
std::vector<std::string> parameter_names(const std::string& code) {
  std::vector<std::string> names;
  std::string now;
  int depth = 0;
  for (const char c : code) {
    if (c == '(' || c == '{' || c == '<') ++depth;
    if (c == ')' || c == '}' || c == '>') --depth;
    if (c == ',' && depth == 0) {
      names.push_back(parameter_name(now));
      now.clear();
    } else {
      now += c;
    }
  }
  if (!words_of(now).empty()) names.push_back(parameter_name(now));
  return names;
}

// Names ("nn::Module" is one), and each other character by itself.
std::vector<std::string> tokens_of(const std::string& code) {
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < code.size();) {
    std::size_t end = i;
    while (end < code.size() && (in_name(code[end]) || code.compare(end, 2, "::") == 0)) {
      end += in_name(code[end]) ? 1 : 2;
    }
    if (end == i) end = i + 1;
    if (std::isspace(static_cast<unsigned char>(code[i])) == 0) {
      tokens.push_back(code.substr(i, end - i));
    }
    i = end;
  }
  return tokens;
}

}  // namespace

std::vector<Declaration> declared_functions(const std::string& text) {
  std::vector<Declaration> functions;
  for (const std::string& statement : statements_of(code_of(text))) {
    const std::size_t open = statement.find('(');
    const std::vector<std::string> before = words_of(statement.substr(0, open));
    if (before.size() < 2) continue;
    const std::string last = before.back();
    if (open == std::string::npos) {
      if (before[0] != "using" || before.size() != 2) continue;
      const std::size_t colons = last.rfind("::");
      const std::string name = colons == std::string::npos ? last : last.substr(colons + 2);
      if (std::islower(static_cast<unsigned char>(name[0])) != 0) {
        functions.push_back({"using", name, {}});
      }
      continue;
    }
    bool is_name = true;
    for (const char c : last) is_name = is_name && in_name(c);
    // A value that is made by a call has its '=' before it.
    if (!is_name || statement.find('=') < open) continue;
    functions.push_back(
        {before[before.size() - 2], last,
         parameter_names(statement.substr(open + 1, closing(statement, open) - open - 1))});
  }
  return functions;
}

std::vector<std::string> labels_of(const std::vector<Declaration>& functions) {
  std::map<std::string, int> of_name;
  for (const Declaration& f : functions) of_name[f.name] += 1;
  std::vector<std::string> labels;
  for (const Declaration& f : functions) {
    std::string label = f.name;
    if (of_name[f.name] > 1) {
      for (std::size_t i = 0; i < f.parameters.size(); ++i) {
        label += (i == 0 ? "(" : ", ") + f.parameters[i];
      }
      label += f.parameters.empty() ? "()" : ")";
    }
    labels.push_back(label);
  }
  return labels;
}

std::set<std::string> final_classes(const std::string& text, const std::string& base) {
  struct Class {
    std::string base;
    bool final;
  };
  std::map<std::string, Class> classes;
  std::vector<std::string> tokens = tokens_of(code_of(text));
  tokens.resize(tokens.size() + 8);  // so that a text may end anywhere
  for (std::size_t i = 0; i + 8 < tokens.size(); ++i) {
    if (tokens[i] != "class" && tokens[i] != "struct") continue;
    std::size_t at = i + 2;
    const bool final = tokens[at] == "final";
    if (final) ++at;
    if (tokens[at] != ":") continue;
    const std::set<std::string> words{"public", "protected", "private", "virtual"};
    do ++at;
    while (words.contains(tokens[at]));
    const std::size_t colons = tokens[at].rfind("::");
    classes[tokens[i + 1]] = {
        colons == std::string::npos ? tokens[at] : tokens[at].substr(colons + 2), final};
  }
  std::set<std::string> found;
  for (const auto& [name, c] : classes) {
    std::string root = c.base;
    for (std::size_t steps = 0; root != base && classes.contains(root); ++steps) {
      if (steps > classes.size()) break;  // no C++, but no reason to hang
      root = classes.at(root).base;
    }
    if (root == base && c.final) found.insert(name);
  }
  return found;
}

std::set<std::string> final_classes_in(const std::filesystem::path& folder,
                                       const std::string& base) {
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".h") text += read_bytes(entry.path()) + '\n';
  }
  return final_classes(text, base);
}

}  // namespace imago::test
