#include "cli/command.h"

#include <signal.h>

#include <atomic>
#include <cstdio>
#include <exception>
#include <new>

namespace hot {
namespace {

std::atomic<bool> interrupted{false};  // the one global: signal handlers can reach nothing else

void OnSignal(int) { interrupted.store(true, std::memory_order_relaxed); }

void CatchSignals() {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESETHAND;  // a second Ctrl-C ends the program at once
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

int ExitCode(Code code) {
  switch (code) {
    case Code::kOk:
      return 0;
    case Code::kInvalidArgument:
    case Code::kNotFound:
    case Code::kPermissionDenied:
    case Code::kResourceExhausted:
    case Code::kFailedPrecondition:
    case Code::kDataLoss:
      return 2;
    case Code::kOutOfRange:
      return 3;
    case Code::kCancelled:
      return 130;
    default:
      return 1;
  }
}

int RunCommand(bool quiet, const std::function<void(const Context&)>& body) {
  CatchSignals();
  const auto progress = quiet ? MakeSilentProgress() : MakeTerminalProgress(SystemClock());
  try {
    body({SystemClock(), *progress, interrupted});
    return 0;
  } catch (const Error& error) {
    progress->Note(std::string("error: ") + error.what());
    if (quiet) std::fprintf(stderr, "error: %s\n", error.what());
    return ExitCode(error.code());
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "error: out of memory (close other programs, or choose a smaller input or batch)\n");
    return 1;
  } catch (const std::exception& error) {  // our own mistake: whoever called a library should have made it an Error
    std::fprintf(stderr, "error: internal error: %s\n", error.what());
    return 1;
  }
}

}  // namespace hot
