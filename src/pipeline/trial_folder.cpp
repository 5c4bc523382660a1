#include "pipeline/trial_folder.h"

#include "core/error.h"

namespace hot {

bool HoldsTrial(const fs::path& folder, const TrialSpec& spec) {
  const fs::path file = folder / "trial.json";
  try {
    return fs::exists(file) && ToJson(ReadTrial(file)) == ToJson(spec);
  } catch (const Error&) {
    return false;
  }
}

void PrepareTrialFolder(const fs::path& folder, const TrialSpec& spec) {
  if (HoldsTrial(folder, spec)) return;
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  EnsureFolder(folder);
  WriteFileAtomic(folder / "trial.json", ToJson(spec) + "\n");
}

std::optional<TrialResult> FinishedTrial(const fs::path& folder, const TrialSpec& spec) {
  if (!HoldsTrial(folder, spec) || !fs::exists(folder / "weights.safetensors")) return std::nullopt;
  return ResultOf(folder, 0);
}

}  // namespace hot
