// The committed weights of a recogniser.
#pragma once

#include <filesystem>

namespace imago::models {

// Their version; another architecture or training gets another one.
inline constexpr int face_recogniser_version = 1;

// "face_recogniser_v1.safetensors", wherever default_face_features (models/face_features.h) would
// find a file. Throws, listing where it looked, when it is nowhere.
std::filesystem::path default_recogniser();

}  // namespace imago::models
