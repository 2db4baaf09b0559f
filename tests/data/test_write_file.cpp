#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>

#include "data/image.h"
#include "scratch.h"

using namespace imago;
using namespace imago::data;
using namespace imago::data::test;

namespace {

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

// While it lives no file can grow beyond `bytes`: write() stores a part and then fails, as on a
// full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_;
};

}  // namespace

TEST_CASE("save_png replaces a file and leaves nothing else behind") {
  const Scratch scratch;
  const Image first = noise(30, 20, 1), second = noise(30, 20, 2);
  save_png(scratch / "a.png", first);
  const Bytes bytes = bytes_of(scratch / "a.png");
  save_png(scratch / "a.png", second);
  CHECK(load_image(scratch / "a.png") == second);
  save_png(scratch / "b.png", first);
  CHECK(bytes_of(scratch / "b.png") == bytes);
  CHECK(files_in(scratch.folder()) == 2);
}

TEST_CASE("a full disk is an error that keeps the old file and leaves no temporary one") {
  const Scratch scratch;
  const Image old = noise(4, 4), large = noise(100, 100);
  save_png(scratch / "a.png", old);
  {
    const FileSizeLimit limit(1000);
    const std::string error = error_of([&] { save_png(scratch / "a.png", large); });
    CAPTURE(error);
    CHECK(error.starts_with("[save_png] "));
    CHECK(has(error, "a.png: cannot write: "));
    CHECK(has(error, "File too large"));
    CHECK(has(error_of([&] { save_png(scratch / "new.png", large); }), "File too large"));
  }
  CHECK(load_image(scratch / "a.png") == old);
  CHECK(files_in(scratch.folder()) == 1);
  save_png(scratch / "a.png", large);
  CHECK(load_image(scratch / "a.png") == large);

  REQUIRE(fs::is_character_file("/dev/full"));
  CHECK(has(error_of([&] { save_png("/dev/full", large); }), "No space left on device"));
  CHECK(fs::is_character_file("/dev/full"));
}

TEST_CASE("places that cannot be written to are errors by name") {
  const Scratch scratch;
  const Image image = noise(4, 4);
  CHECK(has(error_of([&] { save_png(scratch / "no" / "a.png", image); }), "No such file"));
  CHECK(has(error_of([&] { save_png(scratch.folder(), image); }), "Is a directory"));
  put(scratch / "file", "x");
  CHECK(has(error_of([&] { save_png(scratch / "file" / "a.png", image); }), "Not a directory"));
  CHECK(files_in(scratch.folder()) == 1);
  CHECK(has(error_of([&] { save_png(scratch / "a.png", Image{}); }), "takes images of 1 or 3"));
  CHECK(has(error_of([&] { save_png(scratch / "a.png", noise(3, 3, 0, 4)); }), "1 or 3 channels"));
}

TEST_CASE("a symbolic link stays one; its target is replaced") {
  const Scratch scratch;
  put(scratch / "target.png", "old");
  fs::create_symlink("target.png", scratch / "link.png");
  const Image image = noise(4, 4);
  save_png(scratch / "link.png", image);
  CHECK(fs::is_symlink(scratch / "link.png"));
  CHECK(!fs::is_symlink(scratch / "target.png"));
  CHECK(load_image(scratch / "target.png") == image);
  fs::create_symlink("later.png", scratch / "dangling.png");
  save_png(scratch / "dangling.png", image);
  CHECK(load_image(scratch / "later.png") == image);
}
