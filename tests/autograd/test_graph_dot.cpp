#include "autograd/graph_dot.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <regex>
#include <set>

#include "autograd/anomaly.h"
#include "autograd/engine.h"
#include "autograd/function.h"
#include "autograd/ops/batch_norm_grad.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sum_to.h"
#include "autograd/ops/tanh.h"
#include "tensor/layer_scope.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::test;

namespace {

// Reads the statements of a graph back: node names and arrows. Fails on anything else.
struct Parsed {
  std::set<std::string> nodes;
  std::multiset<std::pair<std::string, std::string>> arrows;
};

Parsed parse(const std::string& dot) {
  static const std::string attributes =
      R"RX((?: \[(?:[a-z]+=(?:[a-z]+|[0-9]+|"(?:[^"\\]|\\.)*")(?:, )?)+\])?;)RX";
  static const std::regex node("  ([a-z0-9_]+)" + attributes);
  static const std::regex arrow("  ([a-z0-9_]+) -> ([a-z0-9_]+)" + attributes);
  std::istringstream lines(dot);
  std::string line;
  REQUIRE(std::getline(lines, line));
  CHECK(line == "digraph graph_of_operations {");
  Parsed result;
  bool closed = false;
  while (std::getline(lines, line)) {
    CHECK(!closed);
    std::smatch match;
    if (line == "}") {
      closed = true;
    } else if (std::regex_match(line, match, arrow)) {
      result.arrows.emplace(match[1], match[2]);
    } else if (std::regex_match(line, match, node)) {
      if (match[1] != "node" && match[1] != "edge") result.nodes.insert(match[1]);
    } else {
      INFO(line);
      CHECK(line == "  rankdir=TB;");
    }
  }
  CHECK(closed);
  for (const auto& [from, to] : result.arrows) {
    CHECK(result.nodes.contains(from));
    CHECK(result.nodes.contains(to));
  }
  return result;
}

}  // namespace

TEST_CASE("graph_dot: operations, named leaves, shapes, and each use as an arrow") {
  const Var x = parameter(Tensor::zeros({2, 3})), w = parameter(Tensor::zeros({3}));
  const Var y = ops::mul(ops::tanh(ops::mul(x, w)), x);
  const std::string dot = graph_dot(ops::sum(y), {.names = {{"w \"quoted\"", w}}});
  INFO(dot);
  const Parsed g = parse(dot);
  CHECK(contains(dot, "label=\"tanh\\n(2, 3)\""));
  CHECK(contains(dot, "label=\"w \\\"quoted\\\"\\n(3,) f32\""));
  CHECK(contains(dot, "label=\"leaf\\n(2, 3) f32\""));
  CHECK(contains(dot, "label=\"result\\n() f32\""));
  // sum_to, mul, tanh, mul, two leaves and the result.
  CHECK(g.nodes.size() == 7);
  CHECK(g.arrows.size() == 7);  // x goes into both products
  CHECK(dot == graph_dot(ops::sum(y), {.names = {{"w \"quoted\"", w}}}));
}

TEST_CASE("graph_dot: saved values and layers are shown when asked and known") {
  const Var x = parameter(Tensor::full({2, 3}, 1));
  const std::string layer = "D.layers.1";
  Var y;
  {
    const AnomalyScope observed;
    const LayerScope inside(layer);
    y = ops::tanh(x);
  }
  const Var z = ops::scale(y, 2);
  const std::string dot = graph_dot(z, {.saved_values = true});
  parse(dot);
  CHECK(contains(dot, "tanh\\n(2, 3)\\nD.layers.1"));
  CHECK(contains(dot, "scale\\n(2, 3)\""));
  CHECK(contains(dot, "keeps (2, 3) f32"));
  CHECK(!contains(graph_dot(z), "keeps"));
  ops::sum(z).backward();  // which frees what was kept
  CHECK(!contains(graph_dot(z, {.saved_values = true}), "keeps"));
}

TEST_CASE("graph_dot: a leaf alone, a graph of a gradient, a long chain, and none") {
  const Var x = parameter(Tensor::full({2}, 1));
  CHECK(parse(graph_dot(x)).nodes.size() == 2);
  const Vars g = grad({ops::sum(ops::tanh(x))}, {x}, {}, {.create_graph = true});
  CHECK(contains(graph_dot(g[0]), "tanh_grad"));
  Var deep = x;
  for (int i = 0; i < 100'000; ++i) deep = ops::scale(deep, 1);
  CHECK(contains(graph_dot(deep), "op99999"));
  CHECK(contains(error_of([] { graph_dot(Var(Tensor::zeros({1}))); }), "has no graph"));
}

TEST_CASE("graph_dot: Graphviz reads it, where there is one") {
  if (std::system("dot -V >/dev/null 2>&1") != 0) {
    MESSAGE("there is no Graphviz here (apt install graphviz): the picture is not drawn");
    return;
  }
  const TemporaryFolder folder;
  const Var x = parameter(Tensor::zeros({2, 3})), w = parameter(Tensor::zeros({3}));
  const std::string dot =
      graph_dot(ops::sum(ops::tanh(ops::mul(x, w))), {.names = {{"w", w}}, .saved_values = true});
  write_bytes(folder / "graph.dot", dot);
  const std::string command = "dot -Tsvg '" + (folder / "graph.dot").string() + "' -o '" +
                              (folder / "graph.svg").string() + "' 2>'" +
                              (folder / "errors.txt").string() + "'";
  REQUIRE(std::system(command.c_str()) == 0);
  CHECK(read_bytes(folder / "errors.txt").empty());
  CHECK(contains(read_bytes(folder / "graph.svg"), "tanh"));
}
