// What one can say in a word about a procedural face: labels for classifiers and conditional
// generators, and the modes that a generator should cover.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "data/procedural/faces.h"

namespace imago::data {

inline constexpr int face_attribute_count = 9;

struct FaceAttributeNames {
  std::string name;                 // "glasses"
  std::vector<std::string> values;  // "none", "clear", "dark"
};

// In this order:
//   glasses     none, clear, dark (sunglasses, which FaceNuisance has as an occlusion)
//   beard       none, moustache, goatee, full; stubble is none
//   hair        bald (or nearly), short, long (below the mouth)
//   hair_colour dark, brown, light, red, grey
//   skin        light, medium, dark
//   age         young, middle, old
//   expression  the seven of Expression
//   cover       none, mask, hand, hat, strands: what hides a part of the face, but for glasses
//   background  plain, gradient, blobs, stripes
// None of them changes when the picture is mirrored.
const std::array<FaceAttributeNames, face_attribute_count>& face_attributes();

// The values of a face, as positions in FaceAttributeNames::values. They are what was asked of the
// renderer: a beard stays one under a mask.
std::array<std::int64_t, face_attribute_count> attributes_of(const FaceIdentity& identity,
                                                             const FaceNuisance& nuisance);

}  // namespace imago::data
