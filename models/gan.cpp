#include "models/gan.h"

#include <algorithm>
#include <sstream>

#include "models/seed001.h"
#include "models/seed003.h"

namespace imago::models {

namespace {

// Splits "dcgan64" into "dcgan" and 64.
std::string family_of(const std::string& model) {
  return model.substr(0, model.find_first_of("0123456789"));
}
int image_of(const std::string& model) {
  return std::stoi(model.substr(family_of(model).size()));
}

}  // namespace

const std::vector<std::string>& gan_names() {
  static const std::vector<std::string> names = {
      "dcgan16",  "dcgan32",   "dcgan64",   "dcgan128",  "resize32",
      "resize64", "resize128", "sndcgan32", "sndcgan64", "sndcgan128",
      "resnet32", "resnet64",  "resnet128", "seed001",   "seed003"};
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
        " has fixed widths; only the other models take a base");
  check(spec.base > 0, "make_gan", "base must be positive, not ", spec.base);
}

bool is_resnet(const GanSpec& spec) {
  return family_of(spec.model) == "resnet";
}

DcganOptions dcgan_options(const GanSpec& spec) {
  check_gan_spec(spec);
  const std::string family = family_of(spec.model);
  check(family == "dcgan" || family == "resize" || family == "sndcgan", "dcgan_options", spec.model,
        " is no DCGAN");
  DcganOptions options{.base = spec.base, .image = image_of(spec.model)};
  if (family == "resize") options.upsample = Filter::nearest;
  options.spectral_norm = family == "sndcgan";
  return options;
}

ResnetGanOptions resnet_options(const GanSpec& spec) {
  check_gan_spec(spec);
  check(is_resnet(spec), "resnet_options", spec.model, " is no residual network");
  return {.base = spec.base, .image = image_of(spec.model)};
}

Gan make_gan(const GanSpec& spec) {
  check_gan_spec(spec);
  if (spec.model == "seed001") return {spec, seed001_generator(), seed001_discriminator(), 100, 32};
  if (spec.model == "seed003") return {spec, seed003_generator(), seed003_discriminator(), 100, 32};
  if (is_resnet(spec)) {
    const ResnetGanOptions o = resnet_options(spec);
    return {spec, resnet_generator(o), resnet_discriminator(o), o.z, o.image};
  }
  const DcganOptions o = dcgan_options(spec);
  return {spec, dcgan_generator(o), dcgan_discriminator(o), o.z, o.image};
}

}  // namespace imago::models
