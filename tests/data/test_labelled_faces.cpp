#include "data/labelled_faces.h"

#include <doctest/doctest.h>

#include <numeric>

#include "data/procedural/attributes.h"
#include "data/procedural/dataset.h"
#include "pictures.h"
#include "tensor/context.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::data;
using namespace imago::data::test;
using namespace imago::test;

namespace {

const ProceduralFacesOptions people{
    .size = 8, .seed = 1, .identities = 60, .images_per_identity = 3};

// Image i is all i.
class Numbers final : public Dataset {
 public:
  std::int64_t size() const override { return 20; }
  int image_size() const override { return 4; }
  void get(std::int64_t index, RandomStream&, std::uint8_t* out) const override {
    std::fill(out, out + 4 * 4 * 3, static_cast<std::uint8_t>(index));
  }
  std::string describe() const override { return "numbers"; }
};

// What attributes_of calls a face.
std::string word(const std::string& attribute, const FaceIdentity& face,
                 const FaceNuisance& nuisance) {
  const auto values = attributes_of(face, nuisance);
  for (std::size_t a = 0; a < values.size(); ++a) {
    const FaceAttributeNames& names = face_attributes()[a];
    if (names.name == attribute) return names.values.at(static_cast<std::size_t>(values[a]));
  }
  return "no such attribute";
}

// Image i is of class i % 3.
Labels of_numbers() {
  Labels labels{{"a", "b", "c"}, {}};
  for (std::int64_t i = 0; i < 20; ++i) labels.images.push_back(i % 3);
  return labels;
}

Faces numbers(const FacesOptions& options, const Labels& labels = of_numbers()) {
  return Faces(std::make_shared<Numbers>(), options, std::make_shared<const Labels>(labels));
}

}  // namespace

TEST_CASE("labels: every batch has the classes of its own images, in every epoch") {
  for (const int workers : {0, 2}) {
    for (const bool balance : {false, true}) {
      const Faces faces = numbers({.batch = 6, .seed = 3, .workers = workers, .balance = balance});
      CHECK(faces.labelled());
      CHECK(faces.labels().classes.size() == 3);
      CHECK(faces.size() == 20);
      std::int64_t expected = 1;
      for (auto&& batch : faces.stream(11, Device::cpu())) {
        CHECK(batch.step == expected++);
        REQUIRE(batch.real.shape() == Shape{6, 4, 4, 3});
        REQUIRE(batch.labels.shape() == Shape{6});
        REQUIRE(batch.labels.dtype() == DType::i64);
        for (int i = 0; i < 6; ++i) {
          const float shown = (batch.real.data<float>()[i * 4 * 4 * 3] + 1) * 127.5f;
          const auto number = static_cast<std::int64_t>(shown + 0.5f);
          CHECK(batch.labels.data<std::int64_t>()[i] == number % 3);
        }
      }
      CHECK(expected == 12);
    }
  }
}

TEST_CASE("labels: a stream is that of Faces, and resumes after any step") {
  const FacesOptions options{.batch = 6, .seed = 3, .workers = 0};
  const Faces faces = numbers(options);
  const Faces plain(std::make_shared<Numbers>(), options);
  CHECK_FALSE(plain.labelled());
  std::vector<Tensor> images, labels;
  for (auto&& batch : plain.stream(7, Device::cpu())) {
    images.push_back(batch.real);
    CHECK_FALSE(batch.labels.defined());
  }
  for (auto&& batch : faces.stream(7, Device::cpu())) {
    CHECK(same_bits(batch.real, images.at(static_cast<std::size_t>(batch.step - 1))));
    labels.push_back(batch.labels);
  }
  REQUIRE(labels.size() == 7);
  std::int64_t next = 4;
  for (auto&& batch : faces.stream(7, Device::cpu(), 4)) {
    CHECK(batch.step == ++next);
    const auto i = static_cast<std::size_t>(batch.step - 1);
    CHECK(same_bits(batch.real, images[i]));
    CHECK(same_bits(batch.labels, labels[i]));
  }
  CHECK(next == 7);
}

TEST_CASE("labels: a balanced stream shows each class as often, and resumes after any step") {
  Labels rare{{"a", "b", "never"}, std::vector<std::int64_t>(20, 0)};
  rare.images[7] = rare.images[12] = 1;  // 2 of 20; no image is of the third class
  const FacesOptions options{.batch = 6, .seed = 3, .workers = 2, .balance = true};
  const Faces faces = numbers(options, rare);
  std::vector<FacesBatch> whole;
  std::vector<int> shown(20, 0);
  for (auto&& batch : faces.stream(9, Device::cpu())) {
    whole.push_back(batch);
    std::int64_t rare_ones = 0;
    for (int i = 0; i < 6; ++i) {
      const float value = (batch.real.data<float>()[i * 4 * 4 * 3] + 1) * 127.5f;
      shown.at(static_cast<std::size_t>(value + 0.5f)) += 1;
      rare_ones += batch.labels.data<std::int64_t>()[i];
    }
    CHECK(rare_ones == 3);  // half, in batches of whole turns of two
  }
  REQUIRE(whole.size() == 9);
  // In three epochs of 18 samples each of two images comes 27 / 2 times, each of 18 27 / 18 times.
  for (std::size_t i = 0; i < 20; ++i) {
    CAPTURE(i);
    CHECK(shown[i] >= (rare.images[i] == 1 ? 12 : 0));
    CHECK(shown[i] <= (rare.images[i] == 1 ? 15 : 3));
  }
  for (const std::int64_t start : {2, 3, 7}) {
    std::int64_t next = start;
    for (auto&& batch : faces.stream(9, Device::cpu(), start)) {
      const FacesBatch& want = whole.at(static_cast<std::size_t>(next++));
      CHECK(same_bits(batch.real, want.real));
      CHECK(same_bits(batch.labels, want.labels));
    }
    CHECK(next == 9);
  }
  CHECK(
      contains(error_of([] { Faces(std::make_shared<Numbers>(), {.batch = 2, .balance = true}); }),
               "give labels too"));
}

TEST_CASE("labels: the seed of manual_seed is the default, for images and labels alike") {
  const ContextScope scope;
  manual_seed(77);
  const Faces faces = numbers({.batch = 6});
  manual_seed(78);
  auto stream = faces.stream(1, Device::cpu());
  const auto batch = *stream.begin();
  const Faces named = numbers({.batch = 6, .seed = 77});
  auto again = named.stream(1, Device::cpu());
  const auto first = again.begin();
  CHECK(same_bits(first->labels, batch.labels));
  CHECK(same_bits(first->real, batch.real));
}

TEST_CASE("labels: what procedural faces are is what they are made of") {
  for (const std::string& name : procedural_label_names()) {
    CAPTURE(name);
    const Labels labels = procedural_labels(people, name);
    REQUIRE(labels.images.size() == 180);
    const std::vector<std::int64_t> counts = labels.counts();
    CHECK(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}) == 180);
    int seen = 0;
    for (const std::int64_t count : counts) seen += count > 0;
    CHECK(seen >= 2);
    for (std::size_t i = 0; i < 180; ++i) {
      const auto person = static_cast<std::uint32_t>(i / 3),
                 photo = static_cast<std::uint32_t>(i % 3);
      const FaceIdentity face = sample_identity(people.seed, person);
      const FaceNuisance nuisance = sample_nuisance(people.seed, person, photo);
      const std::string& is = labels.classes.at(static_cast<std::size_t>(labels.images[i]));
      const auto yes = [](bool b) { return std::string(b ? "yes" : "no"); };
      if (name == "identity") CHECK(is == std::to_string(person));
      if (name == "glasses") CHECK(is == yes(word("glasses", face, nuisance) != "none"));
      if (name == "beard") CHECK(is == yes(word("beard", face, nuisance) != "none"));
      if (name == "long-hair") CHECK(is == yes(word("hair", face, nuisance) == "long"));
      if (name == "smile") CHECK(is == yes(nuisance.expression == Expression::happy));
      if (name == "expression") CHECK(is == data::name(nuisance.expression));
      if (name == "occlusion") CHECK(is == data::name(nuisance.occlusion));
    }
  }
  // Sunglasses are glasses, also on people who have none of their own.
  const Labels glasses =
      procedural_labels({.size = 8, .identities = 1000, .images_per_identity = 1}, "glasses");
  int dark = 0;
  for (std::uint32_t person = 0; person < 1000; ++person) {
    dark += glasses.images[person] == 1 && sample_identity(1, person).glasses < 0.5f;
  }
  CHECK(dark > 0);
  CHECK(procedural_labels(people, "identity").classes.size() == 60);
  CHECK(procedural_labels(people, "expression").classes.size() == expression_count);
  CHECK(contains(error_of([] { procedural_labels(people, "hat"); }), "choose one of identity"));
}

TEST_CASE("labels: procedural faces by name") {
  const Faces faces =
      labelled_faces("procedural", "glasses", {.size = 8, .batch = 5, .seed = 2, .workers = 0});
  CHECK(faces.size() == 10'000);
  CHECK(faces.labels().classes == std::vector<std::string>{"no", "yes"});
  auto stream = faces.stream(1, Device::cpu());
  const auto at = stream.begin();
  const Loader loader(std::make_shared<ProceduralDataset>(ProceduralFacesOptions{.size = 8}),
                      {.batch = 5, .seed = 2, .workers = 0});
  const std::vector<std::int64_t> images = loader.indices(0);
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(at->labels.data<std::int64_t>()[i] ==
          faces.labels().images[static_cast<std::size_t>(images[i])]);
  }
}

TEST_CASE("labels: faces of a class together, as many of each in every batch") {
  const FacesOptions options{
      .size = 8, .batch = 12, .seed = 2, .workers = 0, .balance = true, .together = 3};
  const ProceduralFacesOptions people{.size = 8, .identities = 4, .images_per_identity = 6};
  const auto labels = std::make_shared<Labels>(procedural_labels(people, "identity"));
  const Faces faces(std::make_shared<ProceduralDataset>(people), options, labels);
  for (auto&& batch : faces.stream(5, Device::cpu())) {
    const std::int64_t* label = batch.labels.data<std::int64_t>();
    std::vector<int> counts(4, 0);
    for (std::size_t i = 0; i < 12; ++i) {
      CHECK(label[i] == label[i - i % 3]);
      counts[static_cast<std::size_t>(label[i])] += 1;
    }
    CHECK(counts == std::vector<int>(4, 3));
  }
  FacesOptions unbalanced = options;
  unbalanced.balance = false;
  CHECK(contains(
      error_of([&] { Faces(std::make_shared<ProceduralDataset>(people), unbalanced, labels); }),
      "give `balance` too"));
}

TEST_CASE("labels: a text file gives the classes of a folder") {
  const TemporaryFolder scratch;
  for (const char* name : {"b/two.png", "a,1.png", "c.png"}) {
    write_bytes(scratch / "photos" / name, png(noise(8, 8, 1)));
  }
  const auto file = [&](const std::string& text) {
    return write_bytes(scratch / "labels.csv", text);
  };
  const FolderDataset folder(scratch / "photos", {.size = 8});
  const auto csv = file(
      "path,label\r\nphotos/c.png,old\r\n\r\nphotos/a,1.png,young\nphotos/b/../b/two.png,old\n"
      "photos/other.png,new");
  const Labels labels = csv_labels(folder, csv);
  CHECK(labels.classes == std::vector<std::string>{"old", "young"});
  CHECK(labels.images == std::vector<std::int64_t>{1, 0, 0});  // a,1 b/two c
  CHECK(labels.counts() == std::vector<std::int64_t>{2, 1});
  const Faces faces =
      labelled_faces(scratch / "photos", csv.string(), {.size = 8, .batch = 3, .workers = 0});
  CHECK(faces.labels().images == labels.images);
  CHECK(contains(error_of([&] {
                   labelled_faces(scratch / "photos", csv.string(),
                                  {.size = 8, .batch = 3, .skip_broken = true});
                 }),
                 "mend or remove"));
  const auto mistake = [&](const std::string& text) {
    return error_of([&] { csv_labels(folder, file(text)); });
  };
  CHECK(contains(mistake("photos/c.png,old\n"), "has no line for"));
  const std::string latin1 = mistake("photos/c.png,old\nphotos/a,1.png,gr\xfcn\n");
  CHECK(contains(latin1, "labels.csv, line 2: the class is not UTF-8"));
  CHECK(contains(latin1, "save the file as UTF-8"));
  CHECK(contains(mistake("photos/c.png old\n"), "line 1: expects path,class"));
  CHECK(contains(mistake("photos/c.png,old\nphotos/./c.png,new\n"), "'old' in line 1"));
  CHECK(contains(error_of([&] { csv_labels(folder, scratch / "none.csv"); }), "cannot read"));
}

TEST_CASE("labels: classes are UTF-8, which may begin with a mark; paths are any bytes") {
  const TemporaryFolder scratch;
  for (const char* name : {"a.png", "\xff.png"}) {
    write_bytes(scratch / "photos" / name, png(noise(8, 8, 1)));
  }
  const FolderDataset folder(scratch / "photos", {.size = 8});
  const auto csv = write_bytes(scratch / "labels.csv",
                               "\xef\xbb\xbfphotos/a.png,gr\xc3\xbcn\r\nphotos/\xff.png,rot\r\n");
  const Labels labels = csv_labels(folder, csv);
  CHECK(labels.classes == std::vector<std::string>{"gr\xc3\xbcn", "rot"});
  CHECK(labels.images == std::vector<std::int64_t>{0, 1});
  // One code of each length, and the ends of what is allowed.
  for (const char* good :
       {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xe4\xba\xba", "\xed\x9f\xbf",
        "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "x\xf0\x9f\x98\x80y"}) {
    CAPTURE(good);
    CHECK(is_utf8(good));
  }
  for (const char* bad : {"\x80", "\xc1\xbf", "\xc2", "\xc2 ", "\xe0\x9f\xbf", "\xed\xa0\x80",
                          "\xe4\xba", "\xe4\xba ", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                          "\xf5\x80\x80\x80", "\xff", "a\xfc", "\xf0\x9f\x98"}) {
    CHECK_FALSE(is_utf8(bad));
  }
}

TEST_CASE("labels: a number of labels that is not that of the images is refused") {
  Labels few = of_numbers(), wrong = of_numbers();
  few.images.pop_back();
  wrong.images[4] = 3;
  CHECK(contains(error_of([&] { numbers({.batch = 2}, few); }), "20 images but 19 labels"));
  CHECK(contains(error_of([&] { numbers({.batch = 2}, wrong); }),
                 "label 3 is not among the 3 classes"));
  const Faces plain(std::make_shared<Numbers>(), {.batch = 2});
  CHECK(contains(error_of([&] { plain.labels(); }), "numbers: has no labels"));
}
