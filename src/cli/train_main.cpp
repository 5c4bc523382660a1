// hot-train: trains one network as the trial.json in a folder says. Started by `hot`, one process a trial; the only
// program that links LibTorch. Exit codes: hot::ExitCode (core/error.h).
#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string_view>

#include "core/error.h"
#include "core/subprocess.h"
#include "train/trainer.h"

namespace {

constexpr const char* kUsage =
    "Usage: hot-train TRIAL_FOLDER\n"
    "Trains the network that TRIAL_FOLDER/trial.json describes; the same command goes on after an interruption.\n";

// A signal handler can reach nothing but a static; lock-free, so that it is safe to write there.
std::atomic<bool> stop_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void AskToStop(int) { stop_asked.store(true); }

int Fail(int exit_code, const char* message) {
  std::fflush(stdout);  // stdout and stderr may be one file, and the error has to be its last line
  std::fprintf(stderr, "error: %s\n", message);
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view argument = argc == 2 ? argv[1] : "";
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
    hot::RunTrial(folder, hot::ReadTrial(folder / "trial.json"), stop_asked);
    return 0;
  } catch (const hot::Error& error) {
    return Fail(hot::ExitCode(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    return Fail(1, "out of memory (close other programs, or choose a smaller input or batch)");
  } catch (const std::exception& error) {
    return Fail(1, error.what());
  }
}
