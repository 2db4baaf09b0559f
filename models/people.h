// People are given by numbers of any kind; figures count with numbers that leave none out.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace imago::models {

// The distinct numbers, ascending.
inline std::vector<std::int64_t> distinct_people(std::vector<std::int64_t> people) {
  std::sort(people.begin(), people.end());
  people.erase(std::unique(people.begin(), people.end()), people.end());
  return people;
}

// The place of a number among distinct ones; -1 where it is not there.
inline std::int32_t place_of(std::int64_t person, const std::vector<std::int64_t>& distinct) {
  const auto at = std::lower_bound(distinct.begin(), distinct.end(), person);
  if (at == distinct.end() || *at != person) return -1;
  return static_cast<std::int32_t>(at - distinct.begin());
}

inline std::vector<std::int32_t> places_of(const std::vector<std::int64_t>& people,
                                           const std::vector<std::int64_t>& distinct) {
  std::vector<std::int32_t> places;
  places.reserve(people.size());
  for (const std::int64_t person : people) places.push_back(place_of(person, distinct));
  return places;
}

}  // namespace imago::models
