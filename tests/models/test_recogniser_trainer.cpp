// The training step of recognisers: resuming, what decays, averages, what is refused.
#include "models/recogniser_trainer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "autograd/random.h"
#include "models/checkpoint_entries.h"
#include "tests/kernels/random.h"
#include "tests/models/recogniser_people.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

// With dropout, which draws.
RecogniserTrainer small(const RecogniserTrainerOptions& options,
                        RecognitionHead head = RecognitionHead::arcface) {
  manual_seed(5);
  RecogniserOptions network = tiny(head);
  network.cnn.base = 2;
  network.cnn.dropout = 0.3;
  return {Recogniser(network), options};
}

fs::path saved(const RecogniserTrainer& trainer, const fs::path& path) {
  save_safetensors(path, trainer.state(), trainer.metadata());
  return path;
}

void take(RecogniserTrainer& trainer, std::uint64_t seed) {
  const Faces batch = faces(2, people, seed);
  trainer.step(batch.images, batch.labels);
}

NamedTensors copied(const NamedTensors& state) {
  NamedTensors copy;
  for (const auto& [name, tensor] : state) copy[name] = tensor.clone();
  return copy;
}

}  // namespace

TEST_CASE("recogniser: N steps, save, load and M steps equal N + M steps byte for byte") {
  for (const std::string optimizer : {"adamw", "sgd"}) {
    INFO(optimizer);
    const OnCpu cpu;
    const RecogniserTrainerOptions options{
        .steps = 5, .optimizer = optimizer, .ema = 0.9, .seed = 7};
    const TemporaryFolder folder;
    RecogniserTrainer whole = small(options);
    for (std::uint64_t s = 1; s <= 4; ++s) take(whole, s);
    RecogniserTrainer first = small(options);
    for (std::uint64_t s = 1; s <= 2; ++s) take(first, s);
    const fs::path half = saved(first, folder / "half.safetensors");
    RecogniserTrainer second = small(options);
    take(second, 9);  // whatever was there before is replaced
    second.load(load_safetensors(half));
    CHECK(second.steps_done() == 2);
    for (std::uint64_t s = 3; s <= 4; ++s) {
      randn({3});  // somebody else's draw
      take(second, s);
    }
    const fs::path end = saved(whole, folder / "a.safetensors");
    CHECK(read_bytes(end) == read_bytes(saved(second, folder / "b.safetensors")));
    CHECK(read_bytes(end) != read_bytes(half));

    // What is used is the average, from the file as from the trainer.
    const Recogniser loaded = load_recogniser(end);
    const NamedTensors used = whole.network().state_dict();
    const NamedTensors trained = entries_under(whole.state(), "network");
    REQUIRE(loaded.state_dict().size() == used.size());
    for (const auto& [name, tensor] : loaded.state_dict()) {
      INFO(name);
      CHECK(same_bits(tensor, used.at(name)));
    }
    CHECK_FALSE(same_bits(used.at("head.weight"), trained.at("head.weight")));
  }
}

TEST_CASE("recogniser: the number of threads does not change a bit of training") {
  const OnCpu cpu;
  std::vector<NamedTensors> states;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    RecogniserTrainer trainer = small({.steps = 5});
    for (std::uint64_t s = 1; s <= 2; ++s) take(trainer, s);
    states.push_back(trainer.state());
  }
  for (const auto& [name, tensor] : states[0]) {
    INFO(name);
    CHECK(same_bits(tensor, states[1].at(name)));
    CHECK(same_bits(tensor, states[2].at(name)));
  }
}

// Adam's own change does not depend on the decay in its first step, so that two runs differ in it
// by what decayed alone.
TEST_CASE("recogniser: weights decay; biases, norms and slopes do not") {
  const OnCpu cpu;
  RecogniserTrainer with = small({.steps = 1, .lr = 1e-3, .weight_decay = 10, .ema = 0});
  RecogniserTrainer without = small({.steps = 1, .lr = 1e-3, .weight_decay = 0, .ema = 0});
  const NamedTensors before = copied(with.network().state_dict());
  take(with, 1);
  take(without, 1);
  const NamedTensors a = with.network().state_dict(), b = without.network().state_dict();
  int weights = 0, others = 0;
  for (const auto& [name, var] : with.network().named_parameters()) {
    INFO(name);
    if (var.dim() < 2) {
      CHECK(same_bits(a.at(name), b.at(name)));
      ++others;
      continue;
    }
    const Tensor &old = before.at(name), &less = a.at(name), &same = b.at(name);
    double worst = 0;
    for (std::int64_t i = 0; i < old.numel(); ++i) {
      const double lost = double{same.data<float>()[i]} - double{less.data<float>()[i]};
      const double error = std::abs(lost - 0.01 * double{old.data<float>()[i]});
      if (!(error <= worst)) worst = error;
    }
    CHECK(worst <= 1e-6 * (1 + largest(old)));
    CHECK(largest_error(less, same) > 1e-4);
    ++weights;
  }
  CHECK(weights == 1 + 4 * 2 + 3 + 1 + 1);
  CHECK(others == 2 + 1 + 4 * (6 + 1) + 3 * 2 + 2 + 2);
}

TEST_CASE("recogniser: without an average the network itself is used") {
  const OnCpu cpu;
  RecogniserTrainer trainer = small({.steps = 3, .ema = 0});
  take(trainer, 1);
  CHECK(entries_under(trainer.state(), "average").empty());
  const TemporaryFolder folder;
  const Recogniser loaded = load_recogniser(saved(trainer, folder / "n.safetensors"));
  for (const auto& [name, tensor] : trainer.network().state_dict()) {
    INFO(name);
    CHECK(same_bits(tensor, loaded.state_dict().at(name)));
  }
}

TEST_CASE("recogniser: a body's weights go on under another head") {
  const OnCpu cpu;
  RecogniserTrainer from = small({.steps = 3, .ema = 0}, RecognitionHead::softmax);
  take(from, 1);
  RecogniserTrainer to = small({.steps = 3}, RecognitionHead::triplet);
  to.start_from(from.network());
  const NamedTensors want = from.network().body().state_dict();
  for (const char* part : {"network.body", "average.body"}) {
    for (const auto& [name, tensor] : entries_under(to.state(), part)) {
      INFO(part << "." << name);
      CHECK(same_bits(tensor, want.at(name)));
    }
  }
  take(to, 2);
  CHECK(contains(error_of([&] { to.start_from(from.network()); }), "before its first step"));

  RecogniserOptions other = from.network().options();
  other.grey = true;
  other.cnn.base = 3;
  RecogniserTrainer grey(Recogniser(other), {.steps = 3});
  const std::string error = error_of([&] { grey.start_from(from.network()); });
  CHECK(contains(error, "its input is rgb, here it is grey"));
  CHECK(contains(error, "its base is 2, here it is 3"));
  CHECK_FALSE(contains(error, "its image"));
}

TEST_CASE("recogniser: files of another run, labels and options that make no sense are refused") {
  const OnCpu cpu;
  const RecogniserTrainerOptions options{.steps = 3, .seed = 7};
  RecogniserTrainer trainer = small(options);
  const SafetensorsFile file{"r.safetensors", trainer.state(), trainer.metadata()};
  const auto refuses = [&](RecogniserTrainer&& other, const char* part) {
    CHECK_THROWS_WITH_AS(other.load(file), doctest::Contains(part), Error);
  };
  refuses(small({.steps = 3, .seed = 8}), "seed 7, not 8");
  refuses(small({.steps = 4, .seed = 7}), "steps 3, not 4");
  refuses(small({.steps = 3, .ema = 0, .seed = 7}), "ema 0.999");
  refuses(small({.steps = 3, .scale = 20, .seed = 7}), "scale 30, not 20");
  refuses(small(options, RecognitionHead::softmax), "head arcface");
  SafetensorsFile weights = file;
  weights.metadata["format"] = checkpoint_format::recogniser_weights;
  CHECK(contains(error_of([&] { trainer.load(weights); }), "holds weights of a recogniser"));

  const Tensor images = faces(1).images;
  const auto labelled = [&](std::int64_t wrong) {
    return error_of([&] {
      trainer.step(images, Tensor::from<std::int64_t>({0, 1, wrong, 3}, {4}));
    });
  };
  CHECK(contains(labelled(4), "label 2 is 4"));
  CHECK(contains(labelled(-1), "label 2 is -1"));
  CHECK(contains(error_of([&] { trainer.step(images, Tensor::zeros({4})); }), "i64"));
  CHECK(trainer.steps_done() == 0);

  const auto wrong = [](const RecogniserTrainerOptions& o) {
    return error_of([&] { check_recogniser_training(o); });
  };
  CHECK(contains(wrong({.steps = 0}), "at least 1 step"));
  CHECK(contains(wrong({.optimizer = "adam"}), "adamw and sgd"));
  CHECK(contains(wrong({.lr = 0}), "lr"));
  CHECK(contains(wrong({.weight_decay = std::nan("")}), "weight decay"));
  CHECK(contains(wrong({.label_smoothing = 1}), "label smoothing"));
  CHECK(contains(wrong({.scale = -1}), "scale"));
  CHECK(contains(wrong({.ema = 1}), "ema"));
  CHECK(contains(error_of([] { small({.margin = 2}); }), "angle"));
  CHECK(default_margin(RecognitionHead::arcface) == 0.5);
  CHECK(default_margin(RecognitionHead::softmax) == 0);
}

TEST_CASE("recogniser: accuracy is the share of right answers before the update") {
  const OnCpu cpu;
  for (const RecognitionHead head : {RecognitionHead::binary, RecognitionHead::softmax}) {
    INFO(name(head));
    RecogniserOptions options = tiny(head);
    options.cnn.base = 2;
    RecogniserTrainer trainer(Recogniser(options), {.steps = 3, .ema = 0});
    const Faces batch = faces(3, static_cast<std::int64_t>(options.classes.size()));
    const std::int64_t N = batch.labels.numel();
    Recogniser before = copy_of(trainer.network());
    const NoGrad no_grad;
    const Tensor answer = before.answer(before(batch.images)).tensor();
    const std::int64_t K = answer.size(1);
    std::int64_t hits = 0;
    for (std::int64_t i = 0; i < N; ++i) {
      const float* row = answer.data<float>() + i * K;
      std::int64_t said = K == 1 ? row[0] > 0 : 0;
      for (std::int64_t k = 1; k < K; ++k) said = row[k] > row[said] ? k : said;
      hits += said == batch.labels.data<std::int64_t>()[i];
    }
    const GradMode recording(true);
    const double accuracy = trainer.step(batch.images, batch.labels).accuracy.item();
    CHECK(std::abs(accuracy - static_cast<double>(hits) / static_cast<double>(N)) < 1e-6);
  }
}
