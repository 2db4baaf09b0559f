// Which images are trained on, and which are held out to measure with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/catalogue.h"

namespace imago::data {

struct Split {
  std::vector<std::int64_t> train, held_out;  // indices of a catalogue, rising
};

// identity-disjoint   whole classes are held out: the people measured on were never seen. What a
//                     network that embeds faces is to be judged by.
// stratified          of every class some images are held out: for classifiers of the same classes.
//                     Where the catalogue knows the people beside the classes, whole people are
//                     held out, because a beard that was seen on somebody is known by the face
// official            training on Part::train; held out is the part asked for
struct SplitOptions {
  std::string kind = "identity-disjoint";
  double share = 0.1;          // held out, of the classes or of the images of each class; in (0, 1)
  int train_per_class = 0;     // stratified: so many images of each class to train on, whatever
                               // the share (of whole people: of those that the share leaves for
                               // training, the other images of whom are on no side); 0: by the
                               // share
  Part held_out = Part::test;  // official
  std::uint64_t seed = 1;
};

const std::vector<std::string>& split_kinds();

// A pure function of the labels, the people, the parts and the options. identity-disjoint holds
// round(share K) classes out, at least one (of 4 and more at least two, or nobody could be told
// apart) and not all; stratified round(share n) images of a class of n, at least one and never all.
// Of whole people it holds out those, in an order drawn by the seed, who bring the shares of all
// classes nearer to the one asked for: each class gets about that share, at least one image and
// never all. Throws, saying which: a class too small to be stratified, or shown by too few people,
// an official split of a layout without parts, an empty part.
Split split(const Catalogue& catalogue, const SplitOptions& options);

// At most so many images of each class, drawn by the seed: for learning curves. Indices rising.
std::vector<std::int64_t> at_most_per_class(const Labels& labels,
                                            const std::vector<std::int64_t>& indices, int images,
                                            std::uint64_t seed);

}  // namespace imago::data
