#include "train/trainer.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <new>
#include <string_view>

#include "core/error.h"
#include "train/device.h"
#include "train/distillation.h"
#include "train/torch_pch.h"
#include "train/training.h"

namespace hot {
namespace {

// Activations come and go with every batch. By default glibc gives large ones back to the kernel and gets them zeroed
// page by page the next time: nearly half of a small network's step. Here the process keeps what it had.
void KeepFreedMemory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

// How long a worker that was just killed may need to go away.
constexpr std::chrono::seconds kDyingWorker{10};

// LibTorch's messages go on with a stack trace after their first line.
std::string FirstLine(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

[[noreturn]] void Rethrow(const TrialSpec& spec, const c10::Error& error) {
  const std::string text = FirstLine(error.what_without_backtrace());
  const bool memory =
      text.find("allocate memory") != std::string::npos || text.find("out of memory") != std::string::npos;
  if (memory) throw std::bad_alloc();
  throw Error(Code::kInternal, spec.id, "LibTorch: " + text);
}

TrialResult Distill(const fs::path& folder, const TrialSpec& spec, const TrialData& data,
                    const std::atomic<bool>& cancelled, at::Device device) {
  Distillation distillation(folder, spec, data, cancelled, device);
  while (!distillation.finished()) distillation.RunEpoch();
  distillation.Finish();
  return ReadTrialResult(TrialResultFile(folder, 0));
}

}  // namespace

void SetUpTorch(int threads, bool gpu) {
  KeepFreedMemory();
  at::set_num_threads(threads);
  at::Context& context = at::globalContext();
  context.setDeterministicAlgorithms(true, /*warn_only=*/gpu);
  context.setDeterministicFillUninitializedMemory(
      false);                      // every value is written before it is read; filling costs a pass
  context.setFlushDenormal(true);  // they slow a core down many times and carry no information here
}

TrialResult RunTrial(const fs::path& folder, const TrialSpec& spec, const std::atomic<bool>& cancelled, int stop_epoch,
                     const std::string& device) {
  const int stop = stop_epoch > 0 ? std::min(stop_epoch, spec.epochs) : spec.epochs;
  try {
    const FileLock lock(folder / "lock", kDyingWorker);
    const ChosenDevice chosen = ChooseDevice(device);
    SetUpTorch(spec.threads, chosen.gpu);
    const TrialData data = LoadTrialData(spec);
    for (const std::string& warning : data.train.warnings) std::printf("warning: %s\n", warning.c_str());
    std::printf("%s: %zu pictures to train on, %zu to validate\n", spec.id.c_str(), data.train.samples.size(),
                data.val.samples.size());
    std::printf("computes on: %s\n", chosen.about.c_str());
    std::fflush(stdout);
    const at::Device place = chosen.gpu ? at::kCUDA : at::kCPU;
    if (spec.distill) return Distill(folder, spec, data, cancelled, place);
    Training training(folder, spec, data, cancelled, place);
    while (!training.finished() && training.finished_epochs() < stop) training.RunEpoch();
    return training.finished() ? training.Finish() : training.Pause();
  } catch (const c10::Error& error) {
    Rethrow(spec, error);
  }
}

}  // namespace hot
