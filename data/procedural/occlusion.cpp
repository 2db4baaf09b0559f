// Glasses, and whatever else may be in front of a face.
#include "data/procedural/scene.h"

namespace imago::data::faces {

namespace {

struct Spectacles {
  float square, a, b, rim;  // shape and half sizes of a lens
  Rgb frame, lens;
  float tint;  // opacity of the lens
  float strength;
};

void draw_spectacles(const Scene& s, Tile& t, const Spectacles& g) {
  const float inv = s.inv;
  const Vec3 nose = surface_point(s, 0.0f, s.eye_y + 0.06f);
  const float z = nose.z + 0.02f;
  const float cx = most(s.eye_x + 0.01f, g.a + 0.055f);
  const Vec3 mid = to_view(s, {0.0f, s.eye_y + 0.03f, z});
  if (!t.view.meets(mid.x - 1.1f, mid.x + 1.1f, mid.y - g.b - 0.2f, mid.y + g.b + 0.2f)) return;
  const float foreshorten = 1.0f / s.cy;
  for (int i = 0; i < tile_lanes; ++i) {
    const float x = (t.x[i] - mid.x) * foreshorten, y = t.y[i] - mid.y;
    const float ax = abs(x), lx = ax - cx;
    const float u = lx / g.a, v = y / g.b + 0.12f * g.square * u;
    const float u2 = u * u, v2 = v * v;
    // Between a circle and a squared superellipse.
    const float f = mix(u2 + v2, u2 * u2 + v2 * v2, g.square) - 1.0f;
    const float gu = mix(2.0f * u, 4.0f * u * u2, g.square) / g.a;
    const float gv = mix(2.0f * v, 4.0f * v * v2, g.square) / g.b;
    const float d = f / std::sqrt(gu * gu + gv * gv + 4.0f);
    const float lens = inside(d, inv) * g.strength;
    const float sheen = 0.5f * bell(square((u - v * 0.6f - 0.25f) * 2.6f)) +
                        0.25f * bell(square((u - v * 0.6f + 0.5f) * 5.0f));
    const float glare = lens * sheen * (0.05f + 0.07f * g.tint);
    t.r[i] += (g.lens.r - t.r[i]) * lens * g.tint + glare;
    t.g[i] += (g.lens.g - t.g[i]) * lens * g.tint + glare;
    t.b[i] += (g.lens.b - t.b[i]) * lens * g.tint + glare * 1.1f;
    if (g.tint > 0.5f) blend(t.face[i], 0.0f, lens * g.tint);
    const float ring = band(d - 0.3f * g.rim, g.rim, inv);
    const float bridge = band(y + 0.25f * g.b + 0.12f * (cx - g.a - ax), g.rim * 0.8f, inv) *
                         inside(ax - cx + g.a * 0.96f, inv);
    // The temples run back to the ears.
    const float arm = band(y + 0.30f * g.b, g.rim * 0.8f, inv) *
                      inside(cx + g.a * 0.93f - ax, inv) * inside(t.edge[i], inv) * t.face[i];
    const float k = most(most(ring, bridge), arm) * g.strength;
    const float light =
        0.35f + 0.65f * s.key.g + 0.5f * bell(square((u + 0.4f) * 3.0f)) * (v < 0.0f ? 1.0f : 0.0f);
    blend(t.r[i], g.frame.r * light, k);
    blend(t.g[i], g.frame.g * light, k);
    blend(t.b[i], g.frame.b * light, k);
    // Rims cast a soft line on the cheek.
    const float drop = bell(square((d - 0.045f) * 22.0f)) * (v > 0.0f ? 0.16f : 0.05f) *
                       g.strength * t.face[i] * (1.0f - k);
    t.r[i] *= 1.0f - drop, t.g[i] *= 1.0f - drop, t.b[i] *= 1.0f - drop;
  }
}

void medical_mask(const Scene& s, Tile& t) {
  const float top = 0.20f, bottom = s.level + s.down + 0.06f;
  for (int i = 0; i < tile_lanes; ++i) {
    const float x = t.hx[i], y = t.hy[i], ax = abs(x);
    const float u = ax / s.w;
    const float upper = top - 0.12f * bell(u * u * 5.0f) + 0.10f * u * u;
    const float sheet = most(most(upper - y, y - bottom), ax - s.w * 0.93f);
    const float k = inside(most(sheet, t.edge[i] - 0.035f), s.inv);
    const float v = (y - top) / (bottom - top);
    const float pleat =
        1.0f - 0.16f * bell(square(wave(v * 1.7f + 0.1f) * 2.0f - 1.8f)) * (1.0f - u * u);
    const Rgb l = lit(s, 0.85f * x / s.w, 0.55f * (v - 0.35f), 0.62f + 0.25f * (1.0f - u * u));
    const float hem = 1.0f - 0.20f * bell(square((y - upper - 0.025f) * 26.0f));
    const float tone = pleat * hem;
    cover(t, i, {s.occluder.r * l.r * tone, s.occluder.g * l.g * tone, s.occluder.b * l.b * tone},
          k);
    // The loops.
    const float loop = band(y - 0.22f + 0.10f * (u - 0.8f), 0.010f, s.inv) *
                       (ax > s.w * 0.9f ? 1.0f : 0.0f) * inside(t.edge[i], s.inv);
    cover(t, i, {s.occluder.r * l.r, s.occluder.g * l.g, s.occluder.b * l.b}, loop * 0.9f);
  }
}

// Four fingers and the edge of a palm, from below.
void hand(const Scene& s, Tile& t) {
  const FaceNuisance& nu = s.nu;
  const float side = nu.occlusion_x < 0.0f ? -1.0f : 1.0f;
  const float bx = 0.22f * nu.occlusion_x + 0.12f * side, by = 0.62f + 0.14f * nu.occlusion_y;
  if (!t.view.meets(bx - 1.3f, bx + 1.3f, by - 0.9f, 4.0f)) return;
  Lanes sum;
  for (int i = 0; i < tile_lanes; ++i) sum[i] = 0.0f;
  // The palm, then the fingers; each leaves a contact shadow on what is behind it.
  for (int f = 0; f < 5; ++f) {
    const float n = static_cast<float>(f);
    const bool palm = f == 0;
    const float px = bx + (palm ? 0.22f : 0.10f + 0.135f * (n - 1.0f)) * side;
    const float tip = by + (palm ? 0.20f : -0.16f + 0.055f * square(n - 2.3f));
    const float base = by + (palm ? 1.0f : 0.42f);
    const float lean = palm ? 0.25f : -0.42f + 0.09f * n;
    const float radius = palm ? 0.30f : 0.074f;
    for (int i = 0; i < tile_lanes; ++i) {
      const float y = t.y[i], v = clamp(y, tip, base);
      const float x = t.x[i] - px - lean * (v - tip) * side;
      const float dy = y - v;
      const float dist = std::sqrt(x * x + dy * dy + 1e-6f);
      const float d = dist - radius;
      const float k = inside(d, s.inv);
      const float near = bell(square(most(d, 0.0f) * 14.0f)) * (1.0f - k) * 0.35f;
      t.r[i] *= 1.0f - near, t.g[i] *= 1.0f - near, t.b[i] *= 1.0f - near;
      const float nx = x / radius, ny = dy / radius;
      const float nz = std::sqrt(most(1.0f - nx * nx - ny * ny, 0.05f));
      const Rgb l = lit(s, nx, ny, nz);
      const float knuckle = 1.0f - (palm ? 0.0f : 0.14f * bell(square((y - tip - 0.17f) * 16.0f)));
      const float nail =
          palm ? 0.0f : 0.25f * bell(square((y - tip + 0.01f) * 18.0f) + square(x * 22.0f));
      const float tone = knuckle * (1.0f + nail) * 0.95f;
      cover(t, i,
            {s.skin.r * l.r * tone, s.skin.g * l.g * tone * 0.92f, s.skin.b * l.b * tone * 0.90f},
            k);
    }
  }
}

void hat(const Scene& s, Tile& t) {
  const float line = -0.50f;
  const float w = s.hair_w - s.id.hair_side + least(s.id.hair_side, 0.06f) + 0.05f;
  const float h = s.up + least(s.id.hair_top, 0.10f) + 0.12f;
  const bool cap = (s.nu.backdrop & 1u) != 0;
  for (int i = 0; i < tile_lanes; ++i) {
    const float x = t.x[i] - s.hair_x, y = t.y[i] - 0.7f * s.turn_y, ax = abs(x);
    const float u = x / w, v = (y - s.level) / h;
    const float f = u * u + v * v * v * v * 0.5f + v * v * 0.5f - 1.0f;
    const float dome = f * 0.5f * w;
    const float bend = line + 0.14f * (1.0f - u * u) * (cap ? 0.2f : 0.6f) - 0.4f * s.sp;
    const float d = most(dome, y - bend);
    const float nx = clamp(u, -0.95f, 0.95f), ny = clamp(v, -0.9f, 0.2f);
    const float nz = std::sqrt(most(1.0f - nx * nx - ny * ny, 0.06f));
    const Rgb l = lit(s, nx, ny, nz);
    const float knit = cap ? 0.0f : 0.10f * wave(u * 11.0f + 0.3f * v) + 0.05f * wave(v * 13.0f);
    const float cuff = cap ? 1.0f : 1.0f - 0.22f * bell(square((y - bend + 0.22f) * 24.0f));
    const float tone = (0.95f + knit) * cuff;
    const float k = inside(d, s.inv);
    const float shadow = bell(square(most(y - bend, 0.0f) * 7.0f)) * (1.0f - k) * 0.40f *
                         t.person[i] * inside(ax - w, s.inv);
    t.r[i] *= 1.0f - shadow, t.g[i] *= 1.0f - shadow, t.b[i] *= 1.0f - shadow;
    cover(t, i, {s.occluder.r * l.r * tone, s.occluder.g * l.g * tone, s.occluder.b * l.b * tone},
          k);
    if (cap) {
      const float bx = (x - 0.35f * s.sy) / (0.90f * w),
                  by = (y - bend - 0.02f + 0.10f * bx * bx - 0.02f) / 0.11f;
      const float brim = (std::sqrt(bx * bx * bx * bx + by * by + 1e-6f) - 1.0f) * 0.11f;
      const Rgb bl = lit(s, 0.3f * bx, -0.6f, 0.7f);
      const float bt = 0.62f + 0.25f * sat(-by);
      cover(t, i, {s.occluder.r * bl.r * bt, s.occluder.g * bl.g * bt, s.occluder.b * bl.b * bt},
            inside(brim, s.inv));
    }
  }
}

void loose_strands(const Scene& s, Tile& t) {
  const Rgb l = lit(s, 0.0f, -0.2f, 0.9f);
  const float old = s.id.hair_grey;
  const Rgb lock{mix(s.hair.r, s.grey.r, old), mix(s.hair.g, s.grey.g, old),
                 mix(s.hair.b, s.grey.b, old)};
  const float side = s.nu.occlusion_x < 0.0f ? -1.0f : 1.0f;
  for (int n = 0; n < 7; ++n) {
    const float k = static_cast<float>(n);
    const float jitter = lattice(n, 3, s.nu.backdrop) - 0.5f;
    const float start = side * (0.45f - 0.055f * k) + 0.05f * jitter;
    const float end = 0.05f + 0.45f * lattice(n, 4, s.nu.backdrop);
    const float curve = side * (0.42f + 0.2f * jitter);
    const float tone = (0.8f + 0.6f * lattice(n, 5, s.nu.backdrop));
    for (int i = 0; i < tile_lanes; ++i) {
      const float y = t.hy[i], v = y + 0.80f;
      const float at = start - curve * v * (0.75f - 0.45f * v);
      const float hw = 0.020f * sat(1.0f - ramp(end - 0.5f, end, y)) + 0.004f;
      const float a =
          band(t.hx[i] - at, hw, s.inv) * inside(y - end, s.inv) * inside(t.edge[i], s.inv);
      cover(t, i, {lock.r * l.r * tone, lock.g * l.g * tone, lock.b * l.b * tone}, 0.9f * a);
    }
  }
}

}  // namespace

void paint_glasses(const Scene& s, Tile& t) {
  const FaceIdentity& id = s.id;
  if (id.glasses < 0.01f || s.nu.occlusion == Occlusion::sunglasses) return;
  const Colour c = id.glasses_colour;
  draw_spectacles(s, t,
                  {id.glasses_square,
                   0.165f + 0.05f * id.glasses_size,
                   (0.135f + 0.05f * id.glasses_size) * (1.0f - 0.22f * id.glasses_square),
                   id.glasses_rim,
                   {c.r * c.r, c.g * c.g, c.b * c.b},
                   {0.5f, 0.55f, 0.6f},
                   0.04f,
                   id.glasses});
}

void paint_mask(const Scene& s, Tile& t) {
  if (s.nu.occlusion == Occlusion::medical_mask) medical_mask(s, t);
}

void paint_occlusion(const Scene& s, Tile& t) {
  switch (s.nu.occlusion) {
    case Occlusion::none:
    case Occlusion::medical_mask:
      break;
    case Occlusion::sunglasses:
      draw_spectacles(s, t,
                      {0.5f,
                       0.225f,
                       0.165f,
                       0.018f,
                       {0.02f, 0.02f, 0.02f},
                       {0.018f, 0.016f, 0.02f},
                       0.94f,
                       1.0f});
      break;
    case Occlusion::hand:
      hand(s, t);
      break;
    case Occlusion::hat:
      hat(s, t);
      break;
    case Occlusion::hair_strands:
      loose_strands(s, t);
      break;
  }
}

}  // namespace imago::data::faces
