#include "data/split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "tensor/error.h"
#include "tensor/random_stream.h"

namespace imago::data {
namespace {

// Streams of one seed that are for different purposes.
enum Purpose : std::uint32_t { whole_classes, within_classes, fewer, whole_people };

// In an order drawn for this purpose alone.
void shuffle_for(std::vector<std::int64_t>& items, std::uint64_t seed, Purpose purpose,
                 std::size_t key = 0) {
  RandomStream random(seed, purpose, static_cast<std::uint32_t>(key));
  shuffle(items, random);
}

using Groups = std::vector<std::vector<std::int64_t>>;

// The images of each class, of these.
Groups by_class(const Labels& labels, const std::vector<std::int64_t>& indices) {
  Groups groups(labels.classes.size());
  for (const std::int64_t i : indices) {
    const std::int64_t label = labels.images.at(static_cast<std::size_t>(i));
    groups.at(static_cast<std::size_t>(label)).push_back(i);
  }
  return groups;
}

std::vector<std::int64_t> all_of(const Labels& labels) {
  std::vector<std::int64_t> indices(labels.images.size());
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

Split identity_disjoint(const Labels& labels, const SplitOptions& o) {
  const Groups groups = by_class(labels, all_of(labels));
  std::vector<std::int64_t> people;
  for (std::size_t k = 0; k < groups.size(); ++k) {
    if (!groups[k].empty()) people.push_back(static_cast<std::int64_t>(k));
  }
  const auto K = static_cast<std::int64_t>(people.size());
  check(K >= 2, "split", "identity-disjoint needs at least 2 classes, but there is ", K,
        "; is each person in a folder of their own?");
  shuffle_for(people, o.seed, whole_classes);
  // One person alone cannot be told from others; from four on there are enough to hold out two.
  const std::int64_t least = K >= 4 ? 2 : 1;
  const std::int64_t out =
      std::clamp<std::int64_t>(std::lround(o.share * static_cast<double>(K)), least, K - 1);
  Split split;
  for (std::int64_t k = 0; k < K; ++k) {
    const auto& group = groups[static_cast<std::size_t>(people[static_cast<std::size_t>(k)])];
    auto& side = k < out ? split.held_out : split.train;
    side.insert(side.end(), group.begin(), group.end());
  }
  return split;
}

Split stratified(const Labels& labels, const SplitOptions& o) {
  const Groups groups = by_class(labels, all_of(labels));
  Split split;
  for (std::size_t k = 0; k < groups.size(); ++k) {
    std::vector<std::int64_t> group = groups[k];
    if (group.empty()) continue;
    const auto n = static_cast<std::int64_t>(group.size());
    const std::int64_t least = o.train_per_class > 0 ? std::int64_t{o.train_per_class} + 1 : 2;
    check(n >= least, "split", "class '", labels.classes[k], "' has ", n,
          n == 1 ? " image" : " images", " but a stratified split needs ", least,
          o.train_per_class > 0 ? " of each: so many to train on and one to hold out"
                                : " of each: one to train on and one to hold out");
    shuffle_for(group, o.seed, within_classes, k);
    const std::int64_t out =
        o.train_per_class > 0
            ? n - o.train_per_class
            : std::clamp<std::int64_t>(std::lround(o.share * static_cast<double>(n)), 1, n - 1);
    split.held_out.insert(split.held_out.end(), group.begin(), group.begin() + out);
    split.train.insert(split.train.end(), group.begin() + out, group.end());
  }
  return split;
}

// Whole people on either side, chosen so that each class has about the share of its images held out.
class PeopleSplit {
 public:
  PeopleSplit(const Catalogue& catalogue, double share)
      : catalogue_(catalogue), share_(share), all_(catalogue.labels.counts()), out_(all_.size()) {
    const std::vector<std::int64_t>& people = catalogue.people;
    check(people.size() == catalogue.labels.images.size(), "split", "there are ",
          catalogue.labels.images.size(), " images, but people of ", people.size());
    for (std::size_t i = 0; i < people.size(); ++i) {
      auto& counts = of_person_[people[i]];
      counts.resize(all_.size());
      counts[static_cast<std::size_t>(catalogue.labels.images[i])] += 1;
    }
  }

  std::vector<std::int64_t> people() const {
    std::vector<std::int64_t> numbers;
    for (const auto& [person, counts] : of_person_) numbers.push_back(person);
    return numbers;
  }

  // Holds people out, in that order, who bring the shares of the classes nearer to what they
  // should be, then, where a class has none held out, the first one who changes that.
  void choose(const std::vector<std::int64_t>& order) {
    for (const std::int64_t p : order) {
      if (distance(&of_person_.at(p)) < distance(nullptr) && leaves_some(p)) hold_out(p);
    }
    for (std::size_t k = 0; k < all_.size(); ++k) {
      if (all_[k] == 0 || out_[k] > 0) continue;
      const auto found = std::find_if(order.begin(), order.end(), [&](std::int64_t p) {
        return of_person_.at(p)[k] > 0 && leaves_some(p);
      });
      check(found != order.end(), "split", "class '", catalogue_.labels.classes[k], "' has ",
            all_[k], " images, of too few people to hold one of these out and to train on the ",
            "others; more people are needed");
      hold_out(*found);
    }
  }

  Split result() const {
    Split split;
    for (std::size_t i = 0; i < catalogue_.people.size(); ++i) {
      auto& side = held_out_.contains(catalogue_.people[i]) ? split.held_out : split.train;
      side.push_back(static_cast<std::int64_t>(i));
    }
    return split;
  }

 private:
  // How far the shares of all classes are from what they should be, with `more` held out too.
  double distance(const std::vector<std::int64_t>* more) const {
    double sum = 0;
    for (std::size_t k = 0; k < all_.size(); ++k) {
      if (all_[k] == 0) continue;
      const auto images = static_cast<double>(out_[k] + (more ? (*more)[k] : 0));
      sum += std::abs(images / static_cast<double>(all_[k]) - share_);
    }
    return sum;
  }
  // Without this person too, each class that has images has some to train on.
  bool leaves_some(std::int64_t p) const {
    const std::vector<std::int64_t>& counts = of_person_.at(p);
    for (std::size_t k = 0; k < all_.size(); ++k) {
      if (all_[k] > 0 && out_[k] + counts[k] >= all_[k]) return false;
    }
    return true;
  }
  void hold_out(std::int64_t p) {
    held_out_.insert(p);
    for (std::size_t k = 0; k < all_.size(); ++k) out_[k] += of_person_.at(p)[k];
  }

  const Catalogue& catalogue_;
  double share_;
  std::vector<std::int64_t> all_, out_;  // images of each class: all, and held out
  std::map<std::int64_t, std::vector<std::int64_t>> of_person_;
  std::set<std::int64_t> held_out_;
};

Split stratified_by_people(const Catalogue& catalogue, const SplitOptions& o) {
  PeopleSplit chosen(catalogue, o.share);
  std::vector<std::int64_t> people = chosen.people();
  check(people.size() >= 2, "split", "needs at least 2 people to hold one of them out, but there ",
        "is ", people.size());
  shuffle_for(people, o.seed, whole_people);
  chosen.choose(people);
  Split split = chosen.result();
  if (o.train_per_class == 0) return split;
  const Labels& labels = catalogue.labels;
  const Groups groups = by_class(labels, split.train);
  for (std::size_t k = 0; k < groups.size(); ++k) {
    const auto n = static_cast<std::int64_t>(groups[k].size());
    check(n == 0 || n >= o.train_per_class, "split", "class '", labels.classes[k], "' has ", n,
          n == 1 ? " image" : " images", " of the people to train on, fewer than the ",
          o.train_per_class, " asked for");
  }
  split.train = at_most_per_class(labels, split.train, o.train_per_class, o.seed);
  return split;
}

Split official(const Catalogue& catalogue, Part held_out) {
  check(!catalogue.parts.empty(), "split",
        "an official split needs folders train, validation and test, which layout '",
        catalogue.layout, "' has not");
  check(held_out != Part::train, "split", "the part to train on cannot be held out");
  Split split;
  for (std::size_t i = 0; i < catalogue.parts.size(); ++i) {
    const auto index = static_cast<std::int64_t>(i);
    if (catalogue.parts[i] == Part::train) split.train.push_back(index);
    if (catalogue.parts[i] == held_out) split.held_out.push_back(index);
  }
  check(!split.train.empty(), "split", "there are no images in the part train");
  check(!split.held_out.empty(), "split", "there are no images in the part ", name(held_out));
  return split;
}

}  // namespace

const std::vector<std::string>& split_kinds() {
  static const std::vector<std::string> kinds = {"identity-disjoint", "stratified", "official"};
  return kinds;
}

Split split(const Catalogue& catalogue, const SplitOptions& options) {
  check(options.share > 0 && options.share < 1, "split",
        "the share held out must be in (0, 1), not ", options.share);
  check(options.train_per_class >= 0, "split", "cannot train on ", options.train_per_class,
        " images of each class");
  Split split;
  if (options.kind == "identity-disjoint") {
    split = identity_disjoint(catalogue.labels, options);
  } else if (options.kind == "stratified") {
    split = catalogue.people.empty() ? stratified(catalogue.labels, options)
                                     : stratified_by_people(catalogue, options);
  } else {
    check(options.kind == "official", "split", "there is no split '", options.kind,
          "'; there are identity-disjoint, stratified and official");
    split = official(catalogue, options.held_out);
  }
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.held_out.begin(), split.held_out.end());
  return split;
}

std::vector<std::int64_t> at_most_per_class(const Labels& labels,
                                            const std::vector<std::int64_t>& indices, int images,
                                            std::uint64_t seed) {
  check(images >= 1, "at_most_per_class", "needs at least 1 image of each class, not ", images);
  Groups groups = by_class(labels, indices);
  std::vector<std::int64_t> kept;
  for (std::size_t k = 0; k < groups.size(); ++k) {
    shuffle_for(groups[k], seed, fewer, k);
    if (groups[k].size() > static_cast<std::size_t>(images)) {
      groups[k].resize(static_cast<std::size_t>(images));
    }
    kept.insert(kept.end(), groups[k].begin(), groups[k].end());
  }
  std::sort(kept.begin(), kept.end());
  return kept;
}

}  // namespace imago::data
