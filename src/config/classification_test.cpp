#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/study.h"
#include "core/error.h"

namespace hot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ClassificationStudy : public testing::Test {
 protected:
  Study Read(const std::string& task, std::vector<std::string> overrides = {}) {
    const fs::path file = folder_.path() / "study.yaml";
    WriteFileAtomic(file, "name: a\nmodel: {task: " + task + "}\n");
    overrides.push_back("data.root=" + folder_.path().string());
    return ReadStudy(file, overrides);
  }

  TempFolder folder_;
};

TEST_F(ClassificationStudy, HasDefaultsOfItsOwn) {
  const Study study = Read("classify");
  EXPECT_THAT(study.model.input, ElementsAre(224, 224));
  EXPECT_EQ(study.data.format, "folders");
  EXPECT_EQ(study.data.test_format, "folders");
  EXPECT_EQ(Read("classify", {"data.test_format=folders"}).data.test_format, "folders");
  EXPECT_EQ(study.train.metric, "top1");
  EXPECT_EQ(study.train.zoom_out, 1);
  EXPECT_EQ(Read("classify", {"train.zoom_out=2"}).train.zoom_out, 2);
  EXPECT_EQ(Read("ssd").train.zoom_out, 4);
  EXPECT_EQ(Read("cpn").data.format, "coco");
}

TEST_F(ClassificationStudy, RefusesWhatDoesNotFit) {
  for (const auto& [task, override, line] :
       {std::tuple{"classify", "train.metric=ap50", "train.metric: \"ap50\" is not for model.task classify (top1)"},
        {"classify", "data.format=coco", "data.format: \"coco\" is not for model.task classify (folders)"},
        {"ssd", "data.format=folders", "data.format: \"folders\" is not for model.task ssd (one of voc, coco)"},
        {"classify", "data.test_format=voc", "data.test_format: \"voc\" is not for model.task classify (folders)"},
        {"ssd", "data.test_format=folders",
         "data.test_format: \"folders\" is not for model.task ssd (one of voc, coco)"},
        {"ssd", "train.metric=top1",
         "train.metric: \"top1\" is not for model.task ssd (one of coco_ap, ap50, voc07)"}}) {
    try {
      Read(task, {override});
      ADD_FAILURE() << task << " " << override;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument);
      EXPECT_THAT(error.what(), HasSubstr("--set " + std::string(line)));
    }
  }
}

}  // namespace
}  // namespace hot
