"""scripts/mutation/mutants.py on a planted kernel: what is a mutant, and what is not."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "mutation"))
import mutants  # noqa: E402

KERNEL = '''// A chapter: if (a < b) __syncthreads();
#define BELOW(a, b) ((a) < (b))
struct Block {
  Tile<float, 8> tile;
};
__device__ int declared(int a);
template <class T, int n = (3 > 2)>
__global__ void __launch_bounds__(256)
    kernel(const T* x, T* y, int count) {
  auto& s = shared<Block>();  // i < 3
  const int i = threadIdx.x;
  if (i >= count) return;
  s.tile(i) = x[i];
  cp_async_wait<0>();
  __syncthreads();
  for (int j = 0; j < 8; ++j) {
    if (j > 4 && name("a < b")) __syncwarp(); else __syncwarp();
    __syncthreads();
  }
  cp_async(x, y);
  const bool any = __syncthreads_or(i <= 2);
  __syncthreads();
}
void host(int a) {
  if (a < 3) __syncthreads();
}
'''

HEADER = '''// What kernels and the host share.
#include "kernels/divisor.h"
constexpr int limit = 3, other = limit < 4 ? 1 : 2;
constexpr auto small = [](int a) { return a < limit; };
struct Range {
  int at[3] = {}, count;
  constexpr Range() = default;
  constexpr bool operator==(const Range& o) const { return count <= o.count; }
  template <int n = (3 < 4)>
  constexpr explicit Range(int i, int in) : at{}, count(0) {
    if (i < in) ++count;
  }
  constexpr int tap(int i) const {
    constexpr bool wide = limit > 2;
    if constexpr (limit > 1) return i >= 0 ? i : -1;
    static_assert(limit < 9);
    return wide && i > 7;
  }
};
IMAGO_HOST_DEVICE inline float larger(float a, float b);
[[gnu::always_inline]] IMAGO_HOST_DEVICE constexpr int smaller(int a, int b) {
  return a < b ? a : b;
}
template <class T>
IMAGO_HOST_DEVICE inline T clamped(T a) {
  return a > T(1) ? T(1) : a;
}
inline bool host(int a) {
  if constexpr (limit > 2) return a > 3;
  return a < 3;
}
'''


class MutantsTest(unittest.TestCase):
    def test_finds_functions_that_host_and_kernels_share(self):
        found = mutants.find("k.h", HEADER)
        self.assertEqual([(m.constant, m.key().removeprefix("k.h :: ")) for m in found], [
            (True, "operator :: constexpr bool operator==(const Range& o) const "
                   "{ return count < o.count; }"),
            (True, "Range :: if (i <= in) ++count;"),
            (True, "tap :: if constexpr (limit > 1) return i > 0 ? i : -1;"),
            (True, "tap :: return wide && i >= 7;"),
            (True, "smaller :: return a <= b ? a : b;"),
            (False, "clamped :: return a >= T(1) ? T(1) : a;"),
        ])
        self.assertEqual(mutants.includes(HEADER), ["kernels/divisor.h"])

    def test_the_compiler_runs_the_original_of_a_constexpr_function(self):
        text = '''// The same call at compile time and at run time.
#include <cstdio>
constexpr int below(int a, int b) { return a < b ? 1 : 0; }
static_assert(below(2, 2) == 0 && below(1, 2) == 1);
int main(int argc, char**) { std::printf("%d", below(argc, 1)); }
'''
        found = mutants.find("k.h", text)
        for number, mutant in enumerate(found, 1):
            mutant.id = number
        self.assertEqual(len(found), 1)
        self.assertEqual(self.outputs_of(text, found), ["0", "1"])

    def test_finds_device_code_alone(self):
        found = mutants.find("k.cu", KERNEL)
        self.assertEqual([(m.kind, m.key().removeprefix("k.cu :: kernel :: ")) for m in found], [
            ("bound", "if (i > count) return;"),
            ("wait", "[-cp_async_wait<0>();-]"),
            ("barrier", "[-__syncthreads();-]"),
            ("bound", "for (int j = 0; j <= 8; ++j) {"),
            ("bound", 'if (j >= 4 && name("a < b")) __syncwarp(); else __syncwarp();'),
            ("barrier", 'if (j > 4 && name("a < b")) [-__syncwarp();-] else __syncwarp();'),
            ("barrier", 'if (j > 4 && name("a < b")) __syncwarp(); else [-__syncwarp();-]'),
            ("barrier", "[-__syncthreads();-] #2"),
            ("bound", "const bool any = __syncthreads_or(i < 2);"),
            ("barrier", "[-__syncthreads();-] #3"),
        ])

    def test_keys_are_unique_and_lines_stay(self):
        found = mutants.find("k.cu", KERNEL)
        for number, mutant in enumerate(found, 1):
            mutant.id = number
        self.assertEqual(len({m.key() for m in found}), len(found))
        self.assertEqual(mutants.write_all(KERNEL, found).count("\n"), KERNEL.count("\n"))

    def outputs_of(self, text, found):
        """What the program prints without a mutant, and with each of them."""
        with tempfile.TemporaryDirectory() as folder:
            source, program = Path(folder) / "k.cpp", Path(folder) / "k"
            source.write_text(mutants.write_all(text, found))
            subprocess.run(["c++", "-std=c++20", "-I", ROOT, source, "-o", program], check=True)
            return [subprocess.run([program], env={"IMAGO_MUTANT": str(number)}, check=True,
                                   stdout=subprocess.PIPE, text=True).stdout
                    for number in range(len(found) + 1)]

    def test_the_chosen_mutant_alone_behaves_otherwise(self):
        text = '''// Prints comparisons at their boundary, and whether the barrier was there.
#define __device__
#include <cstdio>
static void barrier() { std::printf("barrier "); }
__device__ void kernel(int a, unsigned char b) {
  std::printf("%d", a + 0 < b + 0);
  std::printf("%d", a <= b);
  std::printf("%d", a > b);
  std::printf("%d ", a >= b ? 1 : 0);
  if (a == 0) barrier();
  else std::printf("else");
}
int main() { kernel(2, 2); kernel(0, 1); }
'''
        found = mutants.find("k.cu", text)
        for number, mutant in enumerate(found, 1):
            mutant.id = number
        plain = ["0101 else1100 barrier "]
        outputs = self.outputs_of(text, found)
        self.assertEqual(outputs[:1], plain)
        self.assertEqual(outputs[1:], [
            "1101 else1100 barrier ",
            "0001 else1100 barrier ",
            "0111 else1100 barrier ",
            "0100 else1100 barrier ",
            "0101 else1100 ",
        ])


if __name__ == "__main__":
    unittest.main()
