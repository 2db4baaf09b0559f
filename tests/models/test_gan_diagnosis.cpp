// What the losses' values mean, and the warnings made of them.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "kernels/random/random.h"
#include "models/gan_diagnosis.h"

using namespace imago;
using namespace imago::models;

TEST_CASE("GAN losses: the names and their inverses") {
  for (const std::string& name : gan_loss_names()) CHECK(name_of(gan_loss(name)) == name);
  for (const std::string& name : gan_penalty_names()) CHECK(name_of(gan_penalty(name)) == name);
}

TEST_CASE("GAN losses: where D cannot tell") {
  const auto near = [](const std::optional<double>& got, double want) {
    REQUIRE(got.has_value());
    CHECK(std::abs(*got - want) <= 1e-12);
  };
  near(balance_of(GanLoss::nonsaturating).d, std::log(4.0));
  near(balance_of(GanLoss::nonsaturating).g, std::log(2.0));
  near(balance_of(GanLoss::minimax).g, -std::log(2.0));
  near(balance_of(GanLoss::lsgan).d, 0.25);
  near(balance_of(GanLoss::lsgan).g, 0.125);
  near(balance_of(GanLoss::hinge).d, 2);
  near(balance_of(GanLoss::hinge).g, 0);
  near(balance_of(GanLoss::wasserstein).d, 0);
  CHECK_FALSE(balance_of(GanLoss::wasserstein).g.has_value());
  CHECK_FALSE(balance_of(GanLoss::wasserstein).d_least.has_value());
  near(balance_of(GanLoss::nonsaturating).d_least, 0);
  near(balance_of(GanLoss::nonsaturating, 0.9).d_least, -0.9 * std::log(0.9) - 0.1 * std::log(0.1));
}

TEST_CASE("GAN losses: no answer of a D that cannot tell is better than the balance") {
  for (const GanLoss loss : {GanLoss::nonsaturating, GanLoss::lsgan, GanLoss::hinge}) {
    for (const double target : {1.0, 0.8}) {
      if (target != 1 && !has_target(loss)) continue;
      double best = std::numeric_limits<double>::infinity();
      for (int i = -300; i <= 300; ++i) {
        const Var score = Tensor::full({1, 1}, 0.01 * i, DType::f64, Device::cpu());
        best = std::fmin(best, loss_of_d(loss, score, score, target).item());
      }
      CAPTURE(name_of(loss));
      CHECK(best >= *balance_of(loss, target).d - 1e-12);
      CHECK(best <= *balance_of(loss, target).d + 1e-4);
    }
  }
}

TEST_CASE("GAN losses: the figures are probabilities where the loss has them, else scores") {
  const Var scores = Tensor::full({4, 1}, 3, DType::f64, Device::cpu());
  CHECK(std::abs(mean_belief(GanLoss::minimax, scores) - 1 / (1 + std::exp(-3.0))) <= 1e-12);
  CHECK(mean_belief(GanLoss::hinge, scores) == 3);
  CHECK(mean_belief(GanLoss::wasserstein, scores) == 3);
}

TEST_CASE("diagnosis: D wins when its loss stays near its least, which is said once") {
  GanDiagnosis diagnosis(GanLoss::nonsaturating, 1, {.patience = 100});
  for (std::int64_t s = 10; s <= 100; s += 10) CHECK_FALSE(diagnosis.see_loss_d(s, 0.01));
  CHECK_FALSE(diagnosis.see_loss_d(110, 1.3));  // recovers
  CHECK_FALSE(diagnosis.see_loss_d(120, 0.01));
  CHECK_FALSE(diagnosis.see_loss_d(210, 0.01));
  CHECK_FALSE(diagnosis.see_loss_d(220, std::nan("")));
  CHECK_FALSE(diagnosis.see_loss_d(230, 0.01));
  const auto warning = diagnosis.see_loss_d(330, 0.01);
  REQUIRE(warning.has_value());
  CHECK(warning->name == "D wins");
  CHECK(warning->text.find("100 steps") != std::string::npos);
  CHECK_FALSE(diagnosis.see_loss_d(900, 0.01));

  // With smoothing the least is the entropy of the target, not 0.
  GanDiagnosis smooth(GanLoss::nonsaturating, 0.9, {.patience = 0});
  CHECK_FALSE(smooth.see_loss_d(1, 0.5));
  CHECK(smooth.see_loss_d(2, 0.33).has_value());
  GanDiagnosis critic(GanLoss::wasserstein, 1, {.patience = 0});
  CHECK_FALSE(critic.see_loss_d(1, -1e9));
}

TEST_CASE("diagnosis: one picture for every noise is a collapse, varied ones are none") {
  const Tensor real = kernels::uniform({8, 4, 4, 3}, DType::f32, {1, 0, 0});
  const Tensor varied = kernels::uniform({8, 4, 4, 3}, DType::f32, {2, 0, 0});
  const Tensor constant = Tensor::full({8, 4, 4, 3}, 0.3);
  const auto alike = share_of_variety(constant, real), different = share_of_variety(varied, real);
  REQUIRE(alike.has_value());
  REQUIRE(different.has_value());
  CHECK(*alike == 0);
  CHECK(std::abs(*different - 1) < 0.2);
  CHECK_FALSE(share_of_variety(varied, constant).has_value());  // nothing to compare with

  GanDiagnosis diagnosis(GanLoss::hinge, 1, {.judged_from = 100});
  CHECK_FALSE(diagnosis.see_variety(50, *alike));  // too early
  CHECK_FALSE(diagnosis.see_variety(100, *different));
  CHECK_FALSE(diagnosis.see_variety(150, std::nan("")));
  const auto warning = diagnosis.see_variety(200, *alike);
  REQUIRE(warning.has_value());
  CHECK(warning->name == "mode collapse");
  CHECK_FALSE(diagnosis.see_variety(300, *alike));

  // No run is advised to take the loss that it has.
  const auto advice = [](GanLoss loss) { return GanDiagnosis(loss, 1).see_variety(1000, 0)->text; };
  CHECK(warning->text.find("hinge") == std::string::npos);
  CHECK(warning->text.find("(wasserstein with gp)") != std::string::npos);
  CHECK(advice(GanLoss::wasserstein).find("(hinge)") != std::string::npos);
  CHECK(advice(GanLoss::lsgan).find("(hinge, wasserstein with gp)") != std::string::npos);
}
