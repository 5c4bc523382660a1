// Runs the built hot program as a user would: used by the end-to-end tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/files.h"
#include "core/subprocess.h"

namespace hot {

struct HotResult {
  int code = 0;
  std::string output;  // stdout and stderr
};

// `shell_prefix` is put before the program ("ulimit -f 8;"). Runs in `folder`.
inline HotResult RunHot(const fs::path& folder, const std::string& arguments, const std::string& shell_prefix = "") {
  const std::string program = HOT_BINARY_DIR "/bin/hot";
  const ProcessResult result = RunProcess(
      {"bash", "-c", "cd '" + folder.string() + "' && " + shell_prefix + " exec '" + program + "' " + arguments});
  return {.code = result.status.signal != 0 ? -result.status.signal : result.status.code, .output = result.output};
}

// A study of seconds on a few synthetic pictures in folder/data.
inline std::string TinyStudy(const std::string& extra_train = "") {
  return "name: tiny\n"
         "model: {width: 0.35, input: [64, 64]}\n"
         "data: {root: data}\n"
         "target: {precision: int8}\n"
         "search: {latency_ratio: 1.5, candidates: 2, train_candidates: 1}\n"
         "train: {epochs: 3, batch: 8, metric: ap50, hpo: {method: grid, lr: 1e-3, gamma: 0.5}" +
         extra_train +
         "}\n"
         "quantize: {pictures: 8}\n";
}

// The same pictures as crops around shapes, whose corners are keypoints.
inline std::string TinyPoseStudy() {
  return "name: tiny\n"
         "model: {task: cpn, width: 0.35, input: [64, 64], pyramid_channels: 16}\n"
         "data: {format: coco, root: data}\n"
         "target: {precision: int8}\n"
         "search: {latency_ratio: 1.5, candidates: 2, train_candidates: 1}\n"
         "train: {epochs: 3, batch: 8, metric: pck, pck_threshold: 0.2, hpo: {method: grid, lr: 1e-3, gamma: 0.5}}\n"
         "quantize: {pictures: 8}\n";
}

// The same shapes, cut out, by class.
inline std::string TinyClassifyStudy() {
  return "name: tiny\n"
         "model: {task: classify, width: 0.35, input: [32, 32]}\n"
         "data: {root: data/cutouts}\n"
         "target: {precision: int8}\n"
         "search: {latency_ratio: 1.5, candidates: 2, train_candidates: 1}\n"
         "train: {epochs: 3, batch: 8, hpo: {method: grid, lr: 1e-3, gamma: 0.5}}\n"
         "quantize: {pictures: 8}\n";
}

// Makes data/ and study.yaml, a TinyStudy() whose rows are in the journal; there is no run folder yet. Measuring takes
// most of such a study's time, so a suite does it once and each case begins with a copy of the folder.
inline void MakeMeasuredStudy(const fs::path& folder, const std::string& pictures) {
  ASSERT_EQ(RunHot(folder, "data make shapes data " + pictures).code, 0);
  WriteFileAtomic(folder / "study.yaml", TinyStudy());
  ASSERT_EQ(RunHot(folder, "verify study.yaml --quiet").code, 0);
  fs::remove_all(folder / "runs" / "tiny");
}

// The folder of such a study, made once a program: to be copied.
inline fs::path MeasuredStudy() {
  static const TempFolder folder;
  [[maybe_unused]] static const bool made = (MakeMeasuredStudy(folder.path(), "--train 6 --test 3"), true);
  return folder.path();
}

}  // namespace hot
