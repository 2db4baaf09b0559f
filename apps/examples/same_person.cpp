// Is this the same person? same_person ONE.png OTHER.png [RECOGNISER.safetensors]
#include <imago/imago.h>

#include <cstdio>
using namespace imago;

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    std::fprintf(stderr, "same_person ONE.png OTHER.png [RECOGNISER.safetensors]\n");
    return 2;
  }
  try {
    const auto weights =
        load_safetensors(argc == 4 ? std::filesystem::path(argv[3]) : models::default_recogniser());
    models::RecogniserEncoder recogniser(models::load_recogniser(weights));
    const int size = recogniser.network().options().cnn.image;
    const Tensor one = recogniser.encode(data::load_face(argv[1], size));    // (1, dimensions)
    const Tensor other = recogniser.encode(data::load_face(argv[2], size));  // (1, dimensions)
    const float similarity = recogniser.similarity(one, other).data<float>()[0];

    // Weights that were measured bring the cosine from which two are the same. Others do not: half
    // way between unlike and equal is a guess.
    const auto measured = weights.metadata.find("threshold");
    const bool known = measured != weights.metadata.end();
    const double threshold = known ? std::stod(measured->second) : 0.5;
    std::printf("similarity %.3f, threshold %.3f%s: %s\n", similarity, threshold,
                known ? "" : " (a guess)",
                similarity >= threshold ? "same person" : "different people");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "same_person: %s\n", error.what());
    return 1;
  }
}
