// Whole trainings on pictures and annotations that are allowed but odd: from the files to a score.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <iterator>

#include "data/test_data.h"
#include "graph/safetensors.h"
#include "models/backbone.h"
#include "train/torch_pch.h"
#include "train/trainer.h"

namespace hot {
namespace {

using testing::HasSubstr;

// Each stands in a picture of its own kind, below.
constexpr const char* kObjects[] = {
    R"("bbox": [1, 1, 5, 5], "keypoints": [2, 2, 2, 5, 2, 1])",                // as usual
    nullptr,                                                                   // no object at all
    R"("bbox": [3, 2, 1, 1], "keypoints": [3.5, 2.5, 2, 3.5, 2.5, 2])",        // one pixel
    R"("bbox": [1, 1, 5, 5], "keypoints": [0, 0, 0, 0, 0, 0])",                // nobody labelled its keypoints
    R"("bbox": [0, 0, 3, 3], "iscrowd": 1, "keypoints": [1, 1, 2, 0, 0, 0])",  // a crowd
    R"("bbox": [-4, -4, 90, 90], "keypoints": [-3, -3, 2, 80, 80, 1])",        // beyond the picture
    R"("bbox": [1, 0, 2, 2], "area": 0, "keypoints": [1, 0, 2, 3, 2, 2])",     // without area
};
// 9 x 7 pixels, exif6 7 x 9 as it is turned, 16bit 5 x 3.
constexpr const char* kPictures[] = {"rgb.jpg",     "cmyk.jpg",  "gray.jpg", "alpha.png",
                                     "palette.png", "exif6.jpg", "16bit.png"};
static_assert(std::size(kObjects) == std::size(kPictures));

class OddData : public testing::Test {
 protected:
  // Object i in picture (i + shift) modulo their number.
  void WriteSplit(size_t shift) const {
    std::string images, annotations;
    for (size_t i = 0; i < std::size(kPictures); ++i) {
      const std::string name = kPictures[i], id = std::to_string(i + 1);
      fs::create_directories(folder_.path() / "images");
      fs::copy_file(fs::path(HOT_SOURCE_DIR) / "fuzz/corpus/picture" / name, folder_.path() / "images" / name,
                    fs::copy_options::overwrite_existing);
      images += (i == 0 ? "" : ", ") + std::string(R"({"id": )") + id + R"(, "file_name": ")" + name + "\"}";
      const char* object = kObjects[(i + shift) % std::size(kObjects)];
      if (object == nullptr) continue;
      annotations += (annotations.empty() ? "" : ", ") + std::string(R"({"category_id": 1, "id": )") + id +
                     R"(, "image_id": )" + id + ", " + object + "}";
    }
    WriteText(folder_.path() / "annotations/all.json",
              R"({"images": [)" + images + R"(], "annotations": [)" + annotations +
                  R"(], "categories": [{"id": 1, "name": "person", "keypoints": ["left", "right"]}]})");
  }

  TrialSpec Spec(const std::string& task) const {
    TrialSpec spec{.id = "odd", .width = 0.35};
    const Backbone& net = FindBackbone(spec.backbone);
    for (const Choice& choice : BaselineChoices(net, spec.width, Precision::kInt8)) spec.slots.push_back(choice.Name());
    spec.train = {.format = DataFormat::kCoco, .root = folder_.path(), .split = "all", .classes = {"person"}};
    spec.val = spec.train;
    spec.task.task = task;
    spec.task.classes = {"person"};
    spec.task.keypoints = {"left", "right"};
    spec.task.mirror_pairs = {{0, 1}};
    spec.task.pyramid_channels = 16;
    spec.task.input = {3, 32, 32};
    spec.augment.vertical_flip = spec.augment.transpose = 0.5;
    spec.epochs = 3;
    spec.batch = 2;
    if (task == "cpn") spec.score = {.metric = Metric::kPck, .predicted = Predicted::kKeypoints};
    return spec;
  }

  TrialResult Train(const TrialSpec& spec) const {
    const fs::path trial = folder_.path() / "trial";
    fs::remove_all(trial);
    EnsureFolder(trial);
    const TrialResult result = RunTrial(trial, spec, never_);
    for (const auto& [name, tensor] : ReadSafetensors(trial / "weights.safetensors")) {
      EXPECT_TRUE(std::ranges::all_of(tensor.data, [](float x) { return std::isfinite(x); })) << name;
    }
    return result;
  }

  const TempFolder folder_;
  const std::atomic<bool> never_{false};
};

TEST_F(OddData, IsTrainedOnAndScored) {
  for (const char* task : {"ssd", "cpn"}) {
    for (size_t shift = 0; shift < std::size(kObjects); shift += 2) {
      SCOPED_TRACE(task + std::string(" ") + std::to_string(shift));
      WriteSplit(shift);
      const TrialResult result = Train(Spec(task));
      EXPECT_EQ(result.epochs, 3);
      EXPECT_TRUE(std::isfinite(result.train_loss));
      EXPECT_GE(result.val_score, 0);
      EXPECT_LE(result.val_score, 1);
    }
  }
}

TEST_F(OddData, NobodyToLearnFromIsOneLine) {
  WriteSplit(0);
  const fs::path file = folder_.path() / "annotations/all.json";
  std::string text = ReadFile(file);
  const size_t begin = text.find("\"annotations\": ["), end = text.find("], \"categories\"");
  text.replace(begin, end - begin, "\"annotations\": [");
  WriteFileAtomic(file, text);
  EXPECT_THAT(ThrownBy([&] { Train(Spec("cpn")); }).what(), HasSubstr("no object of these pictures has a labelled"));
}

}  // namespace
}  // namespace hot
