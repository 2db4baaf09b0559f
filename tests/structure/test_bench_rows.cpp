// bench_ops has a row for every public function of kernels/ that computes something, and for every
// value of the enumerations that name such functions.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/support/files.h"

namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

const fs::path root = IMAGO_SOURCE_DIR;

// Headers of kernels/<family>/ that are no contracts: what the family's own files share.
const Names internal = {"engines.h", "cases.h", "pixels.h", "split_sum.h", "reduce_cuda.h"};

// Functions without a row of their own, and why.
const std::map<std::string, std::string> without_row = {
    {"conv2d", "bench_conv times it"},
    {"conv2d_input_grad", "bench_conv times it"},
    {"conv2d_weight_grad", "bench_conv times it"},
    {"greater", "less with its arguments exchanged"},
    {"greater_equal", "less_equal with its arguments exchanged"},
    {"norm", "norm1 and norm2 of Reduction are its rows"},
    {"transpose", "permute, which has a row of that name"},
    {"stack", "concat of reshaped parts"},
    {"split", "slices"},
    {"update_running", "a few numbers for each channel, whatever the batch"},
};

std::string without_comments(const std::string& text) {
  std::string code;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t comment = std::min(text.find("//", at), text.size());
    code.append(text, at, comment - at);
    at = std::min(text.find('\n', comment), text.size());
  }
  return code;
}

// The functions that a header declares and that return or write tensors; specifications and checks
// are left out.
Names computing_functions(const std::string& header) {
  static const std::regex declaration(
      R"(\n(std::vector<Tensor>|Tensor|\w+Result|\w+Grads|void) (\w+)\(([^;]*)\);)");
  static const std::regex specification(R"(.*_reference|(check|require)_.*)");
  const std::string code = "\n" + without_comments(header);
  Names names;
  for (std::sregex_iterator match(code.begin(), code.end(), declaration), end; match != end;
       ++match) {
    const std::string result = (*match)[1], name = (*match)[2], arguments = (*match)[3];
    if (result == "void" && arguments.find("Tensor") == std::string::npos) continue;
    if (!std::regex_match(name, specification)) names.insert(name);
  }
  return names;
}

// What the functions of rows that are timed call: the lambdas that take a row's operands `in`, or
// parameters `p` and gradients `g`.
Names timed_calls(const std::string& source) {
  static const std::regex start(R"(\((Tensors& in|S p, C g)[^)]*\)(\s*->\s*Tensors)?\s*\{)");
  static const std::regex call(R"(\b(\w+)\()");
  const std::string code = without_comments(source);
  Names names;
  for (std::sregex_iterator match(code.begin(), code.end(), start), end; match != end; ++match) {
    const auto from = static_cast<std::size_t>(match->position() + match->length());
    std::size_t to = from;
    for (int open = 1; to < code.size() && open > 0; ++to) {
      if (code[to] == '{') open += 1;
      if (code[to] == '}') open -= 1;
    }
    const std::string body = code.substr(from, to - from);
    for (std::sregex_iterator each(body.begin(), body.end(), call); each != end; ++each) {
      names.insert((*each)[1]);
    }
  }
  return names;
}

// The values of `enum class <name>`.
Names values_of(const std::string& name, const std::string& header) {
  const std::string code = without_comments(header);
  const std::size_t at = code.find("enum class " + name + " {");
  REQUIRE_MESSAGE(at != std::string::npos, "no enum class " << name);
  const std::size_t open = code.find('{', at);
  const std::string body = code.substr(open, code.find('}', open) - open);
  static const std::regex word(R"(\w+)");
  Names names;
  for (std::sregex_iterator match(body.begin(), body.end(), word), end; match != end; ++match) {
    names.insert(match->str());
  }
  return names;
}

// What the first group of the pattern matches in the file.
Names matches(const std::string& pattern, const std::string& text) {
  const std::regex compiled(pattern);
  const std::string code = without_comments(text);
  Names names;
  for (std::sregex_iterator match(code.begin(), code.end(), compiled), end; match != end; ++match) {
    names.insert((*match)[1]);
  }
  return names;
}

std::string text_of(const fs::path& file) {
  return imago::test::read_bytes(root / file);
}

// Operations by number: where they are declared, and how their rows are written down.
struct Enumeration {
  const char* name;
  const char* header;
  const char* rows;
  const char* pattern;
};
const Enumeration enumerations[] = {
    {"Unary", "kernels/elementwise/formulas_unary.h", "kernels/elementwise/cases.h",
     R"(Unary::(\w+))"},
    {"Binary", "kernels/elementwise/formulas_binary.h", "kernels/elementwise/cases.h",
     R"(Binary::(\w+))"},
    {"Comparison", "kernels/elementwise/compare.h", "bench/op_rows_choices.cpp",
     R"([{,]\s*Comparison::(\w+))"},
    {"Reduction", "kernels/reduce/axes.h", "bench/op_rows_reduce.cpp",
     R"(add_reduction\("[^"]*", Reduction::(\w+))"},
    {"Softmax", "kernels/softmax/softmax.h", "bench/op_rows_reduce.cpp",
     R"(add_softmax\("[^"]*", Softmax::(\w+))"},
    {"Filter", "kernels/resample/resample.h", "bench/op_rows_spatial.cpp",
     R"(add_resample_rows\("[^"]*", Filter::(\w+))"},
};

}  // namespace

TEST_CASE("bench_ops has rows for every value of the enumerations of operations") {
  for (const Enumeration& e : enumerations) {
    const Names rows = matches(e.pattern, text_of(e.rows));
    for (const std::string& value : values_of(e.name, text_of(e.header))) {
      INFO(e.rows << " should have a row for " << e.name << "::" << value);
      CHECK(rows.contains(value));
    }
  }
  const std::string rows = text_of("bench/op_rows.cpp");
  for (const char* cases : {": unary_cases()) {", ": binary_cases()) {"}) {
    CHECK(rows.find(cases) != std::string::npos);
  }
}

TEST_CASE("bench_ops has a row for every public function of kernels/ that computes something") {
  Names timed;
  for (const auto& entry : fs::directory_iterator(root / "bench")) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("op_rows")) timed.merge(timed_calls(text_of(entry.path())));
  }
  for (const Enumeration& e : enumerations) timed.merge(matches(e.pattern, text_of(e.rows)));

  Names declared;
  for (const auto& entry : fs::recursive_directory_iterator(root / "kernels")) {
    const fs::path& path = entry.path();
    if (path.extension() != ".h" || internal.contains(path.filename().string())) continue;
    const std::string folder = path.parent_path().filename().string();
    if (folder == "emulator" || folder == "cuda") continue;
    for (const std::string& name : computing_functions(text_of(path))) {
      declared.insert(name);
      INFO(path.string() << " declares " << name
                         << ": time it in a row of bench/op_rows*.cpp, or say in without_row of "
                            "tests/structure/test_bench_rows.cpp why not");
      CHECK((timed.contains(name) || without_row.contains(name)));
    }
  }
  CHECK(declared.size() > 100);
  for (const auto& [name, reason] : without_row) {
    INFO(name << " needs no excuse (" << reason << ")");
    CHECK(declared.contains(name));
    CHECK_FALSE(timed.contains(name));
  }
}

TEST_CASE("declarations and timed calls are found in the text") {
  const char* header =
      "// Tensor commented(const Tensor& x);\n"
      "Tensor one(const Tensor& x);\n"
      "PairResult two(const Tensor& x,\n    const Options& options = {});\n"
      "void three(std::span<Tensor> x);\n"
      "void log_level(int level);\n"
      "Shape shape_of(const Tensor& x);\n"
      "Tensor one_reference(const Tensor& x);\n"
      "void check_pair(const Tensor& x);\n";
  CHECK(computing_functions(header) == Names{"one", "two", "three"});
  const char* source =
      "Row row(const Tensor& x) {\n"
      "  const Tensor y = before(x);\n"
      "  return {8,\n"
      "          {x},\n"
      "          [=](Tensors& in) -> Tensors {\n"
      "            if (n > 0) { one(in[0]); }\n"
      "            return {two(in[0]).y};  // commented(x)\n"
      "          },\n"
      "          [=](const Tensors& got) { return after(got[0]); }};\n"
      "}\n"
      "auto f = [](S p, C g, S kept, const Tensor& slots) { three(p, g, slots); };\n";
  CHECK(timed_calls(source) == Names{"one", "two", "three"});
  CHECK(values_of("Kind", "enum class Kind {\n  first,  // not second\n  third };") ==
        Names{"first", "third"});
}
