// What every device must do, for each registered one, with artifacts of a toolchain that it runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>

#include "core/error.h"
#include "core/hash.h"
#include "deploy/session.h"
#include "deploy/test_pairings.h"
#include "deploy/toolchain.h"

namespace hot {
namespace {

class DeviceContract : public PairingTest {
 protected:
  const std::unique_ptr<Device> device_ = MakeDevice(GetParam().device, 1);
  const std::unique_ptr<Progress> progress_ = MakeSilentProgress();
  std::atomic<bool> cancelled_{false};

  Artifact Compile(Precision precision) const {
    const std::string scheme = SchemeOf(precision, "s8s8");
    const Quantization quantization = SyntheticQuantization(network_, scheme.empty() ? "s8s8" : scheme);
    return toolchain_->Compile({.network = network_, .precision = precision, .quantization = &quantization});
  }
  // The first and the last that the toolchain offers; with one precision only they are the same.
  Precision First() const { return toolchain_->precisions().front(); }
  Precision Last() const { return toolchain_->precisions().back(); }
  Code LoadCode(const Artifact& artifact) const {
    try {
      device_->Load(artifact);
    } catch (const Error& error) {
      return error.code();
    }
    return Code::kOk;
  }
  std::vector<Measurement> Profile(const std::vector<const Artifact*>& artifacts) const {
    const Context context{SystemClock(), *progress_, cancelled_};
    const MeasureOptions options{.min_samples = 6, .max_samples = 8, .min_sample_ns = 100'000};
    return device_->Profile(artifacts, options, 0, context);
  }
};

TEST_P(DeviceContract, DescribesItselfTheSameEachTime) {
  const DeviceInfo info = device_->Describe();
  EXPECT_EQ(info.name, GetParam().device);
  EXPECT_FALSE(info.fingerprint.empty());
  EXPECT_FALSE(info.json.empty());
  EXPECT_EQ(MakeDevice(GetParam().device, 1)->Describe().fingerprint, info.fingerprint);
}

TEST_P(DeviceContract, ReproducesGoldenPairs) {
  for (const Precision precision : toolchain_->precisions()) {
    const Artifact artifact = Compile(precision);
    const auto session = device_->Load(artifact);
    EXPECT_LE(GoldenDifference(artifact, *session), 1e-6) << PrecisionName(precision);
    EXPECT_EQ(session->LayerPrecisions(), artifact.layer_precisions) << PrecisionName(precision);
  }
}

TEST_P(DeviceContract, ADifferentNetworkFailsTheGoldenCheck) {
  const Artifact artifact = Compile(First());
  Network other = SmallMobileNet();
  for (float& value : other.weights.at("boxes.weight").data) value *= 1.1f;
  const Quantization quantization = SyntheticQuantization(other);
  Artifact swapped = toolchain_->Compile({.network = other, .precision = First(), .quantization = &quantization});
  swapped.golden = artifact.golden;
  EXPECT_GT(GoldenDifference(swapped, *device_->Load(swapped)), 0.01);
}

TEST_P(DeviceContract, RefusesWrongInputs) {
  const auto session = device_->Load(Compile(First()));
  const std::vector<Tensor> wrong_size = {Tensor({1, 3, 8, 8})};
  EXPECT_THROW(session->Run({}), Error);
  EXPECT_THROW(session->Run(wrong_size), Error);
}

TEST_P(DeviceContract, RefusesTamperedAndForeignArtifacts) {
  Artifact artifact = Compile(First());
  EXPECT_EQ(LoadCode(artifact), Code::kOk);
  Artifact tampered = artifact;
  tampered.blob[tampered.blob.size() / 2] ^= 1;
  EXPECT_EQ(LoadCode(tampered), Code::kDataLoss);
  tampered.blob = "not a model";
  tampered.blob_sha256 = Sha256Hex(tampered.blob);
  EXPECT_EQ(LoadCode(tampered), Code::kDataLoss);
  tampered.blob = artifact.blob.substr(0, artifact.blob.size() / 2);
  tampered.blob_sha256 = Sha256Hex(tampered.blob);
  EXPECT_EQ(LoadCode(tampered), Code::kDataLoss);
  Artifact old = artifact;
  old.toolchain_version = "2001.1";
  try {
    device_->Load(old);
    ADD_FAILURE() << "an artifact of another version of the toolchain was loaded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kFailedPrecondition);
    EXPECT_THAT(error.what(),
                ::testing::AllOf(::testing::HasSubstr("2001.1"), ::testing::HasSubstr(artifact.toolchain_version)));
  }
  artifact.toolchain = "abacus";
  EXPECT_EQ(LoadCode(artifact), Code::kFailedPrecondition);
}

TEST_P(DeviceContract, MeasuresArtifactsInTheOrderGiven) {
  const Artifact first = Compile(First()), last = Compile(Last());
  const auto rows = Profile({&first, &last, &first});
  ASSERT_EQ(rows.size(), 3u);
  for (const Measurement& row : rows) {
    EXPECT_EQ(row.samples_ns.size(), row.canary_ns.size());
    EXPECT_GT(row.median_ns, 0);
    EXPECT_LE(row.low_ns, row.median_ns);
    EXPECT_GE(row.high_ns, row.median_ns);
  }
}

// What is measured has samples and a canary; what is estimated has neither, and says who estimated it.
TEST_P(DeviceContract, RowsAreOfTheKindThatItDescribes) {
  const DeviceInfo info = device_->Describe();
  const Artifact artifact = Compile(First());
  const Measurement row = Profile({&artifact}).at(0);
  EXPECT_EQ(artifact.estimate.has_value(), info.estimates());
  if (!info.estimates()) {
    EXPECT_EQ(info.latency_is(), "measured");
    EXPECT_GE(row.samples_ns.size(), 6u);
    EXPECT_GT(row.canary_median_ns, 0);
    return;
  }
  EXPECT_EQ(info.latency_is(), "estimate (" + info.estimator + ")");
  EXPECT_NE(info.accuracy_from, "device");
  EXPECT_TRUE(row.samples_ns.empty());
  EXPECT_EQ(row.median_ns, artifact.estimate->latency_ns);
  double layers_ns = 0;
  for (const auto& [layer, ns] : artifact.estimate->layers_ns) layers_ns += ns;
  EXPECT_NEAR(layers_ns, row.median_ns, 1) << "look-up tables are made of them (docs/adr/0016)";
  EXPECT_EQ(row.low_ns, row.high_ns);
  EXPECT_EQ(row.canary_median_ns, 0);
  EXPECT_TRUE(row.steady);
}

// What an application does around an inference and without one, where the device is this program's own processor.
TEST_P(DeviceContract, MeasuresWorkOrSaysThatItDoesNot) {
  const Artifact artifact = Compile(First());
  int inferences = 0, others = 0;
  const std::vector<Work> work{{.artifact = &artifact,
                                .run =
                                    [&](Session* session) {
                                      const auto& shape = artifact.input_shapes.at(0);
                                      const std::vector<Tensor> inputs{Tensor(shape)};
                                      inferences += session->Run(inputs).empty() ? 0 : 1;
                                    }},
                               {.run = [&](Session* session) { others += session == nullptr ? 1 : 0; }}};
  const Context context{SystemClock(), *progress_, cancelled_};
  const MeasureOptions options{.min_samples = 6, .max_samples = 8, .min_sample_ns = 100'000};
  if (!device_->runs_work()) {
    EXPECT_THROW(device_->ProfileWork(work, options, 0, context), Error);
    return;
  }
  const auto rows = device_->ProfileWork(work, options, 0, context);
  ASSERT_EQ(rows.size(), 2u);
  for (const Measurement& row : rows) EXPECT_GE(row.samples_ns.size(), 6u);
  EXPECT_GE(inferences, 6);
  EXPECT_GE(others, 6);
}

TEST_P(DeviceContract, EveryLoadComputesTheSame) {
  const Context context{SystemClock(), *progress_, cancelled_};
  for (const Precision precision : {First(), Last()}) {
    const Artifact artifact = Compile(precision);
    const MeasureOptions options{.min_samples = 18, .max_samples = 18, .min_sample_ns = 100'000, .loads = 3};
    const Artifact* const artifacts[] = {&artifact};
    const auto rows = device_->Profile(artifacts, options, 0, context);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_TRUE(device_->Describe().estimates() || rows[0].samples_ns.size() >= 18);
    if (!device_->runs_work()) continue;
    std::set<const Session*> sessions;
    const std::vector<Work> work{{.artifact = &artifact, .run = [&](Session* session) {
                                    if (!sessions.insert(session).second) return;
                                    EXPECT_LE(GoldenDifference(artifact, *session), 1e-6) << PrecisionName(precision);
                                  }}};
    device_->ProfileWork(work, options, 0, context);
    EXPECT_GE(sessions.size(), 2u);
  }
}

TEST_P(DeviceContract, RefusesNoneOrTooMany) {
  const Artifact artifact = Compile(First());
  for (const size_t count : {size_t{0}, size_t{65}}) {
    try {
      Profile(std::vector<const Artifact*>(count, &artifact));
      ADD_FAILURE() << count;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument);
    }
  }
}

TEST_P(DeviceContract, CancelStopsAMeasurement) {
  const Artifact artifact = Compile(First());
  cancelled_ = true;
  try {
    Profile({&artifact});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kCancelled);
  }
}

INSTANTIATE_TEST_SUITE_P(All, DeviceContract, ::testing::ValuesIn(Pairings()), PairingName);

TEST(MakeDevice, RefusesUnknownNamesAndNoThreads) {
  EXPECT_THROW(MakeDevice("toaster", 1), Error);
  EXPECT_THROW(MakeDevice("host", 0), Error);
}

}  // namespace
}  // namespace hot
