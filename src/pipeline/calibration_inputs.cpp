#include "pipeline/calibration_inputs.h"

#include <algorithm>

#include "core/rng.h"
#include "data/loader.h"

namespace hot {
namespace {

std::vector<Tensor> FirstInputs(const Dataset& views, const TaskOptions& task, size_t count) {
  const Preprocessing preprocessing = TaskPreprocessing(task);
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < std::min(views.samples.size(), count); ++i) {
    Tensor input({1, 3, preprocessing.height, preprocessing.width});
    SampleToInput(views.samples[i], preprocessing, input.data.data());
    inputs.push_back(std::move(input));
  }
  return inputs;
}

}  // namespace

std::vector<Tensor> CalibrationInputs(const TrialSpec& spec, size_t pictures) {
  Dataset train = LoadTrialData(spec).train;
  Rng rng(MixSeed(spec.seed, "calibration"));
  rng.Shuffle(std::span<Sample>(train.samples));
  return FirstInputs(train, spec.task, pictures);
}

std::vector<Tensor> GoldenInputs(const TrialSpec& spec, size_t pictures) {
  return FirstInputs(LoadTrialData(spec).val, spec.task, pictures);
}

}  // namespace hot
