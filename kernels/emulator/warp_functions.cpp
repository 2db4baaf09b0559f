#include "kernels/emulator/warp_functions.h"

#include <bit>

#include "kernels/emulator/sanitizers.h"

namespace imago::emulator {

void check_width(const char* word, int width, const std::source_location& place) {
  if (width < 1 || width > warp_size || !std::has_single_bit(static_cast<unsigned>(width))) {
    fault(word, " at ", to_string(place), ": the width ", width,
          " is not a power of two from 1 to ", warp_size);
  }
}

void unnamed_lane(const Meeting& meeting, int reader, int lane) {
  point_at_lane(reader);
  fault(meeting.word, " at ", to_string(meeting.place), " reads lane ", lane,
        ", which is not named by the mask ", hex(meeting.mask));
}

unsigned ballot(const char* word, unsigned mask, bool predicate,
                const std::source_location& place) {
  unsigned votes = predicate ? 1 : 0;
  meet_with(word, mask, place, votes, [](const Meeting&, Lanes<unsigned> lanes) {
    unsigned all = 0;
    lanes.each([&](int lane, unsigned& vote) { all |= vote << lane; });
    lanes.each([&](int, unsigned& vote) { vote = all; });
  });
  return votes;
}

}  // namespace imago::emulator
