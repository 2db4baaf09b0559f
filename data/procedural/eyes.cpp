// Eyes and brows.
#include "data/procedural/scene.h"

namespace imago::data::faces {

void paint_eyes(const Scene& s, Tile& t) {
  const FaceIdentity& id = s.id;
  const float w = id.eye_width;
  if (!t.head.meets(-s.eye_x - 0.4f, s.eye_x + 0.4f, s.eye_y - 0.30f, s.eye_y + 0.25f)) return;
  const float inv = s.inv, iw = 1.0f / w;
  const float open = s.eye_open, low = most(s.eye_low, 0.0f);
  // A hooded lid covers the top of the iris unless the eye is wide open.
  const float radius = 0.076f;
  const float iris_y = -0.008f + 0.022f * s.nu.gaze_y, iris_x = 0.045f * s.nu.gaze_x;
  const float pupil = 0.42f;
  const float lash = 0.010f + 0.011f * id.lashes;
  const float crease_at = 0.035f + 0.022f * id.lid_crease;
  const float spark_x = 0.35f * s.key_face.x * radius, spark_y = 0.42f * s.key_face.y * radius;
  const float awake = sat((open + low) * 14.0f);
  const float asym = 0.006f * id.asymmetry;
  const Rgb ball{0.58f, 0.54f, 0.51f};
  for (int i = 0; i < tile_lanes; ++i) {
    const float x = t.hx[i], side = x < 0.0f ? -1.0f : 1.0f;
    const float lx = abs(x) - s.eye_x, u = lx * iw;
    const float y = t.hy[i] - s.eye_y + id.eye_tilt * lx + asym * side;
    const float arc = most(1.0f - u * u, 0.0f);
    // Almond: the upper lid peaks towards the nose, the lower one away from it.
    const float full = arc * (1.30f - 0.30f * arc);
    const float top = -open * full * (1.0f - 0.18f * u);
    const float bottom = low * full * (1.0f + 0.22f * u);
    const float in_x = inside(abs(lx) - w, inv);
    const float slit = most(inside(top - y, inv) + inside(y - bottom, inv) - 1.0f, 0.0f) * in_x;
    // Lid skin between lash line and crease.
    const float lid_y = y - top;
    const float near = bell(square(lx * (1.0f / (w * 1.35f))));
    const float lid =
        sat(1.0f + lid_y * (1.0f / (crease_at + 0.02f))) * (lid_y < 0.0f ? 1.0f : 0.0f);
    tint(t, i, s.lid, near * lid * (0.10f + 0.55f * id.eye_shadow));
    const float crease = bell(square((lid_y + crease_at * (0.55f + 0.45f * arc)) * 38.0f));
    t.shade[i] *= 1.0f - (0.08f + 0.30f * id.lid_crease) * crease * near;
    const float bag = bell(square((y - bottom - 0.035f) * 30.0f));
    t.shade[i] *= 1.0f - 0.10f * bag * near;
    // Eyeball, in the shadow of the upper lid.
    const float shadow = 0.60f + 0.40f * sat(lid_y * (1.0f / 0.055f));
    const float dim = shadow * (1.0f - 0.30f * u * u);
    const float tear = bell(square((u + 0.92f) * 3.5f));
    tint(t, i,
         {ball.r * dim, ball.g * dim * (1.0f - 0.35f * tear), ball.b * dim * (1.0f - 0.4f * tear)},
         slit);
    const float dx = lx * side - iris_x, dy = y - iris_y;
    const float r = std::sqrt(dx * dx + dy * dy + 1e-7f);
    const float disc = inside(r - radius, inv) * slit;
    const float rr = r * (1.0f / radius);
    const float depth = (0.70f + 0.75f * rr * ramp(-0.4f, 0.8f, dy * (1.0f / radius))) *
                        (1.0f - 0.65f * ramp(0.72f, 1.0f, rr)) * (0.55f + 0.45f * shadow);
    tint(t, i, {s.iris.r * depth, s.iris.g * depth, s.iris.b * depth}, disc);
    const float hole = inside(r - radius * pupil, inv) * slit;
    tint(t, i, {0.006f, 0.005f, 0.005f}, hole);
    t.gloss[i] *= 1.0f - slit;
    const float sx = dx - spark_x, sy = dy - spark_y;
    const float spot =
        inside(std::sqrt(sx * sx + sy * sy + 1e-7f) - 0.015f, inv * 0.8f) * slit * awake;
    t.glow[i] += 0.55f * spot;
    t.shade[i] = mix(t.shade[i], 0.97f, 0.75f * slit);
    // Lashes along the upper lid, past the outer corner; a fainter line below.
    const float reach = inside(abs(lx - 0.012f) - w * 1.06f, inv);
    const float lower_edge = top > bottom ? bottom : top;
    const float upper = band(y - lower_edge + 0.4f * lash, lash * (0.75f + 0.35f * u), inv) * reach;
    tint(t, i, {0.014f, 0.010f, 0.009f}, upper * 0.92f);
    t.gloss[i] *= 1.0f - upper;
    const float under = band(y - bottom - 0.004f, 0.006f, inv) * in_x;
    tint(t, i, {s.skin.r * 0.30f, s.skin.g * 0.20f, s.skin.b * 0.18f},
         under * (0.35f + 0.35f * id.lashes));
  }
}

void paint_brows(const Scene& s, Tile& t) {
  const FaceIdentity& id = s.id;
  const Mimic& m = s.mimic;
  if (id.brow_dark < 0.02f) return;
  const float start = id.brow_gap - 0.035f * m.frown;
  const float end = s.eye_x + id.eye_width * 1.25f;
  const float il = 1.0f / (end - start);
  if (!t.head.meets(-end - 0.1f, end + 0.1f, id.brow_y - 0.32f, id.brow_y + 0.22f)) return;
  const float drop = 0.045f * m.frown;
  for (int i = 0; i < tile_lanes; ++i) {
    const float x = t.hx[i], u = (abs(x) - start) * il;
    const float side = x < 0.0f ? -1.0f : 1.0f;
    const float v = sat(u);
    float y = id.brow_y + drop + 0.018f * id.asymmetry * side * v;
    y -= id.brow_tilt * v + id.brow_arch * v * (1.3f - v) * 2.37f;
    y -= 0.075f * m.brow_inner * square(1.0f - v) + 0.075f * m.brow_outer * v * (1.5f - 0.5f * v);
    const float thick = id.brow_thick * (0.72f + 0.75f * v - 1.15f * v * v) + 0.003f;
    const float hairs = noise2(abs(x) * 34.0f + 30.0f * (t.hy[i] - y) + 60.0f,
                               t.hy[i] * 9.0f + 60.0f, id.texture + 21);
    const float d = abs(t.hy[i] - y) - thick * (0.85f + 0.35f * hairs);
    const float soft = 0.5f - d * (1.0f / (0.022f + 1.0f / s.inv));
    const float ends = ramp(-0.10f, 0.10f, u) * (1.0f - ramp(0.92f, 1.04f, u));
    const float k = sat(soft) * ends * id.brow_dark * (0.78f + 0.3f * hairs);
    tint(t, i, s.brow, sat(k));
    t.gloss[i] *= 1.0f - 0.8f * sat(k);
  }
}

}  // namespace imago::data::faces
