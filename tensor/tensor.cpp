#include "tensor/tensor.h"

#include <cstring>

#include "tensor/context.h"
#include "tensor/convert.h"

namespace imago {

Tensor Tensor::empty(const Shape& shape, DType dtype) {
  return empty(shape, dtype, Context::current().device);
}

Tensor Tensor::empty(const Shape& shape, DType dtype, Device device) {
  require_kernel_device("tensor", device);
  Tensor t;
  t.shape_ = shape;
  t.dtype_ = dtype;
  const auto bytes = static_cast<std::size_t>(shape.numel()) * size_of(dtype);
  t.storage_ = std::make_shared<Storage>(bytes, device, *Context::current().allocator);
  return t;
}

Tensor Tensor::zeros(const Shape& shape, DType dtype) {
  Tensor t = empty(shape, dtype);
  std::memset(t.mutable_bytes(), 0, t.nbytes());
  return t;
}

Tensor Tensor::full(const Shape& shape, double value, DType dtype) {
  Tensor t = empty(shape, dtype);
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      dtype, "full", [&]<class T> {
        T* p = t.mutable_data<T>();
        const T v = convert<T>(value);
        for (std::int64_t i = 0; i < t.numel(); ++i) p[i] = v;
      });
  return t;
}

Tensor Tensor::empty_like(const Tensor& other) {
  return empty(other.shape(), other.dtype(), other.device());
}

Tensor Tensor::zeros_like(const Tensor& other) {
  Tensor t = empty_like(other);
  std::memset(t.mutable_bytes(), 0, t.nbytes());
  return t;
}

Device Tensor::device() const {
  return storage_ ? storage_->device() : Device::cpu();
}

std::byte* Tensor::checked(DType wanted) const {
  check(defined(), "tensor", "this tensor is undefined; it has no elements to read");
  check(dtype_ == wanted, "tensor", "elements are ", name_of(dtype_), ", not ", name_of(wanted));
  return storage_->data() + offset_;
}

const std::byte* Tensor::bytes() const {
  return checked(dtype_);
}

std::byte* Tensor::mutable_bytes() {
  std::byte* p = checked(dtype_);
  storage_->bump_version();
  return p;
}

Tensor Tensor::reshape(std::initializer_list<std::int64_t> extents) const {
  std::int64_t known = 1;
  int unknown = 0;
  for (const std::int64_t e : extents) {
    if (e == -1) {
      unknown += 1;
    } else {
      known *= e;
    }
  }
  check(unknown <= 1, "reshape", "at most one extent may be -1");
  Shape shape;
  for (const std::int64_t e : extents) {
    check(e != -1 || (known > 0 && numel() % known == 0), "reshape",
          "no extent in place of -1 fits ", shape_, " (", numel(), " elements)");
    shape.append(e == -1 ? numel() / known : e);
  }
  return reshape(shape);
}

Tensor Tensor::reshape(const Shape& shape) const {
  check(defined(), "reshape", "this tensor is undefined");
  check(shape.numel() == numel(), "reshape", shape_, " has ", numel(), " elements but ", shape,
        " needs ", shape.numel());
  Tensor t = *this;
  t.shape_ = shape;
  return t;
}

Tensor Tensor::slice(std::int64_t begin, std::int64_t end) const {
  check(defined() && dim() > 0, "slice", "needs a tensor with at least one dimension");
  check(0 <= begin && begin <= end && end <= size(0), "slice", "[", begin, ", ", end,
        ") is not inside the outermost dimension of ", shape_);
  Tensor t = *this;
  const std::int64_t row = size(0) ? numel() / size(0) : 0;
  t.shape_.set(0, end - begin);
  t.offset_ += static_cast<std::size_t>(begin * row) * size_of(dtype_);
  return t;
}

Tensor Tensor::clone() const {
  Tensor t = empty_like(*this);
  t.copy_from(*this);
  return t;
}

void Tensor::copy_from(const Tensor& source) {
  check(shape_ == source.shape_ && dtype_ == source.dtype_ && device() == source.device(), "copy",
        "cannot copy ", source.shape_, " ", source.dtype_, " into ", shape_, " ", dtype_);
  if (numel()) std::memmove(mutable_bytes(), source.bytes(), nbytes());
}

Tensor Tensor::to(Device target) const {
  if (target == device()) return *this;
  require_kernel_device("to", target);
  fail("to", "cannot copy from ", device(), " to ", target);
}

double Tensor::item() const {
  check(defined() && numel() == 1, "item", "needs exactly one element, but the shape is ", shape_);
  double value = 0;
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      dtype_, "item", [&]<class T> { value = static_cast<double>(*data<T>()); });
  return value;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.defined() && b.defined() && a.dtype() == b.dtype() && a.shape() == b.shape() &&
         (a.numel() == 0 || std::memcmp(a.bytes(), b.bytes(), a.nbytes()) == 0);
}

}  // namespace imago
