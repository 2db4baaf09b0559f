#include "data/procedural/scene.h"

namespace imago::data::faces {

namespace {

// Gamma 2 stands for the sRGB curve throughout: it costs one multiply or one square root.
Rgb linear(Colour c) {
  return {c.r * c.r, c.g * c.g, c.b * c.b};
}
Rgb mixed(Rgb a, Rgb b, float t) {
  return {mix(a.r, b.r, t), mix(a.g, b.g, t), mix(a.b, b.b, t)};
}
Rgb scaled(Rgb a, float k) {
  return {a.r * k, a.g * k, a.b * k};
}

// From very light to very dark, as seen under a white light.
constexpr Colour skin_tones[] = {{0.945f, 0.805f, 0.725f}, {0.920f, 0.755f, 0.650f},
                                 {0.885f, 0.695f, 0.560f}, {0.775f, 0.570f, 0.420f},
                                 {0.620f, 0.425f, 0.300f}, {0.455f, 0.300f, 0.215f},
                                 {0.330f, 0.215f, 0.160f}};

Rgb skin_colour(float tone, float undertone) {
  const float at = sat(tone) * 6.0f;
  const int i = static_cast<int>(least(at, 5.0f));
  const Rgb base =
      mixed(linear(skin_tones[i]), linear(skin_tones[i + 1]), at - static_cast<float>(i));
  return {base.r * (1.0f - 0.015f * undertone), base.g * (1.0f + 0.02f * undertone),
          base.b * (1.0f - 0.10f * undertone)};
}

void add_bumps(Scene& s) {
  const FaceIdentity& id = s.id;
  const Mimic& m = s.mimic;
  std::vector<Bump>& b = s.bumps;
  b.clear();
  const auto one = [&](float x, float y, float rx, float ry, float h) {
    b.push_back({x, y, 1.0f / rx, 1.0f / ry, h, false});
  };
  const auto pair = [&](float x, float y, float rx, float ry, float h) {
    b.push_back({x, y, 1.0f / rx, 1.0f / ry, h, true});
  };
  const float wide = id.face_width / 0.70f;
  const float brow = id.brow_y - 0.04f * m.frown;
  pair(0.25f, brow - 0.02f, 0.30f, 0.15f, 0.035f + 0.05f * id.brow_ridge);
  one(0.0f, -0.55f, 0.60f, 0.40f, 0.05f);                         // forehead
  pair(s.eye_x - 0.06f, s.eye_y - 0.03f, 0.25f, 0.20f, -0.110f);  // sockets
  pair(s.eye_x, s.eye_y + 0.01f, 0.19f, 0.13f, 0.060f);           // lids over the ball
  pair(0.46f * wide, 0.22f - 0.05f * m.cheeks, 0.30f, 0.26f,
       0.02f + 0.09f * id.cheekbones + 0.05f * m.cheeks);
  pair(0.32f * wide, 0.34f - 0.06f * m.cheeks, 0.27f, 0.24f,
       0.10f * (id.cheek_fat - 0.35f) + 0.06f * m.cheeks);
  pair(0.42f * wide, 0.58f, 0.26f, 0.28f, 0.10f * (id.cheek_fat - 0.5f) - 0.04f * id.age);
  pair(0.68f * wide, -0.32f, 0.22f, 0.34f, -0.035f);  // temples
  // Nose: bridge, tip, wings.
  const float ny = s.nose_y;
  one(0.0f, ny - 0.22f, 0.20f, 0.38f, 0.06f + 0.09f * id.nose_bridge);
  one(0.0f, ny - 0.03f, 0.19f, 0.19f, 0.08f + 0.04f * id.nose_bridge + 0.04f * id.nose_tip);
  pair(id.nose_width - 0.035f, ny + 0.025f, 0.105f, 0.105f, 0.050f);
  // Mouth and chin.
  one(0.0f, s.mouth_y - 0.02f, 0.42f, 0.30f, 0.06f);
  one(0.0f, s.mouth_y - 0.5f * s.lip_up, s.mouth_w, s.lip_up + 0.04f, 0.018f + 0.2f * s.lip_up);
  one(0.0f, s.mouth_y + s.mouth_down + 0.5f * s.lip_low, s.mouth_w * 0.9f, s.lip_low + 0.03f,
      0.02f + 0.35f * s.lip_low);
  one(0.0f, s.mouth_y + s.mouth_down + s.lip_low + 0.075f, 0.24f, 0.09f, -0.035f);
  one(0.0f, s.level + s.down - 0.16f, 0.26f, 0.20f, 0.03f + 0.08f * id.chin);
  one(0.0f, 0.5f * (ny + s.mouth_y) + 0.02f, 0.05f, 0.09f, -0.015f);  // philtrum
  if (id.age > 0.3f) {
    const float a = id.age - 0.3f;
    pair(s.eye_x - 0.01f, s.eye_y + 0.135f, 0.15f, 0.055f, 0.030f * a);  // bags
    pair(0.34f, 0.80f, 0.14f, 0.20f, 0.06f * a);                         // jowls
    pair(0.24f, 0.55f, 0.06f, 0.22f, -0.025f * a);
  }
}

void set_light(Scene& s) {
  const FaceNuisance& nu = s.nu;
  const Vec3 v = normalised({nu.light_x, nu.light_y, nu.light_z});
  // The light is fixed to the room, not to the rolled head.
  s.key_view = {s.cos_roll * v.x + s.sin_roll * v.y, -s.sin_roll * v.x + s.cos_roll * v.y, v.z};
  const auto face = [&](Vec3 p) {
    const float z1 = p.y * s.sp + p.z * s.cp;
    return Vec3{p.x * s.cy - z1 * s.sy, p.y * s.cp - p.z * s.sp, p.x * s.sy + z1 * s.cy};
  };
  s.key_face = face(s.key_view);
  s.half_face = face(normalised({s.key_view.x, s.key_view.y, s.key_view.z + 1.0f}));
  s.sky_face = face({s.sin_roll, -s.cos_roll, 0.35f});
  const Rgb c = linear(nu.light_colour);
  s.key = scaled(c, 1.05f * nu.light);
  const Rgb room = mixed(s.back_a, s.back_b, 0.5f);
  const float grey = 0.34f * (room.r + room.g + room.b) + 0.02f;
  // A little of the room's colour comes back from the background.
  s.ambient = scaled(mixed({1, 1, 1}, scaled(room, 1.0f / grey), 0.15f), 0.68f * nu.ambient);
  s.bounce = scaled(mixed({0.5f, 0.5f, 0.5f}, room, 0.7f), 0.22f * nu.ambient);
}

}  // namespace

void build_scene(const FaceIdentity& identity, const FaceNuisance& nuisance, int size, Scene& s) {
  s.id = clamped(identity);
  s.nu = clamped(nuisance);
  const FaceIdentity& id = s.id;
  const FaceNuisance& nu = s.nu;
  s.mimic = mimic_of(nu);
  const Mimic& m = s.mimic;

  s.size = size;
  s.inv = 0.42f * static_cast<float>(size) * nu.scale;
  s.centre_x = static_cast<float>(size) * (0.5f + nu.shift_x);
  s.centre_y = static_cast<float>(size) * (0.50f + nu.shift_y);
  s.cos_roll = cosine(nu.roll), s.sin_roll = sine(nu.roll);
  s.cy = cosine(nu.yaw), s.sy = sine(nu.yaw);
  s.cp = cosine(nu.pitch), s.sp = sine(nu.pitch);

  s.level = -0.10f;
  s.up = 0.92f;
  s.down = id.face_length - s.level + 0.10f * m.jaw;
  s.w = id.face_width;
  s.d = 0.84f;
  s.square = 0.15f + 0.70f * id.jaw_square;
  s.taper = id.jaw_taper;
  s.jut = 0.36f + 0.06f * id.chin;
  s.turn_x = -0.45f * s.d * s.sy;
  s.turn_y = -0.55f * s.d * s.sp;

  s.eye_x = id.eye_spacing;
  s.eye_y = id.eye_y;
  const float opening = m.open_eyes;
  s.eye_open = id.eye_open * 0.95f * opening;
  s.eye_low = id.eye_open * 0.55f * least(opening, 1.0f) - 0.012f * m.cheeks;
  s.nose_y = id.nose_length;
  s.mouth_y = id.mouth_y + 0.01f * m.press - 0.015f * m.jaw;
  s.mouth_w = id.mouth_width * (1.0f + m.stretch);
  s.mouth_up = 0.03f * m.jaw + 0.035f * m.teeth + 0.03f * m.upper_lip;
  s.mouth_down = 0.15f * m.jaw + 0.03f * m.teeth;
  s.mouth_curve = 0.085f * m.smile;
  s.lip_up = id.lip_upper * (1.0f - 0.4f * m.press - 0.2f * most(m.stretch, 0.0f));
  s.lip_low = id.lip_lower * (1.0f - 0.4f * m.press - 0.2f * most(m.stretch, 0.0f));
  add_bumps(s);

  s.skin = skin_colour(id.skin_tone, id.skin_undertone);
  s.hair = linear(id.hair);
  s.grey = {0.55f, 0.54f, 0.52f};
  s.iris = linear(id.iris);
  s.brow = mixed(mixed(s.hair, {0.02f, 0.014f, 0.010f}, 0.45f), s.grey, 0.5f * id.hair_grey);
  s.lips = linear(id.lips);
  s.lid = mixed(s.skin, {0.16f, 0.06f, 0.08f}, 0.75f);
  s.clothes = linear(nu.clothes);
  s.occluder = linear(nu.occlusion_colour);
  s.back_a = linear(nu.background_a);
  s.back_b = linear(nu.background_b);
  set_light(s);

  s.has_hair = id.hair_cover > 0.02f;
  s.long_hair = id.hair_length > 0.55f;
  s.hair_w = std::sqrt(s.w * s.w * s.cy * s.cy + s.d * s.d * s.sy * s.sy) + id.hair_side;
  s.hair_h = s.up + id.hair_top;
  s.hair_x = s.turn_x;
  s.hair_end = id.hair_length;
}

Vec3 to_view(const Scene& s, Vec3 p) {
  const float z1 = p.z * s.cy - p.x * s.sy;
  return {p.x * s.cy + p.z * s.sy + s.turn_x, p.y * s.cp + z1 * s.sp + s.turn_y,
          z1 * s.cp - p.y * s.sp};
}

Point to_image(const Scene& s, Vec3 p) {
  const Vec3 v = to_view(s, p);
  return {s.centre_x + (s.cos_roll * v.x - s.sin_roll * v.y) * s.inv,
          s.centre_y + (s.sin_roll * v.x + s.cos_roll * v.y) * s.inv};
}

}  // namespace imago::data::faces
