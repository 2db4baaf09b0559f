// Who there is and how they are photographed: the distributions of all parameters. A handful of
// latent numbers (build, complexion, age) tie the parameters together, so that combinations look
// like people; around them everything varies freely.
#include "data/procedural/faces.h"
#include "data/procedural/maths.h"
#include "tensor/error.h"
#include "tensor/random_stream.h"

namespace imago::data {

namespace {

using faces::clamp;
using faces::mix;
using faces::sat;

Colour mixed(Colour a, Colour b, float t) {
  return {mix(a.r, b.r, t), mix(a.g, b.g, t), mix(a.b, b.b, t)};
}
Colour varied(RandomStream& rng, Colour c, float spread) {
  const float all = 1.0f + spread * rng.normal();
  const auto one = [&](float v) { return sat(v * (all + 0.25f * spread * rng.normal())); };
  const float r = one(c.r), g = one(c.g), b = one(c.b);
  return {r, g, b};
}

// Clothes, walls, frames and hats: any hue, mostly muted.
Colour any_colour(RandomStream& rng, float low, float high, float vivid) {
  // One draw a statement: the order of draws within an expression is the compiler's choice.
  const float value = rng.uniform(low, high);
  float chroma = vivid * rng.uniform();
  chroma *= rng.uniform(0.3f, 1.0f);
  const float hue = rng.uniform(0.0f, 6.0f);
  const auto channel = [&](float shift) {
    float h = hue + shift;
    h = h >= 6.0f ? h - 6.0f : h;
    const float k = h < 3.0f ? h : 6.0f - h;  // 0 .. 3 .. 0
    return value * (1.0f - chroma * clamp(k - 1.0f, 0.0f, 1.0f));
  };
  return {channel(0.0f), channel(4.0f), channel(2.0f)};
}

Colour iris_colour(RandomStream& rng, float dark) {
  const Colour brown{0.30f, 0.18f, 0.10f}, black{0.16f, 0.10f, 0.07f}, hazel{0.45f, 0.36f, 0.18f};
  const Colour green{0.38f, 0.46f, 0.30f}, blue{0.38f, 0.52f, 0.66f}, grey{0.48f, 0.54f, 0.58f};
  const float light = 0.75f - 1.3f * dark;
  if (rng.uniform() < light) {
    const float pick = rng.uniform();
    return varied(rng,
                  pick < 0.45f   ? blue
                  : pick < 0.65f ? grey
                  : pick < 0.82f ? green
                                 : hazel,
                  0.12f);
  }
  return varied(rng, mixed(brown, black, sat(1.4f * dark + rng.uniform(-0.3f, 0.3f))), 0.10f);
}

Colour hair_colour(RandomStream& rng, float dark) {
  const Colour black{0.085f, 0.075f, 0.075f}, deep{0.19f, 0.130f, 0.100f},
      brown{0.34f, 0.230f, 0.155f};
  const Colour light{0.54f, 0.40f, 0.27f}, blond{0.78f, 0.64f, 0.43f}, red{0.56f, 0.27f, 0.14f};
  if (dark > 0.42f) {
    return varied(
        rng, rng.chance(0.06f) ? light : mixed(black, deep, rng.uniform() * rng.uniform()), 0.10f);
  }
  const float pick = rng.uniform() + 0.55f * dark;
  if (pick < 0.22f) return varied(rng, blond, 0.10f);
  if (pick < 0.28f) return varied(rng, red, 0.10f);
  if (pick < 0.50f) return varied(rng, light, 0.10f);
  if (pick < 0.76f) return varied(rng, brown, 0.12f);
  if (pick < 1.00f) return varied(rng, deep, 0.12f);
  return varied(rng, black, 0.12f);
}

void sample_hair(RandomStream& rng, float masculine, float dark, FaceIdentity& id) {
  const bool male = masculine > 0.5f;
  id.hair = hair_colour(rng, dark);
  id.hairline = -0.64f + 0.045f * rng.normal();
  id.hairline_round = 0.16f + 0.10f * rng.normal();
  id.hair_part = rng.chance(0.3f) ? 0.0f : rng.uniform(-0.6f, 0.6f);
  id.hair_wave = rng.uniform() * rng.uniform();
  id.hair_shine = rng.uniform(0.15f, 0.9f);
  id.fringe_ragged = rng.uniform(0.05f, 0.35f);
  const bool tight = dark > 0.55f && rng.chance(0.65f);
  id.hair_curl = tight               ? rng.uniform(0.75f, 1.0f)
                 : rng.chance(0.15f) ? rng.uniform(0.3f, 0.8f)
                                     : 0.0f;
  const float style = rng.uniform();
  if (male) {
    const float bare = 0.04f + 0.45f * sat(id.age - 0.25f);
    if (style < bare) {  // bald or nearly
      id.hair_cover = rng.chance(0.5f) ? 0.0f : rng.uniform(0.3f, 0.8f);
      id.hair_top = 0.015f, id.hair_side = rng.uniform(0.01f, 0.04f);
      id.hairline = -0.82f, id.hair_recede = rng.uniform(0.1f, 0.35f);
      id.hair_length = rng.uniform(0.0f, 0.15f);
    } else if (style < bare + 0.22f) {  // cropped
      id.hair_cover = rng.uniform(0.75f, 1.0f);
      id.hair_top = rng.uniform(0.02f, 0.06f), id.hair_side = rng.uniform(0.01f, 0.03f);
      id.hair_length = rng.uniform(-0.05f, 0.15f);
    } else if (style < bare + 0.82f) {  // short, combed or brushed up
      id.hair_top = rng.uniform(0.07f, 0.24f), id.hair_side = rng.uniform(0.02f, 0.09f);
      id.hair_sweep = rng.uniform(-0.22f, 0.22f);
      id.hairline += rng.chance(0.3f) ? rng.uniform(0.05f, 0.24f) : 0.0f;
      id.hair_length = rng.uniform(-0.05f, 0.22f);
    } else {  // longer
      id.hair_top = rng.uniform(0.10f, 0.22f), id.hair_side = rng.uniform(0.06f, 0.14f);
      id.hair_length = rng.uniform(0.30f, 1.3f);
      id.hair_sweep = rng.uniform(-0.15f, 0.15f);
    }
    id.hair_recede = faces::most(id.hair_recede, 0.30f * sat(id.age - 0.15f) * rng.uniform());
  } else {
    id.hair_top = rng.uniform(0.08f, 0.20f);
    id.hair_side = rng.uniform(0.06f, 0.16f);
    if (style < 0.62f) {  // long
      id.hair_length = rng.uniform(0.75f, 1.7f);
      id.hair_flare = rng.uniform(-0.05f, 0.18f);
    } else if (style < 0.80f) {  // bob
      id.hair_length = rng.uniform(0.56f, 0.85f);
      id.hair_side = rng.uniform(0.10f, 0.20f);
      id.hair_flare = rng.uniform(-0.15f, 0.08f);
    } else {  // tied back or short
      id.hair_length = rng.uniform(-0.05f, 0.2f);
      id.hair_top = rng.uniform(0.04f, 0.16f), id.hair_side = rng.uniform(0.015f, 0.07f);
    }
    const float fringe = rng.uniform();
    if (fringe < 0.22f) {
      id.hairline = rng.uniform(-0.36f, -0.25f), id.hairline_round = rng.uniform(-0.05f, 0.12f);
    } else if (fringe < 0.62f) {
      id.hair_sweep = rng.uniform(0.12f, 0.34f) * (id.hair_part > 0 ? -1.0f : 1.0f);
      id.hairline_round = rng.uniform(0.2f, 0.4f);
    } else {
      id.hairline_round = rng.uniform(0.2f, 0.45f);
    }
  }
  if (id.hair_curl > 0.6f && id.hair_cover > 0.9f && id.hair_top > 0.06f && rng.chance(0.55f)) {
    id.hair_top = rng.uniform(0.16f, 0.42f);  // afro
    id.hair_side = id.hair_top * rng.uniform(0.6f, 1.0f);
    id.hair_length = rng.uniform(0.2f, 0.6f);
  }
  if (id.hair_curl > 0.6f) id.fringe_ragged *= 0.5f, id.hair_sweep *= 0.3f;
  if (id.age > 0.5f) id.hair_grey = sat(2.2f * (id.age - 0.55f) + 0.3f * rng.normal());
}

void sample_beard(RandomStream& rng, FaceIdentity& id) {
  const float pick = rng.uniform();
  id.stubble = rng.chance(0.6f) ? rng.uniform(0.1f, 0.9f) : 0.0f;
  if (pick < 0.50f) return;
  id.stubble = rng.uniform(0.4f, 1.0f);
  if (pick < 0.60f) {
    id.moustache = rng.uniform(0.6f, 1.0f);
  } else if (pick < 0.74f) {
    id.goatee = rng.uniform(0.6f, 1.0f), id.moustache = rng.chance(0.7f) ? id.goatee : 0.0f;
  } else {
    id.beard = rng.uniform(0.55f, 1.0f), id.moustache = id.beard * rng.uniform(0.8f, 1.0f);
    id.goatee = id.beard;
    id.beard_length = rng.chance(0.3f) ? rng.uniform(0.06f, 0.18f) : rng.uniform(0.01f, 0.05f);
  }
}

}  // namespace

FaceIdentity sample_identity(std::uint64_t seed, std::uint32_t identity) {
  RandomStream rng(seed, 0xFACE0000u, identity);
  FaceIdentity id;
  const bool male = rng.chance(0.5f);
  const float masculine = sat(male ? rng.uniform(0.55f, 1.0f) : rng.uniform(0.0f, 0.45f));
  const float m = masculine - 0.5f;
  const float lottery = rng.uniform();
  const float dark = sat(lottery * (0.55f + 0.45f * lottery));
  const float years = rng.uniform();
  id.age = sat(0.10f + 0.90f * years * rng.uniform(0.3f, 1.0f));
  const float heavy = rng.normal();
  const auto around = [&](float middle, float deviation) {
    return middle + deviation * clamp(rng.normal(), -2.2f, 2.2f);
  };

  id.face_width = around(0.695f + 0.015f * heavy + 0.02f * m, 0.022f);
  id.face_length = around(1.0f + 0.05f * m, 0.040f);
  id.jaw_square = around(0.42f + 0.45f * m + 0.06f * heavy, 0.16f);
  id.jaw_taper = around(0.20f - 0.10f * m - 0.04f * heavy, 0.06f);
  id.cheekbones = around(0.5f, 0.22f);
  id.cheek_fat = around(0.5f + 0.14f * heavy - 0.1f * id.age, 0.15f);
  id.chin = around(0.5f + 0.4f * m, 0.2f);
  id.brow_ridge = around(0.45f + 0.6f * m, 0.15f);
  id.ears = rng.uniform();
  id.neck_width = around(0.42f + 0.10f * m + 0.015f * heavy, 0.02f);
  id.asymmetry = around(0.0f, 0.4f);

  id.skin_tone = sat(dark);
  id.skin_undertone = around(0.1f, 0.45f);
  id.redness = rng.uniform();
  id.freckles = dark < 0.3f && rng.chance(0.22f) ? rng.uniform(0.3f, 1.0f) : 0.0f;
  id.oiliness = rng.uniform();

  id.eye_spacing = around(0.292f, 0.012f);
  id.eye_y = around(0.0f, 0.018f);
  id.eye_width = around(0.158f - 0.008f * m, 0.009f);
  const bool single = rng.chance(0.28f);
  id.eye_open = around(single ? 0.061f : 0.075f - 0.008f * m, 0.006f);
  id.eye_tilt = around(single ? 0.09f : 0.02f, 0.055f);
  id.lid_crease = single ? rng.uniform(0.0f, 0.25f) : rng.uniform(0.35f, 1.0f);
  id.iris = iris_colour(rng, dark + (single ? 0.3f : 0.0f));
  const bool makeup = !male && rng.chance(0.6f);
  id.lashes = makeup ? rng.uniform(0.6f, 1.0f) : rng.uniform(0.1f, 0.5f);
  id.eye_shadow = makeup && rng.chance(0.6f) ? rng.uniform(0.2f, 0.9f) : 0.0f;
  id.brow_y = around(-0.185f + 0.03f * m, 0.015f);
  id.brow_thick = around(0.030f + 0.016f * m, 0.006f);
  id.brow_arch = around(0.045f - 0.035f * m, 0.016f);
  id.brow_tilt = around(0.0f, 0.03f);
  id.brow_gap = around(0.115f - 0.02f * m, 0.014f);
  id.brow_dark = rng.uniform(0.5f, 1.0f);

  id.nose_length = around(0.375f + 0.02f * m, 0.020f);
  id.nose_width = around(0.138f + 0.016f * m + 0.022f * (dark - 0.4f), 0.012f);
  id.nose_bridge = around(0.55f - 0.3f * (dark - 0.4f), 0.22f);
  id.nose_tip = rng.uniform();
  id.mouth_y = around(0.605f, 0.016f);
  id.mouth_width = around(0.238f + 0.012f * m, 0.018f);
  const float full = 0.010f * (dark - 0.35f) - 0.008f * m - 0.008f * id.age;
  id.lip_upper = around(0.047f + full, 0.009f);
  id.lip_lower = around(0.066f + full, 0.010f);
  id.cupid_bow = rng.uniform();
  // Lips: the skin, redder; or paint.
  const Colour natural{mix(0.80f, 0.38f, dark), mix(0.50f, 0.21f, dark), mix(0.47f, 0.19f, dark)};
  id.lips = varied(rng, natural, 0.05f);
  if (makeup && rng.chance(0.7f)) {
    const Colour paints[] = {
        {0.72f, 0.12f, 0.16f}, {0.78f, 0.32f, 0.38f}, {0.55f, 0.15f, 0.22f}, {0.82f, 0.40f, 0.36f}};
    const Colour paint = paints[rng.below(4)];
    id.lips = mixed(id.lips, paint, rng.uniform(0.4f, 0.9f));
  }

  sample_hair(rng, masculine, dark + (single ? 0.25f : 0.0f), id);
  if (male) sample_beard(rng, id);
  if (rng.chance(0.09f + 0.14f * id.age)) {
    id.glasses = 1.0f;
    id.glasses_square = rng.uniform();
    id.glasses_size = rng.uniform();
    id.glasses_rim = rng.uniform(0.007f, 0.026f);
    id.glasses_colour =
        rng.chance(0.65f) ? Colour{0.09f, 0.08f, 0.08f} : any_colour(rng, 0.2f, 0.7f, 0.8f);
  }
  id.texture = rng.next() & 0xFFFFFu;
  return id;
}

FaceNuisance sample_nuisance(std::uint64_t seed, std::uint32_t identity, std::uint32_t instance,
                             const NuisanceRange& range) {
  const float scales[] = {range.pose,  range.framing,   range.light,      range.expression,
                          range.gaze,  range.occlusion, range.background, range.clothes,
                          range.noise, range.blur};
  for (const float k : scales) {
    check(k >= 0.0f && k <= 2.0f, "sample_nuisance", "every range must be from 0 to 2, got ", k);
  }
  FaceNuisance nu;
  // One stream for each nuisance; person and instance are folded by an odd multiplier.
  const auto stream = [&](std::uint32_t which) {
    return RandomStream(seed + 0x9E3779B97F4A7C15ULL * (instance + 1ULL), 0xFACE0001u + which,
                        identity);
  };
  if (range.pose > 0) {
    RandomStream rng = stream(0);
    nu.yaw = range.pose * 0.20f * clamp(rng.normal(), -2.0f, 2.0f);
    nu.pitch = range.pose * 0.08f * clamp(rng.normal(), -2.0f, 2.0f);
    nu.roll = range.pose * 0.07f * clamp(rng.normal(), -2.0f, 2.0f);
  }
  if (range.framing > 0) {
    RandomStream rng = stream(1);
    nu.scale = 1.0f + range.framing * rng.uniform(-0.05f, 0.07f);
    nu.shift_x = range.framing * rng.uniform(-0.02f, 0.02f);
    nu.shift_y = range.framing * rng.uniform(-0.02f, 0.02f);
  }
  if (range.light > 0) {
    RandomStream rng = stream(2);
    const float k = range.light;
    nu.light_x = mix(nu.light_x, rng.uniform(-0.9f, 0.9f), faces::least(1.0f, k));
    nu.light_y = mix(nu.light_y, rng.uniform(-0.9f, 0.0f), faces::least(1.0f, k));
    nu.light_z = 0.80f;
    nu.light = 1.0f + k * rng.uniform(-0.22f, 0.22f);
    nu.ambient = 0.5f + k * rng.uniform(-0.18f, 0.25f);
    const float warm = k * rng.uniform(-0.10f, 0.10f);
    nu.light_colour = {sat(0.99f + 0.5f * warm), 0.97f, sat(0.94f - warm)};
  }
  if (range.expression > 0) {
    RandomStream rng = stream(3);
    const float pick = rng.uniform();
    const auto which = static_cast<Expression>(1u + rng.below(expression_count - 1));
    nu.strength = rng.uniform(0.6f, 1.1f);
    if (pick < range.expression * (expression_count - 1.0f) / expression_count)
      nu.expression = which;
    if (nu.expression == Expression::neutral) nu.strength = 1.0f;
  }
  if (range.gaze > 0) {
    RandomStream rng = stream(4);
    nu.gaze_x = clamp(range.gaze * 0.30f * rng.normal(), -1.0f, 1.0f);
    nu.gaze_y = clamp(range.gaze * 0.20f * rng.normal(), -1.0f, 1.0f);
    nu.blink = rng.chance(0.03f * range.gaze) ? rng.uniform(0.6f, 1.0f) : 0.0f;
  }
  if (range.occlusion > 0) {
    RandomStream rng = stream(5);
    const float pick = rng.uniform();
    const auto which = static_cast<Occlusion>(1u + rng.below(occlusion_count - 1));
    nu.occlusion_x = rng.uniform(-1.0f, 1.0f);
    nu.occlusion_y = rng.uniform(-1.0f, 1.0f);
    nu.occlusion_colour = which == Occlusion::medical_mask && rng.chance(0.7f)
                              ? Colour{0.62f, 0.76f, 0.84f}
                              : any_colour(rng, 0.2f, 0.8f, 0.7f);
    if (pick < 0.08f * range.occlusion) nu.occlusion = which;
  }
  if (range.background > 0) {
    RandomStream rng = stream(6);
    const float k = faces::least(1.0f, range.background);
    const float pick = rng.uniform();
    nu.background = pick < 0.3f    ? Background::plain
                    : pick < 0.68f ? Background::gradient
                    : pick < 0.93f ? Background::blobs
                                   : Background::stripes;
    const Colour a = any_colour(rng, 0.20f, 0.92f, 0.38f);
    const Colour other = any_colour(rng, 0.1f, 0.9f, 0.40f);
    const Colour b = mixed(a, other, rng.uniform(0.1f, 0.6f));
    nu.background_a = mixed(nu.background_a, a, k);
    nu.background_b = mixed(nu.background_b, b, k);
    nu.backdrop = rng.next() & 0xFFFFFu;
  }
  if (range.clothes > 0) {
    RandomStream rng = stream(7);
    nu.clothes =
        mixed(nu.clothes, any_colour(rng, 0.08f, 0.85f, 0.8f), faces::least(1.0f, range.clothes));
    nu.collar = mix(nu.collar, rng.uniform(), faces::least(1.0f, range.clothes));
  }
  if (range.noise > 0) nu.noise = range.noise * stream(8).uniform(0.0f, 2.5f);
  if (range.blur > 0) nu.blur = range.blur * 0.007f * faces::square(stream(9).uniform());
  return nu;
}

}  // namespace imago::data
