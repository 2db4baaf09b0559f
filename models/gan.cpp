#include "models/gan.h"

#include <algorithm>
#include <sstream>

#include "models/dcgan.h"
#include "models/seed001.h"
#include "models/seed003.h"

namespace imago::models {

const std::vector<std::string>& gan_names() {
  static const std::vector<std::string> names = {"dcgan16",  "dcgan32", "dcgan64",
                                                 "dcgan128", "seed001", "seed003"};
  return names;
}

void check_gan_spec(const GanSpec& spec) {
  const auto& names = gan_names();
  if (std::find(names.begin(), names.end(), spec.model) == names.end()) {
    std::ostringstream list;
    for (const std::string& name : names) list << ' ' << name;
    fail("make_gan", "there is no model '", spec.model, "'; choose one of", list.str());
  }
  const bool fixed = spec.model.starts_with("seed");
  check(!fixed || spec.base == 64, "make_gan", spec.model,
        " has fixed widths; only the dcgan models take a base");
  check(spec.base > 0, "make_gan", "base must be positive, not ", spec.base);
}

Gan make_gan(const GanSpec& spec) {
  check_gan_spec(spec);
  if (spec.model == "seed001") return {spec, seed001_generator(), seed001_discriminator(), 100, 32};
  if (spec.model == "seed003") return {spec, seed003_generator(), seed003_discriminator(), 100, 32};
  const int image = std::stoi(spec.model.substr(std::string("dcgan").size()));
  const DcganOptions options{.base = spec.base, .image = image};
  return {spec, dcgan_generator(options), dcgan_discriminator(options), options.z, image};
}

}  // namespace imago::models
