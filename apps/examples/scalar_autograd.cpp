// Autograd on single numbers, from nothing: learns w and b of tanh(w x + b) from five points.
#include <cmath>
#include <cstdio>
#include <memory>
#include <set>
#include <utility>
#include <vector>

// A number that remembers how it was made: the numbers it was made of, and its derivative with
// respect to each.
struct Node {
  double value = 0;
  double grad = 0;  // d result / d this, after backward(result)
  std::vector<std::pair<std::shared_ptr<Node>, double>> inputs = {};
};
using Number = std::shared_ptr<Node>;

Number number(double value) {
  return std::make_shared<Node>(Node{value});
}
Number operator+(const Number& a, const Number& b) {
  return std::make_shared<Node>(Node{a->value + b->value, 0, {{a, 1}, {b, 1}}});
}
Number operator*(const Number& a, const Number& b) {
  return std::make_shared<Node>(Node{a->value * b->value, 0, {{a, b->value}, {b, a->value}}});
}
Number tanh(const Number& a) {
  const double y = std::tanh(a->value);
  return std::make_shared<Node>(Node{y, 0, {{a, 1 - y * y}}});
}

// Appends a number after everything that it was made of.
void visit(const Number& n, std::set<Number>& seen, std::vector<Number>& order) {
  if (!seen.insert(n).second) return;
  for (const auto& [input, derivative] : n->inputs) visit(input, seen, order);
  order.push_back(n);
}

// The chain rule, from the result to the leaves. A number that was used twice gets two summands.
void backward(const Number& result) {
  std::set<Number> seen;
  std::vector<Number> order;
  visit(result, seen, order);
  result->grad = 1;
  for (auto n = order.rbegin(); n != order.rend(); ++n) {
    for (const auto& [input, derivative] : (*n)->inputs) input->grad += derivative * (*n)->grad;
  }
}

int main() {
  const Number w = number(0), b = number(0);
  Number loss;
  for (int step = 0; step < 2000; ++step) {
    loss = number(0);
    for (const double x : {-1.0, -0.5, 0.0, 0.5, 1.0}) {
      const Number error = tanh(w * number(x) + b) + number(-std::tanh(2 * x - 1));
      loss = loss + error * error;
    }
    w->grad = b->grad = 0;
    backward(loss);
    w->value -= 0.1 * w->grad;
    b->value -= 0.1 * b->grad;
  }
  std::printf("tanh(%.3f x + %.3f), loss %.1e\n", w->value, b->value, loss->value);
  return loss->value < 1e-6 ? 0 : 1;
}
