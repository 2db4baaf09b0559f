#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "data/procedural/attributes.h"

using namespace imago::data;

namespace {

constexpr int glasses = 0, beard = 1, hair = 2, hair_colour = 3, skin = 4, age = 5, expression = 6,
              cover = 7, background = 8;

// The value of an attribute in words.
std::string word(int attribute, const FaceIdentity& id, const FaceNuisance& nuisance = {}) {
  const auto a = static_cast<std::size_t>(attribute);
  return face_attributes()[a].values.at(static_cast<std::size_t>(attributes_of(id, nuisance)[a]));
}

}  // namespace

TEST_CASE("attributes say what was asked of the renderer") {
  FaceIdentity id;
  FaceNuisance nuisance;
  CHECK(word(glasses, id) == "none");
  id.glasses = 1;
  CHECK(word(glasses, id) == "clear");
  nuisance.occlusion = Occlusion::sunglasses;
  CHECK(word(glasses, id, nuisance) == "dark");
  CHECK(word(cover, id, nuisance) == "none");
  nuisance.occlusion = Occlusion::hat;
  CHECK(word(cover, id, nuisance) == "hat");
  CHECK(word(glasses, id, nuisance) == "clear");

  CHECK(word(beard, id) == "none");
  id.stubble = 1;
  CHECK(word(beard, id) == "none");
  id.moustache = 0.7f;
  CHECK(word(beard, id) == "moustache");
  id.goatee = 0.7f;
  CHECK(word(beard, id) == "goatee");
  id.beard = 0.7f;
  CHECK(word(beard, id) == "full");

  CHECK(word(hair, id) == "short");
  id.hair_length = 1.2f;
  CHECK(word(hair, id) == "long");
  id.hair_cover = 0;
  CHECK(word(hair, id) == "bald");
  CHECK(word(hair_colour, id) == "dark");
  id.hair = {0.34f, 0.23f, 0.155f};
  CHECK(word(hair_colour, id) == "brown");
  id.hair = {0.78f, 0.64f, 0.43f};
  CHECK(word(hair_colour, id) == "light");
  id.hair = {0.56f, 0.27f, 0.14f};
  CHECK(word(hair_colour, id) == "red");
  id.hair_grey = 1;
  CHECK(word(hair_colour, id) == "grey");

  id.skin_tone = 0.1f;
  CHECK(word(skin, id) == "light");
  id.skin_tone = 0.8f;
  CHECK(word(skin, id) == "dark");
  CHECK(word(age, id) == "young");
  id.age = 0.9f;
  CHECK(word(age, id) == "old");
  nuisance.expression = Expression::anger;
  CHECK(word(expression, id, nuisance) == "anger");
  nuisance.background = Background::stripes;
  CHECK(word(background, id, nuisance) == "stripes");
}

TEST_CASE("every value of every attribute occurs among procedural faces") {
  std::vector<std::vector<int>> counts(face_attribute_count);
  for (std::size_t a = 0; a < counts.size(); ++a) {
    counts[a].resize(face_attributes()[a].values.size());
  }
  for (std::uint32_t person = 0; person < 2000; ++person) {
    const auto values = attributes_of(sample_identity(1, person), sample_nuisance(1, person, 0));
    for (std::size_t a = 0; a < counts.size(); ++a) {
      counts[a].at(static_cast<std::size_t>(values[a])) += 1;
    }
  }
  for (std::size_t a = 0; a < counts.size(); ++a) {
    for (std::size_t v = 0; v < counts[a].size(); ++v) {
      INFO(face_attributes()[a].name << " " << face_attributes()[a].values[v]);
      CHECK(counts[a][v] >= 10);
      CHECK(counts[a][v] <= 1950);
    }
  }
}

TEST_CASE("the names of expressions are those of the enumeration") {
  const auto& values = face_attributes()[static_cast<std::size_t>(expression)].values;
  REQUIRE(values.size() == expression_count);
  for (int i = 0; i < expression_count; ++i) {
    CHECK(values[static_cast<std::size_t>(i)] == name(static_cast<Expression>(i)));
  }
}
