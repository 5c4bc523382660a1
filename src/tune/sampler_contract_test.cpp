// What every Sampler must do. To add a sampler: one more row in kSamplers.
#include <gtest/gtest.h>

#include <set>

#include "core/error.h"
#include "tune/sampler.h"

namespace hot {
namespace {

const HyperSpace kLists{{.name = "gamma", .choices = {0.3, 0.5}}, {.name = "optimizer", .choices = {"adam", "sgd"}}};
const HyperSpace kRanges{{.name = "batch", .low = 4, .high = 9, .integer = true},
                         {.name = "lr", .low = 1e-4, .high = 1e-2, .log = true},
                         {.name = "optimizer", .choices = {"adam", "sgd"}}};

struct SamplerCase {
  const char* name;
  bool ranges;  // takes them
};

void PrintTo(const SamplerCase& sampler, std::ostream* out) { *out << sampler.name; }

const SamplerCase kSamplers[] = {{"grid", false}, {"random", true}, {"tpe", true}, {"botorch", true}};

class SamplerContract : public testing::TestWithParam<SamplerCase> {
 protected:
  void SetUp() override {
    try {
      sampler_ = MakeSampler(GetParam().name);
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      GTEST_SKIP() << "skipped: " << error.what();
    }
  }

  static double Value(const HyperPoint& point) {
    return std::get<std::string>(point.at("optimizer")) == "adam" ? 1.0 : 0.0;
  }

  // `count` points, one after the other; each is finished when the next one is asked for, the last one still runs.
  std::vector<HyperPoint> Search(const HyperSpace& space, size_t count, uint64_t seed) {
    SampleRequest request{.space = space};
    for (size_t i = 0; i < count; ++i) {
      request.seed = MixSeed(seed, i);
      const HyperPoint point = sampler_->Suggest(request);
      for (const HyperPoint& done : request.running) request.finished.push_back({done, Value(done)});
      request.running = {point};
      request.tried.push_back(point);
    }
    return request.tried;
  }

  std::unique_ptr<Sampler> sampler_;
};

TEST_P(SamplerContract, SaysItsName) { EXPECT_EQ(sampler_->name(), GetParam().name); }

TEST_P(SamplerContract, NeverRepeatsAPointAndSaysWhenAllWereTried) {
  const auto points = Search(kLists, 4, 1);
  EXPECT_EQ(std::set<HyperPoint>(points.begin(), points.end()).size(), 4u);
  SampleRequest all{.space = kLists, .tried = points};
  try {
    sampler_->Suggest(all);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kOutOfRange);
  }
}

TEST_P(SamplerContract, PointsLieInTheSpace) {
  if (!GetParam().ranges) {
    try {
      Search(kRanges, 1, 1);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument);
    }
    return;
  }
  for (const HyperPoint& point : Search(kRanges, 16, 2)) {
    const double batch = std::get<double>(point.at("batch")), lr = std::get<double>(point.at("lr"));
    EXPECT_TRUE(batch >= 4 && batch <= 9 && batch == static_cast<int>(batch)) << batch;
    EXPECT_TRUE(lr >= 1e-4 && lr <= 1e-2) << lr;
    EXPECT_EQ(point.size(), 3u);
  }
}

// What makes a killed search go on as if nothing had happened: an answer depends on the request alone.
TEST_P(SamplerContract, TheSameRequestGetsTheSameAnswerFromAnyProcess) {
  const HyperSpace& space = GetParam().ranges ? kRanges : kLists;
  const size_t count = GetParam().ranges ? 14 : 4;
  const auto points = Search(space, count, 7);
  sampler_ = MakeSampler(GetParam().name);
  EXPECT_EQ(Search(space, count, 7), points);
  if (GetParam().ranges) {
    EXPECT_NE(Search(space, count, 8), points);
  }
}

INSTANTIATE_TEST_SUITE_P(Samplers, SamplerContract, testing::ValuesIn(kSamplers),
                         [](const auto& info) { return info.param.name; });

TEST(MakeSampler, UnknownNamesAreRefused) { EXPECT_THROW(MakeSampler("annealing"), Error); }

TEST(PooledObservations, AreStandardizedANetworkAtOneRung) {
  const HyperPoint a{{"lr", 1.0}}, b{{"lr", 2.0}};
  // Network 1 is better throughout, yet its worse point counts for less than network 0's better one.
  const std::vector<RungScores> trials{{0, a, {0.1}}, {0, b, {0.3}}, {1, a, {0.6}}, {1, b, {0.8}}, {0, a, {}}};
  const auto seen = PooledObservations(trials, 1);
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_NEAR(seen[0].value, -1, 1e-12);
  EXPECT_NEAR(seen[1].value, 1, 1e-12);
  EXPECT_NEAR(seen[2].value, -1, 1e-12);
  EXPECT_NEAR(seen[3].value, 1, 1e-12);
  EXPECT_EQ(PooledObservations(std::vector<RungScores>{{0, a, {0.4}}}, 1)[0].value, 0);
}

TEST(PooledObservations, AreTakenAtTheHighestRungThatEnoughTrialsHaveReached) {
  const HyperPoint p{{"lr", 1.0}};
  std::vector<RungScores> trials(6, {0, p, {0.1}});
  for (size_t i = 0; i < 4; ++i) trials[i].scores.push_back(0.1 * static_cast<double>(i));
  EXPECT_EQ(PooledObservations(trials, 1).size(), 4u);  // four have reached the second rung: enough for one dimension
  EXPECT_EQ(PooledObservations(trials, 2).size(), 6u);  // but not for two
}

}  // namespace
}  // namespace hot
