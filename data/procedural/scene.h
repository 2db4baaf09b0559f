// One image's worth of precomputed numbers, the tile of pixels the painters work on, and the
// painters themselves. Two frames are in use, both in head units with x right, y down, z towards
// the viewer: "view" (roll, scale and shift removed) and "face" (pose removed too).
#pragma once

#include <cstdint>
#include <vector>

#include "data/procedural/faces.h"
#include "data/procedural/maths.h"

namespace imago::data::faces {

// Pixels are handled in square tiles stored as arrays of tile_lanes floats.
inline constexpr int tile_side = 8;
inline constexpr int tile_lanes = tile_side * tile_side;
struct Lanes {
  alignas(64) float v[tile_lanes];
  float& operator[](int i) { return v[i]; }
  float operator[](int i) const { return v[i]; }
};

struct Box {
  float x0, x1, y0, y1;
  bool meets(float a0, float a1, float b0, float b1) const {
    return x0 < a1 && x1 > a0 && y0 < b1 && y1 > b0;
  }
};

struct Tile {
  // The composite so far: linear colour, visible face, person.
  Lanes r, g, b, face, person;
  // View coordinates.
  Lanes x, y;
  Box view;
  // The head under each pixel (outside its outline: the nearest approach of the ray).
  Lanes hx, hy, hz;    // point in the face frame
  Lanes nx, ny, nz;    // normal in the face frame
  Lanes edge;          // signed distance to the outline, negative inside
  Lanes cover;         // coverage of head and beard
  Box head;            // of hx, hy
  Lanes ar, ag, ab;    // linear albedo
  Lanes shade, gloss;  // factor on all light; strength of highlights
  Lanes glow;          // light added after shading (sparkle in the eye)
  Lanes kr, kg, kb;    // lit colour of hair
  bool has_hair_colour;
  Lanes tuft;  // signed distance to the outline of the hair, negative inside
  Lanes line;  // signed distance to the hairline, positive where hair grows
};

struct Rgb {
  float r, g, b;  // linear
};

// Smooth bump of the head's surface, along z.
struct Bump {
  float x, y;    // centre; a mirrored pair uses |x|
  float ix, iy;  // 1 / radii
  float height;
  bool pair;
};

// Expression and blink, as displacements of the features.
struct Mimic {
  float brow_inner, brow_outer, frown;  // up, up, together and down
  float open_eyes;                      // factor on the opening
  float cheeks;                         // raised cheeks
  float smile, stretch, jaw, teeth;     // corners up, width, opening, share of visible teeth
  float upper_lip, press, pucker;
};
Mimic mimic_of(const FaceNuisance& nuisance);

struct Scene {
  FaceIdentity id;  // clamped
  FaceNuisance nu;
  Mimic mimic;
  int size;   // pixels rendered (a multiple of the image size)
  float inv;  // pixels per head unit: 1 / pixel width
  float centre_x, centre_y, cos_roll, sin_roll;
  float cy, sy, cp, sp;  // yaw, pitch
  float turn_x, turn_y;  // shift that keeps a turned face in the middle

  // Head: x^2 / w^2 + (z - jut(s) - bump)^2 / d^2 = R(s), s = (y - level) / up or down.
  float level, up, down, w, d, square, taper, jut;
  std::vector<Bump> bumps;

  Vec3 key_view, key_face, half_face, sky_face;
  Rgb key, ambient, bounce;

  Rgb skin, lips, hair, grey, iris, brow, lid, clothes, occluder, back_a, back_b;
  // Features, in the face frame.
  float eye_x, eye_y, eye_open, eye_low;
  float mouth_y, mouth_w, mouth_up, mouth_down, mouth_curve, lip_up, lip_low;
  float nose_y;
  // Hair outline in the view frame.
  float hair_w, hair_h, hair_x, hair_end;
  bool has_hair, long_hair;
};

// A copy of the parameters forced into their documented ranges; throws on what is not finite.
FaceIdentity clamped(FaceIdentity id);
FaceNuisance clamped(FaceNuisance nu);

void build_scene(const FaceIdentity& identity, const FaceNuisance& nuisance, int size,
                 Scene& scene);

// Point of the head's surface above (x, y) of the face frame, and a face point in image pixels.
Vec3 surface_point(const Scene& s, float x, float y);
Point to_image(const Scene& s, Vec3 p);
Vec3 to_view(const Scene& s, Vec3 p);

// The painters, in order.
void paint_background(const Scene& s, Tile& t);
void trace_head(const Scene& s, Tile& t);  // geometry of the head
void paint_back_hair(const Scene& s, Tile& t);
void paint_body(const Scene& s, Tile& t);  // neck and clothes
void paint_skin(const Scene& s, Tile& t);
void paint_nose(const Scene& s, Tile& t);
void paint_mouth(const Scene& s, Tile& t);
void paint_eyes(const Scene& s, Tile& t);
void paint_brows(const Scene& s, Tile& t);
void paint_beard(const Scene& s, Tile& t);
void trace_hair(const Scene& s, Tile& t);  // hairline and its shadow
void light_head(const Scene& s, Tile& t);  // shades the albedo and composes the head
void paint_glasses(const Scene& s, Tile& t);
void paint_front_hair(const Scene& s, Tile& t);
void paint_ears(const Scene& s, Tile& t);
void paint_mask(const Scene& s, Tile& t);       // under the hair
void paint_occlusion(const Scene& s, Tile& t);  // over everything

// Light on a matt surface with a view-frame normal.
inline Rgb lit(const Scene& s, float nx, float ny, float nz) {
  const float k = most(nx * s.key_view.x + ny * s.key_view.y + nz * s.key_view.z, 0.0f);
  const float up = 0.70f - 0.30f * ny;
  return {s.key.r * k + s.ambient.r * up, s.key.g * k + s.ambient.g * up,
          s.key.b * k + s.ambient.b * up};
}

inline void blend(float& to, float colour, float alpha) {
  to += (colour - to) * alpha;
}

// Lays a colour over lane i: a part of the person that is not face.
inline void cover(Tile& t, int i, Rgb c, float alpha) {
  blend(t.r[i], c.r, alpha);
  blend(t.g[i], c.g, alpha);
  blend(t.b[i], c.b, alpha);
  blend(t.face[i], 0.0f, alpha);
  blend(t.person[i], 1.0f, alpha);
}
// Paints the head's albedo.
inline void tint(Tile& t, int i, Rgb c, float alpha) {
  blend(t.ar[i], c.r, alpha);
  blend(t.ag[i], c.g, alpha);
  blend(t.ab[i], c.b, alpha);
}

}  // namespace imago::data::faces
