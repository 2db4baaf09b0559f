// Applies a network that train_translation made to one photograph: fills a hole, makes it lighter,
// or finds its matte.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <optional>

#include "apps/support/device.h"
#include "apps/support/flags.h"
#include "data/image.h"
#include "data/transform.h"
#include "kernels/image/image.h"
#include "models/translation_evaluation.h"
#include "models/translation_trainer.h"

namespace imago::apps {
namespace {

struct Options {
  std::string checkpoint, in, out = "translated.png", hole;
  int threads = 0;
  std::string device = "auto";
};

// "x,y,w,h", each a whole number, w and h positive. Throws UsageError otherwise.
data::Box parse_hole(const std::string& text) {
  int numbers[4] = {};
  const char* at = text.data();
  const char* const end = at + text.size();
  bool good = true;
  for (int i = 0; i < 4 && good; ++i) {
    const auto [stop, error] = std::from_chars(at, end, numbers[i]);
    good = error == std::errc() && (i < 3 ? stop != end && *stop == ',' : stop == end);
    at = good && i < 3 ? stop + 1 : stop;
  }
  if (!good || numbers[0] < 0 || numbers[1] < 0 || numbers[2] <= 0 || numbers[3] <= 0) {
    throw UsageError("--hole is X,Y,WIDTH,HEIGHT in pixels of the photograph, not '" + text + "'");
  }
  return {numbers[0], numbers[1], numbers[2], numbers[3]};
}

// [first, last) of so many pixels that [begin, begin + extent) of a photograph falls on, whose
// `side` pixels from `origin` on become these.
struct Places {
  int first, last;
};
Places places_of(int begin, int extent, int origin, int side, int pixels) {
  const auto scaled = [&](std::int64_t x, std::int64_t round_up) {
    const std::int64_t from_origin = std::clamp<std::int64_t>(x - origin, 0, side);
    return static_cast<int>((from_origin * pixels + round_up * (side - 1)) / side);
  };
  return {scaled(begin, 0), scaled(std::int64_t{begin} + extent, 1)};
}

// u8 (1, size, size, 1): every pixel of the result that the hole touches.
Tensor missing_pixels(const data::Box& hole, const data::Image& photograph, int size) {
  const data::Box square = data::centre_box(photograph.width, photograph.height);
  const Places x = places_of(hole.x, hole.width, square.x, square.width, size);
  const Places y = places_of(hole.y, hole.height, square.y, square.height, size);
  if (x.first >= x.last || y.first >= y.last) {
    throw UsageError("--hole lies outside the middle square of the photograph, " +
                     std::to_string(square.width) + " x " + std::to_string(square.height) + " at " +
                     std::to_string(square.x) + "," + std::to_string(square.y));
  }
  Tensor missing = Tensor::empty({1, size, size, 1}, DType::u8, Device::cpu());
  std::uint8_t* p = missing.mutable_data<std::uint8_t>();
  for (int row = 0; row < size; ++row) {
    for (int column = 0; column < size; ++column) {
      *p++ = row >= y.first && row < y.last && column >= x.first && column < x.last;
    }
  }
  return missing;
}

// f32 (1, size, size, 3) in [-1, 1], on the CPU.
Tensor as_tensor(const data::Image& image) {
  Tensor bytes = Tensor::empty({1, image.height, image.width, 3}, DType::u8, Device::cpu());
  std::copy(image.pixels.begin(), image.pixels.end(), bytes.mutable_data<std::uint8_t>());
  return kernels::normalize_u8(bytes);
}

data::Image as_image(const Tensor& result) {
  const Tensor bytes = kernels::denormalize_u8(result);
  data::Image image(static_cast<int>(result.size(2)), static_cast<int>(result.size(1)),
                    static_cast<int>(result.size(3)));
  std::copy_n(bytes.data<std::uint8_t>(), image.pixels.size(), image.pixels.begin());
  return image;
}

int translate(const Options& o) {
  std::string extension = std::filesystem::path(o.out).extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (extension != ".png") throw UsageError("--out: pictures are written as .png, not " + o.out);
  std::optional<data::Box> hole;
  if (!o.hole.empty()) hole = parse_hole(o.hole);
  set_num_threads(o.threads);
  const Device device = use_device(o.device);
  models::Translator translator = models::load_translator(load_safetensors(o.checkpoint));
  const models::TranslationSpec& spec = translator.spec();
  const bool inpaints = spec.task == models::TranslationTask::inpaint;
  if (inpaints && !hole) throw UsageError("this checkpoint fills holes: say where, --hole X,Y,W,H");
  if (!inpaints && hole) {
    throw UsageError(std::string("--hole is for a checkpoint of inpaint, not of ") +
                     models::name_of(spec.task));
  }
  const data::Image photograph = data::load_image(o.in);
  Tensor input = as_tensor(data::square(photograph, spec.image));
  if (hole) {
    input = models::inpainting_input(input, missing_pixels(*hole, photograph, spec.image));
  }
  data::save_png(o.out, as_image(models::translate_all(translator, input)));
  std::printf("Wrote %s, %d x %d, made on %s\n", o.out.c_str(), spec.image, spec.image,
              describe(device).c_str());
  return 0;
}

}  // namespace
}  // namespace imago::apps

int main(int argc, char** argv) {
  using namespace imago::apps;
  Flags flags("translate", "Applies a trained image-to-image network to a photograph");
  Options o;
  flags.required("--checkpoint", o.checkpoint, "File written by train_translation");
  flags.required("--in", o.in, "Photograph: its middle square is taken, at the network's size");
  flags.text("--out", o.out, "PNG file to write; a matte is grey");
  flags.text("--hole", o.hole,
             "X,Y,WIDTH,HEIGHT in pixels of the photograph: what to fill, for inpaint");
  add_device_flag(flags, o.device);
  flags.number("--threads", o.threads, 0, 1024, "CPU threads; 0 means all cores");
  return flags.run(argc, argv, [&] { return translate(o); });
}
