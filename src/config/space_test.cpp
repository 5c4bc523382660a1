// model.space: what of it is understood, and what is said of the rest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/study.h"
#include "core/error.h"

namespace hot {
namespace {

using testing::ElementsAre;

class SpaceTest : public testing::Test {
 protected:
  SpaceTest() : before_(fs::current_path()) { fs::current_path(folder_.path()); }
  ~SpaceTest() override { fs::current_path(before_); }

  // `model` is what stands below "model:", in lines.
  Study Read(const std::string& model, const std::vector<std::string>& overrides = {}) {
    WriteFileAtomic("study.yaml", "name: a\ndata: {root: .}\nmodel:\n" + model);
    return ReadStudy("study.yaml", overrides);
  }

  std::string Failure(const std::string& model, const std::vector<std::string>& overrides = {}) {
    try {
      Read(model, overrides);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument) << error.what();
      return error.what();
    }
    return "no error";
  }

 private:
  TempFolder folder_;
  fs::path before_;
};

TEST_F(SpaceTest, ReadsNamesAndCombinations) {
  const Study study = Read(R"(  slots: block
  space:
    default: {block: [irb, fused], kernel: [3, 5], expansion: 6}
    slot1: irb-k3-e1
    slot17:
      - sandglass-k7-e2
      - {block: irb, kernel: 3, expansion: [3, 4]}
)");
  const auto& slots = study.model.space.slots;
  ASSERT_EQ(slots.size(), 3u);
  EXPECT_EQ(slots[0].name, "default");
  EXPECT_THAT(slots[0].choices, ElementsAre("irb-k3-e6", "irb-k5-e6", "fused-k3-e6", "fused-k5-e6"));
  EXPECT_THAT(slots[1].choices, ElementsAre("irb-k3-e1"));
  EXPECT_EQ(slots[2].name, "slot17");
  EXPECT_THAT(slots[2].choices, ElementsAre("sandglass-k7-e2", "irb-k3-e3", "irb-k3-e4"));
}

TEST_F(SpaceTest, CanonicalJsonIsAStudyFileOfTheSameStudy) {
  const Study study = Read("  space: {slot2: {block: basic, kernel: 3, expansion: [1, 2]}}\n");
  const std::string json = StudySectionJson(study, "model");
  EXPECT_NE(json.find(R"("space":{"slot2":["basic-k3-e1","basic-k3-e2"]})"), std::string::npos) << json;
  WriteFileAtomic("study.json", StudyJson(study));
  EXPECT_EQ(StudyJson(ReadStudy("study.json", {})), StudyJson(study));
}

TEST_F(SpaceTest, OverridesReplaceAllOfIt) {
  const std::string yaml = "  space: {slot2: irb-k3-e3}\n";
  EXPECT_TRUE(Read(yaml, {"model.space="}).model.space.slots.empty());
  const Study study = Read(yaml, {"model.space={slot3: [irb-k3-e4], default: fused-k3-e2}"});
  ASSERT_EQ(study.model.space.slots.size(), 2u);
  EXPECT_EQ(study.model.space.slots[0].name, "slot3");
  EXPECT_THAT(study.model.space.slots[1].choices, ElementsAre("fused-k3-e2"));
}

struct BadSpace {
  const char* model;
  const char* line;
};

const BadSpace kBadSpaces[] = {
    {"  space: irb-k3-e6\n", "4:10: model.space: expected slots with choices below them, such as slot2: [irb-k3-e6]"},
    {"  space: {slot2: []}\n", "4:18: model.space: slot2 has no choice"},
    {"  space: {slot2: [[irb-k3-e6]]}\n",
     "4:19: model.space: expected a choice such as irb-k3-e6, or {block, kernel, expansion}"},
    {"  space: {slot2: irb}\n", "4:18: model.space: expected a choice such as irb-k3-e6, got \"irb\""},
    {"  space:\n    slot2:\n      - irp-k3-e6\n", "6:9: model.space: unknown block \"irp\" (did you mean irb?)"},
    {"  space: {slot2: [resnext-k3-e6]}\n",
     "4:19: model.space: unknown block \"resnext\" (known: irb, fused, sandglass, basic, bottleneck)"},
    {"  space: {slot2: [irb-k3-e6, irb-k4-e6]}\n",
     "4:30: model.space: expected a kernel of 3, 5, 7, 9 or 11, got \"4\""},
    {"  space: {slot2: [irb-k3-e99]}\n", "4:19: model.space: expected an expansion from 1 to 32, got \"99\""},
    {"  space: {slot2: [irb-k3-e6@int8]}\n",
     "4:19: model.space: \"irb-k3-e6@int8\" names a precision (target.precision is for all choices)"},
    {"  space: {slot2: [irb-k3-e6, irb-k3-e6]}\n", "4:30: model.space: irb-k3-e6 is listed twice"},
    {"  space: {slto2: [irb-k3-e6]}\n", "4:11: model.space: unknown slot \"slto2\" (did you mean slot2?)"},
    {"  space: {everything: [irb-k3-e6]}\n",
     "4:11: model.space: unknown slot \"everything\" (known: default, slot1, slot2 and so on)"},
    {"  space: {slot2: irb-k3-e6, slot2: irb-k3-e3}\n", "4:29: model.space: slot2 is given twice"},
    {"  space:\n    slot1: irb-k3-e1\n    slot8: irb-k3-e6\n",
     "6:5: model.space.slot8: mobilenet_v2 has no slot8 (its slots: slot1 to slot7 (model.slots: stage))"},
    {"  backbone: resnet18\n  slots: block\n  space: {slot9: basic-k3-e1}\n",
     "6:11: model.space.slot9: resnet18 has no slot9 (its slots: slot1 to slot8 (model.slots: block))"},
    {"  space: {slot2: {block: irb, kernel: 3}}\n", "4:18: model.space: a combination needs expansion"},
    {"  space: {slot2: {block: irb, kernels: 3, expansion: 1}}\n",
     "4:31: model.space: a combination has no \"kernels\" (did you mean kernel?)"},
    {"  space: {slot2: {block: irb, kernel: three, expansion: 1}}\n",
     "4:39: model.space: expected a kernel of 3, 5, 7, 9 or 11, got \"three\""},
    {"  space: {slot2: {block: irb, kernel: [], expansion: 1}}\n",
     "4:39: model.space: expected a list of values for kernel"},
    {"  slots: layer\n", "4:10: model.slots: expected one of stage, block, got \"layer\""},
};

TEST_F(SpaceTest, EveryFaultIsOneLineWithItsPlace) {
  for (const BadSpace& bad : kBadSpaces) EXPECT_EQ(Failure(bad.model), std::string("study.yaml:") + bad.line);
  EXPECT_EQ(Failure("", {"model.space={slot9: irb-k3-e6}"}),
            "--set model.space: mobilenet_v2 has no slot9 (its slots: slot1 to slot7 (model.slots: stage))");
  EXPECT_EQ(Failure("", {"model.space={slot2: irb-k2-e6}"}),
            "--set model.space: expected a kernel of 3, 5, 7, 9 or 11, got \"2\"");
  EXPECT_EQ(Failure("", {"model.space={slot2"}),
            "--set model.space: expected slots such as {slot2: [irb-k3-e6]}, got \"{slot2\"");
  EXPECT_EQ(Failure("  backbone: resnet18\n", {"train.freeze=slot5"}),
            "--set train.freeze: resnet18 has no slot5 (its slots: slot1 to slot4 (model.slots: stage))");
}

}  // namespace
}  // namespace hot
