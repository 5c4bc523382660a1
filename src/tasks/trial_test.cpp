#include "tasks/trial.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"
#include "data/image.h"

namespace hot {
namespace {

TEST(Trial, RoundTripsThroughJson) {
  TempFolder folder;
  TrialSpec spec;
  spec.id = "abc";
  spec.slots = {"irb-k3-e1@int8"};
  spec.task.classes = {"a", "b"};
  spec.lr = 0.0007;
  spec.score = {
      .metric = Metric::kPck, .predicted = Predicted::kKeypoints, .oks = {.sigmas = {0.1, 0.25}}, .pck_threshold = 0.1};
  spec.augment.flip = 0.25;
  spec.schedule = "cosine";
  spec.ema = 0.998;
  spec.precision = "bf16";
  spec.freeze = "slot3";
  spec.freeze_epochs = 5;
  spec.patience = 4;
  spec.augment.vertical_flip = 0.5;
  spec.augment.transpose = 0.5;
  spec.task.keypoints = {"nose", "tail"};
  spec.task.pyramid_channels = 48;
  spec.task.flip_test = true;
  spec.quantized_sha256 = "12ab";
  spec.distill = {.slot = 3, .choices = {"irb-k3-e6@fp32", "fused-k5-e3@fp32"}};
  WriteFileAtomic(folder.path() / "trial.json", ToJson(spec));
  EXPECT_EQ(ToJson(ReadTrial(folder.path() / "trial.json")), ToJson(spec));
  const TrialResult result{.val_score = 0.5, .train_loss = 1.25, .epochs = 7, .seconds = 3.5, .cpu_seconds = 2.25};
  WriteFileAtomic(folder.path() / "result.json", ToJson(result));
  EXPECT_EQ(ToJson(ReadTrialResult(folder.path() / "result.json")), ToJson(result));
  EXPECT_EQ(ReadTrialResult(folder.path() / "result.json").cpu_seconds, 2.25);
}

TEST(Trial, ADistillationsResultIsOneOfATrialWithLosses) {
  TempFolder folder;
  const fs::path file = folder.path() / "result.json";
  const TrialResult result{.val_score = 0.5, .train_loss = 0.25, .epochs = 7, .seconds = 3.5};
  WriteFileAtomic(
      file, ToJson(result, {{.choice = "irb-k3-e6@fp32", .loss = 0.5}, {.choice = "irb-k5-e6@fp32", .loss = {}}}));
  EXPECT_EQ(ToJson(ReadTrialResult(file)), ToJson(result));
  const auto choices = ReadDistilledChoices(file);
  ASSERT_EQ(choices.size(), 2u);
  EXPECT_EQ(choices[0].choice, "irb-k3-e6@fp32");
  EXPECT_EQ(choices[0].loss, 0.5);
  EXPECT_EQ(choices[1].loss, std::nullopt);
  WriteFileAtomic(file, ToJson(result));
  EXPECT_THROW(ReadDistilledChoices(file), Error) << "of a training";
}

TEST(Trial, TheFirstResultsHadNoCpuTime) {
  TempFolder folder;
  const fs::path file = folder.path() / "result.json";
  WriteFileAtomic(file, R"({"version": 1, "val_score": 0.5, "train_loss": 1.25, "epochs": 7, "seconds": 3.5})");
  EXPECT_EQ(ReadTrialResult(file).seconds, 3.5);
  EXPECT_EQ(ReadTrialResult(file).cpu_seconds, std::nullopt);
}

// What the first version wrote, without the keys that came later.
TEST(Trial, OlderFilesHaveDefaultsForNewerKeys) {
  TempFolder folder;
  TrialSpec spec;
  spec.id = "old";
  spec.score.metric = Metric::kVoc07;
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(ToJson(spec));
  for (const char* key :
       {"schedule", "ema", "freeze", "freeze_epochs", "patience", "predicted", "oks_sigmas", "pck_threshold"})
    ASSERT_EQ(json.erase(key), 1u) << key;
  for (const char* key : {"crop", "vertical_flip", "transpose", "min_zoom", "max_zoom", "rotate_degrees"})
    ASSERT_EQ(json["augment"].erase(key), 1u) << key;
  for (const char* key : {"keypoints", "mirror_pairs", "pyramid_channels", "margin"})
    ASSERT_EQ(json["task"].erase(key), 1u) << key;
  WriteFileAtomic(folder.path() / "trial.json", json.dump());
  EXPECT_EQ(ToJson(ReadTrial(folder.path() / "trial.json")), ToJson(spec));
}

TEST(Trial, ResultsOfAPauseAndOfTheEnd) {
  TempFolder folder;
  EXPECT_FALSE(ResultOf(folder.path(), 3).has_value());
  WriteFileAtomic(TrialResultFile(folder.path(), 3), ToJson(TrialResult{.val_score = 0.25, .epochs = 3}));
  EXPECT_EQ(ResultOf(folder.path(), 3)->val_score, 0.25);
  EXPECT_FALSE(ResultOf(folder.path(), 9).has_value());
  EXPECT_FALSE(ResultOf(folder.path(), 0).has_value());
  WriteFileAtomic(folder.path() / "result.json", ToJson(TrialResult{.val_score = 0.5, .epochs = 5}));
  EXPECT_EQ(ResultOf(folder.path(), 9)->val_score, 0.5) << "it ended before that";
  EXPECT_EQ(ResultOf(folder.path(), 3)->val_score, 0.25);
  WriteFileAtomic(folder.path() / "result.json", "{");
  EXPECT_FALSE(ResultOf(folder.path(), 0).has_value());
}

TEST(Trial, BrokenFilesAreNamed) {
  TempFolder folder;
  for (const char* text : {"", "{", "{}", "{\"version\": 2}"}) {
    WriteFileAtomic(folder.path() / "trial.json", text);
    try {
      ReadTrial(folder.path() / "trial.json");
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("trial.json"), std::string::npos);
    }
  }
}

TEST(Trial, NumbersThatDoNotFitAreNamed) {
  TempFolder folder;
  const fs::path file = folder.path() / "trial.json";
  for (const char* number : {"2.5", "1e300", "1099511627776", "-1099511627776", "null", "\"3\"", "[3]"}) {
    nlohmann::ordered_json json = nlohmann::ordered_json::parse(ToJson(TrialSpec{}));
    json["epochs"] = nlohmann::ordered_json::parse(number);
    WriteFileAtomic(file, json.dump());
    try {
      ReadTrial(file);
      ADD_FAILURE() << number;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kDataLoss) << number;
      EXPECT_EQ(error.where(), file.string()) << number;
    }
  }
}

void WriteSample(const fs::path& root, const std::string& name) {
  EnsureFolder(root);
  WriteJpeg(root / (name + ".jpg"), Image{40, 30, std::vector<uint8_t>(40 * 30 * 3, 90)});
  WriteFileAtomic(root / (name + ".xml"),
                  "<annotation><filename>" + name + ".jpg</filename><size><width>40</width><height>30</height></size>" +
                      "<object><name>a</name><bndbox><xmin>3</xmin><ymin>4</ymin><xmax>20</xmax><ymax>25</ymax>" +
                      "</bndbox></object></annotation>");
}

std::vector<std::string> Names(const Dataset& dataset) {
  std::vector<std::string> names;
  for (const Sample& sample : dataset.samples) names.push_back(sample.name);
  std::sort(names.begin(), names.end());
  return names;
}

TEST(Trial, ValidationIsSplitFromTrainingUnlessGiven) {
  TempFolder folder;
  for (int i = 0; i < 20; ++i) WriteSample(folder.path() / "train", "p" + std::to_string(i));
  WriteSample(folder.path() / "other", "q");
  TrialSpec spec;
  spec.train = {DataFormat::kVoc, folder.path(), "train", {"a"}};
  spec.task.classes = {"a"};
  spec.seed = 5;
  const TrialData data = LoadTrialData(spec);
  EXPECT_EQ(data.train.samples.size(), 17u);
  EXPECT_EQ(data.val.samples.size(), 3u);
  for (const std::string& name : Names(data.val)) EXPECT_FALSE(std::ranges::count(Names(data.train), name)) << name;
  EXPECT_EQ(Names(LoadTrialData(spec).val), Names(data.val));
  spec.val = {DataFormat::kVoc, folder.path(), "other", {"a"}};
  EXPECT_EQ(LoadTrialData(spec).train.samples.size(), 20u);
  EXPECT_EQ(LoadTrialData(spec).val.samples.size(), 1u);
}

TEST(Trial, AnnotationKeyChangesWithAnythingThatIsLearntOrScored) {
  Object object{.box = {1, 2, 3, 4}, .label = 1};
  object.keypoints = {{.x = 5, .y = 6, .visibility = 2}};
  const Dataset one{.classes = {"a", "b"}, .samples = {{.name = "p", .width = 8, .height = 9, .objects = {object}}}};
  const TrialData data{.train = one, .val = one, .val_pictures = one};
  const std::string key = AnnotationKey(data);
  EXPECT_EQ(AnnotationKey(data), key);
  const std::pair<const char*, void (*)(Object&)> changes[] = {
      {"box", [](Object& o) { o.box.x1 = 3.5; }},
      {"label", [](Object& o) { o.label = 0; }},
      {"difficult", [](Object& o) { o.difficult = true; }},
      {"crowd", [](Object& o) { o.crowd = true; }},
      {"area", [](Object& o) { o.area = 3; }},
      {"keypoint", [](Object& o) { o.keypoints[0].x = 5.5; }},
      {"visibility", [](Object& o) { o.keypoints[0].visibility = 1; }}};
  for (const auto& [name, change] : changes) {
    for (Dataset TrialData::*part : {&TrialData::train, &TrialData::val_pictures}) {
      TrialData changed = data;
      change((changed.*part).samples[0].objects[0]);
      EXPECT_NE(AnnotationKey(changed), key) << name;
    }
  }
}

TEST(MakeTask, UnknownTaskNamesTheKnownOnes) {
  TaskOptions options;
  options.classes = {"a"};
  EXPECT_EQ(MakeTask(options)->name(), "ssd");
  options.task = "yolo";
  try {
    MakeTask(options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_NE(std::string(error.what()).find("ssd"), std::string::npos);
  }
}

}  // namespace
}  // namespace hot
