#include "pipeline/correction.h"

#include <algorithm>
#include <cmath>

#include "measure/measure.h"

namespace hot {
namespace {

// Standard deviation of the relative residuals, with as many degrees of freedom as the fit left; 0 where it left none.
double Sigma(const std::vector<PredictedMeasured>& pairs, const CostCorrection& fit, size_t parameters) {
  if (pairs.size() <= parameters) return 0;
  double sum = 0;
  for (const auto& [p, m] : pairs) sum += std::pow(m / (fit.intercept_ns + fit.slope * p) - 1, 2);
  return std::sqrt(sum / static_cast<double>(pairs.size() - parameters));
}

CostCorrection MedianRatio(const std::vector<PredictedMeasured>& pairs) {
  std::vector<double> ratios;
  for (const auto& pair : pairs) ratios.push_back(pair.measured_ns / pair.predicted_ns);
  CostCorrection fit{.slope = MedianWithInterval(std::move(ratios)).median};
  fit.sigma = Sigma(pairs, fit, 1);
  return fit;
}

}  // namespace

CostCorrection FitCorrection(const std::vector<PredictedMeasured>& pairs) {
  if (pairs.empty()) return {};
  const auto less = [](const auto& a, const auto& b) { return a.predicted_ns < b.predicted_ns; };
  const auto [low, high] = std::minmax_element(pairs.begin(), pairs.end(), less);
  if (pairs.size() < 4 || high->predicted_ns < 1.15 * low->predicted_ns) return MedianRatio(pairs);
  // Minimise sum ((a + b*p - m) / m)^2: linear least squares with weights 1/m^2.
  double w = 0, wp = 0, wpp = 0, wm = 0, wpm = 0;
  for (const auto& [p, m] : pairs) {
    const double weight = 1 / (m * m);
    w += weight;
    wp += weight * p;
    wpp += weight * p * p;
    wm += weight * m;
    wpm += weight * p * m;
  }
  const double determinant = w * wpp - wp * wp;
  const double slope = (w * wpm - wp * wm) / determinant;
  const double intercept = (wm - slope * wp) / w;
  const bool sane = std::isfinite(slope) && slope > 0.3 && slope < 3 && intercept > -0.5 * low->measured_ns;
  if (!sane) return MedianRatio(pairs);
  CostCorrection fit{.intercept_ns = intercept, .slope = slope};
  fit.sigma = Sigma(pairs, fit, 2);
  return fit;
}

CostCorrection CorrectionOf(const Corrections& corrections, double width) {
  const auto found = corrections.find(width);
  return found == corrections.end() ? CostCorrection{} : found->second;
}

Corrections FitCorrections(const std::map<double, std::vector<PredictedMeasured>>& pairs,
                           const std::vector<double>& widths) {
  std::vector<PredictedMeasured> all;
  for (const auto& [width, some] : pairs) all.insert(all.end(), some.begin(), some.end());
  Corrections corrections;
  for (const auto& [width, some] : pairs) corrections[width] = FitCorrection(some);
  for (const double width : widths) corrections.try_emplace(width, FitCorrection(all));
  return corrections;
}

}  // namespace hot
