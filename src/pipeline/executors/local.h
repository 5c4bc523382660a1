// Trials as child processes on this machine, `workers` at a time, each pinned to as many threads as its trial asks for.
#pragma once

#include "core/subprocess.h"
#include "pipeline/executors/executor.h"

namespace hot {

class LocalExecutor : public Executor {
 public:
  LocalExecutor(fs::path hot_train, int workers) : hot_train_(std::move(hot_train)), workers_(workers) {}
  std::string_view name() const override { return "local"; }
  std::vector<TrialOutcome> Run(const std::vector<fs::path>& trials, const std::function<void()>& tick,
                                const Context& context) override;

 private:
  Process Start(const fs::path& trial) const;
  fs::path hot_train_;
  int workers_;
};

}  // namespace hot
