// Trains networks that recognise faces: who it is, or of which class, from a folder of images or
// from procedural faces.
#include <cstdio>

#include "apps/support/cnn_run.h"
#include "apps/support/device.h"
#include "apps/support/flags.h"
#include "nn/summary.h"

namespace imago::apps {
namespace {

void introduce(const models::Recogniser& network, const CnnFlags& f) {
  const models::RecogniserOptions& o = network.options();
  std::printf("%s %dx%d%s, embeddings of %d numbers, head %s\n", o.cnn.network.c_str(), o.cnn.image,
              o.cnn.image, o.grey ? " in grey" : "", o.cnn.dimensions, models::name(o.head));
  std::printf("%lld parameters; on %s; writing to %s\n",
              static_cast<long long>(network.num_parameters()),
              describe(Context::current().device).c_str(), f.train.out.c_str());
}

void print_summary(const CnnFlags& f, const RecognitionData& data) {
  models::Recogniser network(recogniser_options(f, data.labels->classes));
  const Shape shape{f.train.batch, f.cnn.image, f.cnn.image, 3};
  const Tensor images = Tensor::zeros(shape);
  const nn::Summary summary = nn::summary(network, shape, [&] { network.answer(network(images)); });
  std::printf("%s", summary.to_string().c_str());
}

// What needs no data is found wrong before they are opened, which may take minutes.
void check_files(const CnnFlags& f) {
  if (f.train.resume) return;  // config.json was there
  RunFolder(f.train.out).check_new("train_cnn");
  if (!f.init.empty()) models::recogniser_options(load_safetensors(f.init));
}

int train(const Flags& flags, CnnFlags& f, const InspectionOptions& look,
          const std::string& command) {
  prepare(f.train);
  if (!look.summary) check_files(f);
  const RecognitionData data = open_recognition_data(flags, f);
  if (look.summary) {
    print_summary(f, data);
    return 0;
  }
  RecogniserTraining training(f, data);
  const data::Faces faces = training_faces(data, f);
  TrainingRun run(training, f.train, faces);
  run.open();
  introduce(training.network(), f);
  return run.run(to_json(f), look, command);
}

int main_body(int argc, char** argv) {
  Flags flags("train_cnn", "Trains networks that recognise faces");
  CnnFlags f;
  InspectionOptions look;
  add_cnn_flags(flags, f);
  add_inspection_flags(flags, look);
  return flags.run(argc, argv, [&] {
    settle(f.train);
    if (f.train.resume) take_saved_flags(flags, f);
    settle(flags, f);
    return train(flags, f, look, argv[0]);
  });
}

}  // namespace
}  // namespace imago::apps

int main(int argc, char** argv) {
  return imago::apps::main_body(argc, argv);
}
