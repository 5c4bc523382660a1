#include "core/correlation.h"

#include <cmath>
#include <numeric>
#include <vector>

#include "core/error.h"

namespace hot {
namespace {

double Mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

int Sign(double value) { return (value > 0) - (value < 0); }

// 0 where `spread` is: nothing goes with what does not vary.
double Relative(double part, double spread) { return spread > 0 ? part / std::sqrt(spread) : 0; }

std::vector<double> Ranks(std::span<const double> values) {
  std::vector<double> ranks;
  for (const double value : values) {
    double rank = 0;
    for (const double other : values) rank += other < value ? 1 : other == value ? 0.5 : 0;
    ranks.push_back(rank);
  }
  return ranks;
}

}  // namespace

double Pearson(std::span<const double> a, std::span<const double> b) {
  HOT_ASSERT(a.size() == b.size() && !a.empty());
  const double mean_a = Mean(a), mean_b = Mean(b);
  double both = 0, of_a = 0, of_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    both += (a[i] - mean_a) * (b[i] - mean_b);
    of_a += (a[i] - mean_a) * (a[i] - mean_a);
    of_b += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return Relative(both, of_a * of_b);
}

double Spearman(std::span<const double> a, std::span<const double> b) { return Pearson(Ranks(a), Ranks(b)); }

double KendallTau(std::span<const double> a, std::span<const double> b) {
  HOT_ASSERT(a.size() == b.size());
  double same = 0, untied_a = 0, untied_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const int order_a = Sign(a[i] - a[j]), order_b = Sign(b[i] - b[j]);
      same += order_a * order_b;
      untied_a += order_a != 0;
      untied_b += order_b != 0;
    }
  }
  return Relative(same, untied_a * untied_b);
}

}  // namespace hot
