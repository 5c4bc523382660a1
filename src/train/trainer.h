// One training from trial.json to result.json: warm-up and decay, a checkpoint every epoch, validation
// at the end. Called by hot-train (one trial a process). Needs no LibTorch header. Thread rule: one trial a process;
// the loader and LibTorch have threads of their own.
#pragma once

#include <atomic>
#include <string>

#include "core/files.h"
#include "tasks/trial.h"

namespace hot {

// Trains what `spec` says and leaves in `folder`: epochs.jsonl, checkpoint.pt, weights.safetensors and, last,
// result.json. Goes on behind the last checkpoint; on one thread the weights are then the same to the last bit as
// without the break. Progress and warnings go to stdout, a line each. Throws Error: kCancelled soon after `cancelled`
// is set, kAborted when the loss is no longer finite, kResourceExhausted on a full disk, and what the data reader
// throws.
// With `stop_epoch` it stops behind that epoch of the schedule, leaves the score so far in rung-<epoch>.json instead of
// a result, and goes on when it is called again. `device` is train.device; what it came to is a line on stdout. Throws
// what ChooseDevice (device.h) throws before anything else is done.
// A trial with `distill` trains choices of a slot instead (distillation.h), to the end; without rungs.
TrialResult RunTrial(const fs::path& folder, const TrialSpec& spec, const std::atomic<bool>& cancelled,
                     int stop_epoch = 0, const std::string& device = "cpu");

// Sets LibTorch up for trainings in this process: threads, deterministic kernels, memory that is kept rather than given
// back to the kernel. RunTrial does it; for programs that make steps of their own. On a GPU operations that have no
// deterministic kernel are allowed.
void SetUpTorch(int threads, bool gpu = false);

}  // namespace hot
