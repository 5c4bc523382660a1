// Trials of a few seconds, shared by the tests of train/. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <sstream>

#include "data/shapes.h"
#include "models/backbone.h"
#include "train/torch_pch.h"
#include "train/training.h"

namespace hot {

// A few synthetic pictures on disk and a trial that trains on them in seconds.
class TrainingTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::atomic<bool> never{false};
    const auto silent = MakeSilentProgress();
    WriteShapes(folder_.path() / "data",
                {.train_pictures = 24, .test_pictures = 4, .width = 96, .height = 80, .seed = 1},
                {SystemClock(), *silent, never});
    at::set_num_threads(1);
  }

  TrialSpec Spec(int epochs) const {
    TrialSpec spec;
    spec.id = "t";
    spec.width = 0.35;
    const Backbone& net = FindBackbone(spec.backbone);
    for (const Choice& choice : BaselineChoices(net, spec.width, Precision::kInt8)) spec.slots.push_back(choice.Name());
    spec.train = {.root = folder_.path() / "data", .split = "trainval"};
    spec.task.classes = ReadDataset(spec.train).classes;
    spec.task.input = {3, 64, 64};
    spec.train.classes = spec.task.classes;
    spec.val_fraction = 0.25;
    spec.epochs = epochs;
    spec.batch = 6;
    spec.lr = 1e-3;
    return spec;
  }

  fs::path Trial(const std::string& name) const {
    EnsureFolder(folder_.path() / name);
    return folder_.path() / name;
  }

  // Lines of epochs.jsonl without the time, which differs from run to run.
  static std::string Curve(const fs::path& trial) {
    std::istringstream lines(ReadFile(trial / "epochs.jsonl"));
    std::string curve;
    for (std::string line; std::getline(lines, line);) curve += line.substr(0, line.find(",\"seconds\"")) + "\n";
    return curve;
  }

  // Starts anew after every `stop` epochs, as kills between epochs would make it.
  void RunInPieces(const fs::path& trial, const TrialSpec& spec, int stop) {
    const TrialData data = LoadTrialData(spec);
    for (bool done = false; !done;) {
      Training training(trial, spec, data, never_);
      for (int i = 0; i < stop && !training.finished(); ++i) training.RunEpoch();
      done = training.finished();
      if (done) training.Finish();
    }
  }

  const TempFolder folder_;
  const std::atomic<bool> never_{false};
};

}  // namespace hot
