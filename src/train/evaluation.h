// A network in training, scored on labelled pictures by its task's own decoding and metric. Called by the trainer.
#pragma once

#include <vector>

#include "data/loader.h"
#include "tasks/task.h"
#include "train/graph_module.h"

namespace hot {

// Detections are in pixels of the picture as stored, as the truth is. `loader` reads `views` (Task::Views() of
// `pictures`) unshuffled and unaugmented.
std::vector<ScoredPicture> Predict(GraphModule& module, const Task& task, const Dataset& pictures, const Dataset& views,
                                   Loader& loader);

}  // namespace hot
