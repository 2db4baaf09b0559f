// Planted accesses outside of memory and misaligned ones, which the emulator must find.
#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include "tests/emulator/demo.h"
#include "tests/emulator/kernels.h"

using namespace imago;
using namespace imago::kernels;
using namespace imago::test;

namespace {

struct Pair {
  Tile<float, 4, 8> a;
  Tile<float, 4, 8> b;
};
struct Other {
  Tile<int, 4> a;
};

__global__ void reads_tile(int row, int column, float* out) {
  auto& s = shared<Pair>();
  if (threadIdx.x == 3 && blockIdx.x == 2) *out = s.a(row, column);
}

__global__ void two_structs() {
  shared<Pair>();
  shared<Other>();
}

__global__ void stores_float4(int column) {
  shared<Pair>().a.store_as(make_float4(1, 2, 3, 4), 1, column);
}

__global__ void global_float4(const float* in, float* out) {
  if (threadIdx.x == 7) store_as(out, load_as<float4>(in));
}

__global__ void adds_one(float* p, int count) {
  const auto i = global_thread();
  if (i < count) p[i] += 1;
}

__global__ void nothing() {}

}  // namespace

TEST_CASE("an index outside a tile names kernel, block, thread, index and extents") {
  float out = 0;
  const auto read = [&](int row, int column) {
    return message_of(
        [&](Stream& stream) { launch<reads_tile>(stream, 3, 4, sizeof(Pair), row, column, &out); });
  };
  const std::string at = "[emulator] kernel reads_tile, block (2, 0, 0), thread (3, 0, 0): ";
  CHECK(read(0, 8) == at + "index (0, 8) is outside Tile(4, 8)");  // still inside the array
  CHECK(read(4, 0) == at + "index (4, 0) is outside Tile(4, 8)");
  CHECK(read(-1, 7) == at + "index (-1, 7) is outside Tile(4, 8)");
  CHECK(read(1, -1) == at + "index (1, -1) is outside Tile(4, 8)");
  CHECK(read(3, 7) == "");
}

TEST_CASE("misaligned and overlong vectors are found") {
  alignas(16) float four[4] = {};
  const auto load = [&](int column) {
    return message_of([&](Stream& stream) { demo_vector(stream, column, four); });
  };
  CHECK(load(4) == "");
  CHECK(four[0] == 14);
  CHECK(four[3] == 17);
  CHECK(contains(load(3), "thread (0, 0, 0): a load from a tile of 16 bytes is misaligned"));
  CHECK(contains(load(8), "4 elements from index (1, 8) leave Tile(4, 8)"));
  const auto store = [&](int column) {
    return message_of(
        [&](Stream& stream) { launch<stores_float4>(stream, 1, 1, sizeof(Pair), column); });
  };
  CHECK(store(0) == "");
  CHECK(contains(store(2), "a store to a tile of 16 bytes is misaligned"));
  CHECK(contains(store(5), "4 elements from index (1, 5) leave Tile(4, 8)"));

  alignas(16) float in[9] = {}, result[9] = {};
  const auto copy = [&](int from, int to) {
    return message_of(
        [&](Stream& stream) { launch<global_float4>(stream, 1, 8, 0, in + from, result + to); });
  };
  CHECK(copy(0, 4) == "");
  CHECK(copy(1, 4) ==
        "[emulator] kernel global_float4, block (0, 0, 0), thread (7, 0, 0): a load of 16 bytes is "
        "misaligned: the address is 4 modulo 16");
  CHECK(contains(copy(0, 2), "a store of 16 bytes is misaligned: the address is 8 modulo 16"));
}

TEST_CASE("wrong uses of launch and shared memory are refused") {
  const auto pair = sizeof(Pair);
  CHECK(contains(message_of([&](Stream& s) { launch<two_structs>(s, 1, 1, pair); }),
                 "shared memory is used as two different structs"));
  CHECK(contains(message_of([](Stream& s) { launch<two_structs>(s, 1, 1, 16); }),
                 "bytes is used but 16 were launched with"));
  CHECK(contains(message_of([](Stream& s) { launch<nothing>(s, 0, 32, 0); }),
                 "kernel nothing: no GPU takes a grid of (0, 1, 1) blocks"));
  CHECK(contains(message_of([](Stream& s) { launch<nothing>(s, dim3(1, 65536), 32, 0); }),
                 "no GPU takes a grid of (1, 65536, 1) blocks"));
  CHECK(contains(message_of([](Stream& s) { launch<nothing>(s, 1, 1025, 0); }),
                 "no GPU takes a block of (1025, 1, 1) threads"));
  CHECK(contains(message_of([](Stream& s) { launch<nothing>(s, 1, dim3(1, 1, 65), 0); }),
                 "no GPU takes a block of (1, 1, 65) threads"));
}

TEST_CASE("a stream works in order, and only when somebody waits") {
  float value = 1;
  Stream first, second;
  launch<adds_one>(first, 1, 32, 0, &value, 1);
  launch<adds_one>(second, 1, 32, 0, &value, 1);
  CHECK(value == 1);
  first.synchronize();
  CHECK(value == 2);
  first.synchronize();
  CHECK(value == 2);
  second.synchronize();
  CHECK(value == 3);
}

TEST_CASE("a missing wait between streams shows in one order of execution or the other") {
  alignas(16) float wide[4] = {1, 0, 0, 0}, copied[4] = {};
  Stream makes, takes;
  launch<adds_one>(makes, 1, 32, 0, wide, 1);
  launch<global_float4>(takes, 1, 8, 0, wide, copied);  // forgot to wait for `makes`
  takes.synchronize();
  CHECK(copied[0] == 1);
  makes.synchronize();

  const emulator::ScheduleScope scope(emulator::Order::reverse);
  launch<adds_one>(makes, 1, 32, 0, wide, 1);
  launch<global_float4>(takes, 1, 8, 0, wide, copied);
  makes.synchronize();  // waits for the maker, but the taker went first
  CHECK(copied[0] == 2);
  takes.synchronize();
  CHECK(copied[0] == 2);

  launch<adds_one>(makes, 1, 32, 0, wide, 1);
  Event made;
  made.record(makes);
  takes.wait(made);
  launch<global_float4>(takes, 1, 8, 0, wide, copied);
  takes.synchronize();
  CHECK(copied[0] == 4);
}

TEST_CASE("a stream that goes away runs what is left") {
  float value = 1;
  {
    Stream stream;
    launch<adds_one>(stream, 1, 1, 0, &value, 1);
  }
  CHECK(value == 2);
}

#if defined(__SANITIZE_ADDRESS__)
namespace {

// Goes from one member of the shared struct into the next, through a pointer.
__global__ void overruns_member(int count) {
  auto& s = shared<Pair>();
  float* first = &s.a(0, 0);
  for (int i = 0; i < count; ++i) first[i] = 0;
}

// What a program that ended on a sanitizer's report said; "" if it ended well.
template <class F>
std::string report_of(F&& run) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    run();
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
  return text;
}

}  // namespace

TEST_CASE("AddressSanitizer sees an overrun of global memory, and the thread is named") {
  const auto run = [](int count) {
    return report_of([count] {
      const auto buffer = std::make_unique<float[]>(100);
      Stream stream;
      launch<adds_one>(stream, 4, 32, 0, buffer.get(), count);
      stream.synchronize();
    });
  };
  CHECK(run(100) == "");
  const std::string text = run(101);
  CHECK(contains(text, "heap-buffer-overflow"));
  CHECK(contains(text, "kernel adds_one, block (3, 0, 0), thread (4, 0, 0)"));
}

TEST_CASE("AddressSanitizer sees an overrun from one shared tile into the next") {
  const auto run = [](int count) {
    return report_of([count] {
      Stream stream;
      launch<overruns_member>(stream, 1, 1, sizeof(Pair), count);
      stream.synchronize();
    });
  };
  CHECK(run(32) == "");
  const std::string text = run(33);
  CHECK(contains(text, "use-after-poison"));
  CHECK(contains(text, "kernel overruns_member, block (0, 0, 0), thread (0, 0, 0)"));
}
#endif
