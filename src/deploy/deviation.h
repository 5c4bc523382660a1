// How far the numbers of a toolchain's int8 network are from the reference interpreter's (quantize/interpreter.h), in
// steps (LSB) of each output's scale. Called when an artifact is made. Pure functions.
//
// A layer of a good toolchain gives the reference's integers, but for a value here and there that lies near the middle
// between two. Behind it every sum is a little different, more values cross a middle, and some layers on the roundings
// of both have nothing to do with each other: then the outputs are as far apart as int8 is from float, and no further.
// That is what `noise_lsb` is beside `rms_lsb` for: a toolchain with a fault is further away.
#pragma once

#include <span>
#include <vector>

#include "deploy/artifact.h"
#include "graph/fold.h"
#include "quantize/quantize.h"

namespace hot {

// One LSB of a graph output in its own unit: the scale that calibration gave it, 1/256 for sigmoid and softmax (as
// TFLite fixes it), 1 for outputs that are integers already; 0 for an output of a layer that fell back to float.
double OutputStep(const Graph& folded, NodeId output, const Quantization& quantization, bool int8_borders);

// Over all golden pairs of the artifact, by output; empty without golden pairs. `float_pairs` are those of the float
// network, with the same inputs; without them `noise_lsb` is 0. `network` and `quantization` are those
// that it was compiled from. Throws Error(kInternal) when the number or size of the outputs differs, or a value is NaN
// or infinite.
std::vector<OutputDeviation> MeasureDeviation(const Artifact& artifact, const Network& network,
                                              const Quantization& quantization,
                                              std::span<const GoldenPair> float_pairs = {});

}  // namespace hot
