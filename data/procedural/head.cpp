// Geometry of the head: one ray per pixel meets the implicit surface of scene.h.
#include "data/procedural/scene.h"

namespace imago::data::faces {

namespace {

// R(s): the squared size of the cross-section at height y, and its derivative in y. The cranium is
// an ellipse; below the level of the cheekbones, s^4 squares the jaw and (1 - taper s^2) narrows
// it. R stays above a small floor so that rays that miss the head still have a nearest point.
struct Section {
  float r, slope, jut, jut_slope;
};
inline Section section(const Scene& sc, float y) {
  const float dy = y - sc.level;
  const bool lower = dy > 0.0f;
  const float ih = lower ? 1.0f / sc.down : 1.0f / sc.up;
  const float q = lower ? sc.square : 0.38f;
  const float k = lower ? sc.taper : 0.0f;
  const float s = dy * ih, s2 = s * s;
  const float e = 1.0f - s2 * (1.0f - q) - s2 * s2 * q;
  const float de = -2.0f * s * (1.0f - q) - 4.0f * s * s2 * q;
  const float w = 1.0f - k * s2;
  const float dw = -2.0f * k * s;
  return {w * w * e, (2.0f * w * dw * e + w * w * de) * ih, lower ? sc.jut * s2 : 0.0f,
          lower ? 2.0f * sc.jut * s * ih : 0.0f};
}

void set_bounds(Tile& t) {
  Box box{t.hx[0], t.hx[0], t.hy[0], t.hy[0]};
  for (int i = 1; i < tile_lanes; ++i) {
    box.x0 = least(box.x0, t.hx[i]), box.x1 = most(box.x1, t.hx[i]);
    box.y0 = least(box.y0, t.hy[i]), box.y1 = most(box.y1, t.hy[i]);
  }
  t.head = box;
}

// The bumps that reach this tile.
int relevant(const Scene& s, const Box& box, const Bump** list) {
  int n = 0;
  for (const Bump& b : s.bumps) {
    const float rx = 1.0f / b.ix + 0.05f, ry = 1.0f / b.iy + 0.05f;
    const bool here = box.meets(b.x - rx, b.x + rx, b.y - ry, b.y + ry) ||
                      (b.pair && box.meets(-b.x - rx, -b.x + rx, b.y - ry, b.y + ry));
    if (here) list[n++] = &b;
  }
  return n;
}

}  // namespace

void trace_head(const Scene& s, Tile& t) {
  const float a = s.cp * s.sy, c = s.cp * s.cy;
  const float iw = 1.0f / (s.w * s.w), id = 1.0f / (s.d * s.d);
  const float qa = a * a * iw + c * c * id, inv_qa = 1.0f / qa;
  const float outline = 1.0f / (s.w * s.w * s.cy * s.cy + s.d * s.d * s.sy * s.sy);
  Lanes depth, height;
  for (int i = 0; i < tile_lanes; ++i) {
    const float vx = t.x[i] - s.turn_x, vy = t.y[i] - s.turn_y;
    // Signed distance to the outline, from the implicit function and its gradient.
    Section o = section(s, (vy - 0.2f * s.sp) / s.cp);
    o = section(s, (vy - (o.jut + 0.1f) * s.sp) / s.cp);
    const float ox = vx - o.jut * s.sy;
    const float f = ox * ox * outline - o.r;
    const float gx = 2.0f * ox * outline;
    t.edge[i] = f / std::sqrt(gx * gx + o.slope * o.slope + 0.02f);
    depth[i] = 0.75f * s.d;
    height[i] = 0.0f;
    t.hx[i] = vx * s.cy - (vy * s.sp + depth[i] * s.cp) * s.sy;
    t.hy[i] = vy * s.cp - depth[i] * s.sp;
  }
  set_bounds(t);
  // Far outside nothing of the head shows: its front plane will do.
  float nearest = t.edge[0];
  for (int i = 1; i < tile_lanes; ++i) nearest = least(nearest, t.edge[i]);
  if (nearest > 0.12f + 2.0f * s.id.beard_length) {
    for (int i = 0; i < tile_lanes; ++i) {
      t.hz[i] = t.nx[i] = t.ny[i] = 0.0f;
      t.nz[i] = 1.0f;
    }
    return;
  }
  const Bump* list[32];
  Box reach = t.head;
  const float slack = 0.02f + 0.8f * (abs(s.sy) + abs(s.sp));
  reach = {reach.x0 - slack, reach.x1 + slack, reach.y0 - slack, reach.y1 + slack};
  int n = relevant(s, reach, list);
  // Fixed-point iteration: bumps move the ellipse that the ray meets in closed form. Half steps
  // keep it stable where the flank of the nose is as steep as the ray.
  constexpr int rounds = 3;
  for (int round = 0; round < rounds; ++round) {
    for (int i = 0; i < tile_lanes; ++i) {
      const float vx = t.x[i] - s.turn_x, vy = t.y[i] - s.turn_y;
      const float y = vy * s.cp - depth[i] * s.sp;
      const float x0 = vx * s.cy - vy * s.sp * s.sy;
      const Section q = section(s, y);
      const float z0 = vx * s.sy + vy * s.sp * s.cy - q.jut - height[i];
      const float b = z0 * c * id - x0 * a * iw;
      const float cc = x0 * x0 * iw + z0 * z0 * id - most(q.r, 0.0f);
      depth[i] = (std::sqrt(most(b * b - qa * cc, 0.0f)) - b) * inv_qa;
      t.hx[i] = x0 - depth[i] * a;
      t.hy[i] = vy * s.cp - depth[i] * s.sp;
      t.hz[i] = z0 + depth[i] * c;  // relative to the centre of the section and the bump
    }
    if (round + 1 == rounds) break;
    Lanes sum;
    for (int i = 0; i < tile_lanes; ++i) sum[i] = 0.0f;
    for (int k = 0; k < n; ++k) {
      const Bump b = *list[k];
      for (int i = 0; i < tile_lanes; ++i) {
        const float px = b.pair ? abs(t.hx[i]) : t.hx[i];
        sum[i] += b.height * bell(square((px - b.x) * b.ix) + square((t.hy[i] - b.y) * b.iy));
      }
    }
    const float step = round == 0 ? 1.0f : 0.6f;
    for (int i = 0; i < tile_lanes; ++i) height[i] += (sum[i] - height[i]) * step;
  }
  set_bounds(t);
  n = relevant(s, t.head, list);
  Lanes bx, by;
  for (int i = 0; i < tile_lanes; ++i) bx[i] = by[i] = 0.0f;
  for (int k = 0; k < n; ++k) {
    const Bump b = *list[k];
    for (int i = 0; i < tile_lanes; ++i) {
      const float px = b.pair ? abs(t.hx[i]) : t.hx[i];
      const float mirror = b.pair && t.hx[i] < 0.0f ? -1.0f : 1.0f;
      const float u = (px - b.x) * b.ix, v = (t.hy[i] - b.y) * b.iy;
      const float g = most(1.0f - u * u - v * v, 0.0f);
      const float slope = -6.0f * b.height * g * g;
      bx[i] += slope * u * b.ix * mirror;
      by[i] += slope * v * b.iy;
    }
  }
  for (int i = 0; i < tile_lanes; ++i) {
    const Section q = section(s, t.hy[i]);
    float nx = 2.0f * t.hx[i] * iw;
    float nz = 2.0f * t.hz[i] * id;
    float ny = -q.slope - nz * q.jut_slope;
    const float front = most(nz, 0.0f);
    nx -= bx[i] * front;
    ny -= by[i] * front;
    const float inv = 1.0f / std::sqrt(nx * nx + ny * ny + nz * nz + 1e-6f);
    t.nx[i] = nx * inv;
    t.ny[i] = ny * inv;
    t.nz[i] = nz * inv;
    t.hz[i] += q.jut + height[i];
  }
}

Vec3 surface_point(const Scene& s, float x, float y) {
  const Section q = section(s, y);
  float z = s.d * std::sqrt(most(q.r - x * x / (s.w * s.w), 0.0f)) + q.jut;
  for (const Bump& b : s.bumps) {
    const float px = b.pair ? abs(x) : x;
    z += b.height * bell(square((px - b.x) * b.ix) + square((y - b.y) * b.iy));
  }
  return {x, y, z};
}

// Light on skin: a wrapped key light whose red reaches furthest past the terminator (light that
// travels under the skin), a sky, light bounced from below, and a highlight.
void light_head(const Scene& s, Tile& t) {
  const float lx = s.key_face.x, ly = s.key_face.y, lz = s.key_face.z;
  const float wr = 0.42f, wg = 0.28f, wb = 0.22f;
  for (int i = 0; i < tile_lanes; ++i) {
    const float nx = t.nx[i], ny = t.ny[i], nz = t.nz[i];
    const float d = nx * lx + ny * ly + nz * lz;
    const float kr = square(most(d + wr, 0.0f) * (1.0f / (1.0f + wr)));
    const float kg = square(most(d + wg, 0.0f) * (1.0f / (1.0f + wg)));
    const float kb = square(most(d + wb, 0.0f) * (1.0f / (1.0f + wb)));
    const float up = 0.66f + 0.34f * (nx * s.sky_face.x + ny * s.sky_face.y + nz * s.sky_face.z);
    const float low = most(ny, 0.0f);
    float h = most(nx * s.half_face.x + ny * s.half_face.y + nz * s.half_face.z, 0.0f);
    h *= h, h *= h, h *= h;
    const float broad = h;
    h *= h, h *= h;
    const float spark = t.gloss[i] * (0.10f * broad + 0.30f * h);
    const float k = t.shade[i];
    const float r = t.ar[i] * (s.key.r * kr + s.ambient.r * up + s.bounce.r * low);
    const float g = t.ag[i] * (s.key.g * kg + s.ambient.g * up + s.bounce.g * low);
    const float b = t.ab[i] * (s.key.b * kb + s.ambient.b * up + s.bounce.b * low);
    const float alpha = t.cover[i];
    blend(t.r[i], k * (r + spark * s.key.r) + t.glow[i], alpha);
    blend(t.g[i], k * (g + spark * s.key.g) + t.glow[i], alpha);
    blend(t.b[i], k * (b + spark * s.key.b) + t.glow[i], alpha);
    blend(t.face[i], 1.0f, alpha);
    blend(t.person[i], 1.0f, alpha);
  }
}

}  // namespace imago::data::faces
