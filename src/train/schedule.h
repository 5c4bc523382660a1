// The learning rate over a training: linear warm-up, then two steps down. Pure function.
#pragma once

namespace hot {

struct Schedule {
  double lr = 5e-4, gamma = 0.5;
  int epochs = 100, warmup_epochs = 1;
  int batches = 1;  // an epoch
};

// Rate of a batch (both counted from 0): rises linearly to `lr` over the warm-up, is multiplied by gamma once 2/3 and
// again once 5/6 of the epochs are done.
double LearningRate(const Schedule& schedule, int epoch, int batch);

}  // namespace hot
