// A queue of device work that runs in the order it was put in, while the host goes on. Work of
// different streams has no order. The same class stands for a CUDA stream in a build by nvcc and
// for an emulated one (kernels/emulator/stream.cpp), whose work runs only when it is waited for.
#pragma once

#include <memory>

namespace imago {

class Stream {
 public:
  Stream();
  // Waits for the work that is left. An error in it ends the program, as nobody can receive it.
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Waits until all work put in so far is done. Throws Error when a kernel failed.
  void synchronize();

  struct Impl;  // differs between CUDA and the emulator; kernel sources never look inside
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace imago
