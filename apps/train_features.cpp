// Trains the recogniser that scores are computed with, on procedural faces.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "apps/support/device.h"
#include "apps/support/flags.h"
#include "apps/support/progress.h"
#include "data/loader.h"
#include "data/procedural/attributes.h"
#include "data/procedural/dataset.h"
#include "kernels/concat/concat.h"
#include "kernels/image/image.h"
#include "kernels/parallel.h"
#include "kernels/resample/resample.h"
#include "models/face_features_trainer.h"

namespace imago::apps {
namespace {

using Clock = std::chrono::steady_clock;
using Attributes = std::array<std::int64_t, data::face_attribute_count>;

struct Options {
  std::string out = "face_features_v1.safetensors";
  int identities = 1000, images = 20, held_out = 4, batch = 128;
  std::int64_t steps = 1800;
  double lr = 3e-3;
  // Of the people: not those of the data set "procedural", which have seed 1.
  std::uint64_t data_seed = 7001;
  std::uint64_t seed = 1;
  int threads = 0;
  std::string device = "auto";
};

std::vector<models::FaceAttribute> attributes() {
  std::vector<models::FaceAttribute> all;
  for (const data::FaceAttributeNames& a : data::face_attributes()) {
    all.push_back({a.name, a.values});
  }
  return all;
}

struct Photograph {
  std::uint32_t person, instance;
};

// The labels of some photographs.
models::FaceLabels labels_of(const Options& o, const std::vector<Photograph>& photographs) {
  const auto N = static_cast<std::int64_t>(photographs.size());
  std::vector<std::int64_t> people;
  std::vector<std::vector<std::int64_t>> columns(data::face_attribute_count);
  for (const Photograph& p : photographs) {
    people.push_back(p.person);
    const Attributes values =
        data::attributes_of(data::sample_identity(o.data_seed, p.person),
                            data::sample_nuisance(o.data_seed, p.person, p.instance));
    for (std::size_t a = 0; a < values.size(); ++a) columns[a].push_back(values[a]);
  }
  models::FaceLabels labels;
  labels.identities = Tensor::from<std::int64_t>(people, {N});
  for (const auto& column : columns) {
    labels.attributes.push_back(Tensor::from<std::int64_t>(column, {N}));
  }
  return labels;
}

// What is scored is often drawn at 32x32, where glasses are a few pixels.
constexpr int low_resolution = 32;

// Images as if they had been of so many pixels a side, enlarged as features_of enlarges them.
Tensor seen_at(int resolution, const Tensor& images) {
  constexpr int S = models::FaceFeatures::image;
  if (resolution == S) return images;
  const Tensor small =
      kernels::resample(images, resolution, resolution, Filter::bilinear_antialias);
  return kernels::resample(small, S, S, Filter::bilinear_antialias);
}

// The second half of a batch of low resolution.
Tensor half_of_low_resolution(const Tensor& images) {
  const std::int64_t N = images.size(0), sharp = N - N / 2;
  const std::array parts = {images.slice(0, sharp),
                            seen_at(low_resolution, images.slice(sharp, N))};
  return kernels::concat(parts);
}

// Runs all steps.
void train(const Options& o, models::FaceFeaturesTrainer& trainer) {
  const auto faces = std::make_shared<data::ProceduralDataset>(
      data::ProceduralFacesOptions{.size = models::FaceFeatures::image,
                                   .seed = o.data_seed,
                                   .identities = static_cast<std::uint32_t>(o.identities),
                                   .images_per_identity = static_cast<std::uint32_t>(o.images)});
  std::printf("%s\n", faces->describe().c_str());
  data::Loader loader(faces, {.batch = o.batch, .seed = o.seed});
  Progress progress(0, o.steps, std::max<std::int64_t>(o.steps / 50, 1));
  auto last_time = Clock::now();
  std::int64_t last_step = 0;
  for (std::int64_t step = 1; step <= o.steps; ++step) {
    std::vector<Photograph> photographs;
    for (const std::int64_t index : loader.indices(step - 1)) {
      photographs.push_back({static_cast<std::uint32_t>(index / o.images),
                             static_cast<std::uint32_t>(index % o.images)});
    }
    const Tensor images = kernels::normalize_u8(loader.next().to(Context::current().device));
    const models::FaceFeaturesStep result =
        trainer.step(half_of_low_resolution(images), labels_of(o, photographs));
    if (!progress.due(step)) continue;
    const double identity = result.identity.item(), attributes = result.attributes.item();
    check(std::isfinite(identity) && std::isfinite(attributes), "train_features",
          "a loss is not finite at step ", step, "; try a smaller --lr or another --seed");
    const auto now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - last_time).count();
    const auto steps = static_cast<double>(step - last_step);
    char text[128];
    std::snprintf(text, sizeof text, "%.3f s a step  loss identity %.3f attributes %.3f",
                  seconds / steps, identity, attributes);
    progress.update(step, steps * o.batch / seconds, text);
    last_time = now;
    last_step = step;
  }
  progress.finish();
}

struct Accuracy {
  double identity = 0;
  std::vector<double> attributes, majority;  // right answers; what the commonest one would get
};

// On the photographs of the same people that training has not seen.
Accuracy measure(const Options& o, models::FaceFeaturesTrainer& trainer, int resolution) {
  constexpr std::int64_t batch = 100;
  constexpr int S = models::FaceFeatures::image;
  const int each = o.images + o.held_out;
  const data::ProceduralFaces faces({.size = S,
                                     .seed = o.data_seed,
                                     .identities = static_cast<std::uint32_t>(o.identities),
                                     .images_per_identity = static_cast<std::uint32_t>(each)});
  const std::int64_t N = std::int64_t{o.identities} * o.held_out;
  Accuracy accuracy;
  accuracy.attributes.resize(data::face_attribute_count);
  std::vector<std::vector<std::int64_t>> counts(data::face_attribute_count);
  for (std::int64_t begin = 0; begin < N; begin += batch) {
    const std::int64_t end = std::min(begin + batch, N);
    std::vector<Photograph> photographs;
    for (std::int64_t i = begin; i < end; ++i) {
      photographs.push_back({static_cast<std::uint32_t>(i / o.held_out),
                             static_cast<std::uint32_t>(o.images + i % o.held_out)});
    }
    Tensor images = Tensor::empty({end - begin, S, S, 3}, DType::u8, Device::cpu());
    std::uint8_t* to = images.mutable_data<std::uint8_t>();
    parallel_for(end - begin, [&](std::int64_t i) {
      const Photograph p = photographs[static_cast<std::size_t>(i)];
      data::FaceImage face;
      faces.get(std::size_t{p.person} * static_cast<std::size_t>(each) + p.instance, face);
      std::copy(face.rgb.begin(), face.rgb.end(), to + i * S * S * 3);
    });
    const models::FaceLabels labels = labels_of(o, photographs);
    const Tensor normalized = kernels::normalize_u8(images.to(Context::current().device));
    const auto hits = trainer.hits(seen_at(resolution, normalized), labels);
    accuracy.identity += static_cast<double>(hits.identities) / static_cast<double>(N);
    for (std::size_t a = 0; a < counts.size(); ++a) {
      accuracy.attributes[a] += static_cast<double>(hits.attributes[a]) / static_cast<double>(N);
      counts[a].resize(data::face_attributes()[a].values.size());
      const Tensor values = labels.attributes[a].to(Device::cpu());
      for (std::int64_t i = 0; i < values.numel(); ++i) {
        counts[a][static_cast<std::size_t>(values.data<std::int64_t>()[i])] += 1;
      }
    }
  }
  for (const auto& count : counts) {
    accuracy.majority.push_back(static_cast<double>(*std::max_element(count.begin(), count.end())) /
                                static_cast<double>(N));
  }
  return accuracy;
}

std::string decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

int run(const Options& o) {
  set_num_threads(o.threads);
  const Device device = use_device(o.device);
  manual_seed(o.seed);
  models::FaceFeatures network(attributes());
  models::FaceFeaturesTrainer trainer(network,
                                      {.identities = o.identities, .steps = o.steps, .lr = o.lr});
  std::printf("%lld parameters, on %s\n", static_cast<long long>(network.num_parameters()),
              describe(device).c_str());
  train(o, trainer);

  Metadata about = {
      {"data", "procedural faces of " + std::to_string(o.identities) + " people, " +
                   std::to_string(o.images) + " of each, seed " + std::to_string(o.data_seed)},
      {"steps", std::to_string(o.steps)},
      {"batch", std::to_string(o.batch)},
      {"seed", std::to_string(o.seed)},
      {"held_out_images", std::to_string(std::int64_t{o.identities} * o.held_out)}};
  for (const int resolution : {models::FaceFeatures::image, low_resolution}) {
    const Accuracy accuracy = measure(o, trainer, resolution);
    std::printf("On %d photographs of each person that were not trained on, at %dx%d:\n",
                o.held_out, resolution, resolution);
    std::printf("  %-12s %.3f right among %d\n", "identity", accuracy.identity, o.identities);
    std::string text;
    for (std::size_t a = 0; a < accuracy.attributes.size(); ++a) {
      const std::string& name = data::face_attributes()[a].name;
      std::printf("  %-12s %.3f right; the commonest answer %.3f\n", name.c_str(),
                  accuracy.attributes[a], accuracy.majority[a]);
      text += (a ? "," : "") + name + ":" + decimal(accuracy.attributes[a]);
    }
    const std::string at = resolution == low_resolution ? "_at_32" : "";
    about["identity_accuracy" + at] = decimal(accuracy.identity);
    about["attribute_accuracy" + at] = text;
  }
  save_safetensors(o.out, network.state_dict(), models::face_features_metadata(network, about));
  std::printf("Wrote %s\n", o.out.c_str());
  return 0;
}

}  // namespace
}  // namespace imago::apps

int main(int argc, char** argv) {
  using namespace imago::apps;
  Flags flags("train_features",
              "Trains the face features that scores are computed with, on procedural faces");
  Options o;
  flags.text("--out", o.out, "File of weights to write");
  flags.number("--steps", o.steps, 1, 0x7fffffff, "Steps in all");
  flags.number("--batch", o.batch, 2, 65536, "Images a step");
  flags.number("--identities", o.identities, 2, 100000, "People to tell apart");
  flags.number("--images", o.images, 1, 1000, "Photographs of each to train on");
  flags.number("--held-out", o.held_out, 1, 1000,
               "Further photographs of each to measure accuracy on");
  flags.number("--lr", o.lr, 1e-8, 1.0, "Highest learning rate");
  flags.seed("--seed", o.seed, "Of weights and the order of images");
  flags.seed("--data-seed", o.data_seed, "Of the people");
  add_device_flag(flags, o.device);
  flags.number("--threads", o.threads, 0, 1024, "CPU threads; 0 means all cores");
  return flags.run(argc, argv, [&] { return run(o); });
}
