// The shared memory of a block: heap memory of its own for each block, so that AddressSanitizer
// sees what leaves it, filled with 0xff, which is NaN in every floating type.
#pragma once

#include <cstddef>
#include <new>

namespace imago::emulator {

// How the struct of a shared<Block>() call is made. The address of the one SharedType of a struct
// tells structs apart.
struct SharedType {
  std::size_t bytes, alignment;
  void (*construct)(void*);
  void (*destroy)(void*);
};

// 1024 bytes as on the GPU, so that an address means the same in both.
template <class Block>
inline constexpr SharedType shared_type{
    sizeof(Block), 1024, [](void* memory) { ::new (memory) Block; },
    [](void* memory) { static_cast<Block*>(memory)->~Block(); }};

class SharedMemory {
 public:
  explicit SharedMemory(const SharedType& type);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  void* get() const { return memory_; }
  const SharedType& type() const { return type_; }

 private:
  const SharedType& type_;
  void* memory_;
};

// The shared memory of the running block. It is made at the first call and lives until the block
// ends.
void* shared_memory(const SharedType& wanted);

// Ends the launch unless the bytes lie in the shared memory of the running block.
void check_shared(const char* word, const void* first, std::size_t bytes);

}  // namespace imago::emulator
