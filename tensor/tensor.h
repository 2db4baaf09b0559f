// Tensor: memory with a shape, a dtype and a device. It has no history; see autograd/var.h for the
// differentiable kind. Always contiguous: images are (N, H, W, C),
// convolution weights (K, R, S, C).
//
// Copying a Tensor copies the handle; both then share one storage. reshape and slice share storage
// too; everything else copies.
#pragma once

#include <iosfwd>
#include <memory>
#include <span>
#include <string>

#include "tensor/dtype.h"
#include "tensor/shape.h"
#include "tensor/storage.h"

namespace imago {

class Tensor {
 public:
  Tensor() = default;  // undefined: no shape, no storage

  // New tensors live on `device`; without one, on the device of the current Context.
  static Tensor empty(const Shape& shape, DType dtype = DType::f32);
  static Tensor empty(const Shape& shape, DType dtype, Device device);
  static Tensor zeros(const Shape& shape, DType dtype = DType::f32);
  // Every element `value`, converted as in tensor/convert.h (integers saturate, NaN becomes 0).
  static Tensor full(const Shape& shape, double value, DType dtype = DType::f32);
  static Tensor full(const Shape& shape, double value, DType dtype, Device device);
  static Tensor scalar(double value, DType dtype = DType::f32) { return full({}, value, dtype); }
  static Tensor empty_like(const Tensor& other);
  static Tensor zeros_like(const Tensor& other);
  // Copies `values` (row-major); their number must be shape.numel().
  template <class T>
  static Tensor from(std::span<const T> values, const Shape& shape);
  template <class T>
  static Tensor from(std::initializer_list<T> values, const Shape& shape) {
    return from(std::span<const T>(values.begin(), values.size()), shape);
  }

  bool defined() const { return storage_ != nullptr; }
  explicit operator bool() const { return defined(); }
  const Shape& shape() const { return shape_; }
  std::int64_t size(int i) const { return shape_[i]; }
  int dim() const { return shape_.dim(); }
  std::int64_t numel() const { return shape_.numel(); }
  std::size_t nbytes() const { return static_cast<std::size_t>(numel()) * size_of(dtype_); }
  DType dtype() const { return dtype_; }
  Device device() const;

  // Elements in host memory for reading. Throws when T is not the dtype, when the tensor is
  // undefined and when it is on another device: copy it first, with to(Device::cpu()).
  template <class T>
  const T* data() const {
    return reinterpret_cast<const T*>(checked(dtype_of<T>(), DeviceType::cpu));
  }
  // Elements for writing; counts as one change of the storage's version.
  // Take it once, outside parallel loops.
  template <class T>
  T* mutable_data() {
    return reinterpret_cast<T*>(checked_for_writing(dtype_of<T>(), DeviceType::cpu));
  }
  const std::byte* bytes() const;
  std::byte* mutable_bytes();

  // The same for elements in device memory, which only kernels can look at. Throws when the tensor
  // is in host memory.
  template <class T>
  const T* device_data() const {
    return reinterpret_cast<const T*>(checked(dtype_of<T>(), DeviceType::cuda));
  }
  template <class T>
  T* mutable_device_data() {
    return reinterpret_cast<T*>(checked_for_writing(dtype_of<T>(), DeviceType::cuda));
  }
  const std::byte* device_bytes() const;
  std::byte* mutable_device_bytes();

  // The same elements under another shape of equal size; shares storage. One extent may be -1.
  Tensor reshape(std::initializer_list<std::int64_t> extents) const;
  Tensor reshape(const Shape& shape) const;
  // Elements [begin, end) of the outermost dimension; shares storage.
  Tensor slice(std::int64_t begin, std::int64_t end) const;
  Tensor clone() const;
  // Overwrites the elements with those of `source`, of equal shape and dtype, on any device.
  void copy_from(const Tensor& source);
  // Overwrites the elements with 0.
  void set_zero();
  // The same values on another device; the tensor itself if it is there already. A copy to the host
  // waits for current_stream().
  Tensor to(Device device) const;

  // The only element as a double. Throws unless numel() == 1. Waits for current_stream() when the
  // tensor is on a device.
  double item() const;

  bool shares_storage(const Tensor& other) const { return storage_ && storage_ == other.storage_; }
  std::uint64_t version() const { return storage_ ? storage_->version() : 0; }

  std::string to_string() const;

 private:
  std::byte* located(DType wanted, DeviceType where) const;
  std::byte* checked(DType wanted, DeviceType where) const;
  std::byte* checked_for_writing(DType wanted, DeviceType where);
  Tensor to_current_device() const;  // of the Context

  std::shared_ptr<Storage> storage_;
  std::size_t offset_ = 0;  // bytes
  Shape shape_;
  DType dtype_ = DType::f32;
};

template <class T>
Tensor Tensor::from(std::span<const T> values, const Shape& shape) {
  check(static_cast<std::int64_t>(values.size()) == shape.numel(), "tensor", values.size(),
        " values cannot fill shape ", shape);
  Tensor t = empty(shape, dtype_of<T>(), Device::cpu());
  T* p = t.mutable_data<T>();
  for (std::size_t i = 0; i < values.size(); ++i) p[i] = values[i];
  return t.to_current_device();
}

// Equal shape, dtype and bytes (so -0 differs from 0 and NaN equals the same NaN), on any devices.
bool same_bits(const Tensor& a, const Tensor& b);

// Prints shape, dtype, device and the elements, long dimensions abbreviated.
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

}  // namespace imago
