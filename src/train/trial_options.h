// What a trial says, as options of the parts that read its pictures and set its learning rate: the same for a training
// and a distillation. Pure functions.
#pragma once

#include <ATen/ATen.h>

#include "data/loader.h"
#include "tasks/trial.h"
#include "train/schedule.h"

namespace hot {

// Shuffled and augmented as the trial says.
LoaderOptions TrainLoaderOptions(const TrialSpec& spec, const Dataset& dataset, at::Device device);
// In order, as they are.
LoaderOptions ValLoaderOptions(const TrialSpec& spec, at::Device device);
// Of an epoch of so many batches.
Schedule TrialSchedule(const TrialSpec& spec, int batches);

}  // namespace hot
