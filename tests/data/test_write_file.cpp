#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>

#include "data/image.h"
#include "pictures.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::data;
using namespace imago::data::test;
using namespace imago::test;

namespace {

// While it lives no file can grow beyond `bytes`: write() stores a part
// and then fails, as on a full disk.
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
  const TemporaryFolder scratch;
  const Image first = noise(30, 20, 1), second = noise(30, 20, 2);
  save_png(scratch / "a.png", first);
  const std::string bytes = read_bytes(scratch / "a.png");
  save_png(scratch / "a.png", second);
  CHECK(load_image(scratch / "a.png") == second);
  save_png(scratch / "b.png", first);
  CHECK(read_bytes(scratch / "b.png") == bytes);
  CHECK(scratch.entries() == 2);
}

TEST_CASE("a full disk is an error that keeps the old file and leaves no temporary one") {
  const TemporaryFolder scratch;
  const Image old = noise(4, 4), large = noise(100, 100);
  save_png(scratch / "a.png", old);
  {
    const FileSizeLimit limit(1000);
    const std::string error = error_of([&] { save_png(scratch / "a.png", large); });
    CAPTURE(error);
    CHECK(error.starts_with("[save_png] "));
    CHECK(contains(error, "a.png: cannot write: "));
    CHECK(contains(error, "File too large"));
    CHECK(contains(error_of([&] { save_png(scratch / "new.png", large); }), "File too large"));
  }
  CHECK(load_image(scratch / "a.png") == old);
  CHECK(scratch.entries() == 1);
  save_png(scratch / "a.png", large);
  CHECK(load_image(scratch / "a.png") == large);

  REQUIRE(fs::is_character_file("/dev/full"));
  CHECK(contains(error_of([&] { save_png("/dev/full", large); }), "No space left on device"));
  CHECK(fs::is_character_file("/dev/full"));
}

TEST_CASE("places that cannot be written to are errors by name") {
  const TemporaryFolder scratch;
  const Image image = noise(4, 4);
  CHECK(contains(error_of([&] { save_png(scratch / "no" / "a.png", image); }), "No such file"));
  CHECK(contains(error_of([&] { save_png(scratch.path(), image); }), "Is a directory"));
  write_bytes(scratch / "file", "x");
  CHECK(
      contains(error_of([&] { save_png(scratch / "file" / "a.png", image); }), "Not a directory"));
  CHECK(scratch.entries() == 1);
  CHECK(
      contains(error_of([&] { save_png(scratch / "a.png", Image{}); }), "takes images of 1 or 3"));
  CHECK(contains(error_of([&] { save_png(scratch / "a.png", noise(3, 3, 0, 4)); }),
                 "1 or 3 channels"));
}

TEST_CASE("a symbolic link stays one; its target is replaced") {
  const TemporaryFolder scratch;
  write_bytes(scratch / "target.png", "old");
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
