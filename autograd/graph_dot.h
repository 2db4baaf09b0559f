// The graph behind a result, as a picture.
#pragma once

#include <string>

#include "autograd/var.h"

namespace imago {

struct GraphDotOptions {
  NamedVars names = {};       // for leaves: module.named_parameters(), and inputs by hand
  bool saved_values = false;  // show what each operation keeps for its backward
};

// The operations that `var` was computed by, as a graph in the DOT language of Graphviz:
//   dot -Tsvg graph.dot -o graph.svg
// Boxes are operations with the shapes of their results and, when they were recorded under an
// Observer (autograd/anomaly.h, tensor/profiler.h), the layer they ran in; ellipses are leaves that
// require a gradient, by name; arrows follow the computation. Constants leave no trace in the graph
// and are not shown. The text depends on the structure, names and shapes only. Throws when `var`
// was not recorded.
std::string graph_dot(const Var& var, const GraphDotOptions& options = {});

}  // namespace imago
