#include "core/error.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace hot {

namespace {

// Names in broken files hold anything: line breaks would make two errors of one, escape codes would colour the
// terminal.
std::string OneLine(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

}  // namespace

std::string_view CodeName(Code code) {
  static constexpr std::string_view kNames[] = {
      "ok",        "cancelled",      "unknown",           "invalid argument",   "deadline exceeded",
      "not found", "already exists", "permission denied", "resource exhausted", "failed precondition",
      "aborted",   "out of range",   "unimplemented",     "internal",           "unavailable",
      "data loss"};
  return kNames[static_cast<int>(code)];
}

Error::Error(Code code, std::string where, std::string message, std::string hint)
    : code_(code), where_(std::move(where)), message_(std::move(message)), hint_(std::move(hint)) {
  text_ = where_.empty() ? message_ : where_ + ": " + message_;
  if (!hint_.empty()) text_ += " (" + hint_ + ")";
  text_ = OneLine(std::move(text_));
}

void AssertFailed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: internal error: assertion failed: %s\n", file, line, expression);
  std::abort();
}

}  // namespace hot
