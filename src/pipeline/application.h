// What an application does with one picture of the study: decode it, make the network's input of it, run the network,
// decode its outputs. For budgets of search.latency_scope end_to_end. Called by the profile, verify and evaluate
// stages. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipeline/latencies.h"
#include "pipeline/workspace.h"
#include "search/lookup_table.h"

namespace hot {

bool MeasuresEndToEnd(const Workspace& workspace);

class Application {
 public:
  // Takes the picture of the validation split whose file has the median size; of keypoints, its first object. Throws as
  // ReadDataset and DecodeImage do.
  explicit Application(const Workspace& workspace);
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  // "decode", "resize" and "output": the steps beside the network, each once a picture, with outputs that stand in for
  // a network's. Their names are parts of the look-up table.
  const std::vector<StudyWork>& steps() const { return steps_; }
  // All of it, for a network whose outputs mean nothing yet: those that stand in are decoded.
  const StudyWork& whole() const { return whole_; }
  // All of it with a trained network; the flip test's second run, too.
  void Run(Session& session);

 private:
  void DecodePicture();
  void MakeInput();
  void RunNetwork(Session& session);
  void DecodeOutputs(const std::vector<Tensor>& outputs, const std::vector<Tensor>& mirrored) const;

  const Task& task_;
  Preprocessing preprocessing_;
  Sample view_;
  Image picture_;
  Tensor input_;
  std::vector<Tensor> stand_in_, outputs_, mirrored_;
  std::vector<StudyWork> steps_;
  StudyWork whole_;
};

// The steps' latencies as rows of a look-up table: of one pass, as all its rows are (TaskOptions::passes()).
std::vector<TableRow> StepRows(Workspace& workspace);

}  // namespace hot
