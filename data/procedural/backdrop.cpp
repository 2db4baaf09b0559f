// Background, neck and clothes.
#include "data/procedural/scene.h"

namespace imago::data::faces {

void paint_background(const Scene& s, Tile& t) {
  const FaceNuisance& nu = s.nu;
  const std::uint32_t key = nu.backdrop;
  const float spin = static_cast<float>(key & 255u) * (1.0f / 128.0f) - 1.0f;
  const float ax = spin, ay = 1.0f - abs(spin);
  const float share = 0.5f / (abs(ax) + ay);
  const Background kind = nu.background;
  Lanes mixv;
  for (int i = 0; i < tile_lanes; ++i) {
    // The room does not roll with the head.
    const float x = s.cos_roll * t.x[i] - s.sin_roll * t.y[i];
    const float y = s.sin_roll * t.x[i] + s.cos_roll * t.y[i];
    mixv[i] = sat(0.5f + share * 0.8f * (x * ax + y * ay));
  }
  if (kind == Background::plain) {
    for (int i = 0; i < tile_lanes; ++i) mixv[i] *= 0.15f;
  } else if (kind == Background::blobs) {
    for (int i = 0; i < tile_lanes; ++i) {
      const float x = s.cos_roll * t.x[i] - s.sin_roll * t.y[i];
      const float y = s.sin_roll * t.x[i] + s.cos_roll * t.y[i];
      mixv[i] = 0.65f * noise2(x * 1.5f + 40.0f, y * 1.5f + 40.0f, key) +
                0.35f * noise2(x * 3.7f + 60.0f, y * 3.7f + 60.0f, key + 1);
    }
  } else if (kind == Background::stripes) {
    const float pitch = 0.6f + 0.25f * static_cast<float>((key >> 8) & 3u);
    for (int i = 0; i < tile_lanes; ++i) {
      const float x = s.cos_roll * t.x[i] - s.sin_roll * t.y[i];
      const float y = s.sin_roll * t.x[i] + s.cos_roll * t.y[i];
      mixv[i] = sat(0.5f + 1.4f * wave((x * ay + y * ax) * pitch) * 0.5f) * 0.7f + 0.3f * mixv[i];
    }
  }
  for (int i = 0; i < tile_lanes; ++i) {
    const float fade = 1.0f - 0.10f * (t.x[i] * t.x[i] + t.y[i] * t.y[i]) * 0.5f;
    t.r[i] = mix(s.back_a.r, s.back_b.r, mixv[i]) * fade;
    t.g[i] = mix(s.back_a.g, s.back_b.g, mixv[i]) * fade;
    t.b[i] = mix(s.back_a.b, s.back_b.b, mixv[i]) * fade;
    t.face[i] = 0.0f;
    t.person[i] = 0.0f;
  }
}

void paint_body(const Scene& s, Tile& t) {
  if (!t.view.meets(-3.0f, 3.0f, 0.3f, 9.0f)) return;
  const FaceIdentity& id = s.id;
  const FaceNuisance& nu = s.nu;
  const float nw = id.neck_width, shift = 0.45f * s.turn_x;
  const float chin = s.level + s.down;
  const float base = 0.30f + 0.72f * chin;  // where the shoulders begin
  for (int i = 0; i < tile_lanes; ++i) {
    const float x = t.x[i] - shift, y = t.y[i] - 0.3f * s.turn_y, ax = abs(x);
    // Neck and the slope of the shoulders.
    const float out = most(ax - 0.85f * nw, 0.0f);
    const float slope = base + 0.10f - 0.10f * bell(out * out * 30.0f) + 0.30f * out;
    const float neck = most(ax - nw - 0.05f * square(most(y - 0.7f, 0.0f)), 0.4f - y);
    const float body = least(neck, slope - y);
    const float k = inside(body, s.inv);
    const float u = clamp(x / (nw * 1.12f), -0.97f, 0.97f);
    const float nz = std::sqrt(1.0f - u * u);
    const Rgb l = lit(s, u, 0.10f, nz);
    // The head's own shadow.
    const float shade =
        0.38f + 0.62f * ramp(-0.02f, 0.42f, t.edge[i] * (1.0f + 0.5f * u * s.key_view.x));
    const float cord = 1.0f - 0.10f * bell(square((ax - 0.16f - 0.25f * (base + 0.2f - y)) * 9.0f));
    const float tone = shade * cord;
    cover(t, i,
          {s.skin.r * l.r * tone, s.skin.g * l.g * tone * 0.96f, s.skin.b * l.b * tone * 0.95f}, k);
    // Clothes from the collar down.
    const float round = base + 0.20f - 0.62f * x * x;
    const float vee = base + 0.42f - 0.95f * ax;
    const float collar = mix(round, vee, nu.collar);
    const float d = most(body, collar - y);
    const float cloth = inside(d, s.inv);
    const float fold =
        noise2(x * 3.0f + 20.0f, y * 2.0f + 3.0f * x + 40.0f, nu.backdrop + 9) - 0.5f;
    const Rgb c = lit(s, clamp(0.75f * x, -0.8f, 0.8f) + 0.5f * fold, -0.35f + 0.3f * fold, 0.72f);
    const float hem = 1.0f - 0.25f * bell(square((y - collar - 0.03f) * 24.0f));
    const float cast = 0.62f + 0.38f * ramp(0.0f, 0.35f, t.edge[i]);
    const float ct = hem * cast * (1.0f + 0.25f * fold);
    cover(t, i, {s.clothes.r * c.r * ct, s.clothes.g * c.g * ct, s.clothes.b * c.b * ct}, cloth);
  }
}

}  // namespace imago::data::faces
