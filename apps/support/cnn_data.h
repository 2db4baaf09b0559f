// The faces of a recogniser's training run: those it is trained on, and those held out.
#pragma once

#include <memory>
#include <string>

#include "apps/support/cnn_flags.h"
#include "data/catalogue.h"
#include "data/faces.h"

namespace imago::apps {

struct RecognitionData {
  std::shared_ptr<const data::Labels> labels;  // of the images trained on; every class has some
  std::shared_ptr<const data::Dataset> train;  // those images, changed anew each time
  data::Catalogue held_out;                    // as they are; the classes are those of the whole
  std::string fingerprint;                     // of the whole
  data::Part part = data::Part::test;          // that is held out, of an official split
};

// Opens, splits and says on stdout what is trained on and what is held out; on stderr what makes
// training hard. Settles what of the flags only the data can tell. Throws for data that the head
// cannot be trained on.
RecognitionData open_recognition_data(const Flags& flags, CnnFlags& values);

// The batches of a run.
data::Faces training_faces(const RecognitionData& data, const CnnFlags& flags);

}  // namespace imago::apps
