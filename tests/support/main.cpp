// The main() of every test program. --device=cuda makes the CUDA device the one where tensors are
// made, so that tests which do not name a device run there.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <exception>
#include <string>

#include "tensor/context.h"

int main(int argc, char** argv) {
  const std::string flag = "--device=";
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]).rfind(flag, 0) != 0) continue;
    try {
      imago::Context::current().device = imago::Device::parse(argv[i] + flag.size());
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      return 2;
    }
  }
  return doctest::Context(argc, argv).run();
}
