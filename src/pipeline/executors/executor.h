// Runs trials somewhere. To add one: a file beside this, its row in MakeExecutor(), executor_contract_test.
// Thread rule: one call at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/files.h"

namespace hot {

struct TrialOutcome {
  fs::path folder;
  bool done = false;  // result.json is there
  std::string error;  // one line when it is not
  int exit_code = 0;  // of hot-train: 2 means that its input is wrong
};

class Executor {
 public:
  virtual ~Executor() = default;
  virtual std::string_view name() const = 0;
  // Runs hot-train on each folder (with a trial.json in it) and returns when all have ended, in the order given. A
  // trial whose process was killed is resumed from its checkpoint once. `tick` is called about once a second from this
  // thread.
  virtual std::vector<TrialOutcome> Run(const std::vector<fs::path>& trials, const std::function<void()>& tick,
                                        const Context& context) = 0;
};

// "local". `workers` 0: one a core. Throws Error(kInvalidArgument) on other names.
std::unique_ptr<Executor> MakeExecutor(std::string_view name, int workers);

// hot-train beside the running program, else in PATH. Throws Error(kUnavailable) with what to do.
fs::path FindHotTrain();

}  // namespace hot
