// The pictures that quantization looks at. Called by the quantize stage and by benchmarks.
#pragma once

#include <vector>

#include "graph/tensor.h"
#include "tasks/trial.h"

namespace hot {

// Network inputs of batch 1 from a seeded draw of the trial's training part, never of val or test: the same for every
// network of a study. Fewer than `pictures` when there are no more.
std::vector<Tensor> CalibrationInputs(const TrialSpec& spec, size_t pictures);

}  // namespace hot
