// What `search.quality: distill` leaves in the run folder, for those who read it: scores of choices for the look-up
// tables, and weights that baseline and candidates start from. Written by the distill stage (distill_stage.cpp); called
// by tables and trials.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/fold.h"
#include "pipeline/networks.h"
#include "pipeline/workspace.h"
#include "search/lookup_table.h"

namespace hot {

// Whether the study scores choices by distillation.
bool Distills(const Study& study);

// A slot whose choices learn to imitate the trained baseline's.
struct ImitatedSlot {
  Slot slot;
  std::vector<Choice> choices;  // the baseline's own among them
  double macs = 0;              // of all choices together, in float
};
// Of a width; none where it is not searched.
std::vector<ImitatedSlot> ImitatedSlots(const Workspace& workspace, double width);

// Writes a choice without its precision, since it learns in float: "irb-k3-e6@fp32".
std::string DistilledName(Choice choice);

// The part of 1 that is left when a choice's loss is taken off: of the variance of what the trained baseline's slot
// gives, the part that the choice explains; negative when it is worse than a constant.
double QualityFromLoss(double loss);

// Fills TableRow::quality from distill.json; what the table's number format costs (integer_loss.h) is taken off where
// it was measured. Rows of choices that could not be trained have none and are searched no more.
void AddQuality(const Workspace& workspace, std::vector<LookupTable>& tables);

// Of one choice ("irb-k3-e6@fp32"), by the names of its slot's graph, in the weights of all choices of a slot; empty
// where it has none.
Weights WeightsOf(const std::string& choice, const Weights& blocks);

// Lets `spec` start from the trained baseline of the network's width with the learned blocks where its choices differ,
// in a file that is written for it. All networks of the study or none start like that.
void StartFromDistilled(const Workspace& workspace, const StudyNetwork& network, TrialSpec& spec);

}  // namespace hot
