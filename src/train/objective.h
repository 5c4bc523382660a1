// What a network is trained towards: one class a task, in a file of its own (ssd_loss.h). Called by the trainer. To add
// a task's loss: the class and its row in MakeObjective().
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <span>
#include <vector>

#include "data/dataset.h"
#include "graph/graph.h"
#include "tasks/task.h"

namespace hot {

class Objective {
 public:
  virtual ~Objective() = default;
  // Scalar loss of a batch: `outputs` as GraphModule::Forward gives them, `objects` of every picture in input pixels.
  virtual at::Tensor Loss(std::span<const at::Tensor> outputs,
                          const std::vector<std::vector<Object>>& objects) const = 0;
};

// Throws Error(kUnimplemented) for a task without a loss.
std::unique_ptr<Objective> MakeObjective(const Task& task, const Graph& graph);

}  // namespace hot
