#include "pipeline/calibration_inputs.h"

#include <algorithm>

#include "core/rng.h"
#include "data/loader.h"

namespace hot {

std::vector<Tensor> CalibrationInputs(const TrialSpec& spec, size_t pictures) {
  Dataset train = LoadTrialData(spec).train;
  Rng rng(MixSeed(spec.seed, "calibration"));
  rng.Shuffle(std::span<Sample>(train.samples));
  const Preprocessing preprocessing = TaskPreprocessing(spec.task);
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < std::min(train.samples.size(), pictures); ++i) {
    Tensor input({1, 3, preprocessing.height, preprocessing.width});
    SampleToInput(train.samples[i], preprocessing, input.data.data());
    inputs.push_back(std::move(input));
  }
  return inputs;
}

}  // namespace hot
