// How well one score of some things goes with another: for benchmarks of predictors. Pure functions.
#pragma once

#include <span>

namespace hot {

// Pearson's product-moment correlation, -1 to 1; 0 when one of both does not vary. Equal lengths.
double Pearson(std::span<const double> a, std::span<const double> b);

// Spearman's: Pearson's of the ranks; equal values share the mean of theirs. Equal lengths.
double Spearman(std::span<const double> a, std::span<const double> b);

// Kendall's tau-b (Kendall, "Rank Correlation Methods", 1948): pairs in the same order minus pairs in the other one,
// relative to what ties leave; 0 when one of both does not vary. Equal lengths.
double KendallTau(std::span<const double> a, std::span<const double> b);

}  // namespace hot
