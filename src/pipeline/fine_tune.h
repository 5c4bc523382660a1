// Quantization-aware fine-tuning: hot-train trains an integer network on with its roundings in it
// (train/fake_quantization.h), in a trial folder of its own, as resumable as any training. Called by the quantize stage
// and the benchmark.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/context.h"
#include "pipeline/executors/executor.h"
#include "quantize/quantized_network.h"
#include "tasks/trial.h"

namespace hot {

struct FineTuning {
  fs::path trained;  // folder of the finished trial whose network was quantized
  fs::path folder;   // of the fine-tuning: its name is the trial's
  int epochs = 1;
};

struct FineTuned {
  std::optional<QuantizedNetwork> network;  // in the scales it had; `exact` has the trained weights unrounded
  double seconds = 0;                       // of training
  std::string error;                        // one line where there is no network
};

// The data, augmentation, optimizer and batch of the trial, at a fraction of its learning rate that falls to zero.
// `epoch` is told how many epochs are finished. Throws kCancelled; the training is then taken up by the next call.
FineTuned FineTune(const FineTuning& tuning, const QuantizedNetwork& quantized, Executor& executor,
                   const Context& context, const std::function<void(int)>& epoch);

}  // namespace hot
