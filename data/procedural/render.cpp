// Runs the painters over the tiles of an image, then lens blur, sensor noise and encoding.
#include <algorithm>
#include <bit>

#include "data/procedural/scene.h"
#include "tensor/error.h"

namespace imago::data {

namespace faces {

namespace {

// A linear image in planes: red, green, blue, face, person; each (size, size).
struct Planes {
  std::vector<float> v[5];
  std::vector<float> scratch;
};

void place_tile(const Scene& s, int px, int py, Tile& t) {
  const float inv = 1.0f / s.inv;
  for (int i = 0; i < tile_lanes; ++i) {
    const float ux = (static_cast<float>(px + i % tile_side) + 0.5f - s.centre_x) * inv;
    const float uy = (static_cast<float>(py + i / tile_side) + 0.5f - s.centre_y) * inv;
    t.x[i] = s.cos_roll * ux + s.sin_roll * uy;
    t.y[i] = s.cos_roll * uy - s.sin_roll * ux;
  }
  const int corners[] = {0, tile_side - 1, tile_lanes - tile_side, tile_lanes - 1};
  t.view = {t.x[0], t.x[0], t.y[0], t.y[0]};
  for (const int c : corners) {
    t.view.x0 = least(t.view.x0, t.x[c]), t.view.x1 = most(t.view.x1, t.x[c]);
    t.view.y0 = least(t.view.y0, t.y[c]), t.view.y1 = most(t.view.y1, t.y[c]);
  }
}

bool head_shows(const Tile& t, float bulk) {
  for (int i = 0; i < tile_lanes; ++i) {
    if (t.edge[i] < bulk) return true;
  }
  return false;
}

void paint_tile(const Scene& s, Tile& t) {
  t.has_hair_colour = false;
  paint_background(s, t);
  trace_head(s, t);
  paint_back_hair(s, t);
  paint_body(s, t);
  if (head_shows(t, 0.05f + 1.5f * s.id.beard_length)) {
    paint_skin(s, t);
    paint_nose(s, t);
    paint_mouth(s, t);
    paint_beard(s, t);
    paint_eyes(s, t);
    paint_brows(s, t);
    trace_hair(s, t);
    light_head(s, t);
  } else {
    for (int i = 0; i < tile_lanes; ++i) t.shade[i] = 1.0f;
    trace_hair(s, t);
  }
  paint_glasses(s, t);
  paint_mask(s, t);
  paint_front_hair(s, t);
  paint_ears(s, t);
  paint_occlusion(s, t);
}

void store_tile(const Tile& t, int px, int py, int size, Planes& planes) {
  const Lanes* from[] = {&t.r, &t.g, &t.b, &t.face, &t.person};
  const int rows = std::min(tile_side, size - py), columns = std::min(tile_side, size - px);
  for (int c = 0; c < 5; ++c) {
    for (int y = 0; y < rows; ++y) {
      float* to = planes.v[c].data() + static_cast<std::size_t>(py + y) * size + px;
      std::copy_n(from[c]->v + y * tile_side, columns, to);
    }
  }
}

// Averages squares of factor x factor pixels in place; size is the size before.
void shrink(std::vector<float>& plane, int size, int factor) {
  const int small = size / factor;
  const float share = 1.0f / static_cast<float>(factor * factor);
  for (int y = 0; y < small; ++y) {
    for (int x = 0; x < small; ++x) {
      float sum = 0;
      for (int j = 0; j < factor; ++j) {
        for (int i = 0; i < factor; ++i) {
          sum += plane[static_cast<std::size_t>(y * factor + j) * size + x * factor + i];
        }
      }
      plane[static_cast<std::size_t>(y) * small + x] = sum * share;
    }
  }
}

// Separable blur with a bell of the given standard deviation in pixels; edges repeat.
void blur(std::vector<float>& plane, std::vector<float>& scratch, int size, float sigma) {
  const int reach = static_cast<int>(2.5f * sigma) + 1;
  std::vector<float> weights(static_cast<std::size_t>(reach) + 1);
  float total = 0;
  for (int k = 0; k <= reach; ++k) {
    weights[k] = bell(square(static_cast<float>(k) / (2.85f * sigma)));
    total += k ? 2.0f * weights[k] : weights[k];
  }
  for (float& w : weights) w /= total;
  const auto at = [size](int i) { return std::clamp(i, 0, size - 1); };
  scratch.assign(plane.size(), 0.0f);
  for (int y = 0; y < size; ++y) {
    float* to = scratch.data() + static_cast<std::size_t>(y) * size;
    for (int k = -reach; k <= reach; ++k) {
      const float w = weights[std::abs(k)];
      const float* from = plane.data() + static_cast<std::size_t>(at(y + k)) * size;
      for (int x = 0; x < size; ++x) to[x] += w * from[x];
    }
  }
  std::vector<float> row(static_cast<std::size_t>(size + 2 * reach));
  for (int y = 0; y < size; ++y) {
    const float* from = scratch.data() + static_cast<std::size_t>(y) * size;
    float* to = plane.data() + static_cast<std::size_t>(y) * size;
    for (int x = 0; x < size + 2 * reach; ++x) row[x] = from[at(x - reach)];
    std::fill_n(to, size, 0.0f);
    for (int k = 0; k <= 2 * reach; ++k) {
      const float w = weights[std::abs(k - reach)];
      for (int x = 0; x < size; ++x) to[x] += w * row[x + k];
    }
  }
}

// A roughly normal number of standard deviation 1: four bytes of a hash, summed.
inline float grain(std::uint32_t at, std::uint32_t key) {
  const std::uint32_t h = mix_bits(at * 0x9E3779B9U + key);
  const std::uint32_t sum = (h & 255u) + (h >> 8 & 255u) + (h >> 16 & 255u) + (h >> 24);
  return (static_cast<float>(static_cast<std::int32_t>(sum)) - 510.0f) * (1.0f / 147.8f);
}

// Linear light to an 8-bit level: gamma 2 with a soft shoulder.
inline float level(float c) {
  const float v = std::sqrt(most(c, 0.0f));
  const float over = most(v - 0.80f, 0.0f);
  return 255.0f * (v - over + 0.20f * over / (over + 0.20f));
}

void encode(const Planes& planes, int size, float noise, std::uint64_t noise_key, FaceImage& out) {
  const std::size_t n = static_cast<std::size_t>(size) * size;
  out.rgb.resize(3 * n);
  out.mask.resize(n);
  out.matte.resize(n);
  const std::uint32_t key = mix_bits(static_cast<std::uint32_t>(noise_key) ^
                                     mix_bits(static_cast<std::uint32_t>(noise_key >> 32) + 1u));
  for (int c = 0; c < 3; ++c) {
    const float* from = planes.v[c].data();
    std::uint8_t* to = out.rgb.data() + c;
    const std::uint32_t channel = key + 0x85EBCA6BU * static_cast<std::uint32_t>(c);
    for (std::size_t i = 0; i < n; ++i) {
      const float v = level(from[i]) + noise * grain(static_cast<std::uint32_t>(i), channel);
      to[3 * i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(clamp(v, 0, 255) + 0.5f));
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    out.mask[i] = static_cast<std::uint8_t>(static_cast<int>(sat(planes.v[3][i]) * 255.0f + 0.5f));
    out.matte[i] = static_cast<std::uint8_t>(static_cast<int>(sat(planes.v[4][i]) * 255.0f + 0.5f));
  }
}

}  // namespace

}  // namespace faces

void render_face(const FaceIdentity& identity, const FaceNuisance& nuisance, int size,
                 std::uint64_t noise_key, FaceImage& out) {
  using namespace faces;
  check(size >= min_face_size && size <= max_face_size, "render_face", "size must be from ",
        min_face_size, " to ", max_face_size, ", got ", size);
  // Small images are rendered larger and averaged: their features are thinner than a pixel.
  const int factor = size < 48 ? 2 : 1;
  const int big = size * factor;
  thread_local Scene scene;
  thread_local Planes planes;
  build_scene(identity, nuisance, big, scene);
  for (auto& plane : planes.v) plane.resize(static_cast<std::size_t>(big) * big);
  Tile tile;
  for (int y = 0; y < big; y += tile_side) {
    for (int x = 0; x < big; x += tile_side) {
      place_tile(scene, x, y, tile);
      paint_tile(scene, tile);
      store_tile(tile, x, y, big, planes);
    }
  }
  if (factor > 1) {
    for (auto& plane : planes.v) shrink(plane, big, factor);
  }
  const float sigma = scene.nu.blur * static_cast<float>(size);
  if (sigma > 0.15f) {
    for (int c = 0; c < 3; ++c) {
      planes.v[c].resize(static_cast<std::size_t>(size) * size);
      blur(planes.v[c], planes.scratch, size, sigma);
    }
  }
  encode(planes, size, scene.nu.noise, noise_key, out);
  out.size = size;
  out.expression = scene.nu.expression;
  const float side = scene.mouth_w;
  const float corner = scene.mouth_y - scene.mouth_curve * 0.65f;
  const float shrunk = 1.0f / static_cast<float>(factor);
  const Vec3 points[] = {surface_point(scene, -scene.eye_x, scene.eye_y),
                         surface_point(scene, scene.eye_x, scene.eye_y),
                         surface_point(scene, 0.0f, scene.nose_y),
                         surface_point(scene, -side, corner), surface_point(scene, side, corner)};
  for (int i = 0; i < 5; ++i) {
    const Point p = to_image(scene, points[i]);
    out.landmarks[i] = {p.x * shrunk, p.y * shrunk};
  }
}

}  // namespace imago::data
