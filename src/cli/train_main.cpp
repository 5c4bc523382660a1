// hot-train: trains one network as the trial.json in a folder says. Started by `hot`, one process a trial; the only
// program that links LibTorch. Exit codes: 0 done, 1 failed, 2 the user's input is wrong, 130 interrupted (the
// checkpoint is kept).
#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string_view>

#include "core/error.h"
#include "core/subprocess.h"
#include "train/precision_choice.h"
#include "train/trainer.h"

namespace {

constexpr const char* kUsage =
    "Usage: hot-train [--measure-precision] TRIAL_FOLDER\n"
    "Trains the network that TRIAL_FOLDER/trial.json describes; the same command goes on after an interruption.\n"
    "With --measure-precision it only says which number format trains it faster on this machine, as a line of JSON.\n";

// A signal handler can reach nothing but a static; lock-free, so that it is safe to write there.
std::atomic<bool> stop_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void AskToStop(int) { stop_asked.store(true); }

int ExitCode(hot::Code code) {
  switch (code) {
    case hot::Code::kInvalidArgument:
    case hot::Code::kNotFound:
    case hot::Code::kPermissionDenied:
    case hot::Code::kResourceExhausted:
    case hot::Code::kFailedPrecondition:
    case hot::Code::kDataLoss:
      return 2;
    case hot::Code::kCancelled:
      return 130;
    default:
      return 1;
  }
}

int Fail(int exit_code, const char* message) {
  std::fflush(stdout);  // stdout and stderr may be one file, and the error has to be its last line
  std::fprintf(stderr, "error: %s\n", message);
  return exit_code;
}

void PrintPrecision(const hot::TrialSpec& spec) {
  const hot::PrecisionTimes times = hot::MeasurePrecisions(spec);
  std::printf("{\"precision\": \"%s\", \"fp32_s\": %.6f, \"bf16_s\": %.6f}\n", times.faster().c_str(), times.fp32_s,
              times.bf16_s);
}

void Run(const hot::fs::path& folder, bool measure) {
  const hot::TrialSpec spec = hot::ReadTrial(folder / "trial.json");
  if (measure) return PrintPrecision(spec);
  hot::RunTrial(folder, spec, stop_asked);
}

}  // namespace

int main(int argc, char** argv) {
  const bool measure = argc == 3 && std::string_view(argv[1]) == "--measure-precision";
  const std::string_view argument = argc == 2 || measure ? argv[argc - 1] : "";
  if (argument == "--help" || argument == "-h") {
    std::fputs(kUsage, stdout);
    return 0;
  }
  if (argument.empty()) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  hot::DieWithParent();
  std::signal(SIGINT, AskToStop);
  std::signal(SIGTERM, AskToStop);
  try {
    const hot::fs::path folder(argument);
    Run(folder, measure);
    return 0;
  } catch (const hot::Error& error) {
    return Fail(ExitCode(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    return Fail(1, "out of memory (close other programs, or choose a smaller input or batch)");
  } catch (const std::exception& error) {
    return Fail(1, error.what());
  }
}
