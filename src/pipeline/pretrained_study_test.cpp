#include "pipeline/pretrained_study.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/fold.h"

namespace hot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Backbone& Net() { return FindBackbone("mobilenet_v2"); }

Pretrained KerasLike() {
  Pretrained pretrained{.file = "w", .naming = "keras"};
  pretrained.convention = {
      .mean = {0.1, 0.2, 0.3}, .stddev = {0.5, 0.5, 1}, .style = {.padding = Padding::kSame, .bn_eps = 1e-3}};
  return pretrained;
}

TEST(ResolveConvention, OpenKeysFollowTheWeights) {
  Study study;
  EXPECT_THAT(ResolveConvention(study, KerasLike()), IsEmpty());
  EXPECT_EQ(study.model.padding, "same");
  EXPECT_EQ(StudyConvention(study), KerasLike().convention);
  EXPECT_THAT(ResolveConvention(study, KerasLike()), IsEmpty());  // resolved is resolved
}

TEST(ResolveConvention, WithoutWeightsItIsTheDefault) {
  Study study;
  study.model.mean = {0, 0, 0};
  EXPECT_THAT(ResolveConvention(study, std::nullopt), IsEmpty());
  Convention expected;
  expected.mean = {0, 0, 0};
  EXPECT_EQ(StudyConvention(study), expected);
}

TEST(ResolveConvention, OtherValuesOfTheStudyStayWithAWarning) {
  Study study;
  study.model.padding = "symmetric";
  study.model.bn_eps = 1e-5;
  study.model.stddev = {0.5, 0.5, 0.5};
  EXPECT_THAT(
      ResolveConvention(study, KerasLike()),
      ElementsAre(HasSubstr("model.padding: the weights of model.pretrained were made with same; with symmetric"),
                  HasSubstr("model.bn_eps: the weights of model.pretrained were made with 0.001; with 1e-05"),
                  HasSubstr("model.stddev: the weights of model.pretrained were made with 0.5, 0.5, 1")));
  EXPECT_EQ(StudyConvention(study).style.padding, Padding::kSymmetric);
}

TEST(ResolveConvention, AGuessIsSaid) {
  Pretrained pretrained = KerasLike();
  pretrained.convention = {};
  pretrained.states_convention = false;
  Study study;
  EXPECT_THAT(ResolveConvention(study, pretrained), ElementsAre(HasSubstr("w does not say what its weights expect")));
  study.model.padding = "same";
  EXPECT_THAT(ResolveConvention(study, pretrained), IsEmpty());  // everything is set by now
}

TEST(CheckInheritance, EveryWidthTakesSomethingOrIsNamed) {
  TaskOptions options;
  options.input = {3, 64, 64};
  options.classes = {"a"};
  const auto task = MakeTask(options);
  Pretrained pretrained = KerasLike();
  const Graph graph = BuildNetwork(Net(), 0.35, BaselineChoices(Net(), 0.35, Precision::kFp32), *task);
  pretrained.weights = RandomWeights(graph, 1);
  Study study;
  study.model.width = {0.35};
  EXPECT_THAT(CheckInheritance(pretrained, study, Net(), *task), ElementsAre(HasSubstr("tensors taken")));
  study.model.width = {0.35, 1.0};
  try {
    CheckInheritance(pretrained, study, Net(), *task);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_THAT(error.what(), HasSubstr("model.width 1: w: none of its tensors fits this network"));
  }
}

}  // namespace
}  // namespace hot
