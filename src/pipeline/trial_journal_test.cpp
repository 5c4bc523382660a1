#include "pipeline/trial_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace hot {
namespace {

class TrialJournalTest : public testing::Test {
 protected:
  JournalStep StepNumber(size_t number, double lr) const {
    return {.step = {.number = number, .trial = number, .rung = 1, .seen = 2, .closing = true},
            .trial = "t" + std::to_string(number),
            .network = "n",
            .point = {{"lr", lr}, {"optimizer", "sgd"}},
            .epochs = 3,
            .elapsed_s = 1.5};
  }

  TempFolder folder_;
  std::unique_ptr<Store> store_ = OpenStore(folder_.path() / "journal.sqlite");
  TrialJournal journal_{*store_, "study", SystemClock()};
};

TEST_F(TrialJournalTest, StepsComeBackInOrderWithoutGaps) {
  for (const size_t number : {0, 1, 3}) journal_.AddStep("search", StepNumber(number, 0.1));
  journal_.AddStep("search", StepNumber(1, 0.2));  // written again: the newer one counts
  journal_.AddStep("other", StepNumber(2, 0.3));
  const auto steps = journal_.Steps("search");
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[1].point, (HyperPoint{{"lr", 0.2}, {"optimizer", "sgd"}}));
  EXPECT_EQ(steps[1].trial, "t1");
  EXPECT_EQ(steps[1].network, "n");
  EXPECT_EQ(steps[1].step.number, 1u);
  EXPECT_EQ(steps[1].step.rung, 1u);
  EXPECT_EQ(steps[1].step.seen, 2u);
  EXPECT_TRUE(steps[1].step.closing);
  EXPECT_EQ(steps[1].epochs, 3);
  EXPECT_EQ(steps[1].elapsed_s, 1.5);
}

TEST_F(TrialJournalTest, ResultsAreFoundByTrialAndBySearch) {
  EXPECT_FALSE(journal_.FindResult("k").has_value());
  journal_.AddResult("k", "search", {.trial = "t", .epochs = 3, .state = "paused", .result = {.val_score = 0.5}});
  journal_.AddResult("d", "search", {.trial = "u", .epochs = 3, .state = "diverged", .error = "not finite"});
  EXPECT_EQ(journal_.FindResult("k")->result.val_score, 0.5);
  EXPECT_EQ(journal_.FindResult("d")->error, "not finite");
  EXPECT_EQ(journal_.Results("search").size(), 2u);
  EXPECT_TRUE(journal_.Results("other").empty());
}

TEST_F(TrialJournalTest, ASearchIsWrittenOnce) {
  const JournalSearch search{.key = "k",
                             .method = "bayes",
                             .metric = "ap50",
                             .space = {{.name = "lr", .low = 1e-4, .high = 1e-2, .log = true}},
                             .networks = {"base", "a"},
                             .rungs = {3, 9}};
  journal_.AddSearch(search);
  journal_.AddSearch(search);
  const auto searches = journal_.Searches();
  ASSERT_EQ(searches.size(), 1u);
  EXPECT_EQ(searches[0].networks, search.networks);
  EXPECT_EQ(searches[0].rungs, search.rungs);
  EXPECT_TRUE(searches[0].space[0].log);
}

// Rows of the same kinds that this version can't read: left alone.
TEST_F(TrialJournalTest, OtherVersionsAreLeftAlone) {
  for (const char* body : {R"({"version": 2})", R"({"val_score": 0.5})", "no JSON"}) {
    for (const char* kind : {"search", "step", "trial"}) {
      store_->AddRecord({.kind = kind, .key = "k", .study = "study", .body = body});
    }
  }
  EXPECT_TRUE(journal_.Steps("k").empty());
  EXPECT_TRUE(journal_.Searches().empty());
  EXPECT_FALSE(journal_.FindResult("k").has_value());
}

// As nobody writes them, but as somebody's journal may have them.
TEST_F(TrialJournalTest, BrokenRecordsAreNamed) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  const auto step = [](const std::string& epochs) {
    return R"({"version":1,"step":0,"trial":"t","number":0,"network":"n","point":{},"rung":0,"epochs":)" + epochs +
           R"(,"seen":0,"closing":false,"elapsed_s":1})";
  };
  const auto refusal = [&](const std::string& key, const std::string& body) {
    store_->AddRecord({.kind = "step", .key = key, .study = "study", .body = body});
    try {
      journal_.Steps(key);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kDataLoss);
      return std::string(error.what());
    }
    return std::string("was read");
  };
  EXPECT_EQ(refusal("good", step("3")), "was read");
  EXPECT_THAT(refusal("deep", R"({"version":)" + deep + "}"), testing::HasSubstr("(step) is broken: nested too deep"));
  EXPECT_THAT(refusal("large", step("1e300")),
              testing::HasSubstr("(step) is broken: expected a whole number that fits"));
}

}  // namespace
}  // namespace hot
