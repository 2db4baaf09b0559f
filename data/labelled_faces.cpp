#include "data/labelled_faces.h"

#include <memory>

#include "data/procedural/dataset.h"
#include "tensor/error.h"

namespace imago::data {

Faces labelled_faces(const std::filesystem::path& path, const std::string& labels,
                     const FacesOptions& options) {
  check(!options.skip_broken, "labelled_faces",
        "in place of a broken image comes another one, whose class may be another: mend or remove "
        "broken images instead of skipping them");
  if (path == "procedural") {
    const ProceduralFacesOptions procedural{.size = options.size};
    return Faces(std::make_shared<ProceduralDataset>(procedural, options.cache_bytes), options,
                 std::make_shared<const Labels>(procedural_labels(procedural, labels)));
  }
  const auto folder = std::make_shared<FolderDataset>(
      path, FolderOptions{.size = options.size, .cache_bytes = options.cache_bytes});
  return Faces(folder, options, std::make_shared<const Labels>(csv_labels(*folder, labels)));
}

}  // namespace imago::data
