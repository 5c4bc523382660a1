#include "deploy/devices/remote/wire.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "deploy/devices/remote/job_state.h"

namespace hot {
namespace {

bool IsTime(double ns) { return std::isfinite(ns) && ns >= 0; }

}  // namespace

v1::Measurement ToProto(const Measurement& measurement) {
  v1::Measurement message;
  message.mutable_samples_ns()->Assign(measurement.samples_ns.begin(), measurement.samples_ns.end());
  message.mutable_canary_ns()->Assign(measurement.canary_ns.begin(), measurement.canary_ns.end());
  message.set_median_ns(measurement.median_ns);
  message.set_low_ns(measurement.low_ns);
  message.set_high_ns(measurement.high_ns);
  message.set_raw_median_ns(measurement.raw_median_ns);
  message.set_p90_ns(measurement.p90_ns);
  message.set_canary_median_ns(measurement.canary_median_ns);
  message.set_steady(measurement.steady);
  message.set_note(measurement.note);
  message.set_resident_bytes(measurement.resident_bytes);
  return message;
}

Measurement FromProto(const v1::Measurement& message) {
  Measurement measurement{.samples_ns = {message.samples_ns().begin(), message.samples_ns().end()},
                          .canary_ns = {message.canary_ns().begin(), message.canary_ns().end()},
                          .median_ns = message.median_ns(),
                          .low_ns = message.low_ns(),
                          .high_ns = message.high_ns(),
                          .raw_median_ns = message.raw_median_ns(),
                          .p90_ns = message.p90_ns(),
                          .canary_median_ns = message.canary_median_ns(),
                          .steady = message.steady(),
                          .note = message.note(),
                          .resident_bytes = std::max<int64_t>(0, message.resident_bytes())};
  if (measurement.samples_ns.size() != measurement.canary_ns.size())
    throw Error(Code::kDataLoss, "measurement",
                std::to_string(measurement.samples_ns.size()) + " samples have " +
                    std::to_string(measurement.canary_ns.size()) + " readings of the canary");
  const auto negative = [](int64_t ns) { return ns < 0; };
  const bool times = IsTime(measurement.median_ns) && IsTime(measurement.low_ns) && IsTime(measurement.high_ns) &&
                     IsTime(measurement.raw_median_ns) && IsTime(measurement.p90_ns) &&
                     IsTime(measurement.canary_median_ns);
  if (!times || std::ranges::any_of(measurement.samples_ns, negative) ||
      std::ranges::any_of(measurement.canary_ns, negative))
    throw Error(Code::kDataLoss, "measurement", "a number in it is no time");
  return measurement;
}

v1::Device ToProto(const DeviceInfo& info) {
  v1::Device message;
  message.set_name(info.name);
  message.set_fingerprint(info.fingerprint);
  message.set_json(info.json);
  message.set_estimator(info.estimator);
  message.set_accuracy_from(info.accuracy_from);
  return message;
}

DeviceInfo FromProto(const v1::Device& message) {
  if (message.name().empty() || message.fingerprint().empty())
    throw Error(Code::kDataLoss, "device", "it has no name or no fingerprint");
  return {.name = message.name(),
          .fingerprint = message.fingerprint(),
          .json = message.json(),
          .estimator = message.estimator(),
          .accuracy_from = message.accuracy_from()};
}

v1::Toolchain ToProto(const Toolchain& toolchain) {
  v1::Toolchain message;
  message.set_name(std::string(toolchain.name()));
  message.set_version(toolchain.version());
  message.set_flags(toolchain.flags());
  for (const Precision precision : toolchain.precisions()) message.add_precisions(PrecisionName(precision));
  return message;
}

Error ErrorFromWire(int code, const std::string& line) { return Error(ErrorCode(code), "", line); }

}  // namespace hot
