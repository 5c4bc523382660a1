// What every long-running function is handed instead of globals: time, progress, cancellation. Outlives all users.
#pragma once

#include <atomic>

#include "core/clock.h"
#include "core/error.h"
#include "core/progress.h"

namespace hot {

struct Context {
  const Clock& clock;
  Progress& progress;
  const std::atomic<bool>& cancelled;

  // Throws Error(kCancelled) when the user asked to stop; call it once a unit of work.
  void ThrowIfCancelled() const {
    if (cancelled.load(std::memory_order_relaxed))
      throw Error(Code::kCancelled, "", "interrupted", "run the same command to go on");
  }
};

}  // namespace hot
