// Names of the enumerations and the documented ranges of every parameter.
#include "data/procedural/scene.h"
#include "tensor/error.h"

namespace imago::data {

const char* name(Expression expression) {
  constexpr const char* names[] = {"neutral", "happy",   "sad",  "surprise",
                                   "fear",    "disgust", "anger"};
  const auto i = static_cast<int>(expression);
  check(i < expression_count, "name", "unknown expression ", i);
  return names[i];
}

const char* name(Occlusion occlusion) {
  constexpr const char* names[] = {"none", "sunglasses", "medical_mask",
                                   "hand", "hat",        "hair_strands"};
  const auto i = static_cast<int>(occlusion);
  check(i < occlusion_count, "name", "unknown occlusion ", i);
  return names[i];
}

namespace faces {

namespace {

void limit(float& value, const char* what, float low, float high) {
  check(value - value == 0.0f, "render_face", what, " must be a finite number, got ", value);
  value = clamp(value, low, high);
}
void limit(Colour& c, const char* what) {
  limit(c.r, what, 0, 1), limit(c.g, what, 0, 1), limit(c.b, what, 0, 1);
}

}  // namespace

FaceIdentity clamped(FaceIdentity id) {
  limit(id.face_width, "face_width", 0.58f, 0.82f);
  limit(id.face_length, "face_length", 0.88f, 1.14f);
  limit(id.jaw_square, "jaw_square", 0, 1);
  limit(id.jaw_taper, "jaw_taper", 0, 0.4f);
  limit(id.cheekbones, "cheekbones", 0, 1);
  limit(id.cheek_fat, "cheek_fat", 0, 1);
  limit(id.chin, "chin", 0, 1);
  limit(id.brow_ridge, "brow_ridge", 0, 1);
  limit(id.ears, "ears", 0, 1);
  limit(id.neck_width, "neck_width", 0.30f, 0.58f);
  limit(id.asymmetry, "asymmetry", -1, 1);
  limit(id.skin_tone, "skin_tone", 0, 1);
  limit(id.skin_undertone, "skin_undertone", -1, 1);
  limit(id.redness, "redness", 0, 1);
  limit(id.freckles, "freckles", 0, 1);
  limit(id.oiliness, "oiliness", 0, 1);
  limit(id.eye_spacing, "eye_spacing", 0.24f, 0.34f);
  limit(id.eye_y, "eye_y", -0.06f, 0.06f);
  limit(id.eye_width, "eye_width", 0.115f, 0.185f);
  limit(id.eye_open, "eye_open", 0.035f, 0.085f);
  limit(id.eye_tilt, "eye_tilt", -0.25f, 0.25f);
  limit(id.lid_crease, "lid_crease", 0, 1);
  limit(id.iris, "iris");
  limit(id.lashes, "lashes", 0, 1);
  limit(id.eye_shadow, "eye_shadow", 0, 1);
  limit(id.brow_y, "brow_y", -0.26f, -0.13f);
  limit(id.brow_thick, "brow_thick", 0.012f, 0.055f);
  limit(id.brow_arch, "brow_arch", -0.01f, 0.12f);
  limit(id.brow_tilt, "brow_tilt", -0.12f, 0.12f);
  limit(id.brow_gap, "brow_gap", 0.04f, 0.16f);
  limit(id.brow_dark, "brow_dark", 0, 1);
  limit(id.nose_length, "nose_length", 0.29f, 0.46f);
  limit(id.nose_width, "nose_width", 0.10f, 0.20f);
  limit(id.nose_bridge, "nose_bridge", 0, 1);
  limit(id.nose_tip, "nose_tip", 0, 1);
  limit(id.mouth_y, "mouth_y", 0.53f, 0.68f);
  limit(id.mouth_width, "mouth_width", 0.17f, 0.31f);
  limit(id.lip_upper, "lip_upper", 0.018f, 0.085f);
  limit(id.lip_lower, "lip_lower", 0.028f, 0.100f);
  limit(id.cupid_bow, "cupid_bow", 0, 1);
  limit(id.lips, "lips");
  limit(id.hair_cover, "hair_cover", 0, 1);
  limit(id.hair_top, "hair_top", 0.01f, 0.55f);
  limit(id.hair_side, "hair_side", 0, 0.50f);
  limit(id.hairline, "hairline", -0.85f, -0.20f);
  limit(id.hairline_round, "hairline_round", -0.2f, 0.5f);
  limit(id.hair_recede, "hair_recede", 0, 0.4f);
  limit(id.hair_part, "hair_part", -0.8f, 0.8f);
  limit(id.hair_sweep, "hair_sweep", -0.4f, 0.4f);
  limit(id.fringe_ragged, "fringe_ragged", 0, 1);
  limit(id.hair_length, "hair_length", -0.3f, 1.8f);
  limit(id.hair_flare, "hair_flare", -0.2f, 0.4f);
  limit(id.hair_wave, "hair_wave", 0, 1);
  limit(id.hair_curl, "hair_curl", 0, 1);
  limit(id.hair_shine, "hair_shine", 0, 1);
  limit(id.hair, "hair");
  limit(id.hair_grey, "hair_grey", 0, 1);
  limit(id.stubble, "stubble", 0, 1);
  limit(id.moustache, "moustache", 0, 1);
  limit(id.goatee, "goatee", 0, 1);
  limit(id.beard, "beard", 0, 1);
  limit(id.beard_length, "beard_length", 0, 0.25f);
  limit(id.age, "age", 0, 1);
  limit(id.glasses, "glasses", 0, 1);
  limit(id.glasses_square, "glasses_square", 0, 1);
  limit(id.glasses_size, "glasses_size", 0, 1);
  limit(id.glasses_rim, "glasses_rim", 0.006f, 0.04f);
  limit(id.glasses_colour, "glasses_colour");
  id.texture &= 0xFFFFFu;  // painters add small offsets
  return id;
}

FaceNuisance clamped(FaceNuisance nu) {
  limit(nu.yaw, "yaw", -0.6f, 0.6f);
  limit(nu.pitch, "pitch", -0.4f, 0.4f);
  limit(nu.roll, "roll", -0.7f, 0.7f);
  limit(nu.scale, "scale", 0.6f, 1.6f);
  limit(nu.shift_x, "shift_x", -0.2f, 0.2f);
  limit(nu.shift_y, "shift_y", -0.2f, 0.2f);
  limit(nu.light_x, "light_x", -10, 10);
  limit(nu.light_y, "light_y", -10, 10);
  limit(nu.light_z, "light_z", -10, 10);
  check(nu.light_x != 0 || nu.light_y != 0 || nu.light_z != 0, "render_face",
        "the light direction must not be zero");
  limit(nu.light, "light", 0, 2);
  limit(nu.ambient, "ambient", 0, 1.5f);
  limit(nu.light_colour, "light_colour");
  check(static_cast<int>(nu.expression) < expression_count, "render_face", "unknown expression ",
        static_cast<int>(nu.expression));
  limit(nu.strength, "strength", 0, 1.2f);
  limit(nu.gaze_x, "gaze_x", -1, 1);
  limit(nu.gaze_y, "gaze_y", -1, 1);
  limit(nu.blink, "blink", 0, 1);
  check(static_cast<int>(nu.occlusion) < occlusion_count, "render_face", "unknown occlusion ",
        static_cast<int>(nu.occlusion));
  limit(nu.occlusion_x, "occlusion_x", -1, 1);
  limit(nu.occlusion_y, "occlusion_y", -1, 1);
  limit(nu.occlusion_colour, "occlusion_colour");
  check(static_cast<int>(nu.background) < background_count, "render_face", "unknown background ",
        static_cast<int>(nu.background));
  limit(nu.background_a, "background_a");
  limit(nu.background_b, "background_b");
  limit(nu.clothes, "clothes");
  limit(nu.collar, "collar", 0, 1);
  nu.backdrop &= 0xFFFFFu;
  limit(nu.noise, "noise", 0, 40);
  limit(nu.blur, "blur", 0, 0.04f);
  return nu;
}

}  // namespace faces

}  // namespace imago::data
