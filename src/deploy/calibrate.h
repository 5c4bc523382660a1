// Runs the float network over calibration pictures and collects every quantized tensor's range. Called by the quantize
// stage.
#pragma once

#include <vector>

#include "graph/fold.h"
#include "quantize/quantize.h"

namespace hot {

// `inputs` are network inputs of batch 1, of training pictures. Runs on the host, in fp32.
// Throws Error(kFailedPrecondition) when there is no picture.
Observations Calibrate(const Network& network, const std::vector<Tensor>& inputs);

}  // namespace hot
