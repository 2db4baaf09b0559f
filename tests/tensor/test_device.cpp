// Tensors, streams, events and graphs of the CUDA device, real or emulated.
#if IMAGO_WITH_DEVICE
#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <thread>

#include "tensor/context.h"
#include "tensor/device_memory.h"
#include "tensor/op_range.h"
#include "tensor/stream.h"
#include "tensor/tensor.h"
#include "tests/support/errors.h"

using namespace imago;

namespace {

Tensor numbers() {
  return Tensor::from<float>({1, 2, 3, 4, 5, 6}, {3, 2});
}

}  // namespace

TEST_CASE("tensors go to the device and come back with the same bits") {
  const Tensor host = numbers();
  const Tensor there = host.to(Device::cuda());
  CHECK(there.device() == Device::cuda());
  CHECK(there.shape() == host.shape());
  CHECK_FALSE(there.shares_storage(host));
  CHECK(there.to(Device::cuda()).shares_storage(there));
  CHECK(same_bits(there, host));
  CHECK(same_bits(there.to(Device::cpu()), host));
  CHECK(same_bits(there.clone(), host));
  CHECK(same_bits(there.slice(1, 3), host.slice(1, 3)));
  CHECK(there.slice(2, 3).reshape({2}).slice(1, 2).item() == 6);
  CHECK(there.to_string() ==
        "Tensor(3, 2) f32 cuda:0" + host.to_string().substr(host.to_string().find('\n')));
  CHECK(Tensor::empty({0, 3}, DType::f32, Device::cuda()).to(Device::cpu()).numel() == 0);
}

TEST_CASE("a GPU says with which driver it is used") {
  const std::string versions = driver_versions(Device::cuda());
  if (IMAGO_EMULATED) {
    CHECK(versions.empty());
  } else {
    CHECK(versions.rfind("CUDA driver ", 0) == 0);
    CHECK(versions.find(", runtime ") != std::string::npos);
  }
}

TEST_CASE("tensors are made on the device of the context") {
  const ContextScope scope;
  Context::current().device = Device::cuda();
  CHECK(Tensor::empty({2}).device() == Device::cuda());
  CHECK(Tensor::zeros({3}).device() == Device::cuda());
  CHECK(same_bits(Tensor::zeros({3}), Tensor::full({3}, 0, DType::f32, Device::cpu())));
  CHECK(Tensor::full({}, 2.5).item() == 2.5);
  CHECK(numbers().device() == Device::cuda());
  Tensor t = numbers();
  t.set_zero();
  CHECK(same_bits(t, Tensor::zeros_like(t)));
}

TEST_CASE("a host tensor may change as soon as its copy has been asked for") {
  Tensor host = numbers();
  Tensor there = Tensor::empty({3, 2}, DType::f32, Device::cuda());
  there.copy_from(host);
  host.mutable_data<float>()[0] = 100;
  CHECK(there.slice(0, 1).reshape({2}).slice(0, 1).item() == 1);
}

TEST_CASE("elements on the device are no host memory, and the other way round") {
  Tensor there = numbers().to(Device::cuda());
  CHECK(test::error_of([&] { there.data<float>(); }) ==
        "[tensor] the elements of (3, 2) are on cuda:0; copy them to the host first, with "
        ".to(Device::cpu())");
  CHECK_THROWS_AS(there.mutable_data<float>(), Error);
  CHECK_THROWS_AS(there.bytes(), Error);
  CHECK_THROWS_WITH(there.device_data<double>(), "[tensor] elements are f32, not f64");
  CHECK(test::error_of([] { numbers().device_data<float>(); }) ==
        "[tensor] the elements of (3, 2) are on cpu, where no CUDA kernel can read them");
  CHECK(test::error_of([] {
          Tensor::empty({1}, DType::f32, Device::cuda(1));
        }).find("[tensor] cuda:1 is not used") == 0);
}

TEST_CASE("writing on the device counts as a change") {
  Tensor there = numbers().to(Device::cuda());
  const auto before = there.version();
  there.mutable_device_data<float>();
  CHECK(there.version() > before);
}

TEST_CASE("a pinned buffer is read when the stream comes to it") {
  Stream copies;
  PinnedBuffer buffer(sizeof(float));
  Tensor there = Tensor::zeros_like(numbers().to(Device::cuda())).reshape({6});
  current_stream().synchronize();
  const float first = 7, second = 9;
  std::memcpy(buffer.data(), &first, sizeof first);
  copy_to_device(there.mutable_device_bytes(), buffer.data(), sizeof first, copies);
  Event arrived;
  arrived.record(copies);
  current_stream().wait(arrived);
  CHECK(there.slice(0, 1).item() == 7);
  std::memcpy(buffer.data(), &second, sizeof second);
  copy_to_device(there.mutable_device_bytes(), buffer.data(), sizeof second, copies);
  copies.synchronize();
  CHECK(there.slice(0, 1).item() == 9);
  copy_to_host(buffer.data(), there.device_bytes() + sizeof first, sizeof first, copies);
  copies.synchronize();
  float back = -1;
  std::memcpy(&back, buffer.data(), sizeof back);
  CHECK(back == 0);
}

TEST_CASE("events order streams and tell time") {
  Stream makes, takes;
  Tensor a = Tensor::zeros_like(numbers().to(Device::cuda())), b = Tensor::zeros_like(a);
  current_stream().synchronize();
  Event start, made, never;
  takes.wait(never);
  never.synchronize();
  CHECK_THROWS_AS(made.milliseconds_since(start), Error);
  start.record(makes);
  set_bytes(a.mutable_device_bytes(), 0x3f, a.nbytes(), makes);
  made.record(makes);
  takes.wait(made);
  copy_on_device(b.mutable_device_bytes(), a.device_bytes(), a.nbytes(), takes);
  takes.synchronize();
  CHECK(same_bits(a, b));
  CHECK(b.slice(0, 1).reshape({2}).slice(0, 1).item() == doctest::Approx(0.747).epsilon(0.01));
  made.synchronize();
  CHECK(made.milliseconds_since(start) >= 0);
}

TEST_CASE("a graph records work and replays it, with memory of its own") {
  Stream stream;
  Tensor in = numbers().to(Device::cuda()), out = Tensor::zeros_like(in);
  current_stream().synchronize();
  Graph graph = Graph::capture(stream, [&] {
    const Tensor between = in.clone();
    out.copy_from(between);
  });
  stream.synchronize();
  CHECK(same_bits(out, Tensor::zeros_like(out)));
  // Memory that was free during the capture is given to others; the graph must not care.
  const Tensor others[] = {Tensor::zeros_like(in), Tensor::zeros_like(in)};
  current_stream().synchronize();
  graph.replay(stream);
  stream.synchronize();
  CHECK(same_bits(out, in));
  in.copy_from(Tensor::full({3, 2}, 4));
  current_stream().synchronize();
  graph.replay(stream);
  stream.synchronize();
  CHECK(same_bits(out, in));
  for (const Tensor& other : others) CHECK(same_bits(other, Tensor::zeros_like(other)));
}

TEST_CASE("a graph takes in a second stream that events fork and join") {
  Stream stream, side;
  Tensor in = numbers().to(Device::cuda()), out = Tensor::zeros_like(in);
  current_stream().synchronize();
  Event forked, joined;
  Graph graph = Graph::capture(stream, [&] {
    forked.record(stream);
    side.wait(forked);
    copy_on_device(out.mutable_device_bytes(), in.device_bytes(), in.nbytes(), side);
    joined.record(side);
    stream.wait(joined);
  });
  side.synchronize();
  CHECK(same_bits(out, Tensor::zeros_like(out)));
  graph.replay(stream);
  stream.synchronize();
  CHECK(same_bits(out, in));
}

TEST_CASE("a stream of a graph may be joined through another one, and again after more work") {
  Stream stream, side, far;
  Tensor in = numbers().to(Device::cuda()), a = Tensor::zeros_like(in), b = Tensor::zeros_like(in);
  current_stream().synchronize();
  const auto copy = [&](Tensor& to, Stream& where) {
    copy_on_device(to.mutable_device_bytes(), in.device_bytes(), in.nbytes(), where);
  };
  Event forked, went_on, came_back, joined;
  Graph graph = Graph::capture(stream, [&] {
    forked.record(stream);
    side.wait(forked);
    went_on.record(side);
    far.wait(went_on);
    copy(a, far);
    came_back.record(far);
    side.wait(came_back);
    joined.record(side);
    stream.wait(joined);
    copy(b, side);
    joined.record(side);
    stream.wait(joined);
  });
  graph.replay(stream);
  stream.synchronize();
  CHECK(same_bits(a, in));
  CHECK(same_bits(b, in));
}

TEST_CASE("a graph is refused when a stream was forked and not joined again") {
  Stream stream, side;
  Tensor in = numbers().to(Device::cuda()), out = Tensor::zeros_like(in);
  current_stream().synchronize();
  const auto copy = [&](Stream& where) {
    copy_on_device(out.mutable_device_bytes(), in.device_bytes(), in.nbytes(), where);
  };
  Event forked, joined;
  const auto refused = [&](bool joins, bool works_on) {
    const std::string error = test::error_of([&] {
      Graph::capture(stream, [&] {
        forked.record(stream);
        side.wait(forked);
        copy(side);
        joined.record(side);
        if (joins) stream.wait(joined);
        if (works_on) copy(side);
      });
    });
#if IMAGO_EMULATED
    if (!error.empty()) CHECK(test::contains(error, "[graph] a stream that was forked"));
#endif
    return !error.empty();
  };
  CHECK_FALSE(refused(true, false));
  CHECK(refused(false, false));
  CHECK(refused(true, true));
  // Both streams are out of the capture, and nothing of it was run.
  stream.synchronize();
  side.synchronize();
  CHECK(same_bits(out, Tensor::zeros_like(out)));
  copy(side);
  side.synchronize();
  CHECK(same_bits(out, in));
}

#if IMAGO_EMULATED
TEST_CASE("an event of a capture that has ended is waited for by nobody") {
  Stream stream, side;
  Tensor in = numbers().to(Device::cuda()), out = Tensor::zeros_like(in);
  current_stream().synchronize();
  const auto copy = [&](Stream& where) {
    copy_on_device(out.mutable_device_bytes(), in.device_bytes(), in.nbytes(), where);
  };
  Event inside;
  {
    Graph graph = Graph::capture(stream, [&] {
      copy(stream);
      inside.record(stream);
    });
    CHECK(test::contains(test::error_of([&] { side.wait(inside); }),
                         "[stream] a stream cannot wait for an event that was recorded in a "
                         "capture which has ended"));
    CHECK_THROWS_AS(inside.synchronize(), Error);
  }
  // Not when the graph is gone either, nor from another capture.
  CHECK_THROWS_AS(side.wait(inside), Error);
  CHECK_THROWS_AS(Graph::capture(stream, [&] { stream.wait(inside); }), Error);
  // What the refused stream is given runs, and the event may be used again.
  copy(side);
  inside.record(side);
  stream.wait(inside);
  stream.synchronize();
  CHECK(same_bits(out, in));
}

TEST_CASE("a stream of one capture cannot wait for an event of another") {
  Stream stream, other;
  Event inside;
  CHECK(test::contains(test::error_of([&] {
                         Graph::capture(stream, [&] {
                           inside.record(stream);
                           Graph::capture(other, [&] { other.wait(inside); });
                         });
                       }),
                       "an event of another capture"));
  stream.synchronize();
  other.synchronize();
}

TEST_CASE("a stream that goes away while it is captured spoils the graph") {
  Stream stream;
  CHECK(test::error_of([&] {
          Graph::capture(stream, [&] {
            Stream side;
            Event forked, joined;
            forked.record(stream);
            side.wait(forked);
            joined.record(side);
            stream.wait(joined);
          });
        }) == "[graph] a stream of the capture went away before its end");
  stream.synchronize();
}
#endif

TEST_CASE("the host cannot read during a capture, and the stream recovers") {
  Stream stream;
  const Tensor in = Tensor::full({}, 3, DType::f32, Device::cuda());
  current_stream().synchronize();
  CHECK_THROWS_AS(Graph::capture(stream, [&] { in.item(); }), Error);
  stream.synchronize();
  CHECK(in.item() == 3);
}

TEST_CASE("host memory that may be gone at the replay is not captured, a pinned buffer is") {
  Stream stream;
  Tensor there = Tensor::zeros_like(numbers().to(Device::cuda()));
  current_stream().synchronize();
  CHECK(test::error_of([&] {
          Graph::capture(stream, [&] { there.copy_from(numbers()); });
        }).find("[copy] host memory cannot be captured") == 0);
  PinnedBuffer buffer(there.nbytes());
  Graph graph = Graph::capture(stream, [&] {
    copy_to_device(there.mutable_device_bytes(), buffer.data(), there.nbytes(), stream);
  });
  std::memcpy(buffer.data(), numbers().bytes(), there.nbytes());
  graph.replay(stream);
  stream.synchronize();
  CHECK(same_bits(there, numbers()));
}

TEST_CASE("memory of the device comes back from the cache") {
  const ContextScope scope;
  CachingAllocator allocator(cuda_memory());
  Context::current().device_allocator = &allocator;
  for (int i = 0; i < 3; ++i) numbers().to(Device::cuda());
  CHECK(allocator.stats().allocations == 3);
  CHECK(allocator.stats().cache_hits == 2);
  CHECK(allocator.stats().live_bytes == 0);
}

TEST_CASE("running out of device memory names the operation and the largest tensors") {
  const ContextScope scope;
  class Small final : public BlockSource {
   public:
    void* acquire(std::size_t bytes) override {
      return bytes > (1u << 20) ? nullptr : cuda_memory().acquire(bytes);
    }
    void release(void* block, std::size_t bytes) override { cuda_memory().release(block, bytes); }
    const char* name() const override { return "cuda:0"; }
    void set_usable(void* block, std::size_t usable, std::size_t bytes) override {
      cuda_memory().set_usable(block, usable, bytes);
    }
  } small;
  CachingAllocator allocator(small);
  Context::current().device_allocator = &allocator;
  Tensor held;
  {
    const OpRange range("conv2d", Device::cuda());
    held = Tensor::empty({64, 64}, DType::f32, Device::cuda());
  }
  const OpRange range("batch_norm", Device::cuda());
  CHECK(test::error_of([] {
          Tensor::empty({1024, 1024}, DType::f64, Device::cuda());
        }) ==
        "[allocate] out of memory on cuda:0: 8.0 MiB requested for (1024, 1024) f64 of batch_norm, "
        "16.0 KiB live, 0 bytes cached and given back in vain; largest live: 16.0 KiB (64, 64) f32 "
        "of conv2d; use a smaller batch or model");
}

TEST_CASE("another thread uses the device too") {
  Tensor there = numbers().to(Device::cuda());
  bool same = false;
  std::thread([&] { same = same_bits(there, numbers()); }).join();
  CHECK(same);
}

#endif
