#include "deploy/devices/remote/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "deploy/devices/remote/measure_options.h"

namespace hot {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Code ThrownCode(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_FALSE(error.message().empty());
    return error.code();
  }
  return Code::kOk;
}

TEST(Wire, MeasurementsKeepEveryNumber) {
  const Measurement sent{.samples_ns = {5, 7},
                         .canary_ns = {2, 3},
                         .median_ns = 6.5,
                         .low_ns = 5.25,
                         .high_ns = 7.125,
                         .raw_median_ns = 6,
                         .p90_ns = 6.8,
                         .canary_median_ns = 2.5,
                         .steady = false,
                         .resident_bytes = 5 << 20};
  const Measurement got = FromProto(ToProto(sent));
  EXPECT_EQ(got.resident_bytes, sent.resident_bytes);
  EXPECT_EQ(got.samples_ns, sent.samples_ns);
  EXPECT_EQ(got.canary_ns, sent.canary_ns);
  EXPECT_EQ(got.median_ns, sent.median_ns);
  EXPECT_EQ(got.low_ns, sent.low_ns);
  EXPECT_EQ(got.high_ns, sent.high_ns);
  EXPECT_EQ(got.raw_median_ns, sent.raw_median_ns);
  EXPECT_EQ(got.p90_ns, sent.p90_ns);
  EXPECT_EQ(got.canary_median_ns, sent.canary_median_ns);
  EXPECT_EQ(got.steady, sent.steady);
}

TEST(Wire, RefusesMeasurementsThatAreNone) {
  v1::Measurement message = ToProto(Measurement{.samples_ns = {5}, .canary_ns = {2}, .median_ns = 5});
  EXPECT_EQ(ThrownCode([&] { FromProto(message); }), Code::kOk);
  v1::Measurement without_canary = message, negative = message, not_finite = message;
  without_canary.clear_canary_ns();
  negative.set_samples_ns(0, -1);
  not_finite.set_p90_ns(kNan);
  for (const v1::Measurement& broken : {without_canary, negative, not_finite})
    EXPECT_EQ(ThrownCode([&] { FromProto(broken); }), Code::kDataLoss);
}

TEST(Wire, MeasureOptionsKeepEveryNumber) {
  const MeasureOptions sent{.target_half_width = 0.02,
                            .min_samples = 64,
                            .max_samples = 99,
                            .min_sample_ns = 5,
                            .max_total_ns = 6,
                            .loads = 7};
  const MeasureOptions got = FromProto(ToProto(sent));
  EXPECT_EQ(got.target_half_width, sent.target_half_width);
  EXPECT_EQ(got.min_samples, sent.min_samples);
  EXPECT_EQ(got.max_samples, sent.max_samples);
  EXPECT_EQ(got.min_sample_ns, sent.min_sample_ns);
  EXPECT_EQ(got.max_total_ns, sent.max_total_ns);
  EXPECT_EQ(got.loads, sent.loads);
}

TEST(Wire, RefusesOptionsThatMeasureNothingOrWithoutEnd) {
  const std::function<void(v1::MeasureOptions&)> faults[] = {
      [](auto& o) { o.set_target_half_width(kNan); }, [](auto& o) { o.set_target_half_width(-1); },
      [](auto& o) { o.set_min_samples(0); },          [](auto& o) { o.set_max_samples(o.min_samples() - 1); },
      [](auto& o) { o.set_max_samples(1 << 30); },    [](auto& o) { o.set_min_sample_ns(-1); },
      [](auto& o) { o.set_max_total_ns(-1); },        [](auto& o) { o.set_loads(-1); },
      [](auto& o) { o.set_loads(1 << 30); },          [](auto& o) { o.Clear(); }};
  for (const auto& fault : faults) {
    v1::MeasureOptions message = ToProto(MeasureOptions{});
    fault(message);
    EXPECT_EQ(ThrownCode([&] { FromProto(message); }), Code::kInvalidArgument) << message.ShortDebugString();
  }
}

TEST(Wire, DevicesKeepEveryText) {
  const DeviceInfo sent{
      .name = "host", .fingerprint = "f", .json = "{}", .estimator = "Vela", .accuracy_from = "LiteRT"};
  const DeviceInfo got = FromProto(ToProto(sent));
  EXPECT_EQ(got.name, sent.name);
  EXPECT_EQ(got.fingerprint, sent.fingerprint);
  EXPECT_EQ(got.json, sent.json);
  EXPECT_EQ(got.estimator, sent.estimator);
  EXPECT_EQ(got.accuracy_from, sent.accuracy_from);
  EXPECT_EQ(ThrownCode([] { FromProto(v1::Device()); }), Code::kDataLoss);
}

TEST(Wire, ErrorsKeepTheirCodeAndLine) {
  const Error error(Code::kDataLoss, "m.json", "is broken", "compile it again");
  const Error got = ErrorFromWire(static_cast<int>(error.code()), error.what());
  EXPECT_EQ(got.code(), error.code());
  EXPECT_STREQ(got.what(), error.what());
  for (const int code : {-1, 0, 16, 1 << 30}) EXPECT_EQ(ErrorFromWire(code, "x").code(), Code::kUnknown);
}

}  // namespace
}  // namespace hot
