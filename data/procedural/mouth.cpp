// Lips, teeth and what expressions do to them.
#include "data/procedural/scene.h"

namespace imago::data::faces {

Mimic mimic_of(const FaceNuisance& nuisance) {
  Mimic m{};
  m.open_eyes = 1.0f;
  switch (nuisance.expression) {
    case Expression::neutral:
      break;
    case Expression::happy:
      m = {0.05f, 0.05f, 0.0f, 0.78f, 1.0f, 1.0f, 0.30f, 0.16f, 1.0f, 0.1f, 0.0f, 0.0f};
      break;
    case Expression::sad:
      m = {0.85f, -0.35f, 0.15f, 0.72f, 0.0f, -0.80f, -0.04f, 0.0f, 0.0f, 0.0f, 0.1f, 0.3f};
      break;
    case Expression::surprise:
      m = {1.0f, 1.0f, 0.0f, 1.50f, 0.0f, 0.0f, -0.26f, 1.0f, 0.15f, 0.0f, 0.0f, 0.1f};
      break;
    case Expression::fear:
      m = {0.95f, 0.35f, 0.35f, 1.40f, 0.0f, -0.45f, 0.16f, 0.42f, 0.55f, 0.0f, 0.0f, 0.0f};
      break;
    case Expression::disgust:
      m = {-0.15f, -0.1f, 0.65f, 0.62f, 0.5f, -0.40f, 0.02f, 0.05f, 0.35f, 0.8f, 0.0f, 0.0f};
      break;
    case Expression::anger:
      m = {-0.45f, 0.30f, 1.0f, 0.82f, 0.0f, -0.40f, -0.06f, 0.0f, 0.0f, 0.0f, 0.8f, 0.0f};
      break;
  }
  const float k = nuisance.strength;
  m.brow_inner *= k, m.brow_outer *= k, m.frown *= k, m.cheeks *= k, m.smile *= k;
  m.stretch *= k, m.jaw *= k, m.teeth *= k, m.upper_lip *= k, m.press *= k, m.pucker *= k;
  m.open_eyes = (1.0f + (m.open_eyes - 1.0f) * k) * (1.0f - nuisance.blink);
  return m;
}

void paint_mouth(const Scene& s, Tile& t) {
  const float w = s.mouth_w, my = s.mouth_y;
  if (!t.head.meets(-w - 0.15f, w + 0.15f, my - 0.30f, my + 0.45f)) return;
  const float inv = s.inv, iw = 1.0f / w;
  const Rgb gum{0.060f, 0.012f, 0.012f}, tooth{0.78f, 0.74f, 0.66f};
  const float teeth = s.mimic.teeth;
  for (int i = 0; i < tile_lanes; ++i) {
    const float x = t.hx[i], u = x * iw, u2 = u * u;
    const float line = my - s.mouth_curve * (u2 - 0.35f) - 0.010f * bell(u2 * 30.0f);
    const float y = t.hy[i] - line;
    const float arc = most(1.0f - u2, 0.0f);
    const float round = arc * (1.55f - 0.55f * arc);
    const float gap_up = -s.mouth_up * round, gap_low = s.mouth_down * round;
    const float peak = 1.0f + s.id.cupid_bow * (0.55f * bell(square(abs(u) - 0.27f) * 16.0f) -
                                                0.35f * bell(u2 * 40.0f));
    const float top = gap_up - s.lip_up * arc * peak * (0.92f);
    const float low = gap_low + s.lip_low * (0.6f * arc + 0.4f * arc * arc) * 1.15f;
    const float wide = inside(abs(x) - w, inv);
    const float lips = most(inside(top - y, inv) + inside(y - low, inv) - 1.0f, 0.0f) * wide;
    const float lower = ramp(-0.01f, 0.01f, y - 0.5f * (gap_up + gap_low));
    // Lips fade into the skin at their rim; the upper one faces down and is darker.
    const float tone = mix(0.80f, 1.02f, lower);
    tint(t, i, {s.lips.r * tone, s.lips.g * tone, s.lips.b * tone}, lips * (0.80f + 0.12f * arc));
    const float v = (y - gap_low) / (s.lip_low + 1e-3f);
    t.gloss[i] += lips * lower * 0.9f * bell(square((v - 0.40f) * 3.0f) + u2 * 1.5f);
    // The open mouth: teeth hang from above, the rest is dark.
    const float hole = most(inside(gap_up - y, inv) + inside(y - gap_low, inv) - 1.0f, 0.0f) * wide;
    tint(t, i, gum, hole);
    const float bite =
        gap_up + least(0.085f * most(teeth, 0.4f), (gap_low - gap_up) * 0.86f) * arc + 0.004f;
    const float gapw = 1.0f - 0.16f * bell(square(wave(x * 9.0f + 0.25f) * 3.0f - 3.0f));
    const float show = most(inside(gap_up + 0.004f - y, inv) + inside(y - bite, inv) - 1.0f, 0.0f) *
                       wide * sat(teeth * 3.0f) * sat(1.25f - u2);
    const float dim = (1.0f - 0.55f * u2) * gapw;
    tint(t, i, {tooth.r * dim, tooth.g * dim, tooth.b * dim}, least(show, hole) * 0.95f);
    t.gloss[i] *= 1.0f - 0.85f * hole;
    t.shade[i] *= 1.0f - 0.15f * hole;
    // Where closed lips meet, and the dimples of the corners.
    const float closed = sat(1.0f - (gap_low - gap_up) * inv * 0.8f);
    const float seam =
        band(y, 0.007f + 0.004f * arc, inv) * inside(abs(x) - w * 1.03f, inv) * closed;
    tint(t, i, {s.lips.r * 0.22f, s.lips.g * 0.14f, s.lips.b * 0.14f}, 0.85f * seam);
    const float corner = bell(square((abs(x) - w - 0.012f) * 18.0f) + square(y * 16.0f));
    t.shade[i] *= 1.0f - 0.34f * corner;
  }
}

}  // namespace imago::data::faces
