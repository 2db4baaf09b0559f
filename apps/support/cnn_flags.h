// The flags of a recogniser's training run, as given, saved and taken up again.
#pragma once

#include <optional>
#include <string>

#include "apps/support/catalogue_flags.h"
#include "apps/support/train_flags.h"
#include "models/recogniser_trainer.h"

namespace imago::apps {

struct CnnFlags {
  TrainFlags train = {.out = "runs/cnn"};
  CatalogueFlags faces = {};  // settle() gives it train.data
  std::string head = "softmax";
  models::FaceCnnOptions cnn = {};  // channels aside
  bool grey = false;

  int images_per_person = 0;  // trained on at most; 0: all
  std::string exclude_pairs;  // a text file; "": nobody is excluded
  bool balance = false;
  int per_person = 1;  // images of a class next to each other in a batch
  std::string augment = "light";

  std::string optimizer = "adamw";
  double weight_decay = 5e-2;
  double label_smoothing = 0;
  double scale = 30;
  double margin = -1;  // below 0: the head's default, until settle()
  double ema = 0.999;
  std::int64_t schedule_steps = 0;  // 0: as many as the run was first asked for
  std::string init;                 // a checkpoint; "": fresh weights
};

// What --optimizer sgd is used with unless told otherwise: its weight decay is L2, and its steps
// are gradients, not signs.
namespace sgd_defaults {
inline constexpr double lr = 2e-2, weight_decay = 5e-4;
}

void add_cnn_flags(Flags& flags, CnnFlags& values);
// For --resume: flags that were not given are taken from OUT/config.json. Throws UsageError when
// one that was given contradicts it where a run cannot change: all but steps, intervals, threads
// and device.
void take_saved_flags(const Flags& flags, CnnFlags& values);
// After parsing, and after take_saved_flags with --resume: what was not given and depends on the
// head or the optimiser gets its value, so that it is saved and stays. Throws UsageError where
// flags do not go together, and for those without effect, naming them.
void settle(const Flags& flags, CnnFlags& values);
// The part of it that only the data can tell: where the images come in parts, classes that are
// asked for in themselves are trained on the part for training, unless a split was asked for.
// Throws UsageError when classes are not what the head needs.
void settle(const Flags& flags, const data::Catalogue& catalogue, CnnFlags& values);
Json to_json(const CnnFlags& flags);

// Whether the head learns people, to tell others apart by their embeddings; else what is asked for
// are the classes themselves.
bool of_people(models::RecognitionHead head);
// After settle().
models::RecogniserOptions recogniser_options(const CnnFlags& flags,
                                             const std::vector<std::string>& classes);
models::RecogniserTrainerOptions trainer_options(const CnnFlags& flags);

}  // namespace imago::apps
