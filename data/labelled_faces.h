// Faces with the class of each image:
//
//   data::Faces faces = data::labelled_faces("procedural", "glasses", {.size = 32});
//   for (auto&& batch : faces.stream(20'000, dev)) trainer.step(batch.real, batch.labels);
#pragma once

#include <filesystem>
#include <string>

#include "data/faces.h"

namespace imago::data {

// What Faces(path, options) opens, with labels: of "procedural", the label of that name
// (procedural_labels in data/labels.h); of a folder, the classes that a text file of that path
// gives (csv_labels). Throws where these do, and for skip_broken.
Faces labelled_faces(const std::filesystem::path& path, const std::string& labels,
                     const FacesOptions& options = {});

}  // namespace imago::data
