// What integers cost the choices of a slot (`search.precision: slot` with `search.quality: distill`, docs/adr/0012):
// each by itself, on the blocks that the distill stage trained, in the unit of their losses. Called by the distill
// stage; runs on this machine.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/fold.h"
#include "pipeline/workspace.h"

namespace hot {

// One slot (1-based) of a trained network of this width, the teacher, on calibration pictures.
struct TaughtSlot {
  int slot = 0;
  double width = 1.0;
  std::vector<Tensor> read;    // what the teacher's slot reads, by picture
  std::vector<double> scales;  // by channel: 1 / variance of what it gives, as train/distillation.h has it
};
// `pictures` are network inputs of batch 1, `weights` the teacher's, which is the study's baseline. Throws what
// FoldBatchNorm and ReadActivations throw.
TaughtSlot TeachSlot(const Workspace& workspace, double width, int slot, const Weights& weights,
                     const std::vector<Tensor>& pictures);

// Mean over channels of the mean squared error / variance of the teacher's channel between what the choice gives when
// it computes in the integers of `precision`, and when it does in float, for what the teacher's slot reads. `weights`:
// the choice's. Throws what QuantizeAfterTraining throws.
double IntegerLoss(const Workspace& workspace, const TaughtSlot& taught, const std::string& choice,
                   const Weights& weights, Precision precision);

}  // namespace hot
