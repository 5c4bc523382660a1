#include "deploy/devices/remote/measure_options.h"

#include <string>

#include "core/error.h"

namespace hot {
namespace {

[[noreturn]] void BadOption(const std::string& name, const std::string& expected) {
  throw Error(Code::kInvalidArgument, "measure options", name + ": expected " + expected);
}

void CheckCounts(const v1::MeasureOptions& message) {
  if (message.min_samples() < 1 || message.min_samples() > kMaxSamplesAsked)
    BadOption("min_samples", "1 to " + std::to_string(kMaxSamplesAsked));
  if (message.max_samples() < message.min_samples() || message.max_samples() > kMaxSamplesAsked)
    BadOption("max_samples", "min_samples to " + std::to_string(kMaxSamplesAsked));
  if (message.loads() < 0 || message.loads() > kMaxLoadsAsked)
    BadOption("loads", "0 to " + std::to_string(kMaxLoadsAsked));
}

}  // namespace

v1::MeasureOptions ToProto(const MeasureOptions& options) {
  v1::MeasureOptions message;
  message.set_target_half_width(options.target_half_width);
  message.set_min_samples(options.min_samples);
  message.set_max_samples(options.max_samples);
  message.set_min_sample_ns(options.min_sample_ns);
  message.set_max_total_ns(options.max_total_ns);
  message.set_loads(options.loads);
  return message;
}

MeasureOptions FromProto(const v1::MeasureOptions& message) {
  if (!(message.target_half_width() >= 0 && message.target_half_width() <= 1)) BadOption("target_half_width", "0 to 1");
  CheckCounts(message);
  if (message.min_sample_ns() < 0) BadOption("min_sample_ns", "no negative time");
  if (message.max_total_ns() < 0) BadOption("max_total_ns", "no negative time");
  return {.target_half_width = message.target_half_width(),
          .min_samples = message.min_samples(),
          .max_samples = message.max_samples(),
          .min_sample_ns = message.min_sample_ns(),
          .max_total_ns = message.max_total_ns(),
          .loads = message.loads()};
}

}  // namespace hot
