#include "apps/support/held_out.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "apps/support/recognition_pictures.h"
#include "kernels/image/image.h"
#include "models/confusion.h"
#include "models/verification.h"
#include "tensor/error.h"
#include "tensor/random_stream.h"

namespace imago::apps {
namespace {

constexpr std::int64_t most_pairs_images = 1000, most_class_images = 2000;
constexpr std::int64_t at_a_time = 256;  // images in memory as f32
// Keys of the draws, which no split uses.
constexpr std::uint32_t people_key = 0xfa5e0001u, faces_key = 0xfa5e0002u;

// The numbers below `count` in an order drawn by the seed.
std::vector<std::int64_t> shuffled(std::int64_t count, std::uint64_t seed, std::uint32_t key) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  RandomStream random(seed, key);
  shuffle(order, random);
  return order;
}

Tensor load(const data::Catalogue& from, std::vector<std::int64_t> indices) {
  const data::Catalogue some = data::take(from, std::move(indices));
  return data::load_images(*some.images, 0, some.size());
}

// What `network` makes of images u8 (N, S, S, 3), some at a time: (N, D) f32 on the CPU.
Tensor rows_of(const Tensor& images, const std::function<Tensor(const Tensor&)>& network) {
  const std::int64_t N = images.size(0);
  Tensor all;
  for (std::int64_t begin = 0; begin < N; begin += at_a_time) {
    const std::int64_t end = std::min(begin + at_a_time, N);
    const Tensor rows =
        network(kernels::normalize_u8(images.slice(begin, end).to(Context::current().device)));
    if (begin == 0) all = Tensor::empty({N, rows.size(1)}, DType::f32, Device::cpu());
    all.slice(begin, end).copy_from(rows);
  }
  return all;
}

double mean_cosine_of_two(const models::ScoredPairs& pairs) {
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs.same[i]) continue;
    sum += static_cast<double>(pairs.similarity[i]);
    count += 1;
  }
  return sum / count;
}

// Without a table of all classes by all classes, of which there may be very many.
void set_accuracy(HeldOutMeasure& m, const std::vector<std::int64_t>& truth,
                  const std::vector<std::int64_t>& answers) {
  std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> of_class;  // right, all
  for (std::size_t i = 0; i < truth.size(); ++i) {
    auto& [right, all] = of_class[truth[i]];
    right += truth[i] == answers[i];
    all += 1;
  }
  std::int64_t hits = 0;
  double recalls = 0;
  for (const auto& [k, counts] : of_class) {
    hits += counts.first;
    recalls += static_cast<double>(counts.first) / static_cast<double>(counts.second);
  }
  m.accuracy = static_cast<double>(hits) / static_cast<double>(truth.size());
  m.balanced_accuracy = recalls / static_cast<double>(of_class.size());
}

}  // namespace

HeldOut::HeldOut(const data::Catalogue& held_out, bool verify,
                 const std::vector<std::string>& known, std::uint64_t seed) {
  if (verify) choose_people(held_out, seed);
  if (!known.empty()) choose_faces(held_out, known, seed);
}

void HeldOut::choose_people(const data::Catalogue& held_out, std::uint64_t seed) {
  std::vector<std::vector<std::int64_t>> images_of(held_out.labels.classes.size());
  for (std::int64_t i = 0; i < held_out.size(); ++i) {
    std::vector<std::int64_t>& images =
        images_of[static_cast<std::size_t>(held_out.labels.images[static_cast<std::size_t>(i)])];
    // Two people always find room.
    if (std::cmp_less(images.size(), most_pairs_images / 2)) images.push_back(i);
  }
  std::vector<std::int64_t> chosen;
  const auto classes = static_cast<std::int64_t>(images_of.size());
  for (const std::int64_t k : shuffled(classes, seed, people_key)) {
    const std::vector<std::int64_t>& images = images_of[static_cast<std::size_t>(k)];
    if (std::cmp_greater(chosen.size() + images.size(), most_pairs_images)) continue;
    chosen.insert(chosen.end(), images.begin(), images.end());
  }
  std::sort(chosen.begin(), chosen.end());
  for (const std::int64_t i : chosen) {
    person_.push_back(held_out.labels.images[static_cast<std::size_t>(i)]);
  }
  people_ = load(held_out, std::move(chosen));
  const std::int64_t different = people();
  verifies_ = different >= 2 && pairs_images() > different;
}

void HeldOut::choose_faces(const data::Catalogue& held_out, const std::vector<std::string>& known,
                           std::uint64_t seed) {
  std::map<std::string, std::int64_t> place;
  for (std::size_t k = 0; k < known.size(); ++k) place[known[k]] = static_cast<std::int64_t>(k);
  const auto place_of = [&](std::int64_t i) {
    const std::int64_t k = held_out.labels.images[static_cast<std::size_t>(i)];
    return place.find(held_out.labels.classes[static_cast<std::size_t>(k)]);
  };
  std::vector<std::int64_t> chosen;
  for (const std::int64_t i : shuffled(held_out.size(), seed, faces_key)) {
    if (std::cmp_equal(chosen.size(), most_class_images)) break;
    if (place_of(i) != place.end()) chosen.push_back(i);
  }
  if (chosen.empty()) return;
  std::sort(chosen.begin(), chosen.end());
  std::map<std::int64_t, std::int64_t> times;
  std::int64_t commonest = 0;
  for (const std::int64_t i : chosen) {
    truth_.push_back(place_of(i)->second);
    commonest = std::max(commonest, ++times[truth_.back()]);
  }
  chance_ = static_cast<double>(commonest) / static_cast<double>(truth_.size());
  faces_ = load(held_out, std::move(chosen));
}

std::int64_t HeldOut::people() const {
  return static_cast<std::int64_t>(std::set<std::int64_t>(person_.begin(), person_.end()).size());
}

HeldOutMeasure HeldOut::measure(const models::Recogniser& network) {
  models::RecogniserEncoder encoder(models::copy_of(network), false);
  HeldOutMeasure m;
  if (people_.defined()) {
    const Tensor rows =
        rows_of(people_, [&](const Tensor& images) { return encoder.encode(images); });
    similarity_ = encoder.similarity(rows, rows);
    if (verifies_) {
      const models::ScoredPairs pairs = models::all_pairs(similarity_, person_);
      m.auc = models::roc_auc(pairs);
      m.verification_accuracy = models::best_balanced_accuracy(pairs);
      m.mean_cosine = mean_cosine_of_two(pairs);
    }
  }
  if (classifies()) {
    answers_ = models::answers_of(
        rows_of(faces_, [&](const Tensor& images) { return encoder.classify(images); }));
    set_accuracy(m, truth_, answers_);
  }
  return m;
}

data::Image HeldOut::picture() const {
  check(similarity_.defined() || !answers_.empty(), "held_out", "nothing was measured yet");
  if (similarity_.defined()) return nearest_picture(people_, similarity_, person_);
  return answers_picture(faces_, truth_, answers_);
}

}  // namespace imago::apps
