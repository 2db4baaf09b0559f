// The snippets of docs/memory.md.
#include <doctest/doctest.h>
#include <imago/imago.h>

#include <cstdint>

#include "kernels/elementwise/elementwise.h"
#include "tensor/stream.h"

using namespace imago;

TEST_CASE("memory: a tensor is a handle to a storage") {
  const Tensor a = Tensor::from<float>({0, 1, 2, 3, 4, 5}, {2, 3});
  CHECK(a.shape() == Shape{2, 3});
  CHECK(a.nbytes() == 24);

  Tensor b = a;  // copies the handle, not the six floats
  b.mutable_data<float>()[0] = 7;
  CHECK(a.data<float>()[0] == 7);

  CHECK_THROWS_AS(a.data<double>(), Error);  // the elements are floats
}

TEST_CASE("memory: images are (N, H, W, C)") {
  const Tensor images = Tensor::zeros({2, 4, 5, 3});  // (N, H, W, C)
  const auto position = [&](std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c) {
    return ((n * images.size(1) + h) * images.size(2) + w) * images.size(3) + c;
  };
  CHECK(position(0, 0, 0, 1) == 1);       // the next channel is the next float
  CHECK(position(0, 0, 1, 0) == 3);       // the next pixel is C further
  CHECK(position(0, 1, 0, 0) == 5 * 3);   // the next row, W C further
  CHECK(position(1, 0, 0, 0) == 4 * 15);  // the next image, H W C further
  CHECK(position(1, 3, 4, 2) == images.numel() - 1);
}

TEST_CASE("memory: what shares and what copies") {
  Tensor batch = Tensor::zeros({8, 4, 4, 3});  // (N, H, W, C)
  const Tensor flat = batch.reshape({8, -1});  // (N, H W C), the same memory
  Tensor second_half = batch.slice(4, 8);      // images 4 to 7, the same memory
  const Tensor copy = batch.clone();           // memory of its own
  CHECK(flat.shape() == Shape{8, 48});
  CHECK(flat.shares_storage(batch));
  CHECK_FALSE(copy.shares_storage(batch));

  second_half.mutable_data<float>()[0] = 1;  // pixel (0, 0) of image 4
  CHECK(flat.data<float>()[4 * 48] == 1);
  CHECK(copy.data<float>()[4 * 48] == 0);
}

TEST_CASE("memory: versions") {
  Tensor batch = Tensor::zeros({8, 48});
  Tensor part = batch.slice(0, 4);
  const std::uint64_t before = batch.version();
  part.mutable_data<float>()[0] = 1;
  CHECK(batch.version() == before + 1);  // one storage, one version

  Var w = parameter(Tensor::full({3}, 2.0));
  const Var loss = ops::sum(ops::square(w));  // square saves w: its gradient is 2 w
  Tensor memory = w.tensor();
  memory.mutable_data<float>()[0] = 5;      // what an optimiser does, at the wrong moment
  CHECK_THROWS_AS(loss.backward(), Error);  // and not a gradient of 10 that should be 4
}

TEST_CASE("memory: freed blocks are used again") {
  CachingAllocator& allocator = cpu_allocator();
  { const Tensor activation = Tensor::empty({1024, 1024}); }
  const std::uint64_t hits = allocator.stats().cache_hits;
  { const Tensor next = Tensor::empty({1000, 1024}); }  // the same size class: 4 MiB
  CHECK(allocator.stats().cache_hits == hits + 1);
  CHECK(CachingAllocator::size_class(1000 * 1024 * 4) == 4 * 1024 * 1024);
}

TEST_CASE("memory: devices") {
  const Tensor here = Tensor::from<float>({1, 2, 3}, {3});
  const Tensor there = here.to(Device::best());  // the tensor itself if it is there already
  CHECK(same_bits(there, here));

  if (cuda_available()) {
    const Tensor on_device = here.to(Device::cuda());
    CHECK_THROWS_AS(on_device.data<float>(), Error);  // the host cannot look there
    CHECK(on_device.to(Device::cpu()).data<float>()[2] == 3);
  }
}

TEST_CASE("memory: a value that changes between replays lives in device memory") {
  if (!cuda_available()) return;
  const Tensor x = Tensor::full({4}, 3.0, DType::f32, Device::cuda());
  Tensor slot = Tensor::full({1}, 2.0, DType::f32, Device::cuda());  // a step value
  Tensor y = Tensor::zeros_like(x);
  Stream& stream = compute_stream();
  stream.synchronize();
  Graph step = Graph::capture(stream, [&] { y.copy_from(kernels::mul(x, slot)); });

  step.replay(stream);
  CHECK(y.to(Device::cpu()).data<float>()[0] == 6);
  slot.copy_from(Tensor::full({1}, 10.0, DType::f32, Device::cpu()));
  step.replay(stream);  // the same launches, another value
  CHECK(y.to(Device::cpu()).data<float>()[0] == 30);
}
