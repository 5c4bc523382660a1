// The pictures that quantization looks at, and those of golden pairs. Called by the quantize and compile stages and by
// benchmarks.
#pragma once

#include <vector>

#include "graph/tensor.h"
#include "tasks/trial.h"

namespace hot {

// Network inputs of batch 1 from a seeded draw of the trial's training part, never of val or test: the same for every
// network of a study. Fewer than `pictures` when there are no more.
std::vector<Tensor> CalibrationInputs(const TrialSpec& spec, size_t pictures);

// The first `pictures` views of the trial's validation part, likewise.
std::vector<Tensor> GoldenInputs(const TrialSpec& spec, size_t pictures);

}  // namespace hot
