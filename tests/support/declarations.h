// The functions and classes that headers declare, so that a test can demand something of every one
// of them.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace imago::test {

struct Declaration {
  std::string result;                   // "Var"; "using" where a using-declaration brought the name
  std::string name;                     // "pow"
  std::vector<std::string> parameters;  // their names: "x", "exponent"
};

// The free functions in the text of a header, in its namespaces, in their order: declared, or
// defined there. Names that a using-declaration brings count if they are in snake_case, as
// functions are. Not a parser of C++: it reads what headers here look like.
std::vector<Declaration> declared_functions(const std::string& text);

// What tells each of `functions` from the others: its name, and where several have the same one the
// names of its parameters too, as in "relu" and "pow(x, exponent)".
std::vector<std::string> labels_of(const std::vector<Declaration>& functions);

// The classes in the text of headers that derive from `base`, at any depth, and are final: those
// that are not are there to be derived from. The first base of a class counts.
std::set<std::string> final_classes(const std::string& text, const std::string& base);
// The same in all headers of a folder.
std::set<std::string> final_classes_in(const std::filesystem::path& folder,
                                       const std::string& base);

}  // namespace imago::test
