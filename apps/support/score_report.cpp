#include "apps/support/score_report.h"

#include <algorithm>
#include <cstdio>

#include "kernels/image/image.h"
#include "kernels/parallel.h"
#include "models/checkerboard.h"
#include "tensor/random_stream.h"

namespace imago::apps {
std::optional<Modes> find_modes(models::FaceFeatures& network, const Tensor& fake,
                                const Tensor& real) {
  std::vector<std::int64_t> columns;
  Modes modes;
  for (std::size_t i = 0; i < network.attributes().size(); ++i) {
    const models::FaceAttribute& a = network.attributes()[i];
    for (const char* wanted : {"glasses", "beard", "hair", "skin"}) {
      if (a.name != wanted) continue;
      columns.push_back(static_cast<std::int64_t>(i));
      modes.attributes.push_back(a);
    }
  }
  if (columns.empty()) return {};
  modes.coverage = models::mode_coverage(
      models::select_attributes(network.attributes_of_features(fake), columns),
      models::select_attributes(network.attributes_of_features(real), columns));
  return modes;
}

std::string describe(const models::Mode& mode, const std::vector<models::FaceAttribute>& of) {
  std::string text;
  for (std::size_t i = 0; i < of.size(); ++i) {
    text += (i ? ", " : "") + of[i].name + " " +
            of[i].values.at(static_cast<std::size_t>(mode.values.at(i)));
  }
  return text;
}

std::string note_on(const Modes& modes) {
  if (modes.coverage.modes > 0) return "";
  return "no combination of attributes comes often enough among the real images to be a mode, so "
         "there is nothing to cover; take more images";
}

void print_scores(const models::Scores& s, std::optional<double> untrained,
                  const std::optional<Modes>& modes) {
  std::printf("on %lld features of %s:\n", static_cast<long long>(s.dimensions),
              s.features.c_str());
  std::printf("Fréchet distance                      %.4f", s.frechet_distance());
  if (untrained) {
    std::printf("   untrained generator %.4f   ratio %.3f", *untrained,
                s.frechet_distance() / *untrained);
  }
  std::printf("\n  from %lld images %.4f, from %lld %.4f, extrapolated to infinitely many %.4f\n",
              static_cast<long long>(s.frechet.samples[0]), s.frechet.distance[0],
              static_cast<long long>(s.frechet.samples[1]), s.frechet.distance[1],
              s.frechet.at_infinity);
  std::printf("kernel distance                       %.5f", s.kernel.value);
  if (s.kernel.blocks > 1) std::printf(" +- %.5f", s.kernel.error);
  std::printf("   %lld blocks of %lld\n", static_cast<long long>(s.kernel.blocks),
              static_cast<long long>(s.kernel.block));
  std::printf("sliced Wasserstein of features        %.4f   %d directions\n", s.sliced_wasserstein,
              s.directions);
  std::printf("precision %.3f   recall %.3f   density %.3f   coverage %.3f   k = %d\n",
              s.manifold.precision, s.manifold.recall, s.manifold.density, s.manifold.coverage,
              s.manifold.k);
  if (modes) {
    const models::ModeCoverage& c = modes->coverage;
    std::string names;
    for (const models::FaceAttribute& a : modes->attributes) {
      names += (names.empty() ? "" : " x ") + a.name;
    }
    std::printf("modes of %s: %lld of %lld covered, %.1f%% of the real images in them\n",
                names.c_str(), static_cast<long long>(c.covered), static_cast<long long>(c.modes),
                100 * c.mass);
    std::printf("  histograms differ by %.3f; %.1f%% of the samples are of no real mode\n",
                c.difference, 100 * c.invented);
    constexpr std::size_t most = 5;
    for (std::size_t i = 0; i < std::min(most, c.missing.size()); ++i) {
      std::printf("  missing: %s (%lld real images)\n",
                  describe(c.missing[i], modes->attributes).c_str(),
                  static_cast<long long>(c.missing[i].real));
    }
    if (c.missing.size() > most) {
      std::printf("  and %zu more\n", c.missing.size() - most);
    }
  }
  for (const std::string& warning : s.warnings) std::printf("note: %s\n", warning.c_str());
  if (modes && !note_on(*modes).empty()) std::printf("note: %s\n", note_on(*modes).c_str());
}

Json to_json(const models::Scores& s) {
  Json sizes = Json::array();
  for (std::size_t i = 0; i < s.frechet.samples.size(); ++i) {
    sizes.push_back(
        {{"samples", s.frechet.samples[i]}, {"distance", json_number(s.frechet.distance[i])}});
  }
  return {{"features", s.features},
          {"dimensions", s.dimensions},
          {"fakes", s.fakes},
          {"reals", s.reals},
          {"frechet_distance", json_number(s.frechet_distance())},
          {"frechet_by_size", sizes},
          {"frechet_at_infinity", json_number(s.frechet.at_infinity)},
          {"kernel_distance", json_number(s.kernel.value)},
          {"kernel_distance_error", json_number(s.kernel.error)},
          {"kernel_blocks", s.kernel.blocks},
          {"kernel_block", s.kernel.block},
          {"sliced_wasserstein_of_features", json_number(s.sliced_wasserstein)},
          {"sliced_wasserstein_directions", s.directions},
          {"neighbours", s.manifold.k},
          {"precision", json_number(s.manifold.precision)},
          {"recall", json_number(s.manifold.recall)},
          {"density", json_number(s.manifold.density)},
          {"coverage", json_number(s.manifold.coverage)},
          {"notes", s.warnings}};
}

Json to_json(const Modes& modes) {
  Json names = Json::array(), missing = Json::array();
  for (const models::FaceAttribute& a : modes.attributes) names.push_back(a.name);
  for (const models::Mode& mode : modes.coverage.missing) {
    missing.push_back({{"mode", describe(mode, modes.attributes)}, {"real", mode.real}});
  }
  Json json = {{"attributes", names},
               {"modes", modes.coverage.modes},
               {"covered", modes.coverage.covered},
               {"mass", json_number(modes.coverage.mass)},
               {"difference", json_number(modes.coverage.difference)},
               {"invented", json_number(modes.coverage.invented)},
               {"missing", missing}};
  if (const std::string note = note_on(modes); !note.empty()) json["note"] = note;
  return json;
}

Json print_checkerboards(const Tensor& fake, const Tensor& real, const Tensor& untrained) {
  const double energy = models::checkerboard_energy(fake);
  const double of_real = models::checkerboard_energy(real);
  Json json = {{"checkerboard_energy", energy}, {"checkerboard_energy_of_real", of_real}};
  std::printf("energy that alternates between pixels %.5f", energy);
  if (untrained) {
    json["checkerboard_energy_untrained"] = models::checkerboard_energy(untrained);
    std::printf("   untrained generator %.5f", json["checkerboard_energy_untrained"].get<double>());
  }
  std::printf("   real images %.5f", of_real);
  if (of_real > 0) std::printf("   ratio %.3f", energy / of_real);
  std::printf("\n");
  return json;
}

Tensor images_of(const data::Dataset& dataset, std::int64_t begin, std::int64_t end) {
  const std::int64_t S = dataset.image_size(), C = dataset.channels(), bytes = S * S * C;
  Tensor images = Tensor::empty({end - begin, S, S, C}, DType::u8, Device::cpu());
  std::uint8_t* to = images.mutable_data<std::uint8_t>();
  parallel_for(end - begin, [&](std::int64_t i) {
    RandomStream no_augmentation(0);
    dataset.get(begin + i, no_augmentation, to + i * bytes);
  });
  return images;
}

data::Image neighbour_sheet(models::FaceFeatures& network, const Tensor& images,
                            const data::Dataset& dataset, std::int64_t rows, int columns) {
  const std::int64_t S = dataset.image_size(), have = dataset.size();
  check(images.size(1) == S && images.size(2) == S, "neighbour_sheet", "the images are ",
        images.shape(), " but those of the data set ", S, " x ", S);
  rows = std::min(rows, images.size(0));
  columns = static_cast<int>(std::min<std::int64_t>(columns, have));
  const Tensor samples = images.slice(0, rows);
  Tensor features =
      Tensor::empty({have, models::FaceFeatures::dimensions}, DType::f32, Device::cpu());
  constexpr std::int64_t batch = 512;
  for (std::int64_t i = 0; i < have; i += batch) {
    const std::int64_t end = std::min(i + batch, have);
    features.slice(i, end).copy_from(
        network.features_of(kernels::normalize_u8(images_of(dataset, i, end))));
  }
  const models::Neighbours near =
      models::nearest_neighbours(network.features_of(samples), features, columns);
  const Tensor sample_bytes = kernels::denormalize_u8(samples.to(Device::cpu()));
  Tensor cells = Tensor::empty({rows * (columns + 1), S, S, 3}, DType::u8, Device::cpu());
  std::int64_t cell = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    cells.slice(cell, cell + 1).copy_from(sample_bytes.slice(r, r + 1));
    ++cell;
    for (int c = 0; c < columns; ++c, ++cell) {
      const std::int64_t index = near.index.data<std::int64_t>()[r * columns + c];
      cells.slice(cell, cell + 1).copy_from(images_of(dataset, index, index + 1));
    }
  }
  return data::image_grid(cells, static_cast<int>(rows), columns + 1);
}

}  // namespace imago::apps
