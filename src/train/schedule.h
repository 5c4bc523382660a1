// The learning rate over a training: linear warm-up, then steps or a cosine down. Pure functions.
#pragma once

#include <string>

namespace hot {

enum class ScheduleKind { kStep, kCosine };

struct Schedule {
  ScheduleKind kind = ScheduleKind::kStep;
  double lr = 5e-4, gamma = 0.5;
  int epochs = 100, warmup_epochs = 1;
  int batches = 1;  // an epoch
};

// "step" or "cosine"; throws Error(kInvalidArgument) for anything else.
ScheduleKind ParseScheduleKind(const std::string& name);

// Rate of a batch (both counted from 0). Rises linearly to `lr` over the warm-up. kStep: is multiplied by gamma once
// 2/3 and again once 5/6 of the epochs are done (source paper, section 5). kCosine: falls along half a cosine from `lr`
// at the end of the warm-up to 0 after the last batch (Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5); no gamma.
double LearningRate(const Schedule& schedule, int epoch, int batch);

}  // namespace hot
