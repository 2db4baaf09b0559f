#include <doctest/doctest.h>

#include "program.h"

using namespace imago::test;

namespace {

const std::string small =
    "train_vae --image 16 --base 2 --latent 4 --batch 4 --kl-warmup 4 --iwae 2 --sample-every 4 "
    "--checkpoint-every 2 ";

const std::string adversarial =
    "train_vae --image 16 --base 2 --latent 4 --batch 4 --kl-warmup 4 --adversarial 20 "
    "--sample-every 4 --checkpoint-every 2 ";

}  // namespace

TEST_CASE("train_vae writes what it promises") {
  const Playground play;
  const Outcome o = play.run(small + "--steps 12 --out run");
  INFO(o.err);
  REQUIRE(o.status == 0);
  CHECK(contains(o.out, "step 12/12"));
  CHECK(contains(o.out, "nats/image"));
  CHECK(contains(o.out, "img/s"));
  for (const char* file :
       {"config.json", "metrics.jsonl", "loss.svg", "checkpoint.safetensors",
        "samples/00000000.png", "samples/00000012.png", "samples/00000012-reconstructions.png",
        "samples/00000012-interpolation.png", "samples/00000012-traversals.png"}) {
    INFO(file);
    CHECK(fs::file_size(play / "run" / file) > 0);
  }
  const std::string metrics = read_bytes(play / "run/metrics.jsonl");
  CHECK(contains(metrics, "{\"step\":12,\"loss\":"));
  for (const char* key : {"\"kl\":", "\"reconstruction\":", "\"active_units\":", "\"iwae\":",
                          "\"sigma\":", "\"collapsed\":"}) {
    INFO(key);
    CHECK(contains(metrics, key));
  }
  CHECK(contains(read_bytes(play / "run/loss.svg"), "IWAE 2"));
  CHECK_FALSE(
      contains(read_bytes(play / "run/checkpoint.safetensors"), play.operator/("").string()));
}

TEST_CASE("train_vae: N steps, stop, resume and M steps give the bytes of N + M steps") {
  const Playground play;
  for (const std::string flags :
       {"--likelihood bernoulli --interpolation spherical", "--free-bits 0.2 --beta 2"}) {
    INFO(flags);
    const std::string train = small + flags + " --seed 3 ";
    REQUIRE(play.run(train + "--steps 6 --out whole").status == 0);
    REQUIRE(play.run(train + "--steps 3 --out parts --threads 1").status == 0);
    const std::string half = read_bytes(play / "parts/checkpoint.safetensors");
    const Outcome o = play.run("train_vae --resume --out parts --steps 6 --threads 3");
    INFO(o.err);
    REQUIRE(o.status == 0);
    CHECK(contains(o.out, "Going on after step 3"));
    const std::string whole = read_bytes(play / "whole/checkpoint.safetensors");
    CHECK(whole == read_bytes(play / "parts/checkpoint.safetensors"));
    CHECK(whole != half);
    for (const char* picture : {"00000006.png", "00000006-interpolation.png"}) {
      CHECK(read_bytes(play / "whole/samples" / picture) ==
            read_bytes(play / "parts/samples" / picture));
    }
    CHECK(contains(play.run("train_vae --resume --out parts").out, "Nothing to do"));
    fs::remove_all(play / "whole");
    fs::remove_all(play / "parts");
  }
}

TEST_CASE("train_vae --adversarial: a VAE-GAN's figures, pictures and checkpoint") {
  const Playground play;
  const Outcome o = play.run(adversarial + "--steps 4 --out run");
  INFO(o.err);
  REQUIRE(o.status == 0);
  CHECK(contains(o.out, "VAE-GAN of weight 20: features of layer 2"));
  CHECK(contains(o.out, "nats/image  D "));
  CHECK(contains(o.out, " GAN "));
  for (const char* file :
       {"checkpoint.safetensors", "samples/00000004.png", "samples/00000004-reconstructions.png",
        "samples/00000004-interpolation.png", "samples/00000004-traversals.png"}) {
    INFO(file);
    CHECK(fs::file_size(play / "run" / file) > 0);
  }
  const std::string metrics = read_bytes(play / "run/metrics.jsonl");
  for (const char* key : {"\"reconstruction\":", "\"loss_d\":", "\"loss_gan\":", "\"d_real\":",
                          "\"d_reconstructed\":", "\"d_drawn\":", "\"pull_features\":",
                          "\"pull_gan\":", "\"active_units\":", "\"collapsed\":"}) {
    INFO(key);
    CHECK(contains(metrics, key));
  }
  // Bounds are of pixels.
  CHECK_FALSE(contains(metrics, "elbo"));
  CHECK_FALSE(contains(metrics, "iwae"));
  const std::string chart = read_bytes(play / "run/loss.svg");
  CHECK(contains(chart, "D cannot tell"));
  CHECK(contains(chart, "Pull on the decoded images"));

  // Whoever draws takes it for a VAE.
  const Outcome drawn = play.run(
      "generate --checkpoint run/checkpoint.safetensors --seed 4 --grid 2x3 --out six.png");
  INFO(drawn.err);
  CHECK(drawn.status == 0);
  const Outcome scored = play.run(
      "evaluate --generator run/checkpoint.safetensors --count 8 --seed 3 --features none");
  INFO(scored.err);
  CHECK(scored.status == 0);
  CHECK(contains(scored.out, "vae16 after 4 steps"));
}

TEST_CASE("train_vae --adversarial: a stop and a resume change no byte; other flags are refused") {
  const Playground play;
  const std::string train = adversarial + "--feature-layer 1 --likelihood gaussian --seed 3 ";
  REQUIRE(play.run(train + "--steps 6 --out whole").status == 0);
  REQUIRE(play.run(train + "--steps 3 --out parts --threads 1").status == 0);
  const Outcome o = play.run("train_vae --resume --out parts --steps 6 --threads 3");
  INFO(o.err);
  REQUIRE(o.status == 0);
  CHECK(contains(o.out, "features of layer 1"));
  CHECK(read_bytes(play / "whole/checkpoint.safetensors") ==
        read_bytes(play / "parts/checkpoint.safetensors"));
  CHECK(read_bytes(play / "whole/samples/00000006.png") ==
        read_bytes(play / "parts/samples/00000006.png"));

  const auto check = [&](const std::string& command, int status, const std::string& part) {
    const Outcome refused = play.run(command);
    INFO(command << ": " << refused.err);
    CHECK(refused.status == status);
    CHECK(one_line(refused.err));
    CHECK(contains(refused.err, part));
  };
  check("train_vae --resume --out parts --adversarial 30", 2, "cannot change within a run");
  check("train_vae --resume --out parts --feature-layer 2", 2, "cannot change within a run");
  check(adversarial + "--likelihood bernoulli --out d", 2, "gaussian or gaussian-learned");
  check(adversarial + "--feature-layer 3 --out d", 2, "1 to 2, not 3");
  check(adversarial + "--iwae 8 --out d", 2, "--iwae");
  check(small + "--feature-layer 1 --out d", 2, "--feature-layer is of a VAE-GAN's");
  check(small + "--feature-layer 0 --out d", 2, "give --adversarial too");
  check(small + "--adversarial -1 --out d", 2, "--adversarial");
  CHECK_FALSE(fs::exists(play / "d"));
}

TEST_CASE("train_vae: a run from before there was --adversarial goes on as a plain VAE") {
  const Playground play;
  REQUIRE(play.run(small + "--steps 3 --out whole").status == 0);
  REQUIRE(play.run(small + "--steps 2 --out old").status == 0);
  std::string config = read_bytes(play / "old/config.json");
  const auto begin = config.find("\"adversarial\""), end = config.find("\"iwae\"");
  REQUIRE(begin < end);
  REQUIRE(end != std::string::npos);
  write_bytes(play / "old/config.json", config.erase(begin, end - begin));
  CHECK_FALSE(contains(read_bytes(play / "old/config.json"), "feature-layer"));
  const Outcome o = play.run("train_vae --resume --out old --steps 3");
  INFO(o.err);
  REQUIRE(o.status == 0);
  const std::string checkpoint = read_bytes(play / "old/checkpoint.safetensors");
  CHECK(checkpoint == read_bytes(play / "whole/checkpoint.safetensors"));
  CHECK_FALSE(contains(checkpoint, "adversarial"));
}

TEST_CASE("train_vae: Ctrl-C saves and says how to go on") {
  const Playground play;
  const Outcome o =
      play.run_until("run/checkpoint.safetensors", "INT", small + "--steps 1000000 --out run");
  CHECK(o.status == 130);
  CHECK(contains(o.out, "Stopped after step"));
  CHECK(contains(o.out, "train_vae --resume --out run"));
  CHECK(fs::exists(play / "run/loss.svg"));
  const auto saved = o.out.find("Stopped after step ");
  REQUIRE(saved != std::string::npos);
  const std::string steps = std::to_string(std::stoi(o.out.substr(saved + 19)) + 1);
  CHECK(play.run("train_vae --resume --out run --steps " + steps).status == 0);
}

TEST_CASE(
    "train_vae: mistakes end with 2 for flags, 1 for the rest, and one line that names them") {
  const Playground play;
  const auto check = [&](const std::string& command, int status, const std::string& part) {
    const Outcome o = play.run(command);
    INFO(command << ": " << o.err);
    CHECK(o.status == status);
    CHECK(one_line(o.err));
    CHECK(contains(o.err, part));
  };
  check("train_vae --stepz 3", 2, "--stepz");
  check("train_vae --image 48", 2, "--image");
  check("train_vae --likelihood laplace", 2, "bernoulli");
  check(small + "--beta nan --out d", 2, "--beta");
  check(small + "--free-bits -1 --out d", 2, "--free-bits");
  check(small + "--sigma 0 --out d", 2, "--sigma");
  check(small + "--likelihood bernoulli --sigma 0.5 --out d", 2, "--sigma is of Gaussian pixels");
  CHECK_FALSE(fs::exists(play / "d"));
  check(small + "--out ''", 2, "--out");
  check("train_vae --data nowhere --out a", 1, "nowhere");
  check("train_vae --resume --out nothing", 1, "nothing");

  REQUIRE(play.run(small + "--steps 2 --out run").status == 0);
  check(small + "--steps 4 --out run", 1, "not empty");
  check("train_vae --resume --out run --latent 8", 2, "cannot change within a run");
  check("train_vae --resume --out run --beta 3", 2, "cannot change within a run");
  const Outcome slower = play.run("train_vae --resume --out run --steps 3 --lr 1e-4");
  CHECK(slower.status == 0);
  CHECK(contains(slower.out, "From here on --lr is 0.0001, not 0.001."));

  // Checkpoints and folders of a GAN are told as such, and those of a VAE too.
  REQUIRE(play.run("train_gan --model dcgan16 --base 4 --batch 4 --steps 1 --out gan").status == 0);
  check("train_vae --resume --out gan", 1, "\"dcgan16\", which train_vae does not");
  check("train_gan --resume --out run", 1, "\"vae\", which train_gan does not");
  fs::copy(play / "gan/checkpoint.safetensors", play / "run/checkpoint.safetensors",
           fs::copy_options::overwrite_existing);
  check("train_vae --resume --out run --steps 9", 1, "holds a GAN");
  CHECK(play.run("train_vae --help").status == 0);
}

TEST_CASE("generate and evaluate take the checkpoint of a VAE") {
  const Playground play;
  REQUIRE(play.run(small + "--steps 2 --out run").status == 0);
  const std::string generate = "generate --checkpoint run/checkpoint.safetensors --seed 4 ";
  const Outcome drawn = play.run(generate + "--grid 2x3 --out six.png");
  INFO(drawn.err);
  REQUIRE(drawn.status == 0);
  REQUIRE(play.run(generate + "--count 2 --out two").status == 0);
  REQUIRE(play.run(generate + "--count 4 --out four").status == 0);
  CHECK(read_bytes(play / "two/000001.png") == read_bytes(play / "four/000001.png"));
  CHECK(read_bytes(play / "four/000002.png") != read_bytes(play / "four/000001.png"));
  const Outcome scored =
      play.run("evaluate --generator run/checkpoint.safetensors --count 8 --seed 3");
  INFO(scored.err);
  CHECK(scored.status == 0);
  CHECK(contains(scored.out, "vae16 after 2 steps"));
  CHECK(contains(scored.out, "untrained generator"));
}

TEST_CASE("train_vae: a posterior that has collapsed is told once, with what helps") {
  const Playground play;
  // With so large a weight from the first step the KL has to go to nothing.
  const Outcome o = play.run(
      "train_vae --image 16 --base 2 --latent 4 --batch 4 --iwae 0 --kl-warmup 0 --beta 1000000 "
      "--lr 0.01 --steps 200 --sample-every 100 --out run");
  REQUIRE(o.status == 0);
  CHECK(one_line(o.err));
  CHECK(contains(o.err, "posterior collapse"));
  CHECK(contains(o.err, "free bits"));
  CHECK(contains(read_bytes(play / "run/metrics.jsonl"), "\"collapsed\":true"));
}

TEST_CASE("train_vae: --summary prints the layers and trains nothing; --profile changes nothing") {
  const Playground play;
  const Outcome o = play.run("train_vae --summary --batch 2 --out run");
  CHECK(o.status == 0);
  CHECK(contains(o.out, "(2, 64, 64, 3)"));
  CHECK(contains(o.out, "ConvTranspose2d"));
  CHECK_FALSE(fs::exists(play / "run"));
  const Outcome both = play.run("train_vae --summary --batch 2 --adversarial 9 --out run");
  CHECK(both.status == 0);
  CHECK(contains(both.out, "Discriminator"));
  CHECK(contains(both.out, "GroupNorm"));
  REQUIRE(play.run(small + "--steps 2 --out plain").status == 0);
  REQUIRE(play.run(small + "--steps 2 --out watched --profile --detect-anomaly").status == 0);
  CHECK(read_bytes(play / "plain/checkpoint.safetensors") ==
        read_bytes(play / "watched/checkpoint.safetensors"));
  CHECK(contains(read_bytes(play / "watched/profile.txt"), "encoder.layers.0"));
}
