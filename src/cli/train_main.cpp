// hot-train: trains one network as the trial.json in a folder says. Started by `hot`, one process a trial; the only
// program that links LibTorch. Exit codes: hot::ExitCode (core/error.h), and kDivergedExitCode (tasks/trial.h).
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <string_view>

#include "core/error.h"
#include "core/subprocess.h"
#include "train/trainer.h"

namespace {

constexpr const char* kUsage =
    "Usage: hot-train TRIAL_FOLDER [--epochs N]\n"
    "Trains the network that TRIAL_FOLDER/trial.json describes; the same command goes on after an interruption.\n"
    "With --epochs it stops behind epoch N of the schedule, to be compared with others, and can go on later.\n";

// A signal handler can reach nothing but a static; lock-free, so that it is safe to write there.
std::atomic<bool> stop_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void AskToStop(int) { stop_asked.store(true); }

// N of "--epochs N"; 0 without it, nothing when the arguments are wrong.
std::optional<int> StopEpoch(int argc, char** argv) {
  if (argc == 2) return 0;
  int epochs = 0;
  if (argc != 4 || std::string_view(argv[2]) != "--epochs") return std::nullopt;
  const std::string_view text = argv[3];
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), epochs);
  const bool good = error == std::errc() && end == text.data() + text.size() && epochs > 0;
  return good ? std::optional(epochs) : std::nullopt;
}

int Fail(int exit_code, const char* message) {
  std::fflush(stdout);  // stdout and stderr may be one file, and the error has to be its last line
  std::fprintf(stderr, "error: %s\n", message);
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view argument = argc >= 2 ? argv[1] : "";
  if (argument == "--help" || argument == "-h") {
    std::fputs(kUsage, stdout);
    return 0;
  }
  const auto stop_epoch = StopEpoch(argc, argv);
  if (argument.empty() || !stop_epoch) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  hot::DieWithParent();
  std::signal(SIGINT, AskToStop);
  std::signal(SIGTERM, AskToStop);
  try {
    const hot::fs::path folder(argument);
    hot::RunTrial(folder, hot::ReadTrial(folder / "trial.json"), stop_asked, *stop_epoch);
    return 0;
  } catch (const hot::Error& error) {
    const bool diverged = error.code() == hot::Code::kAborted;
    return Fail(diverged ? hot::kDivergedExitCode : hot::ExitCode(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    return Fail(1, "out of memory (close other programs, or choose a smaller input or batch)");
  } catch (const std::exception& error) {
    return Fail(1, error.what());
  }
}
