#include "tensor/profiler.h"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "tensor/layer_scope.h"
#include "tensor/op_range.h"
#include "tensor/tensor.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

namespace {

const ProfileRow& row_of(const std::vector<ProfileRow>& rows, const std::string& op) {
  for (const ProfileRow& row : rows) {
    if (row.op == op) return row;
  }
  FAIL("there is no row of " << op);
  throw Error("unreachable");
}

void spend(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

}  // namespace

TEST_CASE("profiler: calls, time, arithmetic and the bytes of each tensor once") {
  const Tensor x = Tensor::zeros({1000});
  ProfilerScope profiler({.ceilings = {.flops_per_second = 1e9, .bytes_per_second = 1e6}});
  for (int i = 0; i < 3; ++i) {
    Tensor out;
    const OpRange range("twice", Device::cpu());
    range.states_flops(500);
    out = Tensor::empty({1000});
    out.mutable_data<float>()[0] = 1 + x.data<float>()[0] + x.data<float>()[1];
    Tensor workspace = Tensor::empty({5000});
    workspace.mutable_data<float>()[0] = 0;
    CHECK(workspace.data<float>()[0] == 0);
    spend(2);
  }
  const ProfileRow row = row_of(profiler.rows(), "twice");
  CHECK(row.calls == 3);
  CHECK(row.milliseconds >= 6);
  CHECK(row.flops == 1500);
  CHECK(row.bytes == 3 * 8000);
  CHECK(row.floor_ms == doctest::Approx(24));  // of the bytes; the arithmetic would take 1.5 us
  const std::string report = profiler.report();
  INFO(report);
  CHECK(contains(report, "twice"));
  CHECK(contains(report, "Time of the host's clock."));
  CHECK(contains(report, "floor: the least time at 1 GFLOP/s and 0.0 GB/s"));
}

TEST_CASE("profiler: the time of an operation is without those inside it") {
  const auto start = std::chrono::steady_clock::now();
  ProfilerScope profiler;
  {
    const OpRange outer("outer", Device::cpu());
    spend(5);
    const OpRange inner("inner", Device::cpu());
    spend(20);
  }
  const std::chrono::duration<double, std::milli> whole = std::chrono::steady_clock::now() - start;
  const auto rows = profiler.rows();
  CHECK(row_of(rows, "inner").milliseconds >= 20);
  CHECK(row_of(rows, "outer").milliseconds >= 5);
  CHECK(row_of(rows, "outer").milliseconds + row_of(rows, "inner").milliseconds <= whole.count());
  CHECK(row_of(rows, "outer").floor_ms == 0);
}

TEST_CASE("profiler: time is booked on layers, forward and backward") {
  const std::string net = "D", layer = "layers.0", whole = "D.layers.0";
  ProfilerScope profiler;
  {
    const LayerScope a(net), b(layer);
    const OpRange range("op", Device::cpu());
    spend(2);
  }
  {
    const LayerScope back(whole, /*absolute=*/true);
    Observer::tell([](Observer& o) { o.backward_begins("op"); });
    {
      const OpRange range("op_grad", Device::cpu());
      spend(2);
    }
    Observer::tell([](Observer& o) { o.backward_ends(); });
  }
  { const OpRange range("loose", Device::cpu()); }
  const auto layers = profiler.layer_rows();
  REQUIRE(layers.size() == 2);
  CHECK(layers[0].layer == "D.layers.0");
  CHECK(layers[0].forward_ms >= 2);
  CHECK(layers[0].backward_ms >= 2);
  CHECK(layers[1].layer.empty());
  CHECK(layers[1].backward_ms == 0);
  CHECK(contains(profiler.report(), "(outside of layers)"));
  const std::string trace = profiler.chrome_trace();
  CHECK(contains(trace, "\"name\":\"D.layers.0\",\"ph\":\"X\""));
  CHECK(contains(trace, "\"name\":\"backward of op in D.layers.0\""));
}

TEST_CASE("profiler: the trace is JSON of complete events and ends where it was told to") {
  ProfilerScope profiler({.trace_events = 2});
  for (int i = 0; i < 5; ++i) const OpRange range("quote\"back\\slash", Device::cpu());
  const std::string trace = profiler.chrome_trace();
  CHECK(trace.starts_with("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n{"));
  CHECK(trace.ends_with("}\n]}\n"));
  CHECK(contains(trace, R"("name":"quote\"back\\slash","ph":"X","pid":1,"tid":1,"ts":)"));
  std::size_t events = 0;
  for (auto at = trace.find("\"X\""); at != std::string::npos; at = trace.find("\"X\"", at + 1)) {
    events += 1;
  }
  CHECK(events == 2);
  CHECK(row_of(profiler.rows(), "quote\"back\\slash").calls == 5);
  CHECK(contains(profiler.report(), "first 2 events; 3 came after"));
}

TEST_CASE("profiler: what began before it is left out, and after it nothing is told") {
  {
    const OpRange before("before", Device::cpu());
    const ProfilerScope profiler;
    CHECK(Observer::current() == &profiler);
  }
  ProfilerScope profiler;
  CHECK(profiler.rows().empty());
  {
    const OpRange before("before", Device::cpu());
    const ProfilerScope inner;
  }
  CHECK(profiler.rows().size() == 1);
  std::thread([] { const OpRange range("elsewhere", Device::cpu()); }).join();
  CHECK(profiler.rows().size() == 1);
}

TEST_CASE("observers: one that goes before a newer one leaves the newer in place") {
  auto first = std::make_unique<ProfilerScope>();
  auto second = std::make_unique<ProfilerScope>();
  first.reset();
  CHECK(Observer::current() == second.get());
  { const OpRange range("op", Device::cpu()); }
  CHECK(second->rows().size() == 1);
  second.reset();
  CHECK(Observer::current() == nullptr);
}

TEST_CASE("errors inside a layer end in its path") {
  const std::string net = "G", unnamed, layer = "layers.2";
  CHECK(error_of([] { fail("op", "wrong"); }) == "[op] wrong");
  const LayerScope a(net), b(unnamed), c(layer);
  CHECK(error_of([] { fail("op", "wrong"); }) == "[op] wrong (in layer G.layers.2)");
  const LayerScope back(unnamed, /*absolute=*/true);
  CHECK(LayerScope::path().empty());
}
