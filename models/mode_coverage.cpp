#include "models/mode_coverage.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace imago::models {
namespace {

void check_values(const char* op, const Tensor& values) {
  check(values.defined() && values.dim() == 2 && values.dtype() == DType::i64 &&
            values.size(0) >= 1 && values.size(1) >= 1,
        op, "needs attributes (N, A) of i64, of at least one sample, not ",
        values.defined() ? values.shape() : Shape{}, " ",
        values.defined() ? name_of(values.dtype()) : "(undefined)");
}

}  // namespace

ModeCoverage mode_coverage(const Tensor& fake, const Tensor& real, std::int64_t least) {
  const char* op = "mode_coverage";
  check_values(op, fake);
  check_values(op, real);
  check(fake.size(1) == real.size(1), op, "fakes and reals need the same attributes, but they are ",
        fake.shape(), " and ", real.shape());
  check(least >= 1, op, "a mode has at least one real sample, not ", least);
  std::map<std::vector<std::int64_t>, Mode> histogram;  // sorted: the same order every time
  const auto count = [&](const Tensor& values, std::int64_t Mode::*counter) {
    const Tensor host = values.to(Device::cpu());
    const std::int64_t A = host.size(1);
    const std::int64_t* p = host.data<std::int64_t>();
    for (std::int64_t i = 0; i < host.size(0); ++i) {
      const std::vector<std::int64_t> key(p + i * A, p + (i + 1) * A);
      Mode& mode = histogram[key];
      mode.values = key;
      mode.*counter += 1;
    }
  };
  count(fake, &Mode::fake);
  count(real, &Mode::real);

  const auto N = static_cast<double>(fake.size(0)), M = static_cast<double>(real.size(0));
  ModeCoverage result;
  std::int64_t in_modes = 0, in_covered = 0, invented = 0;
  for (const auto& [key, mode] : histogram) {
    result.difference +=
        std::abs(static_cast<double>(mode.fake) / N - static_cast<double>(mode.real) / M) / 2;
    if (mode.real == 0) invented += mode.fake;
    if (mode.real < least) continue;
    result.modes += 1;
    in_modes += mode.real;
    if (mode.fake > 0) {
      result.covered += 1;
      in_covered += mode.real;
    } else {
      result.missing.push_back(mode);
    }
  }
  result.mass = in_modes ? static_cast<double>(in_covered) / static_cast<double>(in_modes) : 0;
  result.invented = static_cast<double>(invented) / N;
  std::stable_sort(result.missing.begin(), result.missing.end(),
                   [](const Mode& a, const Mode& b) { return a.real > b.real; });
  return result;
}

Tensor select_attributes(const Tensor& values, const std::vector<std::int64_t>& columns) {
  check_values("select_attributes", values);
  const Tensor host = values.to(Device::cpu());
  const std::int64_t A = host.size(1), wanted = static_cast<std::int64_t>(columns.size());
  check(wanted >= 1, "select_attributes", "no attribute is asked for");
  for (const std::int64_t column : columns) {
    check(column >= 0 && column < A, "select_attributes", "there is no attribute ", column,
          " among ", A);
  }
  Tensor result = Tensor::empty({host.size(0), wanted}, DType::i64, Device::cpu());
  std::int64_t* to = result.mutable_data<std::int64_t>();
  const std::int64_t* from = host.data<std::int64_t>();
  for (std::int64_t i = 0; i < host.size(0); ++i) {
    for (std::int64_t c = 0; c < wanted; ++c) {
      to[i * wanted + c] = from[i * A + columns[static_cast<std::size_t>(c)]];
    }
  }
  return result;
}

}  // namespace imago::models
