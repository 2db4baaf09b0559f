#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "data/procedural/faces.h"
#include "procedural_checks.h"
#include "tensor/error.h"

namespace {

using namespace imago;
using namespace imago::data;
using namespace imago::data::test;

bool same(const FaceImage& a, const FaceImage& b) {
  bool points = true;
  for (int i = 0; i < 5; ++i) {
    points = points && a.landmarks[i].x == b.landmarks[i].x && a.landmarks[i].y == b.landmarks[i].y;
  }
  return a.size == b.size && a.rgb == b.rgb && a.mask == b.mask && a.matte == b.matte && points &&
         a.identity == b.identity && a.expression == b.expression;
}

// The strongest mask value within the given distance of a point.
int mask_near(const FaceImage& image, Point p, float distance) {
  int best = 0;
  for (int y = 0; y < image.size; ++y) {
    for (int x = 0; x < image.size; ++x) {
      const float dx = static_cast<float>(x) + 0.5f - p.x, dy = static_cast<float>(y) + 0.5f - p.y;
      if (dx * dx + dy * dy > distance * distance) continue;
      best = std::max<int>(best, image.mask[static_cast<std::size_t>(y) * image.size + x]);
    }
  }
  return best;
}

}  // namespace

TEST_CASE("procedural faces are the same bits twice and on every thread") {
  const ProceduralFaces faces({.size = 64, .seed = 5, .identities = 6, .images_per_identity = 4});
  REQUIRE(faces.size() == 24);
  std::vector<FaceImage> expected(faces.size());
  for (std::size_t i = 0; i < faces.size(); ++i) faces.get(i, expected[i]);
  for (const std::size_t threads : {1u, 2u, 3u}) {
    std::vector<FaceImage> got(faces.size());
    std::vector<std::thread> workers;
    for (std::size_t w = 0; w < threads; ++w) {
      workers.emplace_back([&, w] {
        // Backwards, through a buffer of another size: no call may depend on the one before.
        FaceImage image;
        sample_identity(1, 1);
        render_face({}, {}, 32, 0, image);
        for (std::size_t i = faces.size(); i-- > 0;) {
          if (i % threads != w) continue;
          faces.get(i, image);
          got[i] = image;
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
    for (std::size_t i = 0; i < faces.size(); ++i) CHECK(same(got[i], expected[i]));
  }
}

TEST_CASE("procedural faces change with seed, person and instance") {
  FaceImage a, b;
  ProceduralFaces({.seed = 1}).get(0, a);
  ProceduralFaces({.seed = 2}).get(0, b);
  CHECK(mean_distance(a, b) > 5);
  ProceduralFaces({.seed = 1}).get(1, b);  // the same person, another photograph
  CHECK(b.identity == a.identity);
  CHECK(mean_distance(a, b) > 2);
  ProceduralFaces({.seed = 1}).get(10, b);
  CHECK(b.identity == a.identity + 1);
}

TEST_CASE("without nuisances every image of a person is the same") {
  const ProceduralFaces faces(
      {.size = 48, .identities = 8, .images_per_identity = 5, .nuisance = NuisanceRange::none()});
  FaceImage first, other;
  for (std::size_t person = 0; person < 8; ++person) {
    faces.get(person * 5, first);
    for (std::size_t i = 1; i < 5; ++i) {
      faces.get(person * 5 + i, other);
      CHECK(same(first, other));
    }
  }
}

TEST_CASE("people differ more than photographs of one person") {
  // Backgrounds and clothes are off: what remains of the nuisances moves the face itself.
  NuisanceRange range{.occlusion = 0, .background = 0, .clothes = 0};
  range.pose = range.light = 0.5f;
  const ProceduralFaces faces(
      {.size = 32, .identities = 24, .images_per_identity = 4, .nuisance = range});
  std::vector<FaceImage> all(faces.size());
  for (std::size_t i = 0; i < all.size(); ++i) faces.get(i, all[i]);
  double within = 0, between = 0;
  int n_within = 0, n_between = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = i + 1; j < all.size(); ++j) {
      const double d = mean_distance(all[i], all[j]);
      if (all[i].identity == all[j].identity) {
        within += d, ++n_within;
      } else {
        between += d, ++n_between;
      }
    }
  }
  within /= n_within, between /= n_between;
  CAPTURE(within);
  CAPTURE(between);
  CHECK(between > 1.5 * within);

  // With all of them off, no two people share a picture.
  const ProceduralFaces plain(
      {.size = 32, .identities = 40, .images_per_identity = 1, .nuisance = NuisanceRange::none()});
  std::vector<FaceImage> people(plain.size());
  for (std::size_t i = 0; i < people.size(); ++i) plain.get(i, people[i]);
  double closest = 1e9;
  for (std::size_t i = 0; i < people.size(); ++i) {
    for (std::size_t j = i + 1; j < people.size(); ++j) {
      closest = std::min(closest, mean_distance(people[i], people[j]));
    }
  }
  CHECK(closest > 2.0);
}

TEST_CASE("landmarks lie in the image, in order, and on the face") {
  NuisanceRange range;
  range.occlusion = 0;
  const ProceduralFaces faces(
      {.size = 64, .seed = 9, .identities = 150, .images_per_identity = 1, .nuisance = range});
  FaceImage image;
  int on_face = 0, points = 0;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    faces.get(i, image);
    CAPTURE(i);
    const auto& p = image.landmarks;
    for (const Point& q : p) {
      CHECK(q.x > 4);
      CHECK(q.x < 60);
      CHECK(q.y > 4);
      CHECK(q.y < 60);
      on_face += mask_near(image, q, 2.5f) > 127, ++points;
    }
    CHECK(p[0].x < p[1].x - 6);
    CHECK(p[3].x < p[4].x - 4);
    CHECK(p[0].y < p[2].y);
    CHECK(p[1].y < p[2].y);
    CHECK(p[2].y < p[3].y);
    CHECK(p[2].y < p[4].y);
  }
  // A long fringe or a curtain of hair may cover an eye.
  CAPTURE(on_face);
  CHECK(on_face > 0.97 * points);
}

TEST_CASE("landmarks scale with the image and follow the pose") {
  const FaceIdentity person = sample_identity(3, 7);
  FaceImage small, large, turned;
  FaceNuisance nuisance;
  render_face(person, nuisance, 32, 0, small);
  render_face(person, nuisance, 128, 0, large);
  for (int i = 0; i < 5; ++i) {
    CHECK(std::abs(4 * small.landmarks[i].x - large.landmarks[i].x) < 1e-2f);
    CHECK(std::abs(4 * small.landmarks[i].y - large.landmarks[i].y) < 1e-2f);
  }
  // The nose stands out: on a turned head it moves further than the middle of the eyes.
  const auto nose_lead = [](const FaceImage& f) {
    return f.landmarks[2].x - 0.5f * (f.landmarks[0].x + f.landmarks[1].x);
  };
  CHECK(std::abs(nose_lead(large)) < 0.01f);
  nuisance.yaw = 0.35f;
  render_face(person, nuisance, 128, 0, turned);
  CHECK(nose_lead(turned) > 3.0f);
  CHECK(turned.landmarks[1].x - turned.landmarks[0].x <
        large.landmarks[1].x - large.landmarks[0].x);
  nuisance = {};
  nuisance.roll = 0.3f;  // clockwise: the left eye of the image goes up
  render_face(person, nuisance, 128, 0, turned);
  CHECK(turned.landmarks[0].y < turned.landmarks[1].y - 5);
  // The pupils are where the landmarks say: darker than the skin of the cheek below.
  const auto luma = [&](float x, float y) {
    const std::size_t at = 3 * (static_cast<std::size_t>(y) * 128 + static_cast<std::size_t>(x));
    return large.rgb[at] + large.rgb[at + 1] + large.rgb[at + 2];
  };
  FaceIdentity fair = person;
  fair.skin_tone = 0.1f, fair.hairline = -0.7f, fair.hair_length = 0, fair.glasses = 0;
  render_face(fair, {}, 128, 0, large);
  for (int eye = 0; eye < 2; ++eye) {
    const Point p = large.landmarks[eye];
    CHECK(luma(p.x, p.y) + 100 < luma(p.x, p.y + 17));
  }
}

TEST_CASE("faces fill a plausible part of the frame") {
  NuisanceRange range;
  range.occlusion = 0;
  const ProceduralFaces faces(
      {.size = 64, .seed = 4, .identities = 100, .images_per_identity = 1, .nuisance = range});
  FaceImage image;
  double mean = 0;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    faces.get(i, image);
    CAPTURE(i);
    const double area = share(image.mask);
    mean += area / static_cast<double>(faces.size());
    CHECK(area > 0.10);
    CHECK(area < 0.55);
    CHECK(share(image.matte) > area);
    CHECK(share(image.matte) < 0.95);
    // Background in the upper corners, face in the middle.
    CHECK(image.mask[0] == 0);
    CHECK(image.mask[36 * 64 + 32] == 255);
  }
  CHECK(mean > 0.20);
  CHECK(mean < 0.45);
}

TEST_CASE("every expression and occlusion renders at every size") {
  FaceImage image, base;
  for (const int size : {16, 32, 64, 100, 128}) {
    for (int e = 0; e < expression_count; ++e) {
      for (int o = 0; o < occlusion_count; ++o) {
        FaceIdentity person = sample_identity(11, static_cast<std::uint32_t>(7 * e + o));
        FaceNuisance nuisance;
        nuisance.expression = static_cast<Expression>(e);
        nuisance.occlusion = static_cast<Occlusion>(o);
        render_face(person, nuisance, size, 1, image);
        CAPTURE(size);
        CAPTURE(name(nuisance.expression));
        CAPTURE(name(nuisance.occlusion));
        check_sound(image, size);
        CHECK(image.expression == nuisance.expression);
        // Each of them shows.
        nuisance.expression = Expression::neutral;
        nuisance.occlusion = Occlusion::none;
        render_face(person, nuisance, size, 1, base);
        if (e != 0 || o != 0) CHECK(mean_distance(image, base) > 0.15);
      }
    }
  }
}

TEST_CASE("backgrounds fill what is not person") {
  FaceImage image, base;
  FaceNuisance nuisance;
  render_face({}, nuisance, 64, 0, base);
  for (int kind = 0; kind < background_count; ++kind) {
    nuisance.background = static_cast<Background>(kind);
    nuisance.background_a = {1, 0, 0}, nuisance.background_b = {0, 0, 1};
    render_face({}, nuisance, 64, 0, image);
    check_sound(image, 64);
    CHECK(image.mask == base.mask);
    CHECK(image.matte == base.matte);
    for (std::size_t i = 0; i < image.matte.size(); ++i) {
      if (image.matte[i] == 0) CHECK(image.rgb[3 * i + 1] < 40);  // no green in it
    }
  }
}

TEST_CASE("sensor noise has the asked strength and its own key") {
  FaceNuisance nuisance;
  FaceImage clean, noisy, other;
  nuisance.background_a = nuisance.background_b = {0.5f, 0.5f, 0.5f};
  render_face({}, nuisance, 64, 1, clean);
  render_face({}, nuisance, 64, 2, other);
  CHECK(clean.rgb == other.rgb);  // no noise: no key
  nuisance.noise = 8;
  render_face({}, nuisance, 64, 1, noisy);
  render_face({}, nuisance, 64, 2, other);
  CHECK(noisy.rgb != other.rgb);
  CHECK(noisy.mask == clean.mask);
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < clean.rgb.size(); ++i) {
    const double d = static_cast<double>(noisy.rgb[i]) - clean.rgb[i];
    sum += d, squares += d * d;
  }
  const double n = static_cast<double>(clean.rgb.size());
  CHECK(std::abs(sum / n) < 0.4);
  CHECK(std::abs(std::sqrt(squares / n) - 8) < 0.8);
}

TEST_CASE("procedural faces are the bits on record") {
  // A training run is repeatable only while the pictures stay what they were. When a change to the
  // renderer is meant, put the new number here.
  const ProceduralFaces faces(
      {.size = 64, .seed = 2024, .identities = 12, .images_per_identity = 3});
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a, 64 bits
  const auto add = [&](const std::vector<std::uint8_t>& bytes) {
    for (const std::uint8_t b : bytes) hash = (hash ^ b) * 0x100000001b3ULL;
  };
  FaceImage image;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    faces.get(i, image);
    add(image.rgb), add(image.mask), add(image.matte);
  }
  CHECK(hash == 0xf502da20c22d281cULL);
}

TEST_CASE("procedural faces say what is wrong") {
  FaceImage image;
  CHECK_THROWS_AS(render_face({}, {}, 7, 0, image), Error);
  CHECK_THROWS_AS(render_face({}, {}, 5000, 0, image), Error);
  FaceIdentity broken;
  broken.nose_tip = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH_AS(render_face(broken, {}, 32, 0, image),
                       doctest::Contains("nose_tip must be a finite number"), Error);
  FaceNuisance dark;
  dark.light_x = dark.light_y = dark.light_z = 0;
  CHECK_THROWS_AS(render_face({}, dark, 32, 0, image), Error);
  CHECK_THROWS_AS(sample_nuisance(1, 1, 1, {.pose = -1}), Error);
  CHECK_THROWS_AS(ProceduralFaces({.nuisance = {.light = 3}}), Error);
  CHECK_THROWS_AS(ProceduralFaces({.identities = 0}), Error);
  const ProceduralFaces faces({.identities = 2, .images_per_identity = 3});
  CHECK_THROWS_WITH_AS(faces.get(6, image), doctest::Contains("index 6 is out of 6 images"), Error);
}
