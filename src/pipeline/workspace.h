// Everything a stage of one study works with: options, run folder, journal, network builder, toolchain, device. Made by
// a CLI command for as long as it runs; holds the run folder's lock. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/study.h"
#include "core/context.h"
#include "core/files.h"
#include "data/dataset.h"
#include "models/search_space.h"
#include "pipeline/target.h"
#include "store/store.h"
#include "tasks/task.h"
#include "tasks/trial.h"

namespace hot {

// kWork: stages will run. kLook: what is there is read, and nothing is made, locked or written, so that a run of the
// same study may be going on.
enum class Access { kWork, kLook };

class Workspace {
 public:
  // Makes the run folder, takes its lock, opens the journal and reads all annotations (classes, faults).
  Workspace(Study study, const Context& context, Access access = Access::kWork);

  const Study& study() const { return study_; }
  const Context& context() const { return context_; }
  const fs::path& folder() const { return folder_; }
  Store& store() const { return *store_; }
  const Backbone& backbone() const { return backbone_; }
  const Task& task() const { return *task_; }
  const Toolchain& toolchain() const { return *target_.toolchain; }
  const Device& device() const { return *target_.device; }
  Precision precision() const;  // the first of target.precision: what is searched and shipped
  double baseline_width() const;
  // What the user should see once: faults of the data, and what the networks start from.
  const std::vector<std::string>& notes() const { return notes_; }

  // Bones between the task's keypoints, for drawings.
  const std::vector<std::pair<int, int>>& skeleton() const { return skeleton_; }

  // TensorFileKey of model.pretrained; empty without one.
  const std::string& pretrained_key() const { return pretrained_key_; }
  // BackboneKey of model.backbone; empty for a network of ours.
  const std::string& backbone_key() const { return backbone_key_; }
  DataSource Source(const std::string& split) const;
  // data.train, without what is taken from it for the test.
  DataSource TrainSource() const;
  // data.test, which may be of another data set than the others.
  DataSource TestSource() const;
  // How predictions of this study are scored.
  ScoreOptions Scoring() const;
  // What every trial of this study has in common; network, lr and gamma are filled in by the train stage.
  TrialSpec TrialTemplate() const;

 private:
  using NamedDatasets = std::vector<std::pair<std::string, Dataset>>;
  void Warn(const std::vector<std::string>& warnings);
  // All faults of the data that show without decoding, now and not after an hour of training. Sets what the study's
  // data have: classes, keypoints. Returns the splits that were read.
  NamedDatasets CheckData();
  // Reads a split's annotations for their faults, looks at its pictures' first bytes, and that they are none of the
  // splits in `before` (name and pictures). Warnings are kept.
  void CheckSplit(const std::string& name, const DataSource& source, NamedDatasets& before);

  Study study_;
  const Context& context_;
  fs::path folder_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<Store> store_;
  SearchSpace backbone_;
  std::string backbone_key_;
  Target target_;
  std::vector<std::string> classes_, keypoints_, notes_;
  std::vector<std::pair<int, int>> skeleton_;
  std::string pretrained_key_;
  std::unique_ptr<Task> task_;
};

// runs/<name> unless the study says otherwise.
fs::path RunFolder(const Study& study);

// The hash of a file of the run folder, or "missing".
std::string FileKey(const Workspace& workspace, std::string_view file);

}  // namespace hot
