// The study's hyper-parameters: its search space, and a trial for a network and a point of that space. Called by the
// train stage.
#pragma once

#include "pipeline/networks.h"
#include "tune/space.h"

namespace hot {

// What train.hpo of the study lists: lr, gamma (unless the schedule is cosine), and what else has values to try.
HyperSpace StudySpace(const Study& study);

// The trial that trains `network` at `point`; its id is "<network>-<point>", the name of its folder.
TrialSpec MakeTrial(const Workspace& workspace, const StudyNetwork& network, const HyperPoint& point);

}  // namespace hot
