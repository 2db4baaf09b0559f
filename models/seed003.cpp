#include "models/seed003.h"

#include "models/dcgan.h"

namespace imago::models {

nn::Sequential seed003_generator() {
  return dcgan_generator({.z = 100, .base = 64, .image = 32});
}

nn::Sequential seed003_discriminator() {
  return dcgan_discriminator({.base = 64, .image = 32});
}

}  // namespace imago::models
