#include "train/trainer.h"

#include <cstdio>
#include <new>
#include <string_view>

#include "core/error.h"
#include "train/torch_pch.h"
#include "train/training.h"

namespace hot {
namespace {

void SetUpTorch(const TrialSpec& spec) {
  at::set_num_threads(spec.threads);
  at::Context& context = at::globalContext();
  context.setDeterministicAlgorithms(true, /*warn_only=*/false);
  context.setDeterministicFillUninitializedMemory(false);  // every value is written before it is read; filling costs a pass
  context.setFlushDenormal(true);                          // they slow a core down many times and carry no information here
}

// LibTorch's messages go on with a stack trace after their first line.
std::string FirstLine(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

[[noreturn]] void Rethrow(const TrialSpec& spec, const c10::Error& error) {
  const std::string text = FirstLine(error.what_without_backtrace());
  if (text.find("allocate memory") != std::string::npos) throw std::bad_alloc();
  throw Error(Code::kInternal, spec.id, "LibTorch: " + text);
}

}  // namespace

TrialResult RunTrial(const fs::path& folder, const TrialSpec& spec, const std::atomic<bool>& cancelled) {
  try {
    SetUpTorch(spec);
    const TrialData data = LoadTrialData(spec);
    for (const std::string& warning : data.train.warnings) std::printf("warning: %s\n", warning.c_str());
    std::printf("%s: %zu pictures to train on, %zu to validate\n", spec.id.c_str(), data.train.samples.size(),
                data.val.samples.size());
    std::fflush(stdout);
    Training training(folder, spec, data, cancelled);
    while (training.finished_epochs() < spec.epochs) training.RunEpoch();
    return training.Finish();
  } catch (const c10::Error& error) {
    Rethrow(spec, error);
  }
}

}  // namespace hot
