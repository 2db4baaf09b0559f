// Small runs of train_cnn.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "data/image.h"
#include "data/procedural/faces.h"
#include "program.h"

namespace imago::test {

// 12 people of 6 images.
inline const std::string tiny =
    "train_cnn --image 32 --base 4 --dimensions 16 --identities 12 --images-per-identity 6 "
    "--batch 8 --sample-every 4 --checkpoint-every 2 ";
inline const std::string small = tiny + "--held-out 0.25 ";

// Of the images of a folder.
inline const std::string of_folder =
    "train_cnn --image 32 --base 4 --dimensions 16 --batch 8 --sample-every 4 ";

// FOLDER/p0/1.png, ..., FOLDER/p1/1.png, ...: people of a number of images each.
inline void write_people(const fs::path& folder, std::uint32_t people, std::uint32_t images) {
  const data::ProceduralFaces faces(
      {.size = 32, .identities = people, .images_per_identity = images});
  data::FaceImage face;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    faces.get(i, face);
    data::Image image(32, 32);
    image.pixels = face.rgb;
    const fs::path of_person = folder / ("p" + std::to_string(i / images));
    fs::create_directories(of_person);
    data::save_png(of_person / (std::to_string(1 + i % images) + ".png"), image);
  }
}

inline void check_refused(const Playground& play, const std::string& command, int status,
                          const std::string& part) {
  const Outcome o = play.run(command);
  INFO(command << ": " << o.err);
  CHECK(o.status == status);
  CHECK(one_line(o.err));
  CHECK(contains(o.err, part));
}

}  // namespace imago::test
