// Skin, its texture and wrinkles, the nose and the beard.
#include "data/procedural/scene.h"

namespace imago::data::faces {

void paint_skin(const Scene& s, Tile& t) {
  const FaceIdentity& id = s.id;
  const std::uint32_t key = id.texture;
  const float dark = 1.0f - 0.5f * id.skin_tone;
  const float red = (0.05f + 0.16f * id.redness) * dark;
  const float gloss = 0.25f + 0.75f * id.oiliness;
  for (int i = 0; i < tile_lanes; ++i) {
    const float x = t.hx[i], y = t.hy[i], ax = abs(x);
    const float mottle = noise2(x * 7.0f + 20.0f, y * 7.0f + 20.0f, key) - 0.5f;
    const float grain = noise2(x * 26.0f + 70.0f, y * 26.0f + 70.0f, key + 7) - 0.5f;
    const float tone = 1.0f + 0.07f * mottle + 0.07f * grain;
    // Blood shows in cheeks, nose, chin and ears, bone in the forehead.
    const float cheek = bell(square((ax - 0.38f) * 2.6f) + square((y - 0.28f) * 2.9f));
    const float tip = bell(square(x * 4.5f) + square((y - s.nose_y) * 4.0f));
    const float chin = bell(square(x * 3.0f) + square((y - 0.88f) * 4.5f));
    const float flush = red * (cheek * (1.0f + mottle) + 0.7f * tip + 0.3f * chin);
    const float pale = 0.05f * dark * bell(square(x * 1.8f) + square((y + 0.45f) * 2.6f));
    t.ar[i] = s.skin.r * tone * (1.0f + 0.15f * flush);
    t.ag[i] = s.skin.g * tone * (1.0f - 1.3f * flush + 0.5f * pale);
    t.ab[i] = s.skin.b * tone * (1.0f - 1.2f * flush - pale);
    t.gloss[i] =
        gloss * (0.30f + 0.35f * tip + 0.25f * bell(square(x * 2.0f) + square((y + 0.42f) * 3.0f)) +
                 0.15f * cheek);
    t.glow[i] = 0.0f;
    // Occluded corners: the socket beside the nose, under the brows, below nose and lip.
    const float socket = bell(square((ax - 0.16f) * 6.0f) + square((y - s.eye_y + 0.02f) * 6.0f));
    const float eye = bell(square((ax - s.eye_x) * 4.2f) + square((y - s.eye_y + 0.01f) * 6.5f));
    const float lip =
        bell(square(x * 4.2f) + square((y - s.mouth_y - s.mouth_down - s.lip_low - 0.04f) * 13.0f));
    const float rim = ramp(-0.16f, 0.03f, t.edge[i]);
    t.shade[i] = (1.0f - 0.24f * socket) * (1.0f - 0.16f * eye) * (1.0f - 0.20f * lip) *
                 (1.0f - 0.25f * rim);
    t.cover[i] = inside(t.edge[i], s.inv);
  }
  if (id.freckles > 0.02f && t.head.meets(-0.6f, 0.6f, -0.15f, 0.55f)) {
    for (int i = 0; i < tile_lanes; ++i) {
      const float x = t.hx[i], y = t.hy[i];
      const float zone = bell(square(x * 1.6f) + square((y - 0.2f) * 2.6f));
      const float spot = ramp(0.62f, 0.80f, noise2(x * 30.0f + 40.0f, y * 30.0f + 40.0f, key + 3));
      const float k = 0.5f * id.freckles * zone * spot;
      t.ar[i] *= 1.0f - 0.5f * k, t.ag[i] *= 1.0f - 0.8f * k, t.ab[i] *= 1.0f - k;
    }
  }
  // Wrinkles are soft troughs of shade.
  const float old = most(id.age - 0.25f, 0.0f);
  const float worry = 0.8f * old + 0.35f * most(s.mimic.brow_outer, s.mimic.brow_inner);
  if (worry > 0.02f && t.head.meets(-0.5f, 0.5f, -0.7f, -0.2f)) {
    for (int i = 0; i < tile_lanes; ++i) {
      const float x = t.hx[i], y = t.hy[i];
      const float bend = y + 0.10f * x * x + 0.015f * wave(x * 1.3f + 0.3f * id.brow_arch);
      const float lines = bell(square(wave(bend * 5.2f) * 1.6f - 1.4f));
      const float zone = bell(square(x * 2.1f) + square((y + 0.42f) * 4.2f));
      t.shade[i] *= 1.0f - 0.30f * worry * lines * zone;
    }
  }
  const float fold = 0.10f + 0.75f * old + 0.45f * most(s.mimic.cheeks, s.mimic.upper_lip);
  if (t.head.meets(-0.5f, 0.5f, 0.2f, 0.9f)) {
    for (int i = 0; i < tile_lanes; ++i) {
      const float ax = abs(t.hx[i]), y = t.hy[i];
      const float v = (y - s.nose_y - 0.01f) * (1.0f / 0.30f);  // from the wing to the mouth
      const float at =
          id.nose_width + 0.035f + (s.mouth_w + 0.04f - id.nose_width) * v * (0.45f + 0.45f * v);
      const float d = (ax - at) * 14.0f;
      const float along = bell(square(v * 1.5f - 0.75f));
      t.shade[i] *= 1.0f - 0.34f * fold * bell(d * d) * along;
    }
  }
  const float feet = old + 0.25f * s.mimic.cheeks;
  if (t.head.meets(-0.65f, 0.65f, -0.15f, 0.30f)) {
    for (int i = 0; i < tile_lanes; ++i) {
      const float ax = abs(t.hx[i]), y = t.hy[i] - s.eye_y;
      const float out = ax - s.eye_x - id.eye_width;
      const float rays = bell(square(wave(y * 9.0f + 0.25f - out) * 1.4f - 1.0f));
      const float zone = bell(square((out - 0.08f) * 10.0f) + square((y - 0.02f) * 9.0f));
      t.shade[i] *= 1.0f - 0.35f * feet * rays * zone;
      // Bags and tired skin below the eyes.
      const float bag = bell(square((ax - s.eye_x + 0.02f) * 6.5f) + square((y - 0.125f) * 14.0f));
      const float k = (0.06f + 0.45f * old) * bag;
      t.shade[i] *= 1.0f - 0.5f * k;
      t.ag[i] *= 1.0f - 0.25f * k;
    }
  }
}

void paint_nose(const Scene& s, Tile& t) {
  const FaceIdentity& id = s.id;
  const float ny = s.nose_y, w = id.nose_width;
  if (!t.head.meets(-0.45f, 0.45f, -0.25f, ny + 0.25f)) return;
  const float lx = clamp(s.key_face.x, -0.8f, 0.8f);
  const float fall = clamp(-s.key_face.y, 0.0f, 0.9f);  // shadow below, from light above
  const Rgb hole{s.skin.r * 0.10f, s.skin.g * 0.06f, s.skin.b * 0.06f};
  const float inv = s.inv;
  for (int i = 0; i < tile_lanes; ++i) {
    const float x = t.hx[i], y = t.hy[i], ax = abs(x);
    // The shadow the nose casts: a flank away from the key light and a patch below.
    const float side = bell(square((x + 0.16f * lx) * (1.0f / 0.17f)) +
                            square((y - ny + 0.10f) * (1.0f / 0.28f))) *
                       (x * lx < 0.0f ? 1.0f : 0.0f) * most(abs(lx) - 0.12f, 0.0f);
    const float off = x + 0.10f * lx;
    const float under = bell(square(off * (1.0f / (w + 0.05f))) +
                             square((y - ny - 0.085f - 0.04f * fall) * (1.0f / 0.085f)));
    t.shade[i] *= (1.0f - 0.45f * side) * (1.0f - (0.20f + 0.24f * fall) * under);
    // Groove behind the wings.
    const float rx = (ax - w + 0.06f) * (1.0f / 0.085f), ry = (y - ny - 0.015f) * (1.0f / 0.085f);
    const float ring = bell(square((std::sqrt(rx * rx + ry * ry + 1e-6f) - 0.95f) * 3.4f));
    const float outer = ramp(-0.3f, 0.5f, rx + 0.25f * ry);
    t.shade[i] *= 1.0f - 0.30f * ring * outer;
    // Nostrils.
    const float qx = (ax - 0.50f * w) * (1.0f / (0.36f * w)),
                qy = (y - ny - 0.062f + 0.12f * (ax - 0.5f * w)) * (1.0f / 0.024f);
    const float q = std::sqrt(qx * qx + qy * qy + 1e-6f) - 1.0f;
    const float dark = sat(0.5f - q * (0.018f * inv) * 0.8f) * (inv > 40.0f ? 0.85f : 0.65f);
    tint(t, i, hole, dark);
    t.gloss[i] *= 1.0f - dark;
  }
}

void paint_beard(const Scene& s, Tile& t) {
  const FaceIdentity& id = s.id;
  if (id.stubble + id.moustache + id.goatee + id.beard < 0.01f) return;
  if (!t.head.meets(-1.1f, 1.1f, 0.1f, 1.6f)) return;
  const float my = s.mouth_y, chin = s.level + s.down;
  const Rgb coat{mix(s.hair.r, s.grey.r, 0.8f * id.hair_grey) * 0.85f,
                 mix(s.hair.g, s.grey.g, 0.8f * id.hair_grey) * 0.82f,
                 mix(s.hair.b, s.grey.b, 0.8f * id.hair_grey) * 0.80f};
  const float bulk = id.beard_length * most(id.beard, 0.6f * id.goatee);
  for (int i = 0; i < tile_lanes; ++i) {
    const float x = t.hx[i], y = t.hy[i], ax = abs(x);
    const float turned = ax * (1.0f / s.w);
    const float u = t.hz[i] < 0.0f ? 2.0f - turned : turned;
    const float rough = noise2(x * 22.0f + 50.0f, y * 13.0f + 50.0f, id.texture + 11) - 0.5f;
    const float curl = noise2(x * 9.0f + 30.0f, y * 9.0f + 30.0f, id.texture + 12) - 0.5f;
    const float jitter = 0.05f * rough + 0.03f * curl;
    // From the sideburns along the cheek to the corners of the mouth, then round the lips.
    const float line =
        0.62f - 0.62f * ramp(0.45f, 1.05f, u) - 0.10f * (1.0f - ramp(0.10f, 0.5f, u));
    const float cheek = ramp(-0.07f, 0.07f, y - line + jitter) *
                        (1.0f - 0.9f * bell(square(ax * (1.0f / (s.mouth_w + 0.05f))) +
                                            square((y - my - 0.01f) * (1.0f / 0.24f))));
    const float lipside = 0.10f * x * x / (s.mouth_w * s.mouth_w);
    const float mo_y = (y - my + s.mouth_up + s.lip_up + 0.030f - lipside * 0.6f + jitter * 0.5f);
    const float mo =
        bell(square(mo_y * (1.0f / 0.072f)) * 0.8f +
             square(ax * (1.0f / (s.mouth_w + 0.10f))) * square(ax * (1.0f / (s.mouth_w + 0.10f))));
    const float edge_low = my + s.mouth_down + s.lip_low + 0.05f;
    const float go = ramp(-0.03f, 0.05f, y - edge_low + 0.04f * curl) *
                         (1.0f - ramp(0.16f, 0.27f, ax + jitter)) +
                     0.8f * bell(square((ax - s.mouth_w - 0.045f) * (1.0f / 0.07f)) +
                                 square((y - my - 0.08f) * (1.0f / 0.24f)));
    const float shadow = sat(cheek + mo + go);
    const float grow = ramp(0.15f, 0.6f, y);
    float k = 0.34f * id.stubble * shadow;
    t.ar[i] *= 1.0f - 0.85f * k * (1.0f + 0.5f * rough);
    t.ag[i] *= 1.0f - 0.75f * k * (1.0f + 0.5f * rough);
    t.ab[i] *= 1.0f - 0.60f * k * (1.0f + 0.5f * rough);
    const float dense =
        most(most(id.beard * cheek, id.moustache * sat(1.6f * mo)), id.goatee * sat(go));
    k = sat(dense * (1.15f + 0.5f * rough)) * 0.95f;
    const float light = 0.85f + 0.9f * rough + 0.5f * curl;
    tint(t, i, {coat.r * light, coat.g * light, coat.b * light}, k);
    t.gloss[i] *= 1.0f - 0.8f * k;
    t.shade[i] *= 1.0f - 0.12f * k;
    const float limit =
        t.edge[i] - bulk * grow * ramp(0.35f, 0.0f, ax - s.w * 0.6f) * (1.0f + 0.8f * curl);
    t.cover[i] = most(t.cover[i], inside(limit, s.inv) * (y < chin + 0.4f ? 1.0f : 0.0f));
  }
}

}  // namespace imago::data::faces
