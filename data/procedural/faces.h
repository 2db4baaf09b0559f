// Procedural colour faces: a deterministic renderer that turns a few dozen numbers into a shaded,
// anti-aliased portrait of any size, with its identity, expression, five landmarks and face mask.
// Nothing is read from disk, so data sets of any number of people come with exact labels.
//
// Everything is a pure function of its arguments: the same keys give the same bytes on every
// thread, in every order of calls. The renderer uses +, -, *, / and sqrt only (no libm), so that
// one set of compiler flags gives one picture on every x86-64 machine.
//
// The head is an implicit surface (stacked ellipses plus smooth bumps for nose, brows, cheeks,
// lips and chin) that is rotated, intersected by one ray per pixel and lit by a key light and an
// ambient sky. Eyes, brows, lips, beard and wrinkles are painted in the coordinates of that
// surface, so they follow the pose; landmarks go through the same projection.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace imago::data {

// The six basic expressions and the neutral face.
enum class Expression : std::uint8_t { neutral, happy, sad, surprise, fear, disgust, anger };
inline constexpr int expression_count = 7;
const char* name(Expression expression);

// What may cover a part of the face.
enum class Occlusion : std::uint8_t { none, sunglasses, medical_mask, hand, hat, hair_strands };
inline constexpr int occlusion_count = 6;
const char* name(Occlusion occlusion);

enum class Background : std::uint8_t { plain, gradient, blobs, stripes };
inline constexpr int background_count = 4;

// An sRGB colour, each channel in [0, 1].
struct Colour {
  float r = 0, g = 0, b = 0;
};

// What makes a person. Lengths are in head units: 1 is the distance from the middle of the head to
// the chin of an average head, and the eyes lie near y = 0. Every number may take any value of its
// range, whatever the others are; values outside are clamped by render_face.
struct FaceIdentity {
  // Shape of the head.
  float face_width = 0.70f;   // half width at the cheekbones, 0.58 .. 0.82
  float face_length = 1.00f;  // eyes to chin, 0.88 .. 1.14
  float jaw_square = 0.40f;   // 0 pointed .. 1 square
  float jaw_taper = 0.20f;    // narrowing from cheek to chin, 0 .. 0.4
  float cheekbones = 0.50f;   // 0 flat .. 1 high
  float cheek_fat = 0.50f;    // 0 hollow .. 1 round
  float chin = 0.50f;         // 0 weak .. 1 strong
  float brow_ridge = 0.50f;   // 0 .. 1
  float ears = 0.50f;         // size, 0 .. 1
  float neck_width = 0.42f;   // half width, 0.30 .. 0.58
  float asymmetry = 0.0f;     // -1 .. 1, how unlike the two halves are

  // Skin.
  float skin_tone = 0.30f;      // 0 very light .. 1 very dark
  float skin_undertone = 0.0f;  // -1 cool and rosy .. 1 warm and olive
  float redness = 0.30f;        // of cheeks and nose, 0 .. 1
  float freckles = 0.0f;        // 0 .. 1
  float oiliness = 0.40f;       // strength of the highlights, 0 .. 1

  // Eyes and brows.
  float eye_spacing = 0.290f;  // half distance of the pupils, 0.24 .. 0.34
  float eye_y = 0.00f;         // -0.06 .. 0.06
  float eye_width = 0.150f;    // half width, 0.115 .. 0.185
  float eye_open = 0.060f;     // half height, 0.035 .. 0.085
  float eye_tilt = 0.00f;      // outer corner up when positive, -0.25 .. 0.25
  float lid_crease = 0.50f;    // 0 single lid .. 1 deep crease
  Colour iris{0.35f, 0.24f, 0.16f};
  float lashes = 0.40f;      // and eye liner, 0 .. 1
  float eye_shadow = 0.0f;   // make-up on the lid, 0 .. 1
  float brow_y = -0.19f;     // height of the brows, -0.26 .. -0.13
  float brow_thick = 0.04f;  // half thickness, 0.012 .. 0.055
  float brow_arch = 0.05f;   // -0.01 .. 0.12
  float brow_tilt = 0.00f;   // outer end up when positive, -0.12 .. 0.12
  float brow_gap = 0.11f;    // from the middle to the inner end, 0.04 .. 0.16
  float brow_dark = 0.70f;   // 0 invisible .. 1 dense

  // Nose and mouth.
  float nose_length = 0.38f;  // y of the tip, 0.29 .. 0.46
  float nose_width = 0.140f;  // half width at the wings, 0.10 .. 0.20
  float nose_bridge = 0.50f;  // height of the bridge, 0 flat .. 1 high
  float nose_tip = 0.50f;     // size of the tip, 0 .. 1
  float mouth_y = 0.60f;      // 0.53 .. 0.68
  float mouth_width = 0.24f;  // half width, 0.17 .. 0.31
  float lip_upper = 0.050f;   // height, 0.018 .. 0.085
  float lip_lower = 0.065f;   // height, 0.028 .. 0.100
  float cupid_bow = 0.50f;    // 0 .. 1
  Colour lips{0.72f, 0.40f, 0.38f};

  // Hair on the head. Long hair reaches down to hair_length.
  float hair_cover = 1.0f;       // 0 bald .. 1 dense
  float hair_top = 0.10f;        // thickness above the skull, 0.01 .. 0.55
  float hair_side = 0.06f;       // thickness at the sides, 0 .. 0.50
  float hairline = -0.56f;       // y where hair starts above the forehead, -0.85 .. -0.20
  float hairline_round = 0.15f;  // drop of the hairline towards the temples, -0.2 .. 0.5
  float hair_recede = 0.0f;      // bare temples, 0 .. 0.4
  float hair_part = 0.0f;        // x of the parting in half face widths, -0.8 .. 0.8
  float hair_sweep = 0.0f;       // slant of the fringe, -0.4 .. 0.4
  float fringe_ragged = 0.2f;    // 0 .. 1
  float hair_length = 0.10f;     // y where the side hair ends, -0.3 .. 1.8
  float hair_flare = 0.0f;       // long hair widens (or narrows) with depth, -0.2 .. 0.4
  float hair_wave = 0.1f;        // 0 straight .. 1 wavy
  float hair_curl = 0.0f;        // 0 strands .. 1 tight curls
  float hair_shine = 0.4f;       // 0 .. 1
  Colour hair{0.20f, 0.14f, 0.10f};
  float hair_grey = 0.0f;  // share of grey hairs, 0 .. 1

  // Beard: densities of its parts in [0, 1].
  float stubble = 0.0f;
  float moustache = 0.0f;
  float goatee = 0.0f;
  float beard = 0.0f;
  float beard_length = 0.02f;  // 0 .. 0.25

  // Age: 0 young adult .. 1 old; drives wrinkles, eye bags and sagging.
  float age = 0.2f;

  // Glasses: 0 none, 1 worn; in between they fade (useful for interpolations).
  float glasses = 0.0f;
  float glasses_square = 0.5f;  // 0 round .. 1 rectangular
  float glasses_size = 0.5f;    // 0 .. 1
  float glasses_rim = 0.02f;    // half thickness of the rim, 0.006 .. 0.04
  Colour glasses_colour{0.08f, 0.07f, 0.07f};

  std::uint32_t texture = 0;  // key of skin mottling, freckles and strands
};

// What changes from photograph to photograph of one person.
struct FaceNuisance {
  // Pose. Angles in radians.
  float yaw = 0;      // positive turns to the right of the image, -0.6 .. 0.6
  float pitch = 0;    // positive looks down, -0.4 .. 0.4
  float roll = 0;     // positive tilts clockwise, -0.7 .. 0.7
  float scale = 1;    // 0.6 .. 1.6
  float shift_x = 0;  // fraction of the image size, -0.2 .. 0.2
  float shift_y = 0;

  // Light. The direction points from the face to the key light: x right, y down, z to the viewer;
  // it need not have length one but must not be zero.
  float light_x = -0.35f, light_y = -0.55f, light_z = 0.80f;
  float light = 1.0f;    // key intensity, 0 .. 2
  float ambient = 0.5f;  // 0 .. 1.5
  Colour light_colour{1.0f, 0.97f, 0.93f};

  Expression expression = Expression::neutral;
  float strength = 1.0f;         // of the expression, 0 .. 1.2
  float gaze_x = 0, gaze_y = 0;  // of the pupils, -1 .. 1
  float blink = 0;               // 0 open .. 1 closed

  Occlusion occlusion = Occlusion::none;
  float occlusion_x = 0, occlusion_y = 0;  // place of the hand, -1 .. 1
  Colour occlusion_colour{0.5f, 0.6f, 0.7f};

  Background background = Background::gradient;
  Colour background_a{0.55f, 0.58f, 0.62f}, background_b{0.40f, 0.42f, 0.46f};
  Colour clothes{0.25f, 0.30f, 0.40f};
  float collar = 0.5f;         // 0 round .. 1 V-neck
  std::uint32_t backdrop = 0;  // key of blobs and stripes

  float noise = 0;  // standard deviation of the sensor noise in 8-bit steps, 0 .. 40
  float blur = 0;   // radius as a fraction of the image size, 0 .. 0.04
};

// How much of each nuisance sample_nuisance lets through: 0 switches one off (it then has the value
// a FaceNuisance is born with), 1 is the moderate default, up to 2 exaggerates. Each nuisance
// draws from its own stream, so switching one off leaves the others unchanged, bit for bit.
struct NuisanceRange {
  float pose = 1;
  float framing = 1;  // scale and shift
  float light = 1;
  float expression = 1;  // share of images that are not neutral; 1: six of seven
  float gaze = 1;        // and blinks
  float occlusion = 1;   // chance of an occlusion, in units of 8 %
  float background = 1;
  float clothes = 1;
  float noise = 1;
  float blur = 1;

  static NuisanceRange none() { return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}; }
};

// Pure functions of their keys. Throw when a range is negative, above 2 or NaN.
FaceIdentity sample_identity(std::uint64_t seed, std::uint32_t identity);
FaceNuisance sample_nuisance(std::uint64_t seed, std::uint32_t identity, std::uint32_t instance,
                             const NuisanceRange& range = {});

struct Point {
  float x = 0, y = 0;  // pixels: (0, 0) is the upper left corner of the upper left pixel
};

struct FaceImage {
  int size = 0;
  std::vector<std::uint8_t> rgb;     // (size, size, 3), sRGB
  std::vector<std::uint8_t> mask;    // (size, size), 255 = visible face: no hair, ear, neck, cover
  std::vector<std::uint8_t> matte;   // (size, size), 255 = person, 0 = background (for matting)
  std::array<Point, 5> landmarks{};  // left eye, right eye, nose tip, left, right mouth corner;
                                     // left and right of the image
  std::uint32_t identity = 0;
  Expression expression = Expression::neutral;
};

inline constexpr int min_face_size = 8, max_face_size = 4096;

// Renders one image of (size, size) and reuses out's buffers. noise_key seeds the sensor noise.
// Sets everything but out.identity. Throws when size is out of [min_face_size, max_face_size] or a
// parameter is not finite.
void render_face(const FaceIdentity& identity, const FaceNuisance& nuisance, int size,
                 std::uint64_t noise_key, FaceImage& out);

struct ProceduralFacesOptions {
  int size = 64;
  std::uint64_t seed = 1;
  std::uint32_t identities = 1000;
  std::uint32_t images_per_identity = 10;
  NuisanceRange nuisance = {};
};

// A data set of identities * images_per_identity images. Image i shows person
// i / images_per_identity; get() is pure in (options, index) and safe on any number of threads.
class ProceduralFaces {
 public:
  explicit ProceduralFaces(const ProceduralFacesOptions& options = {});

  std::size_t size() const;
  const ProceduralFacesOptions& options() const { return options_; }
  void get(std::size_t index, FaceImage& out) const;  // throws when index >= size()

 private:
  ProceduralFacesOptions options_;
};

}  // namespace imago::data
