// Free functions over Session: golden pairs and the check that no layer fell back to float. Called by toolchains, the
// evaluate stage and tests. Same thread rule as Session.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "deploy/device.h"

namespace hot {

// Runs `inputs` (one tensor; networks with more inputs get no golden pairs) and appends what came out to the artifact.
// Throws Error(kOutOfRange) when that is not finite: such numbers can't be compared, and no network is right with them.
void AddGoldenPair(Artifact& artifact, Session& session, const Tensor& input);
// The same with a seeded random input in [-1, 1), or in the int8 range where the network's input is int8.
void AddGoldenPair(Artifact& artifact, Session& session, uint64_t seed);
// A pair for each input, or one of a random input where there is none.
void AddGoldenPairs(Artifact& artifact, Session& session, std::span<const Tensor> inputs, uint64_t seed);

// Runs the artifact's golden inputs again: the largest difference from the stored outputs, each relative to its
// output's largest magnitude. 0 without golden pairs. Throws Error(kDataLoss) when the outputs' shapes differ.
double GoldenDifference(const Artifact& artifact, Session& session);

// Convolutions in `layers` (from Session::LayerPrecisions or a manifest) that run in another precision than `expected`
// ("i8", "f32", "bf16").
std::vector<std::string> ConvolutionsNotIn(const std::map<std::string, std::string>& layers,
                                           const std::string& expected);

}  // namespace hot
