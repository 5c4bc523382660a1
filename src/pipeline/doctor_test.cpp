// What `hot doctor` finds on a machine without Python packages, and about a study that can't work here.
#include "pipeline/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace hot {
namespace {

using testing::HasSubstr;

class DoctorTest : public testing::Test {
 protected:
  DoctorTest() { ::setenv("HOT_PYTHON", "/nowhere/python3", 1); }
  ~DoctorTest() override { ::unsetenv("HOT_PYTHON"); }

  static const Finding& Find(const std::vector<Finding>& found, const std::string& name) {
    const auto one = std::ranges::find(found, name, &Finding::name);
    if (one == found.end()) throw std::out_of_range("no finding " + name);
    return *one;
  }

  // What ReadStudy would give.
  static Study AStudy(const fs::path& folder) {
    Study study;
    study.name = "tiny";
    study.run.journal = (folder / "journal.sqlite").string();
    return study;
  }

  std::unique_ptr<Progress> progress_ = MakeSilentProgress();
  TempFolder folder_;
};

TEST_F(DoctorTest, SaysOfEverythingThatIsNotFineWhatFixesIt) {
  const std::vector<Finding> found = ExamineMachine(folder_.path(), *progress_);
  for (const Finding& one : found) {
    SCOPED_TRACE(one.name);
    EXPECT_FALSE(one.detail.empty());
    EXPECT_EQ(one.fix.empty(), one.health == Health::kOk) << one.detail;
  }
  EXPECT_EQ(Find(found, "toolchain openvino").health, Health::kOk);
  EXPECT_THAT(Find(found, "toolchain openvino").detail, HasSubstr("int8"));
  for (const char* name : {"Python worker", "toolchain tvm", "toolchain vela", "Optuna", "Ray"}) {
    EXPECT_EQ(Find(found, name).health, Health::kAbsent) << name;
    EXPECT_THAT(Find(found, name).fix, HasSubstr("scripts/setup")) << name;
  }
  EXPECT_THAT(Find(found, "disk").detail, HasSubstr("GiB free in"));
}

TEST_F(DoctorTest, AFolderThatIsNotThere) {
  const Finding disk = Find(ExamineMachine(folder_.path() / "none", *progress_), "disk");
  EXPECT_EQ(disk.health, Health::kWarning);
}

TEST_F(DoctorTest, WhatAStudyNeeds) {
  const std::vector<Finding> found = ExamineStudy(AStudy(folder_.path()));
  EXPECT_THAT(Find(found, "run.journal").detail, HasSubstr("will be made"));
  EXPECT_FALSE(fs::exists(folder_.path() / "journal.sqlite"));  // looks only
  EXPECT_EQ(Find(found, "target.device").health, Health::kOk);
  EXPECT_EQ(Find(found, "train.hpo.method").health, Health::kOk);
}

TEST_F(DoctorTest, WhatAStudyNeedsAndIsNotHere) {
  Study study = AStudy(folder_.path());
  study.target.precision = {"int16x8"};
  EXPECT_THAT(Find(ExamineStudy(study), "target.device").detail, HasSubstr("openvino can't execute int16x8"));
  study.target.toolchain = "tvm";
  EXPECT_EQ(Find(ExamineStudy(study), "target.device").health, Health::kFault);
  study.train.hpo.method = "bayes";
  EXPECT_EQ(Find(ExamineStudy(study), "train.hpo.method").health, Health::kFault);
  WriteFileAtomic(study.run.journal, "no journal");
  EXPECT_EQ(Find(ExamineStudy(study), "run.journal").health, Health::kFault);
}

}  // namespace
}  // namespace hot
