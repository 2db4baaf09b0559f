#include "models/gan_diagnosis.h"

#include <sstream>

#include "models/metrics.h"

namespace imago::models {
namespace {

// Losses that collapse less often, without the one in use.
const char* other_losses(GanLoss loss) {
  if (loss == GanLoss::hinge) return "wasserstein with gp";
  return loss == GanLoss::wasserstein ? "hinge" : "hinge, wasserstein with gp";
}

}  // namespace

GanDiagnosis::GanDiagnosis(GanLoss loss, double real_target, const GanDiagnosisOptions& options)
    : loss_(loss), balance_(balance_of(loss, real_target)), options_(options) {
  check(options.patience >= 0 && options.judged_from >= 0, "GanDiagnosis",
        "patience and judged_from must not be negative");
}

std::optional<TrainingWarning> GanDiagnosis::see_loss_d(std::int64_t step, double loss_d) {
  if (said_d_wins_ || !balance_.d_least) return {};
  const double least = *balance_.d_least;
  const bool near = loss_d - least < options_.near * (*balance_.d - least);  // NaN is not near
  if (!near) {
    near_since_.reset();
    return {};
  }
  if (!near_since_) near_since_ = step;
  if (step - *near_since_ < options_.patience) return {};
  said_d_wins_ = true;
  std::ostringstream text;
  text << "for " << step - *near_since_
       << " steps D has told real from fake almost without error, which leaves G little to learn "
          "from; a penalty (r1), smoothing, instance noise, augmentation or a smaller rate for D "
          "holds it back";
  return TrainingWarning{"D wins", text.str()};
}

std::optional<TrainingWarning> GanDiagnosis::see_variety(std::int64_t step, double share) {
  if (said_collapse_ || step < options_.judged_from || !(share < options_.least_variety)) return {};
  said_collapse_ = true;
  std::ostringstream text;
  text.precision(2);
  text << "samples differ from each other " << share
       << " times as much as real images do: G draws nearly one picture for every noise; another "
          "loss ("
       << other_losses(loss_) << "), a penalty, more steps of D or a smaller rate helps";
  return TrainingWarning{"mode collapse", text.str()};
}

std::optional<double> share_of_variety(const Tensor& samples, const Tensor& real) {
  constexpr double alike = 1e-6;  // of values in [-1, 1]: less than an eighth-bit step by far
  const double whole = mean_pairwise_distance(real);
  if (!(whole > alike)) return {};
  return mean_pairwise_distance(samples) / whole;
}

}  // namespace imago::models
