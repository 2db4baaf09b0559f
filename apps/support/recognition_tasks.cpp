#include "apps/support/recognition_tasks.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <utility>

#include "apps/support/classes.h"
#include "kernels/image/image.h"
#include "models/classical_faces.h"
#include "models/degradation.h"
#include "tensor/error.h"
#include "tensor/random_stream.h"

namespace imago::apps {
namespace {

// A probe is compared with the whole gallery at once; this many similarities are 1.2 GB.
constexpr std::int64_t most_similarities = 300'000'000;
constexpr std::int64_t pair_block = 32;  // of which all combinations are compared, for a diagonal
constexpr std::uint32_t gallery_stream = 0x9a11e7u;

using Clock = std::chrono::steady_clock;
double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Images (n, S, S, 3) in [-1, 1], made worse; every batch has draws of its own.
Tensor worsened(Tensor images, const Worsening& w, std::int64_t batch) {
  const auto step = static_cast<std::uint32_t>(models::evaluation_degradation_step -
                                               static_cast<std::uint32_t>(batch));
  if (w.glare) {
    images =
        models::glare(images, w.seed, step, models::Glare{.least = *w.glare, .most = *w.glare});
  }
  if (w.darkness) {
    models::LowLight light;
    light.least_stops = light.most_stops = *w.darkness;
    images = models::low_light(images, w.seed, step, light);
  }
  return images;
}

// What `rows_of` makes of the images, batch after batch.
Embedded in_batches(const data::Catalogue& catalogue, const std::vector<std::int64_t>& images,
                    const Worsening& worsening,
                    const std::function<Tensor(const Tensor&)>& rows_of) {
  const Clock::time_point start = Clock::now();
  Embedded result;
  const data::Catalogue chosen = data::take(catalogue, images);
  const std::int64_t N = chosen.size();
  for (std::int64_t begin = 0; begin < N; begin += embedding_batch) {
    const Clock::time_point loading = Clock::now();
    const std::int64_t end = std::min(begin + embedding_batch, N);
    const Tensor batch =
        worsened(kernels::normalize_u8(data::load_images(*chosen.images, begin, end)), worsening,
                 begin / embedding_batch);
    result.loading_seconds += since(loading);
    const Tensor rows = rows_of(batch);
    if (!result.rows) {
      result.rows = Tensor::empty({N, rows.size(1)}, DType::f32, Device::cpu());
    }
    result.rows.slice(begin, end).copy_from(rows);
  }
  result.seconds = since(start);
  return result;
}

// The rows with these numbers, (n, D).
Tensor gathered(const Tensor& rows, const std::vector<std::int64_t>& places) {
  const std::int64_t D = rows.size(1), n = static_cast<std::int64_t>(places.size());
  Tensor out = Tensor::empty({n, D}, DType::f32, Device::cpu());
  const auto* from = rows.data<float>();
  auto* to = out.mutable_data<float>();
  for (std::int64_t i = 0; i < n; ++i) {
    std::copy_n(from + places[static_cast<std::size_t>(i)] * D, D, to + i * D);
  }
  return out;
}

// Who the measured images show, numbered from 0 without gaps.
std::vector<std::int64_t> people_of(const MeasuredFaces& faces) {
  std::map<std::int64_t, std::int64_t> numbers;
  for (const std::int64_t i : faces.images) numbers.emplace(faces.person(i), 0);
  std::int64_t next = 0;
  for (auto& [person, number] : numbers) number = next++;
  std::vector<std::int64_t> people;
  for (const std::int64_t i : faces.images) people.push_back(numbers.at(faces.person(i)));
  return people;
}

std::vector<std::int64_t> at(const std::vector<std::int64_t>& values,
                             const std::vector<std::int64_t>& places) {
  std::vector<std::int64_t> chosen;
  for (const std::int64_t place : places) chosen.push_back(values[static_cast<std::size_t>(place)]);
  return chosen;
}

}  // namespace

double Embedded::images_per_second() const {
  return seconds > 0 ? static_cast<double>(rows.size(0)) / seconds : 0;
}

Embedded embed(models::FaceEncoder& encoder, const data::Catalogue& catalogue,
               const std::vector<std::int64_t>& images, const Worsening& worsening) {
  return in_batches(catalogue, images, worsening,
                    [&](const Tensor& batch) { return encoder.encode(batch); });
}

std::unique_ptr<models::FaceEncoder> make_method(const std::string& method, const Tensor& images) {
  if (method == "eigenfaces") return std::make_unique<models::Eigenfaces>(images);
  if (method == "2dpca") return std::make_unique<models::TwoDPca>(images);
  check(method == "lbp", "evaluate", "there is no method '", method, "'");
  return std::make_unique<models::LbpHistograms>();
}

models::ScoredPairs scored_pairs(const models::FaceEncoder& encoder, const MeasuredFaces& faces,
                                 const Tensor& rows) {
  const std::vector<std::int64_t> people = people_of(faces);
  if (faces.part != "pairs") return models::all_pairs(encoder.similarity(rows, rows), people);
  std::map<std::int64_t, std::int64_t> place;  // of an image of the catalogue
  for (std::size_t i = 0; i < faces.images.size(); ++i) {
    place[faces.images[i]] = static_cast<std::int64_t>(i);
  }
  models::ScoredPairs scored;
  scored.people = static_cast<std::int32_t>(*std::max_element(people.begin(), people.end()) + 1);
  const std::vector<data::Pair>& pairs = faces.pairs.pairs;
  const auto count = static_cast<std::int64_t>(pairs.size());
  for (std::int64_t begin = 0; begin < count; begin += pair_block) {
    const std::int64_t end = std::min(begin + pair_block, count);
    std::vector<std::int64_t> a, b;
    for (std::int64_t i = begin; i < end; ++i) {
      a.push_back(place.at(pairs[static_cast<std::size_t>(i)].a));
      b.push_back(place.at(pairs[static_cast<std::size_t>(i)].b));
    }
    const Tensor block = encoder.similarity(gathered(rows, a), gathered(rows, b));
    const auto* s = block.data<float>();
    for (std::int64_t i = 0; i < end - begin; ++i) {
      const data::Pair& pair = pairs[static_cast<std::size_t>(begin + i)];
      const auto k = static_cast<std::size_t>(i);
      scored.similarity.push_back(s[i * (end - begin) + i]);
      scored.same.push_back(pair.same ? 1 : 0);
      scored.a.push_back(static_cast<std::int32_t>(people[static_cast<std::size_t>(a[k])]));
      scored.b.push_back(static_cast<std::int32_t>(people[static_cast<std::size_t>(b[k])]));
      if (faces.pairs.folds > 1) scored.fold.push_back(pair.fold);
    }
  }
  return scored;
}

GalleryDraw draw_gallery(const MeasuredFaces& faces, int each, double strangers, std::uint64_t seed,
                         int draw) {
  const std::vector<std::int64_t> people = people_of(faces);
  const std::int64_t P = *std::max_element(people.begin(), people.end()) + 1;
  std::vector<std::vector<std::int64_t>> places(static_cast<std::size_t>(P));
  for (std::size_t i = 0; i < people.size(); ++i) {
    places[static_cast<std::size_t>(people[i])].push_back(static_cast<std::int64_t>(i));
  }
  RandomStream stream(seed, gallery_stream, static_cast<std::uint32_t>(draw));
  std::vector<std::int64_t> order(static_cast<std::size_t>(P));
  for (std::int64_t p = 0; p < P; ++p) order[static_cast<std::size_t>(p)] = p;
  shuffle(order, stream);
  GalleryDraw result;
  result.strangers = std::llround(strangers * static_cast<double>(P));
  if (strangers > 0) result.strangers = std::max<std::int64_t>(result.strangers, 1);
  if (P - result.strangers < 2) {
    throw UsageError("of " + std::to_string(P) + " people " + std::to_string(result.strangers) +
                     " are strangers: a gallery takes 2 people or more");
  }
  std::int64_t known_probes = 0;
  for (std::int64_t k = 0; k < P; ++k) {
    std::vector<std::int64_t>& own =
        places[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])];
    if (k < result.strangers) {
      result.probes.insert(result.probes.end(), own.begin(), own.end());
      continue;
    }
    shuffle(own, stream);
    const auto n = std::min<std::ptrdiff_t>(each, static_cast<std::ptrdiff_t>(own.size()));
    result.gallery.insert(result.gallery.end(), own.begin(), own.begin() + n);
    result.probes.insert(result.probes.end(), own.begin() + n, own.end());
    const std::ptrdiff_t rest = static_cast<std::ptrdiff_t>(own.size()) - n;
    known_probes += rest;
    result.without_probes += rest == 0;
  }
  if (known_probes == 0) {
    throw UsageError("--gallery-per-person " + std::to_string(each) +
                     " leaves nobody in the gallery an image to be found by");
  }
  std::sort(result.gallery.begin(), result.gallery.end());
  std::sort(result.probes.begin(), result.probes.end());
  return result;
}

void add_draw(Identified& all, const models::FaceEncoder& encoder, const MeasuredFaces& faces,
              const GalleryDraw& draw, const Tensor& rows,
              const models::BootstrapOptions& options) {
  const auto P = static_cast<std::int64_t>(draw.probes.size());
  const auto G = static_cast<std::int64_t>(draw.gallery.size());
  if (P > most_similarities / G) {
    throw UsageError(std::to_string(P) + " probes and a gallery of " + std::to_string(G) +
                     " are too many to compare in one table; --count takes fewer people");
  }
  const std::vector<std::int64_t> people = people_of(faces);
  const Tensor probes = gathered(rows, draw.probes), gallery = gathered(rows, draw.gallery);
  const Clock::time_point start = Clock::now();
  const Tensor similarity = encoder.similarity(probes, gallery);
  const double seconds = since(start);
  const bool first = all.rank1.empty();
  // Only the first draw is told with intervals: resampling every one would say no more.
  models::BootstrapOptions none = options;
  none.resamples = 0;
  const models::Identification found = models::identify(
      similarity, at(people, draw.probes), at(people, draw.gallery), first ? options : none);
  all.rank1.push_back(found.rank1.value);
  all.rank5.push_back(found.rank5.value);
  if (!first) return;
  all.first = found;
  all.search_seconds = seconds;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

double deviation(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  const double m = mean(values);
  double sum = 0;
  for (const double v : values) sum += (v - m) * (v - m);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

Classified classify(models::RecogniserEncoder& encoder, const MeasuredFaces& faces,
                    const Worsening& worsening, const models::BootstrapOptions& options) {
  const std::vector<std::string>& known = encoder.network().options().classes;
  const std::vector<std::string>& classes = faces.catalogue.labels.classes;
  std::map<std::string, std::int64_t> numbers;
  for (const std::string& name : known) numbers.emplace(name, numbers.size());
  std::vector<std::int64_t> images, truth;
  for (const std::int64_t i : faces.images) {
    const auto found = numbers.find(classes[static_cast<std::size_t>(faces.person(i))]);
    if (found == numbers.end()) continue;
    images.push_back(i);
    truth.push_back(found->second);
  }
  const auto some = [](const std::vector<std::string>& names) {
    constexpr std::size_t few = 5;
    const std::size_t n = std::min(few, names.size());
    return list_of({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(n)}) +
           (names.size() > few ? ", ..." : "");
  };
  if (images.empty()) {
    fail("evaluate", "the recogniser knows none of the classes of these images: it tells ",
         some(known), " apart, and the classes of what is measured are among ", some(classes),
         "; people who were held out are for --task verification or identification");
  }
  Classified result;
  result.unknown = static_cast<std::int64_t>(faces.images.size() - images.size());
  result.timing = in_batches(faces.catalogue, images, worsening,
                             [&](const Tensor& batch) { return encoder.classify(batch); });
  result.confusion =
      models::confusion(truth, models::answers_of(result.timing.rows), known, options);
  return result;
}

}  // namespace imago::apps
