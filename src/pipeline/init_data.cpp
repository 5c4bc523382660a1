#include "pipeline/init_data.h"

#include <algorithm>
#include <cmath>

#include "config/task_rules.h"
#include "config/value.h"
#include "core/error.h"
#include "core/text.h"
#include "tasks/metric.h"

namespace hot {
namespace {

constexpr double kSurvey_s = 15;  // for decoding the training pictures, and the same for all others
constexpr size_t kBrokenShown = 10;
constexpr size_t kFewPictures = 100;
constexpr size_t kFewObjects = 20;  // of a class

const TaskRules& RulesOfTask(const std::string& task) {
  const auto rules = AllTaskRules();
  const auto found = std::ranges::find(rules, task, &TaskRules::name);
  if (found != rules.end()) return *found;
  std::vector<std::string> names;
  for (const TaskRules& rule : rules) names.push_back(rule.name);
  throw Error(Code::kInvalidArgument, "--task", "unknown task \"" + task + "\"", "known: " + JoinNames(names));
}

// Of COCO's files those of the task, where names tell.
std::vector<std::string> SplitsFor(const DataLayout& layout, bool keypoints) {
  std::vector<std::string> splits = layout.splits;
  if (layout.format == DataFormat::kCoco) {
    std::erase_if(splits, [&](const std::string& split) { return IsKeypointFile(split) != keypoints; });
  }
  return splits.empty() ? layout.splits : splits;
}

DataLayout LayoutFor(const fs::path& root, const std::vector<DataLayout>& layouts, const TaskRules& task) {
  for (const std::string& format : task.formats) {
    const auto found = std::ranges::find(layouts, ParseDataFormat(format), &DataLayout::format);
    if (found != layouts.end()) return {found->format, SplitsFor(*found, task.keypoints)};
  }
  throw Error(Code::kInvalidArgument, root.string(),
              "is labelled as " + DataFormatName(layouts.front().format) + ", but task " + task.name + " reads " +
                  JoinNames(task.formats),
              "--task " + GuessTask(layouts) + " suits these data");
}

SplitRoles RolesOf(const InitRequest& request, const DataLayout& layout) {
  if (!request.train.empty()) return {request.train, "", request.test};
  SplitRoles roles = AssignRoles(layout.splits);
  if (!request.test.empty()) roles.test = request.test;
  return roles;
}

void CheckUsable(const DataSurvey& survey, const fs::path& root, const TaskRules& task, const Context& context) {
  for (size_t i = 0; i < std::min(kBrokenShown, survey.broken.size()); ++i) {
    context.progress.Note("broken: " + survey.broken[i]);
  }
  if (!survey.broken.empty()) {
    const bool one = survey.broken.size() == 1;
    throw Error(Code::kDataLoss, root.string(),
                std::to_string(survey.broken.size()) + (one ? " file is" : " files are") + " broken, such as " +
                    survey.broken.front(),
                "repair or remove each with its labels, then call hot init again");
  }
  if (survey.objects == 0) {
    throw Error(Code::kInvalidArgument, root.string(), "no picture has an object", "look at the labels");
  }
  if (task.keypoints && survey.with_keypoints == 0) {
    throw Error(Code::kInvalidArgument, root.string(), "no object has keypoints, which task " + task.name + " finds",
                "--task ssd finds boxes");
  }
}

std::string Percent(double share) { return std::to_string(std::lround(100 * share)) + " %"; }

// Two digits behind the point, exactly as they will be written.
double Hundredths(double value) { return std::round(value * 100) / 100; }

int64_t RoundedDown(double value, int64_t multiple) { return static_cast<int64_t>(value) / multiple * multiple; }

double LongerSide(const DataSurvey& survey) { return std::max(survey.width.middle, survey.height.middle); }

// The smallest input in which nine objects of ten are as large as SSD's finest cells and half of them are well seen.
int64_t DetectorInput(const DataSurvey& survey) {
  constexpr int64_t kSides[] = {160, 192, 224, 256, 288, 320};
  int64_t side = 320;
  for (const int64_t candidate : kSides) {
    const auto pixels = static_cast<double>(candidate);
    if (survey.side.low * pixels < 16 || survey.side.middle * pixels < 32) continue;
    side = candidate;
    break;
  }
  return std::clamp<int64_t>(RoundedDown(LongerSide(survey), 32), 64, side);
}

void DraftAnchors(const DataSurvey& survey, double side, Draft& draft) {
  Study::Model& model = draft.study.model;
  const double smallest = survey.side.low * side;
  model.finest_stride = smallest < 32 ? 8 : 16;
  draft.Say("model.finest_stride", "one object of ten is smaller than " + std::to_string(std::lround(smallest)) +
                                       " pixels there" + (smallest < 12 ? ": hard to find" : ""));
  model.anchor_min_scale = std::clamp(Hundredths(survey.side.low * 0.75), 0.03, 0.5);
  model.anchor_max_scale = Hundredths(std::clamp(survey.side.high * 1.6, model.anchor_min_scale + 0.2, 0.95));
  draft.Say("model.anchor_min_scale", "most objects are " + Percent(survey.side.low) + " to " +
                                          Percent(survey.side.high) + " of the picture's side");
  draft.Say("model.anchor_max_scale");
  const double middle = std::clamp(std::round(survey.ratio.middle * 10) / 10, 1.2, 3.0);
  const double high = std::clamp(std::round(survey.ratio.high * 10) / 10, middle + 0.5, 6.0);
  model.aspect_ratios = {middle, std::round(high * 10) / 10};
  draft.Say("model.aspect_ratios", "longer to shorter side: of half the boxes, of nine in ten");
}

void DraftDetector(const DataSurvey& survey, Draft& draft) {
  const int64_t side = DetectorInput(survey);
  draft.study.model.input = {side, side};
  draft.Say("model.input", "half of the objects are larger than " +
                               std::to_string(std::lround(survey.side.middle * static_cast<double>(side))) +
                               " pixels there; smaller is faster");
  DraftAnchors(survey, static_cast<double>(side), draft);
}

void DraftPose(const DataSurvey& survey, Draft& draft) {
  const double pixels = survey.side.middle * std::sqrt(survey.width.middle * survey.height.middle);
  const int64_t side = pixels < 100 ? 96 : 128;
  std::vector<int64_t>& input = draft.study.model.input;
  input = {side, side};
  if (survey.shape.middle > 1.25) input[1] = side - 32;
  if (survey.shape.middle < 0.8) input[0] = side - 32;
  char text[96];
  std::snprintf(text, sizeof text, "a crop; half of the boxes are higher than %.1f of their width, about %.0f pixels",
                survey.shape.middle, pixels);
  draft.Say("model.input", text);
}

void DraftClassifier(const DataSurvey& survey, Draft& draft) {
  const double shorter = std::min(survey.width.middle, survey.height.middle);
  const int64_t side = std::clamp<int64_t>(RoundedDown(shorter, 32), 32, 160);
  draft.study.model.input = {side, side};
  draft.Say("model.input", side < 160 ? "about what the pictures have" : "224 is usual, and twice as slow");
}

void DraftSplits(const InitData& data, Draft& draft) {
  Study::Data& values = draft.study.data;
  values.train = data.roles.train;
  values.val = data.roles.val;
  values.test = data.roles.test;
  draft.Say("data.train",
            std::to_string(data.train.pictures) + " pictures" + (values.train.empty() ? ": all in the folder" : ""));
  if (!values.val.empty()) draft.Say("data.val", std::to_string(data.val_pictures) + " pictures");
  if (values.test.empty()) {
    draft.Say("data.test", "there is no test split: pictures are kept from the training");
    draft.Say("data.test_fraction");
  } else {
    draft.Say("data.test", std::to_string(data.test_pictures) + " pictures, which nothing is decided by");
  }
}

void Find(const InitData& data, Draft& draft) {
  const DataSurvey& survey = data.train;
  char text[256];
  std::snprintf(
      text, sizeof text,
      "data      %zu pictures to train with, half of them larger than %.0f x %.0f; %zu of %zu decoded, none broken",
      survey.pictures, survey.width.middle, survey.height.middle, survey.decoded, survey.pictures);
  draft.findings.emplace_back(text);
  std::vector<std::string> names;
  for (const auto& [name, count] : survey.classes) names.push_back(name + " (" + std::to_string(count) + ")");
  draft.findings.push_back("classes   " + std::to_string(names.size()) + ": " + JoinNames(names, 8));
  if (!survey.keypoints.empty()) {
    draft.findings.push_back("keypoints " + std::to_string(survey.keypoints.size()) + ", in " +
                             std::to_string(survey.with_keypoints) + " of " + std::to_string(survey.objects) +
                             " objects");
  }
  const auto rare = std::ranges::count_if(survey.classes, [](const auto& one) { return one.second < kFewObjects; });
  if (rare > 0) {
    draft.findings.push_back("note      " + std::to_string(rare) + " classes have fewer than " +
                             std::to_string(kFewObjects) + " examples: expect little of them");
  }
  if (survey.pictures < kFewPictures) {
    draft.findings.push_back("note      few pictures: differences between networks will hardly be shown");
  }
}

}  // namespace

bool IsKeypointFile(const std::string& split) { return split.find("keypoint") != std::string::npos; }

InitData LookAtData(const InitRequest& request, const Context& context) {
  const std::vector<DataLayout> layouts = FindLayouts(request.data);
  const TaskRules& rules = RulesOfTask(request.task.empty() ? GuessTask(layouts) : request.task);
  const DataLayout layout = LayoutFor(request.data, layouts, rules);
  InitData data{.task = rules.name, .format = layout.format, .roles = RolesOf(request, layout)};
  DataSource source{.format = data.format, .root = request.data, .split = data.roles.train};
  data.train = SurveyData(source, kSurvey_s, context);
  CheckUsable(data.train, request.data, rules, context);
  const auto count = [&](const std::string& split) -> size_t {
    if (split.empty()) return 0;
    source.split = split;
    const DataSurvey survey = SurveyData(source, kSurvey_s / 2, context);
    CheckUsable(survey, request.data, rules, context);
    return survey.pictures;
  };
  data.val_pictures = count(data.roles.val);
  data.test_pictures = count(data.roles.test);
  return data;
}

void DraftData(const InitRequest& request, const InitData& data, Draft& draft) {
  draft.study.data.format = DataFormatName(data.format);
  draft.study.data.root = request.data.string();
  draft.Say("data.format");
  draft.Say("data.root", "relative to the folder in which hot is called");
  DraftSplits(data, draft);
  Find(data, draft);
}

void DraftModel(const InitData& data, Draft& draft) {
  const std::string& task = draft.study.model.task;
  if (task == "ssd") DraftDetector(data.train, draft);
  if (task == "cpn") DraftPose(data.train, draft);
  if (task == "classify") DraftClassifier(data.train, draft);
}

}  // namespace hot
