// hot-train: trains one network as the trial.json in a folder says. Started by `hot`, one process a trial; the only
// program that links LibTorch. Exit codes: hot::ExitCode (core/error.h), and kDivergedExitCode (tasks/trial.h).
#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/subprocess.h"
#include "train/device.h"
#include "train/trainer.h"

namespace {

constexpr const char* kUsage =
    "Usage: hot-train TRIAL_FOLDER [--epochs N] [--device auto|cpu|cuda]\n"
    "       hot-train --gpus\n"
    "Trains the network that TRIAL_FOLDER/trial.json describes; the same command goes on after an interruption.\n"
    "With --epochs it stops behind epoch N of the schedule, to be compared with others, and can go on later.\n"
    "--device auto (default) computes on a GPU if there is one that LibTorch can use.\n"
    "--gpus prints how many of those there are and, behind a 0, why.\n";

// A signal handler can reach nothing but a static; lock-free, so that it is safe to write there.
std::atomic<bool> stop_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void AskToStop(int) { stop_asked.store(true); }

struct Arguments {
  std::string folder, device = "auto";
  int stop_epoch = 0;  // 0: none
};

bool ReadPositive(std::string_view text, int& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number > 0;
}

// Nothing when they are wrong.
std::optional<Arguments> ReadArguments(std::span<char* const> words) {
  if (words.empty() || words.size() % 2 == 0 || std::string_view(words[0]).empty()) return std::nullopt;
  Arguments arguments{.folder = words[0]};
  for (size_t i = 1; i < words.size(); i += 2) {
    const std::string_view name = words[i], value = words[i + 1];
    if (name == "--device") {
      arguments.device = value;
    } else if (name != "--epochs" || !ReadPositive(value, arguments.stop_epoch)) {
      return std::nullopt;
    }
  }
  return arguments;
}

void PrintGpus() {
  const hot::Gpus gpus = hot::FindGpus();
  std::printf("%d %s\n", gpus.count, gpus.fault.c_str());
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
  if (argument == "--gpus") {
    PrintGpus();
    return 0;
  }
  const auto arguments = ReadArguments({argv + 1, static_cast<size_t>(std::max(0, argc - 1))});
  if (!arguments) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  hot::DieWithParent();
  std::signal(SIGINT, AskToStop);
  std::signal(SIGTERM, AskToStop);
  try {
    const hot::fs::path folder(arguments->folder);
    hot::RunTrial(folder, hot::ReadTrial(folder / "trial.json"), stop_asked, arguments->stop_epoch, arguments->device);
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
