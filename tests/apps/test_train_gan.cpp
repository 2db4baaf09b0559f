#include <doctest/doctest.h>

#include "program.h"

using namespace imago::test;

namespace {

const std::string small =
    "train_gan --model dcgan16 --base 4 --batch 4 --sample-every 2 "
    "--checkpoint-every 2 ";

}  // namespace

TEST_CASE("train_gan writes what it promises") {
  const Playground play;
  const Outcome o = play.run(small + "--steps 20 --out run");
  INFO(o.err);
  REQUIRE(o.status == 0);
  CHECK(contains(o.out, "step 20/20"));
  CHECK(contains(o.out, "D(G(z))"));
  CHECK(contains(o.out, "img/s"));
  for (const char* file : {"config.json", "metrics.jsonl", "loss.svg", "checkpoint.safetensors",
                           "samples/00000000.png", "samples/00000020.png"}) {
    INFO(file);
    CHECK(fs::file_size(play / "run" / file) > 0);
  }
  CHECK(contains(read_bytes(play / "run/metrics.jsonl"), "{\"step\":20,\"loss_d\":"));
  CHECK(contains(read_bytes(play / "run/loss.svg"), "log 2"));
  CHECK_FALSE(
      contains(read_bytes(play / "run/checkpoint.safetensors"), play.operator/("").string()));
}

TEST_CASE("train_gan: N steps, stop, resume and M steps give the bytes of N + M steps") {
  const Playground play;
  REQUIRE(play.run(small + "--steps 6 --seed 3 --out whole").status == 0);
  REQUIRE(play.run(small + "--steps 3 --seed 3 --out parts --threads 1").status == 0);
  const std::string half = read_bytes(play / "parts/checkpoint.safetensors");
  const Outcome o = play.run("train_gan --resume --out parts --steps 6 --threads 3");
  INFO(o.err);
  REQUIRE(o.status == 0);
  CHECK(contains(o.out, "Going on after step 3"));
  const std::string whole = read_bytes(play / "whole/checkpoint.safetensors");
  CHECK(whole == read_bytes(play / "parts/checkpoint.safetensors"));
  CHECK(whole != half);
  CHECK(read_bytes(play / "whole/samples/00000006.png") ==
        read_bytes(play / "parts/samples/00000006.png"));
  CHECK(contains(play.run("train_gan --resume --out parts").out, "Nothing to do"));
}

#if IMAGO_WITH_DEVICE
TEST_CASE("train_gan trains on the CUDA device, says so, and goes on on the CPU") {
  const Playground play;
  const Outcome o = play.run(small + "--steps 2 --device cuda --out run");
  INFO(o.err);
  REQUIRE(o.status == 0);
  CHECK(contains(o.out, "; on cuda:0, "));
  const Outcome on_cpu = play.run("train_gan --resume --out run --steps 3 --device cpu");
  INFO(on_cpu.err);
  REQUIRE(on_cpu.status == 0);
  CHECK(contains(on_cpu.out, "Going on after step 2"));
  CHECK(contains(on_cpu.out, "; on cpu, "));
  const std::string checkpoint = " --checkpoint run/checkpoint.safetensors --count 4 --out ";
  REQUIRE(play.run("generate --device cuda" + checkpoint + "there.png").status == 0);
  REQUIRE(play.run("generate --device cpu" + checkpoint + "here.png").status == 0);
  CHECK(fs::file_size(play / "there.png") > 0);
}
#else
TEST_CASE("a program asked for a device that this build lacks says so") {
  const Playground play;
  const Outcome o = play.run(small + "--device cuda --out run");
  CHECK(o.status == 2);
  CHECK(one_line(o.err));
  CHECK(contains(o.err, "--device cuda: [device] no CUDA kernel in this build"));
  CHECK_FALSE(fs::exists(play / "run"));
}
#endif

TEST_CASE("train_gan: a killed run resumes from its last checkpoint to the same bytes") {
  const Playground play;
  // Killed without warning, somewhere after the first checkpoint.
  const Outcome killed = play.run_until("killed/checkpoint.safetensors", "KILL",
                                        small + "--steps 100000 --out killed");
  REQUIRE(killed.status == 137);
  const Outcome o =
      play.run_until("killed/config.json", "INT", "train_gan --resume --out killed --steps 100000");
  INFO(o.out << o.err);
  const auto saved = o.out.find("Stopped after step ");
  REQUIRE(saved != std::string::npos);
  const std::string steps = std::to_string(std::stoi(o.out.substr(saved + 19)));
  REQUIRE(play.run(small + "--steps " + steps + " --out whole").status == 0);
  CHECK(read_bytes(play / "whole/checkpoint.safetensors") ==
        read_bytes(play / "killed/checkpoint.safetensors"));
}

TEST_CASE("train_gan: Ctrl-C saves and says how to go on") {
  const Playground play;
  const Outcome o =
      play.run_until("run/samples/00000000.png", "INT", small + "--steps 1000000 --out run");
  CHECK(o.status == 130);
  CHECK(contains(o.out, "Stopped after step"));
  CHECK(contains(o.out, "train_gan --resume --out run"));
  CHECK(fs::exists(play / "run/checkpoint.safetensors"));
  CHECK(fs::exists(play / "run/loss.svg"));
}

TEST_CASE(
    "train_gan: mistakes end with 2 for flags, 1 for the rest, and one line that names them") {
  const Playground play;
  const auto check = [&](const std::string& command, int status, const std::string& part) {
    const Outcome o = play.run(command);
    INFO(command << ": " << o.err);
    CHECK(o.status == status);
    CHECK(one_line(o.err));
    CHECK(contains(o.err, part));
  };
  check("train_gan --stepz 3", 2, "--stepz");
  check("train_gan --steps 0", 2, "--steps");
  check("train_gan --model dcgan65", 2, "dcgan64");
  check("train_gan --loss wgan", 2, "nonsaturating");
  check("train_gan --batch many", 2, "--batch");
  check("train_gan --data nowhere --out a", 1, "nowhere");
  check("train_gan --resume --out nothing", 1, "nothing");
  check("train_gan --model seed001 --base 8 --out b", 2, "fixed widths");
  CHECK_FALSE(fs::exists(play / "b"));
  fs::create_directories(play / "empty");
  check("train_gan --data empty --out c", 1, "empty");

  REQUIRE(play.run(small + "--steps 2 --out run").status == 0);
  check(small + "--steps 4 --out run", 1, "--resume");
  check(small + "--ema nan --out d", 2, "--ema");
  check(small + "--lr nan --out d", 2, "--lr");
  check(small + "--seed -1 --out d", 2, "--seed");
  check(small + "--seed 99999999999999999999 --out d", 2, "--seed");
  check(small + "--out ''", 2, "--out");
  fs::create_directories(play / "mine");
  write_bytes(play / "mine/config.json", "precious");
  check(small + "--steps 1 --out mine", 1, "not empty");
  CHECK(read_bytes(play / "mine/config.json") == "precious");
  fs::create_directories(play / "half/samples");
  fs::copy(play / "run/config.json", play / "half/config.json");
  check("train_gan --resume --out half", 1, "before its first");
  check("train_gan --resume --out run --batch 8", 2, "cannot change within a run");
  std::ofstream(play / "run/checkpoint.safetensors", std::ios::app) << "";
  fs::resize_file(play / "run/checkpoint.safetensors", 1000);
  check("train_gan --resume --out run --steps 9", 1, "checkpoint.safetensors");
  CHECK(play.run("train_gan --help").status == 0);
}

TEST_CASE("train_gan: a broken image costs no finished step, and can be skipped") {
  const Playground play;
  REQUIRE(play.run("render_faces --grid 1x1 --size 16 --out a.png").status == 0);
  fs::create_directories(play / "photos");
  for (int i = 0; i < 12; ++i)
    fs::copy(play / "a.png", play / ("photos/" + std::to_string(i) + ".png"));
  write_bytes(play / "photos/broken.png", "not a picture");
  const std::string train =
      "train_gan --model dcgan16 --base 4 --batch 4 --steps 20 --data photos ";
  const Outcome stopped = play.run(train + "--out a --seed 2");
  CHECK(stopped.status == 1);
  CHECK(one_line(stopped.err));
  CHECK(contains(stopped.err, "broken.png"));
  if (contains(stopped.out, "Saved the")) CHECK(fs::exists(play / "a/checkpoint.safetensors"));
  const Outcome skipped = play.run(train + "--out b --skip-broken");
  CHECK(skipped.status == 0);
  CHECK(contains(skipped.err, "skipped"));
}

TEST_CASE("train_gan takes a step of both seed models, of 32 pixels and with the minimax loss") {
  const Playground play;
  for (const std::string flags : {"--model seed001", "--model seed003", "--loss minimax --base 4",
                                  "--model dcgan32 --base 4"}) {
    const Outcome o = play.run("train_gan --steps 1 --batch 2 " + flags + " --out '" + flags + "'");
    INFO(flags << ": " << o.err);
    CHECK(o.status == 0);
  }
}

TEST_CASE("train_gan: --profile and --detect-anomaly look at a run and change nothing in it") {
  const Playground play;
  REQUIRE(play.run(small + "--steps 2 --out plain").status == 0);
  const Outcome o = play.run(small + "--steps 2 --out watched --profile --detect-anomaly");
  INFO(o.err);
  REQUIRE(o.status == 0);
  CHECK(read_bytes(play / "plain/checkpoint.safetensors") ==
        read_bytes(play / "watched/checkpoint.safetensors"));
  CHECK(contains(o.out, "Looking at every result"));
  CHECK(contains(o.out, "conv2d_weight_grad"));
  const std::string profile = read_bytes(play / "watched/profile.txt");
  CHECK(contains(profile, "GFLOP/s"));
  CHECK(contains(profile, "D.layers.2.conv"));
  CHECK(contains(profile, "at the peak:"));
  CHECK(contains(read_bytes(play / "watched/trace.json"), "\"traceEvents\""));
  CHECK_FALSE(fs::exists(play / "plain/profile.txt"));
}

TEST_CASE("train_gan: --summary prints both networks and trains nothing") {
  const Playground play;
  const Outcome o = play.run("train_gan --model dcgan64 --summary --batch 2 --out run");
  CHECK(o.status == 0);
  CHECK(contains(o.out, "(2, 64, 64, 3)"));
  CHECK(contains(o.out, "ConvTranspose2d"));
  CHECK(contains(o.out, "3,576,704"));
  CHECK_FALSE(fs::exists(play / "run"));
}
