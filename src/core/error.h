// The one exception type of HOT. Thrown where a fault is found; caught only by a CLI command, a server handler or a job
// runner. Third-party exceptions become hot::Error in the adapter that calls the library. Thread rule: values, no
// sharing.
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace hot {

// Numbers are gRPC's, so that a server handler passes them on unchanged.
enum class Code {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
};

std::string_view CodeName(Code code);

// `where` names the place a person would look at ("study.yaml:12:8", a file, a stage), `message` what failed and why,
// `hint` what to do about it (may be empty). what() is one line: "where: message (hint)".
class Error : public std::exception {
 public:
  Error(Code code, std::string where, std::string message, std::string hint = "");

  Code code() const { return code_; }
  const std::string& where() const { return where_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  Code code_;
  std::string where_, message_, hint_, text_;
};

[[noreturn]] void AssertFailed(const char* expression, const char* file, int line);

// For our own mistakes only; never reachable from user input.
#define HOT_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : ::hot::AssertFailed(#expression, __FILE__, __LINE__))

}  // namespace hot
