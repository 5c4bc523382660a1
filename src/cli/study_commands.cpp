// hot optimize STUDY, and one command a stage that does everything up to that stage.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "config/study.h"
#include "pipeline/plan.h"
#include "pipeline/run_progress.h"
#include "pipeline/search_text.h"
#include "pipeline/solve.h"
#include "pipeline/stage.h"
#include "report/report.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

struct StudyOptions {
  std::string study;
  std::vector<std::string> overrides;
  bool json = false, quiet = false, front = false, plan = false;
};

struct StudyCommand {
  const char* name;
  const char* last_stage;
  const char* result;  // file of the run folder that --json prints
  const char* help;
};

constexpr StudyCommand kCommands[] = {
    {"optimize", "evaluate", "evaluation.json",
     "Do the whole study: table, search, training, int8, measurement, report"},
    {"profile", "profile", "table.json", "Measure the look-up table of the device"},
    {"distill", "distill", "distill.json", "Score every block by how well it learns to imitate the trained baseline"},
    {"search", "search", "search.json", "Find the k best networks within the budgets"},
    {"verify", "verify", "verify.json", "Measure the found networks whole and correct the prediction"},
    {"train", "train", "train.json", "Train the baseline and the candidates"},
    {"quantize", "quantize", "quantize.json", "Turn the trained networks into integers"},
    {"compile", "compile", "train.json", "Build the artifacts"},
    {"evaluate", "evaluate", "evaluation.json", "Measure accuracy and latency of the artifacts"},
};

void ShowSearch(const Workspace& workspace, bool front) {
  if (front) std::fputs(FrontTable(workspace).c_str(), stdout);
  ThrowIfNothingFound(workspace);
  for (const std::string& line : PriceLines(workspace)) workspace.context().progress.Note(line);
}

Json ToJson(const StudyPlan& plan) {
  Json stages = Json::array();
  for (const PlannedStage& stage : plan.stages) {
    stages.push_back({{"stage", stage.stage},
                      {"finished", stage.finished},
                      {"work", stage.work},
                      {"seconds", stage.seconds},
                      {"basis", stage.basis},
                      {"guess", stage.guess}});
  }
  return {{"version", 1}, {"stages", stages}, {"seconds", plan.seconds()}};
}

void ShowPlan(const StudyCommand& command, const StudyOptions& options, const Context& context) {
  const Workspace workspace(ReadStudy(options.study, options.overrides), context, Access::kLook);
  const StudyPlan plan = PlanStudy(workspace, command.last_stage);
  if (options.json) {
    std::printf("%s\n", ToJson(plan).dump(1).c_str());
  } else {
    std::fputs(PlanText(plan).c_str(), stdout);
  }
}

void RunStudy(const StudyCommand& command, const StudyOptions& options, const Context& context) {
  Study study = ReadStudy(options.study, options.overrides);
  RunProgress progress(context.progress, context.clock, RunFolder(study));
  const Context recorded{context.clock, progress, context.cancelled};
  Workspace workspace(std::move(study), recorded);
  for (const std::string& note : workspace.notes()) context.progress.Note(note);
  RunStages(workspace, command.last_stage);
  if (std::string_view(command.last_stage) == "search") ShowSearch(workspace, options.front);
  if (std::string(command.name) == "optimize") {
    WriteReport(workspace.folder(), context);
    context.progress.Begin("report", 0);
    context.progress.End(fs::absolute(workspace.folder() / "report.html").lexically_normal().string());
  }
  if (options.json) std::fputs(ReadFile(workspace.folder() / command.result).c_str(), stdout);
}

void AddOptions(CLI::App& sub, const StudyCommand& command, StudyOptions& options) {
  sub.add_option("study", options.study, "study file (YAML), see docs/formats/study.md; hot init writes one")
      ->required();
  sub.add_option("--set", options.overrides, "KEY=VALUE: set any key of the study")->expected(1)->take_all();
  CLI::Option* json = sub.add_flag("--json", options.json, "print the result as JSON on stdout");
  if (std::string_view(command.name) == "search") {
    sub.add_flag("--front", options.front, "print the Pareto front of quality against latency")->excludes(json);
  }
  sub.add_flag("--plan", options.plan, "print what would be done and how long it would take; do nothing");
  sub.add_flag("--quiet", options.quiet, "no progress");
  const std::string line = std::string("  hot ") + command.name + " examples/quickstart.yaml";
  const bool distills = std::string_view(command.name) == "distill";  // a stage that not every study has
  sub.footer("Examples:\n" + line + (distills ? " --set search.quality=distill\n" : " --set run.seed=1\n") + line +
             (distills ? " --set search.quality=distill --plan" : " --plan"));
}

}  // namespace

void AddStudyCommands(CLI::App& app, int& exit_code) {
  for (const StudyCommand& command : kCommands) {
    auto options = std::make_shared<StudyOptions>();  // shared: CLI11 copies the callback that owns it
    CLI::App* sub = app.add_subcommand(command.name, command.help);
    AddOptions(*sub, command, *options);
    sub->callback([options, &command, &exit_code] {
      exit_code = RunCommand(options->quiet, [&](const Context& context) {
        options->plan ? ShowPlan(command, *options, context) : RunStudy(command, *options, context);
      });
    });
  }
}

}  // namespace hot
