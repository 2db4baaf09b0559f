// Hair of the head, behind and in front of the face, and the ears that stick out of it.
#include "data/procedural/scene.h"

namespace imago::data::faces {

namespace {

// Signed distance to the outline of the whole head of hair, in the view frame: an ellipse above
// the level of the cheekbones, below it a curtain that ends at hair_end.
void hair_outline(const Scene& s, Tile& t) {
  const FaceIdentity& id = s.id;
  const float iw = 1.0f / (s.hair_w * s.hair_w), ih = 1.0f / (s.hair_h * s.hair_h);
  const float drop = most(s.hair_end - s.level, 0.05f), i_drop = 1.0f / drop;
  const float phase = 0.13f * static_cast<float>(id.texture & 63u);
  const float hug = 0.02f;  // hair stands off the skull even where it ends
  for (int i = 0; i < tile_lanes; ++i) {
    const float x = t.x[i] - s.hair_x, y = t.y[i] - 0.6f * s.turn_y - s.level;
    const float ax = abs(x);
    const float y2 = y * y * ih;
    const float f = x * x * iw + y2 * (0.62f + 0.38f * y2) - 1.0f;
    const float gx = 2.0f * x * iw, gy = 2.0f * y * ih * (0.62f + 0.76f * y2);
    const float dome = f / std::sqrt(gx * gx + gy * gy + 0.05f);
    const float v = y * i_drop;
    const float tuck = id.hair_side * std::sqrt(most(1.0f - v * v, 0.0f));
    const float skull = s.hair_w - id.hair_side;
    const float wavy = 0.07f * id.hair_wave * wave(y * 1.7f + phase) * ramp(0.0f, 0.35f, y);
    const float sheet = s.hair_w + (id.hair_flare + 0.05f) * y + wavy;
    const float reach = s.long_hair ? sheet : skull + tuck + hug * (1.0f - sat(v));
    const float rag = 0.10f * (noise1(x * 16.0f + 50.0f, id.texture + 5) - 0.5f);
    const float end = y - drop - rag - 0.10f * ax;
    const float curtain = most(ax - reach, end);
    t.tuft[i] = y < 0.0f ? dome : curtain;
  }
  if (id.hair_curl > 0.05f) {
    for (int i = 0; i < tile_lanes; ++i) {
      const float x = t.x[i] - s.hair_x, y = t.y[i];
      const float puff = noise2(x * 6.0f + 30.0f, y * 6.0f + 30.0f, id.texture + 6) +
                         0.5f * noise2(x * 15.0f + 30.0f, y * 15.0f + 30.0f, id.texture + 7) -
                         0.75f;
      t.tuft[i] += 0.11f * id.hair_curl * puff;
    }
  }
}

// Colour of lit hair. Strands radiate from the parting; curls are blobs.
void hair_colour(const Scene& s, Tile& t) {
  t.has_hair_colour = true;
  const FaceIdentity& id = s.id;
  const float iw = 1.0f / s.hair_w, ih = 1.0f / s.hair_h;
  const float part = id.hair_part * s.w, top = s.level - 0.85f * s.hair_h;
  const std::uint32_t key = id.texture + 31;
  Lanes strand, grey;
  for (int i = 0; i < tile_lanes; ++i) {
    const float x = t.x[i] - s.hair_x - part, y = t.y[i] - top;
    const float q = x / std::sqrt(x * x + y * y + 0.06f);
    const float bend = 0.06f * id.hair_wave * wave(y * 1.9f + 0.6f * q);
    const float at = q * 1.0f + bend;
    strand[i] = 0.62f * noise2(at * 19.0f + 40.0f, y * 1.3f + 40.0f, key) +
                0.38f * noise2(at * 46.0f + 90.0f, y * 2.1f + 40.0f, key + 1) - 0.5f;
    grey[i] = noise2(at * 24.0f + 130.0f, y * 0.8f + 40.0f, key + 2);
  }
  if (id.hair_curl > 0.05f) {
    for (int i = 0; i < tile_lanes; ++i) {
      const float x = t.x[i] - s.hair_x, y = t.y[i];
      const float curl = 0.6f * noise2(x * 9.0f + 60.0f, y * 9.0f + 60.0f, key + 3) +
                         0.4f * noise2(x * 19.0f + 60.0f, y * 19.0f + 60.0f, key + 4) - 0.5f;
      strand[i] = mix(strand[i], curl, id.hair_curl);
    }
  }
  const float pale = mix(s.hair.g, s.grey.g, id.hair_grey);
  const float contrast = (1.10f - 0.9f * pale) * (1.0f - 0.35f * id.hair_wave);
  const float shine = id.hair_shine * (1.0f - 0.75f * id.hair_curl);
  const Rgb light{0.5f * s.hair.r + 0.10f, 0.5f * s.hair.g + 0.09f, 0.5f * s.hair.b + 0.08f};
  for (int i = 0; i < tile_lanes; ++i) {
    const float x = (t.x[i] - s.hair_x) * iw, y = (t.y[i] - s.level) * ih;
    const float nx = clamp(x, -0.95f, 0.95f) * 0.9f;
    const float ny = clamp(y, -0.95f, 0.15f) * 0.9f;
    const float nz = std::sqrt(most(1.0f - nx * nx - ny * ny, 0.04f));
    const Rgb l = lit(s, nx, ny, nz);
    const float tone = 1.0f + contrast * strand[i];
    const float share = sat(id.hair_grey * (1.3f + 1.6f * (grey[i] - 0.5f)) - 0.1f);
    const float ring =
        bell(square((ny + 0.50f + 0.25f * s.key_view.y + 0.16f * strand[i]) * 2.8f)) *
        most(nx * s.key_view.x + ny * s.key_view.y + nz * s.key_view.z, 0.0f) *
        (0.55f + 1.1f * most(strand[i] + 0.2f, 0.0f)) * shine;
    t.kr[i] = (mix(s.hair.r, s.grey.r, share) * tone + ring * light.r) * l.r;
    t.kg[i] = (mix(s.hair.g, s.grey.g, share) * tone + ring * light.g) * l.g;
    t.kb[i] = (mix(s.hair.b, s.grey.b, share) * tone + ring * light.b) * l.b;
  }
}

bool hair_here(const Scene& s, const Tile& t) {
  const float w = s.hair_w + 0.25f + 0.45f * most(s.hair_end, 0.0f);
  return s.has_hair && t.view.meets(s.hair_x - w, s.hair_x + w, s.level - s.hair_h - 0.3f,
                                    most(s.hair_end, 0.0f) + 0.35f);
}

}  // namespace

void paint_back_hair(const Scene& s, Tile& t) {
  if (!hair_here(s, t)) return;
  hair_outline(s, t);
  bool open = false;  // does any lane show hair beside the head?
  for (int i = 0; i < tile_lanes; ++i) open |= t.edge[i] > -0.05f && t.tuft[i] < 0.1f;
  if (!open) return;
  hair_colour(s, t);
  const float inv = least(s.inv, mix(60.0f, 16.0f, s.id.hair_curl));
  for (int i = 0; i < tile_lanes; ++i) {
    const float near = 0.28f + 0.34f * ramp(0.0f, 0.35f, t.edge[i]);
    cover(t, i, {t.kr[i] * near, t.kg[i] * near, t.kb[i] * near},
          inside(t.tuft[i], inv) * sat(s.id.hair_cover * 1.5f));
  }
}

// How far each point of the head lies above the hairline, and the shadow hair casts below it.
void trace_hair(const Scene& s, Tile& t) {
  const FaceIdentity& id = s.id;
  if (!s.has_hair) return;
  // The hair leaves an oval open: up to the hairline, and to the temples at the sides.
  const float iw = 1.0f / s.w;
  const float temple = s.long_hair ? 0.84f - 0.7f * id.hair_side : 0.87f;
  const float it = 1.0f / temple;
  const float end = s.long_hair ? 4.0f : id.hair_length;
  const float waist = 0.06f;  // below it the opening keeps its width
  for (int i = 0; i < tile_lanes; ++i) {
    const float u = t.hx[i] * iw, y = t.hy[i];
    float au = abs(u);
    au = t.hz[i] < 0.0f ? 2.0f - au : au;
    const float rag = noise1(u * 11.0f + 40.0f + 2.0f * y, id.texture + 41) - 0.5f +
                      0.5f * (noise1(u * 29.0f + 90.0f, id.texture + 42) - 0.5f);
    float top = id.hairline + id.hairline_round * u * u + id.hair_sweep * (u - id.hair_part) +
                0.16f * id.fringe_ragged * rag;
    top -= id.hair_recede * bell(square((au - 0.52f) * 2.4f));
    top = clamp(top, -0.95f, waist - 0.2f);
    const float p = square(au * it), q = square(most(waist - y, 0.0f) / (waist - top));
    // Between an ellipse and a squarer oval.
    const float oval = 0.45f * std::sqrt(p + q) + 0.55f * std::sqrt(std::sqrt(p * p + q * q));
    const float open = 0.52f * (oval - 1.0f) + 0.015f * rag;
    t.line[i] = least(open, end - y + 0.08f * rag);
    const float shadow = bell(square(most(-t.line[i], 0.0f) * 8.0f));
    t.shade[i] *= 1.0f - (0.10f + 0.26f * least(id.hair_top * 6.0f, 1.0f)) * shadow * id.hair_cover;
  }
}

void paint_front_hair(const Scene& s, Tile& t) {
  if (!hair_here(s, t)) return;
  const FaceIdentity& id = s.id;
  Lanes alpha;
  const float inv = least(s.inv, mix(60.0f, 16.0f, id.hair_curl));
  const float soft = 1.0f / (1.0f / s.inv + 0.02f + 0.05f * (1.0f - id.hair_cover));
  const float inner = s.w * 0.62f;
  bool any = false;
  for (int i = 0; i < tile_lanes; ++i) {
    const float x = abs(t.x[i] - s.hair_x);
    const float on_head = sat(0.5f + t.line[i] * soft);
    // Past the outline of the face hair is in front of the neck only at the sides.
    const float beside =
        inside(inner + 0.20f * ramp(1.0f, 1.6f, t.y[i]) - x, 12.0f) * (s.long_hair ? 1.0f : 0.0f);
    const float above = 1.0f - ramp(0.35f, 0.55f, t.y[i]);
    const float off_head = most(above, beside);
    const float k = mix(on_head, off_head, sat(0.5f + t.edge[i] * s.inv));
    alpha[i] = inside(t.tuft[i], inv) * k;
    any |= alpha[i] > 0.0f;
  }
  if (!any) return;
  if (!t.has_hair_colour) hair_colour(s, t);
  const float thin = id.hair_cover < 0.999f ? 1.0f : 0.0f;
  for (int i = 0; i < tile_lanes; ++i) {
    // Thin hair lets the scalp through in strands.
    const float gap = noise2(t.hx[i] * 42.0f + 90.0f, t.hy[i] * 18.0f + 60.0f, id.texture + 51);
    const float density = mix(1.0f, sat(id.hair_cover * 1.4f - 0.35f * gap), thin);
    const float edge = 0.72f + 0.28f * sat(t.line[i] * 7.0f);  // darker near the roots
    cover(t, i, {t.kr[i] * edge, t.kg[i] * edge, t.kb[i] * edge}, alpha[i] * density);
  }
}

void paint_ears(const Scene& s, Tile& t) {
  if (s.id.hair_length > 0.25f && s.has_hair) return;
  const float h = 0.15f + 0.06f * s.id.ears, w = 0.068f + 0.022f * s.id.ears;
  for (int which = 0; which < 2; ++which) {
    const float side = which == 0 ? -1.0f : 1.0f;
    const Vec3 at = to_view(s, {side * (s.w - 0.03f), 0.09f, -0.06f});
    const float wide = w * (1.0f + 0.8f * abs(s.sy));
    if (!t.view.meets(at.x - wide - 0.1f, at.x + wide + 0.1f, at.y - h - 0.1f, at.y + h + 0.1f))
      continue;
    // The head hides an ear that is turned away.
    const float front = 0.035f + 3.0f * most(-side * s.sy - 0.05f, 0.0f);
    for (int i = 0; i < tile_lanes; ++i) {
      const float y = (t.y[i] - at.y) / h;
      const float x =
          ((t.x[i] - at.x) * side - 0.03f * (1.0f - y)) / wide + 0.25f * square(most(y, 0.0f));
      const float r = std::sqrt(x * x + y * y + 1e-6f);
      const float k = inside((r - 1.0f) * wide, s.inv) * inside(-t.edge[i] - front, s.inv);
      const float bowl = bell(square((x - 0.05f) * 1.7f) + square((y + 0.05f) * 1.4f));
      const float rim = bell(square((r - 0.82f) * 4.0f));
      const Rgb l = lit(s, 0.75f * side * sat(x + 0.3f), 0.35f * y, 0.66f);
      const float tone = (1.0f - 0.45f * bowl + 0.08f * rim) * 0.92f;
      cover(t, i,
            {s.skin.r * tone * l.r, s.skin.g * 0.88f * tone * l.g, s.skin.b * 0.86f * tone * l.b},
            k);
    }
  }
}

}  // namespace imago::data::faces
