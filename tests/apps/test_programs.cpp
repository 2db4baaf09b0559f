#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <sstream>

#include "apps/support/progress.h"
#include "apps/support/run_folder.h"
#include "apps/support/svg_chart.h"
#include "data/image.h"
#include "program.h"
#include "tensor/error.h"

using namespace imago::test;
using namespace imago::apps;

TEST_CASE("generate draws grids and folders, the same for the same seed") {
  const Playground play;
  REQUIRE(play.run("train_gan --model dcgan16 --base 4 --batch 4 --steps 2 --out run").status == 0);
  const std::string from = "generate --checkpoint run/checkpoint.safetensors ";
  REQUIRE(play.run(from + "--grid 2x3 --out a.png").status == 0);
  REQUIRE(play.run(from + "--grid 2x3 --out b.png").status == 0);
  REQUIRE(play.run(from + "--grid 2x3 --out c.png --seed 9").status == 0);
  CHECK(read_bytes(play / "a.png") == read_bytes(play / "b.png"));
  CHECK(read_bytes(play / "a.png") != read_bytes(play / "c.png"));
  CHECK(imago::data::load_image(play / "a.png").height == 2 * 16 + 2);
  REQUIRE(play.run(from + "--count 5 --out folder").status == 0);
  CHECK(imago::data::load_image(play / "folder/000004.png").width == 16);
  CHECK_FALSE(fs::exists(play / "folder/000005.png"));

  const auto fails = [&](const std::string& command, int status, const std::string& part) {
    const Outcome o = play.run(command);
    INFO(command << ": " << o.err);
    CHECK(o.status == status);
    CHECK(one_line(o.err));
    CHECK(contains(o.err, part));
  };
  fails("generate", 2, "--checkpoint");
  fails(from + "--grid 2by3", 2, "2by3");
  fails(from + "--grid 2x2 --count 5 --out d.png", 2, "does not fit");
  fails("generate --checkpoint missing.safetensors", 1, "missing.safetensors");
  fails("generate --checkpoint a.png", 1, "a.png");
  fails(from + "--out no/such/folder/a.png", 1, "a.png");
}

TEST_CASE("evaluate prints distance, variety and their ratios") {
  const Playground play;
  REQUIRE(play.run("train_gan --model dcgan16 --base 4 --batch 4 --steps 2 --out run").status == 0);
  const Outcome o =
      play.run("evaluate --generator run/checkpoint.safetensors --count 16 --features none");
  INFO(o.err);
  CHECK(o.status == 0);
  CHECK(contains(o.out, "sliced Wasserstein distance to real"));
  CHECK(contains(o.out, "mean pairwise distance of samples"));
  for (const char* of_features : {"kernel distance", "of features", "precision"}) {
    CHECK_FALSE_MESSAGE(contains(o.out, of_features), of_features);
  }
  CHECK(play.run("evaluate --generator run/config.json").status == 1);
}

TEST_CASE("the example of the README trains and saves") {
  const Playground play;
  const Outcome o = play.run("examples/minimal_gan 2");
  INFO(o.err);
  CHECK(o.status == 0);
  CHECK(fs::file_size(play / "dcgan.safetensors") > 100'000);
}

TEST_CASE("charts name their lines and survive empty and non-finite data") {
  const double nan = std::nan("");
  const std::string svg = svg_chart(
      "step", {{"Losses", {{"D", {1, 2, 3}, {0.5, nan, 0.7}}, {"G", {}, {}}}, {{"log 2", 0.69}}}});
  CHECK(svg.starts_with("<svg"));
  CHECK(contains(svg, "log 2"));
  CHECK_FALSE(contains(svg, "nan"));
  CHECK_FALSE(contains(svg, "inf"));
  CHECK(contains(svg_chart("x", {{"nothing", {}, {}}}), "</svg>"));
  Series lots{"many", {}, {}};
  for (int i = 0; i < 100'000; ++i) lots.x.push_back(i), lots.y.push_back(std::sin(i * 1e-3));
  CHECK(svg_chart("x", {{"long", {lots}, {}}}).size() < 40'000);
}

TEST_CASE("metrics are cut back to a step; half a line at the end is not counted") {
  const Playground play;
  RunFolder folder(play / "run");
  CHECK_FALSE(folder.in_use());
  folder.create();
  CHECK(folder.in_use());
  for (int step = 10; step <= 40; step += 10) folder.add_metrics({{"step", step}});
  std::ofstream(folder.metrics(), std::ios::app) << "{\"step\":5";
  CHECK(folder.read_metrics().size() == 4);
  folder.truncate_metrics(20);
  CHECK(read_bytes(folder.metrics()) == "{\"step\":10}\n{\"step\":20}\n");
  std::ofstream(folder.metrics(), std::ios::app) << "nonsense\n";
  CHECK_THROWS_WITH_AS(folder.read_metrics(), doctest::Contains("line 3"), imago::Error);
}

TEST_CASE("durations read well") {
  CHECK(format_duration(0.4) == "0s");
  CHECK(format_duration(59.4) == "59s");
  CHECK(format_duration(185) == "3m05s");
  CHECK(format_duration(3725) == "1h02m");
}

TEST_CASE("the example of the chapter on looking inside shows what the chapter says") {
  const Playground play;
  fs::create_directories(play / "out");
  const Outcome o = play.run("examples/look_inside out");
  INFO(o.err);
  REQUIRE(o.status == 0);
  CHECK(contains(o.out, "layers.2.conv"));
  CHECK(contains(o.out, "activation"));
  CHECK(contains(o.out, "gradient"));
  CHECK(contains(o.out, "D.layers.2.conv"));
  CHECK(contains(o.out, "[anomaly] 'log' made 8 NaN and 0 infinite of 8 values of (8, 1) f32"));
  // The table of the profiler: times differ, operations and calls do not.
  const auto calls = [](const std::string& text) {
    std::map<std::string, int> found;
    std::istringstream lines(text.substr(text.find("operation      ")));
    std::string line, op;
    std::getline(lines, line);
    for (int count = 0; std::getline(lines, line) && !line.starts_with("wall clock");) {
      std::istringstream words(line.starts_with("in operations") ? "all" + line.substr(13) : line);
      if (words >> op >> count) found[op] = count;
    }
    return found;
  };
  const auto shown = calls(read_bytes(IMAGO_SOURCE_DIR "/docs/look_inside.md"));
  CHECK(shown.size() > 10);
  CHECK(shown == calls(o.out));
  CHECK(contains(read_bytes(play / "out/graph.dot"), "D.layers.2.norm"));
  CHECK(contains(read_bytes(play / "out/trace.json"), "traceEvents"));
}
