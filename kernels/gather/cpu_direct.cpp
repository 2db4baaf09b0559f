// Choosing by index on the CPU.
//
// Moves are split over what they write. Sums are split so that every one of them belongs to one
// thread, which goes through the positions in ascending order: over the outer axes, over columns
// while a thread keeps enough of a row, and over the places that indices name, of which
// a thread passes over those of others. How often depends on the threads there are; no sum does.
#include <algorithm>
#include <atomic>
#include <vector>

#include "kernels/cpu_move.h"
#include "kernels/gather/engines.h"
#include "kernels/parallel.h"

namespace imago::kernels {
namespace {

// The sums of one thread: places [first, last) and columns [begin, end) of outer part o.
struct Share {
  std::int64_t o, first, last, begin, end;
};

// Calls sum(share, sums) for shares that cover all of out; `sums` is (outer, extent, inner) in
// acc_t and zero in the share. Then rounds them into out. A share of columns has at least
// `least_bytes` of a row.
template <class T, class F>
void for_shares(const Picks& p, Tensor& out, std::int64_t least_bytes, F&& sum) {
  using A = acc_t<T>;
  constexpr bool in_place = std::is_same_v<A, T>;
  Tensor wide = in_place ? out : Tensor::empty(out.shape(), dtype_of<A>(), Device::cpu());
  A* sums = wide.mutable_data<A>();
  [[maybe_unused]] T* result = out.mutable_data<T>();

  const std::int64_t threads = num_threads();
  const std::int64_t least = least_bytes / static_cast<std::int64_t>(sizeof(T));  // columns
  const std::int64_t work = p.outer * std::max(p.picks, p.extent) * p.inner;
  std::int64_t by_columns = 1, by_places = 1;
  if (p.outer < 4 * threads && work >= default_grain) {
    by_columns = std::clamp<std::int64_t>(p.inner / least, 1, threads);
    by_places = std::clamp<std::int64_t>(ceil_div(threads, p.outer * by_columns), 1, p.extent);
  }
  const std::int64_t shares = p.outer * by_columns * by_places;
  const std::int64_t grain = std::max<std::int64_t>(1, default_grain / ceil_div(work, shares));
  const auto one = [&](std::int64_t index) {
    const std::int64_t place = index % by_places, column = index / by_places % by_columns;
    const Share share{index / by_places / by_columns, p.extent * place / by_places,
                      p.extent * (place + 1) / by_places, p.inner * column / by_columns,
                      p.inner * (column + 1) / by_columns};
    // Runs of sums: all places at once where the share has all columns.
    const auto for_runs = [&](auto&& f) {
      const std::int64_t first = (share.o * p.extent + share.first) * p.inner;
      const std::int64_t places = share.last - share.first;
      if (by_columns == 1) return f(first, first + places * p.inner);
      for (std::int64_t v = 0; v < places; ++v) {
        f(first + v * p.inner + share.begin, first + v * p.inner + share.end);
      }
    };
    for_runs(
        [&](std::int64_t begin, std::int64_t end) { std::fill(sums + begin, sums + end, A(0)); });
    sum(share, sums);
    if constexpr (!in_place) {
      for_runs([&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) result[i] = static_cast<T>(sums[i]);
      });
    }
  };
  parallel_ranges(shares, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t index = begin; index < end; ++index) one(index);
  });
}

}  // namespace

void index_select_direct(const Picks& p, const Tensor& x, const Tensor& indices, Tensor& out) {
  const std::byte* from = x.bytes();
  const std::int64_t* index = indices.data<std::int64_t>();
  std::byte* to = out.mutable_bytes();
  const std::int64_t row = p.inner * static_cast<std::int64_t>(size_of(x.dtype()));
  const bool stream = p.outer * p.picks * row >= streamed_bytes;
  const std::int64_t grain = std::max<std::int64_t>(1, moved_grain_bytes / row);
  parallel_ranges(p.outer * p.picks, grain, [&](std::int64_t begin, std::int64_t end) {
    while (begin < end) {
      const std::int64_t o = begin / p.picks, k = begin - o * p.picks;
      const std::int64_t rows = std::min(end - begin, p.picks - k);
      move_chosen_rows(from + o * p.extent * row, index + k, rows, row, to + begin * row, stream);
      begin += rows;
    }
    if (stream) finish_streams();
  });
}

void index_add_direct(const Picks& p, const Tensor& x, const Tensor& indices, Tensor& out) {
  dispatch<float, double, bf16>(x.dtype(), "index_add", [&]<class T> {
    const T* from = x.data<T>();
    const std::int64_t* index = indices.data<std::int64_t>();
    // Pieces of rows as narrow as two lines make processors fetch each other's pieces.
    for_shares<T>(p, out, 1024, [&](const Share& share, acc_t<T>* sums) {
      const auto count = static_cast<std::uint64_t>(share.last - share.first);
      constexpr std::int64_t stretch = 1024, ahead = 8, line = 64 / std::int64_t{sizeof(T)};
      std::int64_t own[stretch];  // the picks of this share, without a branch to guess
      for (std::int64_t begin = 0; begin < p.picks; begin += stretch) {
        const std::int64_t end = std::min(p.picks, begin + stretch);
        std::int64_t picks = 0;
        for (std::int64_t k = begin; k < end; ++k) {
          own[picks] = k;
          picks += static_cast<std::uint64_t>(index[k] - share.first) < count;
        }
        for (std::int64_t j = 0; j < picks; ++j) {
          if (j + ahead < picks) {  // asked for before their turn
            const std::int64_t k = own[j + ahead];
            const T* row = from + (share.o * p.picks + k) * p.inner;
            const acc_t<T>* to = sums + (share.o * p.extent + index[k]) * p.inner;
            for (std::int64_t i = share.begin; i < share.end; i += line) {
              __builtin_prefetch(row + i);
              __builtin_prefetch(to + i, 1);
            }
          }
          const std::int64_t k = own[j];
          const T* row = from + (share.o * p.picks + k) * p.inner;
          acc_t<T>* to = sums + (share.o * p.extent + index[k]) * p.inner;
#pragma GCC ivdep
          for (std::int64_t i = share.begin; i < share.end; ++i) {
            to[i] += static_cast<acc_t<T>>(row[i]);
          }
        }
      }
    });
  });
}

bool gather_direct(const Picks& p, const Tensor& x, const Tensor& indices, Tensor& out) {
  std::atomic<bool> inside{true};
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      x.dtype(), "gather", [&]<class T> {
        const T* from = x.data<T>();
        const std::int64_t* index = indices.data<std::int64_t>();
        T* to = out.mutable_data<T>();
        const auto extent = static_cast<std::uint64_t>(p.extent);
        const std::int64_t slab = p.picks * p.inner;  // of one o
        parallel_ranges(out.numel(), default_grain, [&](std::int64_t begin, std::int64_t end) {
          bool all = true;
          while (begin < end) {
            const std::int64_t o = begin / slab, stop = std::min(end, (o + 1) * slab);
            const T* part = from + o * p.extent * p.inner;
            std::int64_t i = begin % p.inner;
            for (; begin < stop; ++begin) {
              const std::int64_t at = index[begin];
              const bool good = static_cast<std::uint64_t>(at) < extent;
              all &= good;
              if (good) to[begin] = part[at * p.inner + i];
              if (++i == p.inner) i = 0;
            }
          }
          if (!all) inside.store(false, std::memory_order_relaxed);
        });
      });
  return inside.load();
}

namespace {

// The sums of single columns, four outer parts in turn: a sum waits for the store of the one before
// where both may be of one place, which those of different parts never do.
template <class T>
void scatter_parts(const Picks& p, const T* from, const std::int64_t* index, T* out) {
  constexpr std::int64_t parts = 4;
  using A = acc_t<T>;
  const std::int64_t work = parts * std::max(p.picks, p.extent);
  const std::int64_t grain = std::max<std::int64_t>(1, default_grain / work);
  parallel_ranges(ceil_div(p.outer, parts), grain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<A> room(static_cast<std::size_t>(parts * p.extent));
    A *first = room.data(), *second = first + p.extent, *third = second + p.extent,
      *fourth = third + p.extent;
    for (std::int64_t o = begin * parts; o < std::min(end * parts, p.outer); o += parts) {
      const std::int64_t count = std::min(parts, p.outer - o), n = p.picks;
      std::fill(first, first + count * p.extent, A(0));
      const std::int64_t* at = index + o * n;
      const T* x = from + o * n;
      if (count == parts) {
        for (std::int64_t k = 0; k < n; ++k) {
          first[at[k]] += static_cast<A>(x[k]);
          second[at[n + k]] += static_cast<A>(x[n + k]);
          third[at[2 * n + k]] += static_cast<A>(x[2 * n + k]);
          fourth[at[3 * n + k]] += static_cast<A>(x[3 * n + k]);
        }
      } else {
        for (std::int64_t k = 0; k < count * n; ++k) {
          first[k / n * p.extent + at[k]] += static_cast<A>(x[k]);
        }
      }
      for (std::int64_t i = 0; i < count * p.extent; ++i) {
        out[o * p.extent + i] = static_cast<T>(first[i]);
      }
    }
  });
}

}  // namespace

void scatter_add_direct(const Picks& p, const Tensor& x, const Tensor& indices, Tensor& out) {
  dispatch<float, double, bf16>(x.dtype(), "scatter_add", [&]<class T> {
    const T* from = x.data<T>();
    const std::int64_t* index = indices.data<std::int64_t>();
    if (p.inner == 1 && p.outer >= 8 * num_threads() && p.extent <= 4096) {
      return scatter_parts<T>(p, from, index, out.mutable_data<T>());
    }
    for_shares<T>(p, out, 128, [&](const Share& share, acc_t<T>* sums) {
      acc_t<T>* part = sums + share.o * p.extent * p.inner;
      const auto count = static_cast<std::uint64_t>(share.last - share.first);
      const std::int64_t columns = share.end - share.begin, first = share.o * p.picks * p.inner;
      // A run has the columns of the share, or all picks where those are all there are.
      const bool whole = columns == p.inner;
      const std::int64_t run = whole ? p.picks * p.inner : columns;
      const std::int64_t runs = whole ? 1 : p.picks;
      for (std::int64_t k = 0; k < runs; ++k) {
        const std::int64_t begin = first + k * p.inner + share.begin;
        std::int64_t i = share.begin;
        for (std::int64_t j = begin; j < begin + run; ++j) {
          const std::int64_t at = index[j];
          if (static_cast<std::uint64_t>(at - share.first) < count) {
            part[at * p.inner + i] += static_cast<acc_t<T>>(from[j]);
          }
          if (++i == share.end) i = share.begin;
        }
      }
    });
  });
}

}  // namespace imago::kernels
