// The network that scores are computed with: its form, its training, its files. What does not ask
// for a device runs on the CPU, where one image takes milliseconds.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "kernels/parallel.h"
#include "kernels/random/random.h"
#include "kernels/resample/resample.h"
#include "models/face_features_trainer.h"
#include "models/scores.h"
#include "tests/kernels/random.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

const std::vector<FaceAttribute> two = {{"glasses", {"none", "clear", "dark"}},
                                        {"hair", {"short", "long"}}};

// On the CPU until it goes out of scope.
struct OnCpu {
  OnCpu() {
    Context::current().device = Device::cpu();
    manual_seed(3);
  }
  ContextScope scope;
};

Tensor images(std::int64_t n, std::int64_t size, std::uint64_t seed = 1) {
  Tensor x = kernels::uniform({n, size, size, 3}, DType::f32, {seed, 0, 0}, Device::cpu());
  float* p = x.mutable_data<float>();
  for (std::int64_t i = 0; i < x.numel(); ++i) p[i] = 2 * p[i] - 1;
  return x;
}

void make(std::vector<FaceAttribute> attributes) {
  const FaceFeatures network(std::move(attributes));
}

// Products of another number of rows may be summed in another order.
bool near(const Tensor& a, const Tensor& b) {
  return largest_error(a, b) <= 1e-4 * std::fmax(largest(b), 1e-3);
}

FaceLabels labels() {
  return {Tensor::from<std::int64_t>({0, 1, 2, 1}, {4}),
          {Tensor::from<std::int64_t>({0, 1, 2, 0}, {4}),
           Tensor::from<std::int64_t>({1, 0, 1, 0}, {4})}};
}

// That hits of x (4, 64, 64, 3) with labels() are what the answers of the network are. Its answer
// about identity is not shown: it is the one class of three that is a hit for the image alone.
void check_hits(FaceFeaturesTrainer& trainer, FaceFeatures& network, const Tensor& x,
                const FaceFeaturesTrainer::Hits& hits) {
  const FaceLabels truth = labels();
  const Tensor answers = network.attributes_of(x);  // (4, 2)
  std::vector<std::int64_t> attributes(2);
  std::int64_t identities = 0;
  for (std::int64_t i = 0; i < 4; ++i) {
    for (std::size_t a = 0; a < 2; ++a) {
      attributes[a] += answers.data<std::int64_t>()[2 * i + static_cast<std::int64_t>(a)] ==
                       truth.attributes[a].data<std::int64_t>()[i];
    }
    std::int64_t of_image = 0;
    for (std::int64_t person = 0; person < 3; ++person) {
      const FaceLabels asked = {
          Tensor::from<std::int64_t>({person}, {1}),
          {truth.attributes[0].slice(i, i + 1), truth.attributes[1].slice(i, i + 1)}};
      const std::int64_t hit = trainer.hits(x.slice(i, i + 1), asked).identities;
      of_image += hit;
      if (person == truth.identities.data<std::int64_t>()[i]) identities += hit;
    }
    CHECK(of_image == 1);
  }
  CHECK(hits.identities == identities);
  CHECK(hits.attributes == attributes);
}

}  // namespace

TEST_CASE("face features: size, names, embeddings, attributes") {
  const OnCpu cpu;
  FaceFeatures network(two);
  CHECK(network.num_parameters() == 511'920 + 129 * 5);
  CHECK(network.num_parameters() < 600'000);
  CHECK(network.label() == "untrained");
  CHECK(network.attribute("hair") == 1);
  CHECK(contains(error_of([&] { (void)network.attribute("beard"); }), "glasses, hair"));
  const Tensor x = images(3, 64);
  const Tensor features = network.features_of(x);
  CHECK(features.shape() == Shape{3, 128});
  CHECK(network.training());  // as before
  // An image has its features whatever else is in the batch.
  CHECK(near(features.slice(1, 2), network.features_of(x.slice(1, 2))));
  CHECK_FALSE(near(features.slice(1, 2), features.slice(0, 1)));
  const Tensor values = network.attributes_of(x);
  CHECK(values.shape() == Shape{3, 2});
  CHECK(same_bits(values, network.attributes_of_features(features)));
  const nn::Evaluating mode(network);
  const Tensor logits = network.attribute_logits(network(x)).tensor();
  for (std::int64_t i = 0; i < 3; ++i) {
    const float* row = logits.data<float>() + 5 * i;
    const std::int64_t* value = values.data<std::int64_t>() + 2 * i;
    REQUIRE((value[0] >= 0 && value[0] < 3 && value[1] >= 0 && value[1] < 2));
    for (int c = 0; c < 3; ++c) CHECK(row[c] <= row[value[0]]);
    for (int c = 0; c < 2; ++c) CHECK(row[3 + c] <= row[3 + value[1]]);
  }
  CHECK(contains(error_of([&] { network(images(1, 32)); }), "(N, 64, 64, 3)"));
  CHECK(contains(error_of([&] {
                   network.features_of(Tensor::zeros({4, 64, 64, 1}));
                 }),
                 "features_of"));
}

TEST_CASE("face features: other sizes are resampled, more images than a batch are all there") {
  const OnCpu cpu;
  FaceFeatures network(two);
  const Tensor x = images(1, 100);
  CHECK(same_bits(network.features_of(x),
                  network.features_of(kernels::resample(x, 64, 64, Filter::bilinear_antialias))));
  const Tensor many = images(130, 8);
  const Tensor all = network.features_of(many);
  CHECK(near(all.slice(129, 130), network.features_of(many.slice(129, 130))));
  CHECK_FALSE(near(all.slice(129, 130), all.slice(1, 2)));
}

TEST_CASE("face features on the device agree with those on the CPU") {
  manual_seed(3);
  FaceFeatures network(two);
  const Tensor x = images(1, 64);
  const Tensor here = network.features_of(x);
  CHECK(here.device() == Device::cpu());
  network.to(Device::cpu());
  CHECK(near(here, network.features_of(x)));
}

TEST_CASE(
    "face features are trained: losses fall, answers get right, bits do not depend on threads") {
  const auto trained = [](int threads, std::int64_t steps, bool learn) {
    const OnCpu cpu;
    set_num_threads(threads);
    FaceFeatures network(two);
    FaceFeaturesTrainer trainer(network, {.identities = 3, .steps = steps});
    const Tensor x = images(4, 64);
    const double first = trainer.step(x, labels()).loss.item();
    double last = first;
    while (trainer.steps_done() < steps) last = trainer.step(x, labels()).loss.item();
    if (learn) {
      CHECK(last < 0.7 * first);
      CHECK(contains(error_of([&] { trainer.step(x, labels()); }), "all of its"));
      const auto hits = trainer.hits(x, labels());
      REQUIRE(hits.attributes.size() == 2);
      check_hits(trainer, network, x, hits);
      FaceLabels one = labels();
      one.attributes.pop_back();
      FaceFeaturesTrainer other(network, {.identities = 3, .steps = 1});
      CHECK(contains(error_of([&] { other.step(x, one); }), "2 attributes, not 1"));
    }
    NamedTensors state;
    for (const auto& [name, tensor] : network.state_dict()) state[name] = tensor.clone();
    return state;
  };
  trained(0, 10, true);
  const NamedTensors one = trained(1, 2, false);
  for (const int threads : {2, 3}) {
    const NamedTensors more = trained(threads, 2, false);
    REQUIRE(more.size() == one.size());
    for (const auto& [name, tensor] : one) {
      INFO(name);
      CHECK(same_bits(tensor, more.at(name)));
    }
  }
}

TEST_CASE("face features: a file says what it is, and gives the same features") {
  const OnCpu cpu;
  FaceFeatures network(two);
  const TemporaryFolder folder;
  const fs::path file = folder / "f.safetensors";
  save_safetensors(file, network.state_dict(), face_features_metadata(network, {{"steps", "7"}}));
  CHECK(fs::file_size(file) < 2'400'000);
  const std::uint32_t draw = Context::current().generator.next_draw;
  FaceFeatures loaded = face_features(file);
  CHECK(Context::current().generator.next_draw == draw);
  CHECK(loaded.label().starts_with("face_features version 1, weights "));
  {  // One weight makes another network of it, and says so.
    NamedTensors other;
    for (const auto& [name, tensor] : network.state_dict()) other[name] = tensor.clone();
    other.at("attributes.bias").mutable_data<float>()[0] += 1;
    save_safetensors(folder / "h.safetensors", other, face_features_metadata(network, {}));
    const FaceFeatures changed = face_features(folder / "h.safetensors");
    CHECK(changed.label().size() == loaded.label().size());
    CHECK(changed.label() != loaded.label());
  }
  CHECK(loaded.attributes() == two);
  CHECK(load_safetensors(file).metadata_entry("steps") == "7");
  const Tensor x = images(2, 64);
  CHECK(same_bits(loaded.features_of(x), network.features_of(x)));

  // Scores of images carry the name.
  const Tensor fake = images(10, 16, 1), real = images(10, 16, 2);
  const Scores s = score(loaded, fake, loaded.features_of(real));
  CHECK(s.features == loaded.label());
  CHECK(s.dimensions == 128);
  CHECK(s.frechet_distance() ==
        frechet_distance(loaded.features_of(fake), loaded.features_of(real)));

  const fs::path foreign = folder / "g.safetensors";
  save_safetensors(foreign, network.state_dict());
  CHECK(contains(error_of([&] { load_face_features(foreign); }), "train_features"));
  CHECK(contains(error_of([&] { load_face_features(folder / "none"); }), "none"));
  CHECK(face_attributes_of(to_text(two)) == two);
  CHECK(contains(error_of([] { face_attributes_of("glasses"); }), "NAME:VALUE"));
  CHECK(contains(error_of([] { make({{"a:b", {"x", "y"}}}); }), "a:b"));
  CHECK(contains(error_of([] { make({{"a", {"x"}}}); }), "at least two values"));
  CHECK(contains(error_of([] { make({}); }), "at least one attribute"));
}

TEST_CASE("the committed weights are found, and are those of this version") {
  const OnCpu cpu;
  const TemporaryFolder empty;
  ::setenv("IMAGO_WEIGHTS", empty.path().c_str(), 1);
  const std::string missing = error_of([] { default_face_features(); });
  ::unsetenv("IMAGO_WEIGHTS");
  CHECK(contains(missing, empty.path().string()));
  CHECK(contains(missing, "face_features_v1.safetensors"));
  CHECK(contains(missing, "IMAGO_WEIGHTS"));

  const FaceFeatures network = face_features();
  CHECK(network.label().starts_with("face_features version 1, weights "));
  CHECK(network.attribute("glasses") == 0);
  const SafetensorsFile file = load_safetensors(default_face_features());
  CHECK(std::stod(file.metadata_entry("identity_accuracy")) > 0.3);  // one in a thousand by chance
}
