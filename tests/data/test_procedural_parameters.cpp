// Procedural faces over the whole range of their parameters.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "data/procedural/faces.h"
#include "procedural_checks.h"

namespace {

using namespace imago;
using namespace imago::data;
using namespace imago::data::test;

std::vector<std::function<void(FaceIdentity&, float)>> identity_ends() {
  // The parameter goes from its lowest to its highest value as t goes from 0 to 1. Infinite-range
  // values stand for the documented limits: render_face clamps.
  using I = FaceIdentity;
  constexpr float I::*fields[] = {
      &I::face_width,  &I::face_length,    &I::jaw_square,     &I::jaw_taper,      &I::cheekbones,
      &I::cheek_fat,   &I::chin,           &I::brow_ridge,     &I::ears,           &I::neck_width,
      &I::asymmetry,   &I::skin_tone,      &I::skin_undertone, &I::redness,        &I::freckles,
      &I::oiliness,    &I::eye_spacing,    &I::eye_y,          &I::eye_width,      &I::eye_open,
      &I::eye_tilt,    &I::lid_crease,     &I::lashes,         &I::eye_shadow,     &I::brow_y,
      &I::brow_thick,  &I::brow_arch,      &I::brow_tilt,      &I::brow_gap,       &I::brow_dark,
      &I::nose_length, &I::nose_width,     &I::nose_bridge,    &I::nose_tip,       &I::mouth_y,
      &I::mouth_width, &I::lip_upper,      &I::lip_lower,      &I::cupid_bow,      &I::hair_cover,
      &I::hair_top,    &I::hair_side,      &I::hairline,       &I::hairline_round, &I::hair_recede,
      &I::hair_part,   &I::hair_sweep,     &I::fringe_ragged,  &I::hair_length,    &I::hair_flare,
      &I::hair_wave,   &I::hair_curl,      &I::hair_shine,     &I::hair_grey,      &I::stubble,
      &I::moustache,   &I::goatee,         &I::beard,          &I::beard_length,   &I::age,
      &I::glasses,     &I::glasses_square, &I::glasses_size,   &I::glasses_rim};
  std::vector<std::function<void(I&, float)>> all;
  for (const auto field : fields) {
    all.emplace_back([field](I& id, float t) { id.*field = (t - 0.5f) * 200.0f; });
  }
  return all;
}

}  // namespace

TEST_CASE("every parameter may go to its ends") {
  FaceImage image;
  const auto ends = identity_ends();
  for (std::size_t k = 0; k < ends.size(); ++k) {
    for (const float t : {0.0f, 1.0f}) {
      FaceIdentity person = sample_identity(2, static_cast<std::uint32_t>(k));
      ends[k](person, t);
      CAPTURE(k);
      CAPTURE(t);
      render_face(person, {}, 32, 0, image);
      check_sound(image, 32);
    }
  }
  for (const float t : {0.0f, 1.0f}) {  // all of them at once
    FaceIdentity person;
    for (const auto& set : ends) set(person, t);
    person.hairline = -0.7f;
    for (const int size : {16, 33, 64}) {
      render_face(person, {}, size, 0, image);
      check_sound(image, size);
    }
  }
  using N = FaceNuisance;
  constexpr float N::*fields[] = {&N::yaw,         &N::pitch,   &N::roll,    &N::scale,
                                  &N::shift_x,     &N::shift_y, &N::light_x, &N::light_y,
                                  &N::light_z,     &N::light,   &N::ambient, &N::strength,
                                  &N::gaze_x,      &N::gaze_y,  &N::blink,   &N::occlusion_x,
                                  &N::occlusion_y, &N::collar,  &N::noise,   &N::blur};
  for (std::size_t k = 0; k < std::size(fields); ++k) {
    for (const float value : {-100.0f, 100.0f}) {
      for (int e = 0; e < expression_count; ++e) {
        FaceNuisance nuisance;
        nuisance.expression = static_cast<Expression>(e);
        nuisance.occlusion = e % 2 ? Occlusion::hand : Occlusion::none;
        nuisance.*fields[k] = value;
        CAPTURE(k);
        CAPTURE(value);
        render_face(sample_identity(2, static_cast<std::uint32_t>(k)), nuisance, 32, 0, image);
        check_sound(image, 32);
      }
    }
  }
}

TEST_CASE("nuisances can be switched off one by one") {
  // Off: the value a FaceNuisance is born with. The others keep their draws.
  const FaceNuisance full = sample_nuisance(1, 2, 3);
  NuisanceRange range;
  range.pose = 0;
  FaceNuisance part = sample_nuisance(1, 2, 3, range);
  CHECK(part.yaw == 0);
  CHECK(part.pitch == 0);
  CHECK(part.roll == 0);
  CHECK(part.scale == full.scale);
  CHECK(part.light_x == full.light_x);
  CHECK(part.expression == full.expression);
  CHECK(part.background_a.r == full.background_a.r);
  CHECK(part.noise == full.noise);
  CHECK(full.yaw != 0);

  range = NuisanceRange::none();
  range.expression = 2;  // every image shows an expression
  std::vector<int> count(expression_count);
  for (std::uint32_t i = 0; i < 300; ++i) {
    part = sample_nuisance(8, 0, i, range);
    ++count[static_cast<int>(part.expression)];
    CHECK(part.yaw == 0);
    CHECK(part.noise == 0);
    CHECK(part.occlusion == Occlusion::none);
  }
  CHECK(count[0] == 0);
  for (int e = 1; e < expression_count; ++e) CHECK(count[e] > 20);

  // Moderate by default: an expression of each kind, few occlusions.
  int occluded = 0;
  std::fill(count.begin(), count.end(), 0);
  for (std::uint32_t i = 0; i < 1000; ++i) {
    part = sample_nuisance(8, i, 0);
    ++count[static_cast<int>(part.expression)];
    occluded += part.occlusion != Occlusion::none;
    CHECK(std::abs(part.yaw) <= 0.41f);
  }
  for (const int c : count) CHECK(c > 90);
  CHECK(occluded > 40);
  CHECK(occluded < 130);
}

TEST_CASE("identities cover human variation") {
  int bald = 0, longhair = 0, bearded = 0, glasses = 0, old = 0, light_eyes = 0, curly = 0;
  int tones[3] = {};
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const FaceIdentity id = sample_identity(6, i);
    bald += id.hair_cover < 0.1f;
    longhair += id.hair_length > 0.7f;
    bearded += id.beard > 0.3f || id.goatee > 0.3f;
    glasses += id.glasses > 0.5f;
    old += id.age > 0.6f;
    curly += id.hair_curl > 0.5f;
    light_eyes += id.iris.b > id.iris.r;
    ++tones[id.skin_tone < 0.33f ? 0 : id.skin_tone < 0.66f ? 1 : 2];
  }
  CHECK(bald > 10);
  CHECK(longhair > 150);
  CHECK(bearded > 60);
  CHECK(glasses > 50);
  CHECK(old > 40);
  CHECK(curly > 80);
  CHECK(light_eyes > 60);
  for (const int t : tones) CHECK(t > 150);
}
