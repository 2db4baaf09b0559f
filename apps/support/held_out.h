// Measuring a recogniser on held-out images while it trains.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/catalogue.h"
#include "data/image.h"
#include "models/recogniser.h"

namespace imago::apps {

struct HeldOutMeasure {
  // Of people: of all pairs of images the area under the ROC and the share of right decisions
  // (balanced, at the best threshold), and the mean cosine of the pairs that show two people.
  std::optional<double> auc, verification_accuracy, mean_cosine;
  // Of classes that training knows: the share of right answers, and the mean of that of each class.
  std::optional<double> accuracy, balanced_accuracy;
};

// Always the same images, chosen by a seed and loaded once, unchanged: whole people for
// verification, up to 1000 images (but of nobody more than 500), and up to 2000 images of known
// classes for accuracy. Embeddings are of the images as they are, without their mirror images.
class HeldOut {
 public:
  // `verify`: the recogniser's embeddings are to tell people apart. `known`: the classes that it
  // has an answer for; empty: accuracy is not asked for.
  HeldOut(const data::Catalogue& held_out, bool verify, const std::vector<std::string>& known,
          std::uint64_t seed);

  // Pairs of one person and of two are there, respectively images of known classes.
  bool verifies() const { return verifies_; }
  bool classifies() const { return faces_.defined(); }
  std::int64_t people() const;  // that verification is about
  std::int64_t pairs_images() const { return static_cast<std::int64_t>(person_.size()); }
  std::int64_t class_images() const { return static_cast<std::int64_t>(truth_.size()); }
  // The accuracy of always giving the commonest answer; 0 without classes.
  double chance() const { return chance_; }

  // Computes on the Context's device; the network stays as it is.
  HeldOutMeasure measure(const models::Recogniser& network);
  // Of the last measure: neighbours where people are told apart, else answers.
  data::Image picture() const;

 private:
  void choose_people(const data::Catalogue& held_out, std::uint64_t seed);
  void choose_faces(const data::Catalogue& held_out, const std::vector<std::string>& known,
                    std::uint64_t seed);

  bool verifies_ = false;
  Tensor people_;                     // u8 (N, S, S, 3) for verification; undefined: none
  std::vector<std::int64_t> person_;  // of each of them
  Tensor faces_;                      // u8 (M, S, S, 3) for accuracy; undefined: none
  std::vector<std::int64_t> truth_;   // of each, in the order of `known`
  double chance_ = 0;
  Tensor similarity_;                  // (N, N) of the last measure
  std::vector<std::int64_t> answers_;  // of the last measure
};

}  // namespace imago::apps
