#include "pipeline/application.h"

#include <algorithm>
#include <utility>

#include "core/hash.h"
#include "data/crops.h"
#include "data/loader.h"
#include "pipeline/networks.h"
#include "pipeline/tables.h"
#include "tasks/stand_in.h"

namespace hot {
namespace {

constexpr uint64_t kSeed = 1;
// Raised when a step does something else, so that old rows of the journal are not taken for new ones.
constexpr int kMethod = 1;

// Of those the network sees; the median by the size of the picture's file, ties by its name.
Sample TypicalView(const Workspace& workspace) {
  Dataset views = workspace.task().Views(LoadTrialData(workspace.TrialTemplate()).val_pictures);
  HOT_ASSERT(!views.samples.empty());
  const auto key = [](const Sample& sample) { return std::pair(fs::file_size(sample.image), sample.image); };
  const auto middle = views.samples.begin() + std::ssize(views.samples) / 2;
  std::ranges::stable_sort(views.samples, {}, key);
  return *middle;
}

}  // namespace

bool MeasuresEndToEnd(const Workspace& workspace) { return workspace.study().search.latency_scope == "end_to_end"; }

Application::Application(const Workspace& workspace)
    : task_(workspace.task()),
      preprocessing_(TaskPreprocessing(task_.options())),
      view_(TypicalView(workspace)),
      input_({1, 3, preprocessing_.height, preprocessing_.width}) {
  DisableOpenCvThreads();
  const double width = workspace.baseline_width();
  const auto baseline = BaselineChoices(workspace.backbone(), width, workspace.precision());
  stand_in_ = StandInOutputs(task_, GraphOf(workspace, width, baseline), kSeed);
  DecodePicture();
  MakeInput();
  // What a step's time depends on: the picture, and what the task makes of it.
  const std::string key =
      std::to_string(kMethod) + " " +
      Sha256Hex(Sha256File(view_.image) + StudySectionJson(workspace.study(), "model") +
                std::to_string(task_.options().classes.size()) + " " + std::to_string(task_.options().keypoints.size()))
          .substr(0, 16);
  steps_ = {{.key = "decode " + key, .run = [this](Session*) { DecodePicture(); }},
            {.key = "resize " + key, .run = [this](Session*) { MakeInput(); }},
            {.key = "output " + key, .run = [this](Session*) { DecodeOutputs(stand_in_, stand_in_); }}};
  whole_ = {.key = "whole " + key, .run = [this](Session* session) {
              DecodePicture();
              MakeInput();
              RunNetwork(*session);
              DecodeOutputs(stand_in_, stand_in_);
            }};
}

void Application::DecodePicture() { picture_ = DecodeSample(view_); }

void Application::MakeInput() {
  const auto fill = FillColour(preprocessing_);
  const Image view = RenderView(picture_, view_, preprocessing_.width, preprocessing_.height, fill.data());
  ToInput(view, preprocessing_, input_.data.data());
}

void Application::RunNetwork(Session& session) {
  outputs_ = session.Run(std::span(&input_, 1));
  if (!task_.options().flip_test) return;
  Mirror(input_);
  mirrored_ = session.Run(std::span(&input_, 1));
}

void Application::DecodeOutputs(const std::vector<Tensor>& outputs, const std::vector<Tensor>& mirrored) const {
  if (task_.options().flip_test) {
    task_.Decode(task_.Unite(outputs, mirrored));
  } else {
    task_.Decode(outputs);
  }
}

void Application::Run(Session& session) {
  DecodePicture();
  MakeInput();
  RunNetwork(session);
  DecodeOutputs(outputs_, mirrored_);
}

std::vector<TableRow> StepRows(Workspace& workspace) {
  const Application application(workspace);
  std::vector<LatencyJob> jobs;
  for (const StudyWork& step : application.steps()) jobs.push_back({.graph = nullptr, .part = true, .work = &step});
  const std::vector<MeasurementRow> measured = MeasureLatencies(workspace, jobs, "profile").rows;
  std::vector<TableRow> rows;
  for (size_t i = 0; i < measured.size(); ++i) {
    TableRow& row = rows.emplace_back();
    row.part = application.steps()[i].key.substr(0, application.steps()[i].key.find(' '));
    FillRow(row, measured[i]);
    const double passes = workspace.task().options().passes();
    for (double* value : {&row.latency_ns, &row.low_ns, &row.high_ns, &row.raw_median_ns}) *value /= passes;
  }
  return rows;
}

}  // namespace hot
