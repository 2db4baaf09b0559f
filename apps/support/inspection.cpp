#include "apps/support/inspection.h"

#include <cstdio>

#include "kernels/peak/peak.h"
#include "nn/summary.h"
#include "tensor/allocator_report.h"
#include "tensor/context.h"
#include "tensor/device_memory.h"

namespace imago::apps {
namespace {

constexpr std::int64_t copied_bytes = std::int64_t{64} << 20;  // more than most caches hold

CachingAllocator& allocator_in_use() {
  const Context& context = Context::current();
  if (context.device.is_cpu()) return *context.allocator;
  return context.device_allocator ? *context.device_allocator : cuda_allocator();
}

// A device's ceilings are not measured here; without them a profile has no floor.
ProfilerCeilings ceilings() {
  if (Context::current().device.is_cuda()) return {};
  return {.flops_per_second = 1e9 * kernels::measure_fma_peak(num_threads()),
          .bytes_per_second = kernels::measure_copy(copied_bytes)};
}

}  // namespace

void add_inspection_flags(Flags& flags, InspectionOptions& o) {
  flags.on("--profile", o.profile,
           "Time every operation; prints a table and writes profile.txt and trace.json into OUT");
  flags.on("--detect-anomaly,--anomaly", o.anomaly,
           "Look at every result and stop at the first NaN or infinity, naming the operation "
           "and the layer; slow");
  flags.on("--summary", o.summary, "Print the layers of both networks and stop");
}

void print_summaries(models::Gan& gan, std::int64_t batch) {
  std::printf(
      "Generator\n%s\nDiscriminator\n%s",
      nn::summary(gan.generator, Shape{batch, gan.z}).to_string().c_str(),
      nn::summary(gan.discriminator, Shape{batch, gan.image, gan.image, 3}).to_string().c_str());
}

void print_summaries(models::ConditionalGan& gan, std::int64_t batch) {
  const Tensor labels = Tensor::zeros({batch}, DType::i64);
  const auto print = [&](const char* title, models::ConditionalModule& network,
                         const Shape& input) {
    const auto run = [&] { network(Tensor::zeros(input), labels); };
    std::printf("%s\n%s", title, nn::summary(network, input, run).to_string().c_str());
  };
  const std::int64_t S = gan.spec.image;
  print("Generator", gan.generator, {batch, gan.spec.z});
  print("\nDiscriminator", gan.discriminator, {batch, S, S, 3});
}

Inspection::Inspection(const InspectionOptions& options) {
  if (options.profile) {
    const ProfilerOptions profile{.ceilings = ceilings()};
    CachingAllocator& allocator = allocator_in_use();
    allocator.empty_cache();  // of what was just measured with, which was no peak of the run
    allocator.reset_peak();
    allocator.watch_peak(true);
    profiler_ = std::make_unique<ProfilerScope>(profile);
  }
  if (options.anomaly) {
    std::printf("Looking at every result for NaN and infinity: this is slow.\n");
    anomaly_.emplace();
  }
}

void Inspection::write(const RunFolder& folder) {
  if (!profiler_) return;
  const std::string text =
      profiler_->report() + "\nMemory of tensors\n" + allocator_report(allocator_in_use());
  std::printf("\n%s\n", text.c_str());
  write_text(folder.profile(), text);
  write_text(folder.trace(), profiler_->chrome_trace());
  std::printf("Wrote %s and %s (for https://ui.perfetto.dev or chrome://tracing)\n",
              folder.profile().c_str(), folder.trace().c_str());
}

}  // namespace imago::apps
