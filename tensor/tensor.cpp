#include "tensor/tensor.h"

#include <cstring>

#include "tensor/context.h"
#include "tensor/convert.h"
#include "tensor/device_memory.h"
#include "tensor/observer.h"
#include "tensor/op_range.h"

namespace imago {

Tensor Tensor::empty(const Shape& shape, DType dtype) {
  return empty(shape, dtype, Context::current().device);
}

Tensor Tensor::empty(const Shape& shape, DType dtype, Device device) {
  require_device("tensor", device);
  Tensor t;
  t.shape_ = shape;
  t.dtype_ = dtype;
  const auto bytes = static_cast<std::size_t>(shape.numel()) * size_of(dtype);
  const Context& context = Context::current();
  CachingAllocator& allocator = device.is_cpu()            ? *context.allocator
                                : context.device_allocator ? *context.device_allocator
                                                           : cuda_allocator();
  t.storage_ = std::make_shared<Storage>(bytes, device, allocator,
                                         BlockLabel{shape, dtype, OpRange::current()});
  if (Observer::current()) {
    Observer::tell([&](Observer& o) { o.memory_made(t.storage_->data()); });
  }
  return t;
}

Tensor Tensor::zeros(const Shape& shape, DType dtype) {
  Tensor t = empty(shape, dtype);
  t.set_zero();
  return t;
}

Tensor Tensor::full(const Shape& shape, double value, DType dtype) {
  return full(shape, value, dtype, Context::current().device);
}

Tensor Tensor::full(const Shape& shape, double value, DType dtype, Device device) {
  Tensor t = empty(shape, dtype, Device::cpu());
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      dtype, "full", [&]<class T> {
        T* p = t.mutable_data<T>();
        const T v = convert<T>(value);
        for (std::int64_t i = 0; i < t.numel(); ++i) p[i] = v;
      });
  return t.to(device);
}

Tensor Tensor::empty_like(const Tensor& other) {
  return empty(other.shape(), other.dtype(), other.device());
}

Tensor Tensor::zeros_like(const Tensor& other) {
  Tensor t = empty_like(other);
  t.set_zero();
  return t;
}

void Tensor::set_zero() {
  if (numel() == 0) return;
  if (device().is_cpu()) {
    std::memset(mutable_bytes(), 0, nbytes());
  } else {
    set_bytes(mutable_device_bytes(), 0, nbytes(), current_stream());
  }
}

Device Tensor::device() const {
  return storage_ ? storage_->device() : Device::cpu();
}

std::byte* Tensor::located(DType wanted, DeviceType where) const {
  check(defined(), "tensor", "this tensor is undefined; it has no elements to read");
  check(dtype_ == wanted, "tensor", "elements are ", name_of(dtype_), ", not ", name_of(wanted));
  if (device().type != where) {
    fail("tensor", "the elements of ", shape_, " are on ", device(),
         where == DeviceType::cpu ? "; copy them to the host first, with .to(Device::cpu())"
                                  : ", where no CUDA kernel can read them");
  }
  return storage_->data() + offset_;
}

std::byte* Tensor::checked(DType wanted, DeviceType where) const {
  std::byte* p = located(wanted, where);
  if (Observer::current()) {
    Observer::tell([&](Observer& o) { o.memory_used(p, nbytes(), false); });
  }
  return p;
}

std::byte* Tensor::checked_for_writing(DType wanted, DeviceType where) {
  std::byte* p = located(wanted, where);
  storage_->bump_version();
  if (Observer::current()) {
    Observer::tell([&](Observer& o) { o.memory_used(p, nbytes(), true); });
  }
  return p;
}

const std::byte* Tensor::bytes() const {
  return checked(dtype_, DeviceType::cpu);
}

std::byte* Tensor::mutable_bytes() {
  return checked_for_writing(dtype_, DeviceType::cpu);
}

const std::byte* Tensor::device_bytes() const {
  return checked(dtype_, DeviceType::cuda);
}

std::byte* Tensor::mutable_device_bytes() {
  return checked_for_writing(dtype_, DeviceType::cuda);
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
  check(shape_ == source.shape_ && dtype_ == source.dtype_, "copy", "cannot copy ", source.shape_,
        " ", source.dtype_, " into ", shape_, " ", dtype_);
  if (numel() == 0) return;
  if (shares_storage(source) && offset_ == source.offset_) return;
  const bool here = device().is_cpu(), there = source.device().is_cpu();
  if (here && there) {
    std::memmove(mutable_bytes(), source.bytes(), nbytes());
  } else if (here) {
    copy_to_host(mutable_bytes(), source.device_bytes(), nbytes(), current_stream());
  } else if (there) {
    copy_to_device(mutable_device_bytes(), source.bytes(), nbytes(), current_stream());
  } else {
    copy_on_device(mutable_device_bytes(), source.device_bytes(), nbytes(), current_stream());
  }
}

Tensor Tensor::to(Device target) const {
  if (target == device()) return *this;
  require_device("to", target);
  Tensor t = empty(shape_, dtype_, target);
  t.copy_from(*this);
  return t;
}

Tensor Tensor::to_current_device() const {
  return to(Context::current().device);
}

double Tensor::item() const {
  check(defined() && numel() == 1, "item", "needs exactly one element, but the shape is ", shape_);
  const Tensor host = to(Device::cpu());
  double value = 0;
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      dtype_, "item", [&]<class T> { value = static_cast<double>(*host.data<T>()); });
  return value;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined() || a.dtype() != b.dtype() || a.shape() != b.shape()) {
    return false;
  }
  const Tensor x = a.to(Device::cpu()), y = b.to(Device::cpu());
  return x.numel() == 0 || std::memcmp(x.bytes(), y.bytes(), x.nbytes()) == 0;
}

}  // namespace imago
