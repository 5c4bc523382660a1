// A run folder as the dashboard's page asks for it, while a study may be running there: small and cheap what changes
// every second, so that a device that is being measured is left alone, and the rest by stamps. Reads only. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "report/device_queue.h"

namespace hot {

class LiveRun {
 public:
  // Throws Error(kNotFound) when there is no study.json.
  explicit LiveRun(fs::path run_folder);

  std::string name() const;  // the study's; the folder's while there is no study

  // RunStatus() with "device" (target.device), "queue" (DeviceQueue::Jobs()), and in "stamps" texts that change with
  // "data" (DataJson) and "curves" (CurvesJson).
  std::string StatusJson();
  // ReadRunData()'s text, or {"error": one line} where a file is broken or not there (any more).
  std::string DataJson() const;
  // {trial: curve} of the trainings in train_progress.json, those that run first, at most 48.
  std::string CurvesJson();

 private:
  struct Curve {
    std::string stamp;
    nlohmann::ordered_json json;
  };
  nlohmann::ordered_json Queue(const nlohmann::ordered_json& target);

  const fs::path folder_;
  std::mutex mutex_;
  std::map<fs::path, Curve> curves_;  // as last read
  std::string target_;                // of queue_
  std::unique_ptr<DeviceQueue> queue_;
};

}  // namespace hot
