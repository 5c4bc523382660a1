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

// What can be done about most errors of a code, for those that have no hint of their own; "" where the message itself
// says what was expected.
std::string UsualHint(Code code) {
  switch (code) {
    case Code::kPermissionDenied:
      return " (give this user the right to it, or name another place)";
    case Code::kResourceExhausted:
      return " (make room, then run the same command again)";
    case Code::kDataLoss:
      return " (restore a copy or remove it, then run the same command again)";
    case Code::kUnavailable:
      return " (hot doctor says what is missing here)";
    case Code::kInternal:
      return " (a fault of hot itself: please report it with the command and its output)";
    default:
      return "";
  }
}

}  // namespace

int RunCommand(bool quiet, const std::function<void(const Context&)>& body) {
  CatchSignals();
  const auto progress = quiet ? MakeSilentProgress() : MakeTerminalProgress(SystemClock());
  try {
    body({SystemClock(), *progress, interrupted});
    return 0;
  } catch (const Error& error) {
    const std::string line =
        std::string("error: ") + error.what() + (error.hint().empty() ? UsualHint(error.code()) : "");
    progress->Note(line);
    if (quiet) std::fprintf(stderr, "%s\n", line.c_str());
    return ExitCode(error.code());
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "error: out of memory (close other programs, or choose a smaller input or batch)\n");
    return 1;
  } catch (const std::exception& error) {  // our own mistake: whoever called a library should have made it an Error
    std::fprintf(stderr, "error: internal error: %s%s\n", error.what(), UsualHint(Code::kInternal).c_str());
    return 1;
  }
}

}  // namespace hot
