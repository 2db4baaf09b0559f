// Recognisers: heads, files, and what they say of images as encoders.
#include "models/recogniser.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops/flip.h"
#include "kernels/resample/resample.h"
#include "models/checkpoint_entries.h"
#include "models/recogniser_trainer.h"
#include "tests/kernels/random.h"
#include "tests/models/recogniser_people.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

bool near(const Tensor& a, const Tensor& b) {
  return largest_error(a, b) <= 1e-4 * std::fmax(largest(b), 1e-3);
}

// Mean similarity of images of one person less that of images of two.
double separation(const Tensor& similarity, const Tensor& labels) {
  const std::int64_t N = labels.numel();
  const std::int64_t* person = labels.data<std::int64_t>();
  double same = 0, different = 0;
  std::int64_t same_pairs = 0, different_pairs = 0;
  for (std::int64_t i = 0; i < N; ++i) {
    for (std::int64_t j = 0; j < i; ++j) {
      const double s = similarity.data<float>()[i * N + j];
      (person[i] == person[j] ? same : different) += s;
      (person[i] == person[j] ? same_pairs : different_pairs) += 1;
    }
  }
  return same / static_cast<double>(same_pairs) - different / static_cast<double>(different_pairs);
}

void check_learning(RecognitionHead head) {
  const OnCpu cpu;
  const RecogniserOptions options = tiny(head);
  // These people are far apart from the start: only a wide margin leaves triplets much to learn.
  const double margin = head == RecognitionHead::triplet ? 2 : default_margin(head);
  RecogniserTrainer trainer(Recogniser(options),
                            {.steps = 24, .lr = 5e-3, .margin = margin, .ema = 0});
  const Faces train = faces(4, static_cast<std::int64_t>(options.classes.size()));
  const double first = trainer.step(train.images, train.labels).loss.item();
  RecogniserStep last;
  while (trainer.steps_done() < 24) last = trainer.step(train.images, train.labels);
  CHECK(first > 0);
  CHECK(last.loss.item() < 0.5 * first);
  CHECK(last.accuracy.defined() == (head != RecognitionHead::triplet));
  if (last.accuracy) CHECK(last.accuracy.item() > 0.9);

  const Faces fresh = faces(2, static_cast<std::int64_t>(options.classes.size()), 2);
  RecogniserEncoder encoder(copy_of(trainer.network()), false);  // not seen mirrored
  const Tensor rows = encoder.encode(fresh.images);
  CHECK(separation(encoder.similarity(rows, rows), fresh.labels) > 0.2);
  if (head == RecognitionHead::triplet) {
    CHECK(contains(error_of([&] { encoder.classify(fresh.images); }), "knows no classes"));
    return;
  }
  const Tensor chances = encoder.classify(fresh.images);
  const std::int64_t K = chances.size(1);
  REQUIRE(chances.shape() ==
          Shape{fresh.images.size(0), static_cast<std::int64_t>(options.classes.size())});
  for (std::int64_t i = 0; i < chances.size(0); ++i) {
    const float* p = chances.data<float>() + i * K;
    double sum = 0;
    for (std::int64_t k = 0; k < K; ++k) {
      sum += double{p[k]};
      CHECK(p[k] <= p[fresh.labels.data<std::int64_t>()[i]]);
    }
    CHECK(std::abs(sum - 1) < 1e-5);
  }
}

}  // namespace

TEST_CASE("recogniser: names of heads and their inverses") {
  CHECK(recognition_heads().size() == 6);
  for (const std::string& one : recognition_heads()) CHECK(name(recognition_head(one)) == one);
  CHECK(contains(error_of([] { recognition_head("sphereface"); }), "arcface and triplet"));
}

TEST_CASE("recogniser: what each head answers") {
  const OnCpu cpu;
  const Faces some = faces(1);
  for (const std::string& one : recognition_heads()) {
    INFO(one);
    const RecognitionHead head = recognition_head(one);
    Recogniser network(tiny(head));
    CHECK(network.dimensions() == 16);
    const NoGrad no_grad;
    const Var embeddings = network(some.images);
    CHECK(embeddings.shape() == Shape{4, 16});
    const Tensor answer = network.answer(embeddings).tensor();
    const bool triplet = head == RecognitionHead::triplet;
    CHECK(answer.shape() == Shape{4, head == RecognitionHead::binary ? 1 : triplet ? 16 : 4});
    if (triplet || head == RecognitionHead::cosface || head == RecognitionHead::arcface) {
      CHECK(largest(answer) <= 1 + 1e-5);
    }
    CHECK(network.state_dict().contains("head.weight") == !triplet);
  }
}

TEST_CASE("recogniser: binary learns") {
  check_learning(RecognitionHead::binary);
}
TEST_CASE("recogniser: softmax learns") {
  check_learning(RecognitionHead::softmax);
}
TEST_CASE("recogniser: expression learns") {
  check_learning(RecognitionHead::expression);
}
TEST_CASE("recogniser: cosface learns") {
  check_learning(RecognitionHead::cosface);
}
TEST_CASE("recogniser: arcface learns") {
  check_learning(RecognitionHead::arcface);
}
TEST_CASE("recogniser: triplet learns") {
  check_learning(RecognitionHead::triplet);
}

TEST_CASE("recogniser: a grey one sees luma alone, one in colour sees more") {
  const OnCpu cpu;
  const Tensor x = faces(1).images;
  const Tensor luma = grey_images(x, 32);
  REQUIRE(luma.shape() == Shape{4, 32, 32});
  CHECK(std::abs(luma.data<float>()[5] -
                 (0.299f * x.data<float>()[15] + 0.587f * x.data<float>()[16] +
                  0.114f * x.data<float>()[17])) < 1e-6f);
  CHECK(grey_images(x, 8).shape() == Shape{4, 8, 8});
  Tensor grey = Tensor::empty(x.shape(), DType::f32, Device::cpu());
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    grey.mutable_data<float>()[i] = luma.data<float>()[i / 3];
  }
  RecogniserEncoder blind(Recogniser(tiny(RecognitionHead::softmax, "residual", true)));
  RecogniserEncoder seeing(Recogniser(tiny(RecognitionHead::softmax)));
  CHECK(blind.network().options().cnn.channels == 1);
  CHECK(near(blind.encode(x), blind.encode(grey)));
  CHECK_FALSE(near(seeing.encode(x), seeing.encode(grey)));
  CHECK(blind.label() == "residual, softmax, grey");
  CHECK(seeing.label() == "residual, softmax");
}

TEST_CASE("recogniser: images of other sizes, mirror images, batches") {
  const OnCpu cpu;
  const RecogniserOptions options = tiny(RecognitionHead::softmax);
  const Recogniser network(options);
  RecogniserEncoder both(copy_of(network)), one(copy_of(network), false);
  const Tensor x = faces(1).images, flipped = ops::flip(x, -2).tensor();
  CHECK(near(both.encode(x), both.encode(flipped)));
  CHECK_FALSE(near(one.encode(x), one.encode(flipped)));
  const Tensor rows = one.encode(x);
  const Tensor cosines = one.similarity(rows, rows.slice(1, 3));
  CHECK(cosines.shape() == Shape{4, 2});
  CHECK(std::abs(cosines.data<float>()[2] - 1) < 1e-5f);  // of image 1 with itself: length 1
  CHECK(near(one.encode(x.slice(2, 3)), rows.slice(2, 3)));

  const Tensor large = faces(1, people, 1, 50).images;
  CHECK(same_bits(both.encode(large),
                  both.encode(kernels::resample(large, 32, 32, Filter::bilinear_antialias))));
  RecogniserOptions small = options;
  small.cnn.base = 1;
  RecogniserEncoder quick{Recogniser(small), false};
  const Tensor many = faces(33, people, 5, 16).images;  // 132: more than a batch
  CHECK(near(quick.encode(many).slice(130, 131), quick.encode(many.slice(130, 131))));
  CHECK(contains(error_of([&] { one.encode(Tensor::zeros({1, 32, 32, 1})); }), "(N, H, W, 3)"));
  Recogniser other = copy_of(network);
  CHECK(contains(error_of([&] { other(large); }), "(N, 32, 32, 3)"));
}

TEST_CASE("recogniser: files of weights give the same network, others are refused") {
  const OnCpu cpu;
  const TemporaryFolder folder;
  for (const RecognitionHead head : {RecognitionHead::cosface, RecognitionHead::triplet}) {
    INFO(name(head));
    RecogniserOptions options = tiny(head, "vgg", true);
    options.cnn.dropout = 0.25;
    options.scale = 12.5;
    Recogniser network(options);
    const fs::path file = folder / "w.safetensors";
    save_recogniser(file, network, {{"accuracy", "0.5"}});
    const std::uint32_t draw = Context::current().generator.next_draw;
    const Recogniser loaded = load_recogniser(file);
    CHECK(Context::current().generator.next_draw == draw);
    CHECK(loaded.options().classes == options.classes);
    CHECK(loaded.options().head == head);
    CHECK(loaded.options().grey);
    CHECK(loaded.options().scale == 12.5);
    CHECK(loaded.options().cnn.dropout == 0.25);
    for (const auto& [key, tensor] : network.state_dict()) {
      INFO(key);
      CHECK(same_bits(tensor, loaded.state_dict().at(key)));
    }
    CHECK(load_safetensors(file).metadata_entry("accuracy") == "0.5");
    CHECK(contains(error_of([&] { save_recogniser(file, network, {{"head", "x"}}); }), "'head'"));
  }
  SafetensorsFile file{"other.safetensors", {}, {{"format", checkpoint_format::vae}}};
  CHECK(contains(error_of([&] { load_recogniser(file); }), "holds a VAE, written by train_vae"));
  file.metadata["format"] = checkpoint_format::recogniser;
  CHECK(contains(error_of([&] { refuse_checkpoint(file, "a VAE"); }), "written by train_cnn"));
}

TEST_CASE("recogniser: classes that make no sense are named") {
  const auto refused = [](RecognitionHead head, std::vector<std::string> classes) {
    RecogniserOptions options = tiny(head);
    options.classes = std::move(classes);
    return error_of([&] { check_recogniser(options); });
  };
  CHECK(contains(refused(RecognitionHead::binary, {"a", "b", "c"}), "2 classes"));
  CHECK(contains(refused(RecognitionHead::softmax, {"a"}), "at least 2"));
  CHECK(contains(refused(RecognitionHead::triplet, {}), "at least 2"));
  CHECK(contains(refused(RecognitionHead::arcface, {"a", "b", "a"}), "two classes"));
  CHECK(contains(refused(RecognitionHead::softmax, {"a", "b\nc"}), "line break"));
  CHECK(contains(refused(RecognitionHead::softmax, {"a", ""}), "empty"));
}
