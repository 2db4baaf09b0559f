#include "apps/support/translation_data.h"

#include <algorithm>
#include <array>

#include "apps/support/flags.h"
#include "apps/support/score_report.h"
#include "data/procedural/dataset.h"
#include "data/procedural/matted.h"
#include "kernels/concat/concat.h"
#include "kernels/image/image.h"

namespace imago::apps {
namespace {

constexpr int most_held_out = 64;

std::shared_ptr<const data::Dataset> rendered(models::TranslationTask task,
                                              const data::ProceduralFacesOptions& options) {
  if (task == models::TranslationTask::matte) {
    return std::make_shared<data::MattedFaces>(options);
  }
  return std::make_shared<data::ProceduralDataset>(options);
}

// u8 (N, S, S, 3) on the CPU, to look at.
Tensor pictures_of(const Tensor& images) {
  const Tensor colours = images.size(3) == 4 ? models::photograph_of(images) : images;
  const Tensor bytes = kernels::denormalize_u8(colours).to(Device::cpu());
  if (bytes.size(3) == 3) return bytes;
  const std::array grey = {bytes, bytes, bytes};
  return kernels::concat(grey, 3);
}

}  // namespace

std::shared_ptr<const data::Dataset> procedural_people(models::TranslationTask task, int image,
                                                       std::uint64_t seed, int people) {
  return rendered(task, {.size = image,
                         .seed = seed,
                         .identities = static_cast<std::uint32_t>(people),
                         .images_per_identity = 1});
}

void check_translation_data(models::TranslationTask task, const std::string& data) {
  if (task == models::TranslationTask::matte && data != "procedural") {
    throw UsageError(
        "--task matte needs --data procedural: photographs in a folder have no mattes "
        "to learn from, procedural faces know theirs exactly");
  }
}

TranslationData open_translation_data(models::TranslationTask task, const std::string& data,
                                      int image, bool skip_broken) {
  check_translation_data(task, data);
  if (data == "procedural") {
    return {rendered(task, {.size = image}),
            procedural_people(task, image, watched_people, most_held_out)};
  }
  const data::FolderDataset folder(data,
                                   data::FolderOptions{.size = image, .skip_broken = skip_broken});
  const std::int64_t all = folder.size();
  check(all >= 2, "train_translation", data, " holds one image; one more is needed to measure on");
  const std::int64_t held_out = std::clamp(all / 10, std::int64_t{1}, std::int64_t{most_held_out});
  // Not Subset: what replaces a broken image must not be held out, nor the other way round.
  return {std::make_shared<data::FolderDataset>(folder, 0, all - held_out),
          std::make_shared<data::FolderDataset>(folder, all - held_out, all)};
}

Tensor all_images(const data::Dataset& dataset) {
  return kernels::normalize_u8(images_of(dataset, 0, dataset.size()).to(Context::current().device));
}

data::Image comparison_sheet(const std::vector<Tensor>& columns, int rows, int groups) {
  check(!columns.empty() && rows > 0 && groups > 0, "comparison_sheet", "there is nothing to show");
  const std::int64_t have = columns[0].size(0), size = columns[0].size(1);
  const auto across = static_cast<int>(std::min<std::int64_t>(groups, have));
  const auto down = static_cast<int>(std::min<std::int64_t>(rows, have / across));
  const std::int64_t count = std::int64_t{across} * down;
  const auto width = static_cast<std::int64_t>(columns.size());
  Tensor cells = Tensor::empty({count * width, size, size, 3}, DType::u8, Device::cpu());
  for (std::int64_t c = 0; c < width; ++c) {
    const Tensor& column = columns[static_cast<std::size_t>(c)];
    check(column.size(0) == have, "comparison_sheet", "the columns have ", have, " and ",
          column.size(0), " images");
    const Tensor pictures = pictures_of(column.slice(0, count));
    for (std::int64_t i = 0; i < count; ++i) {
      cells.slice(i * width + c, i * width + c + 1).copy_from(pictures.slice(i, i + 1));
    }
  }
  return data::image_grid(cells, down, across * static_cast<int>(width));
}

}  // namespace imago::apps
