// hot doctor [STUDY]: what is installed, what is missing, and the line that fixes it.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "pipeline/doctor.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

void PrintJson(const std::vector<Finding>& found) {
  Json list = Json::array();
  for (const Finding& one : found) {
    list.push_back({{"name", one.name}, {"health", HealthName(one.health)}, {"detail", one.detail}, {"fix", one.fix}});
  }
  const Json json{{"version", 1}, {"findings", list}};
  std::printf("%s\n", json.dump(1, ' ', false, Json::error_handler_t::replace).c_str());
}

void Print(const std::vector<Finding>& found) {
  for (const Finding& one : found) {
    std::printf("%-8s %-19s %s\n", std::string(HealthName(one.health)).c_str(), one.name.c_str(), one.detail.c_str());
    if (!one.fix.empty()) std::printf("%-28s -> %s\n", "", one.fix.c_str());
  }
}

}  // namespace

void AddDoctorCommand(CLI::App& app, int& exit_code) {
  struct Options {
    std::string study;
    std::vector<std::string> overrides;
    bool json = false;
  };
  auto options = std::make_shared<Options>();  // shared: CLI11 copies the callback that owns it
  CLI::App* sub = app.add_subcommand("doctor", "Say what is installed, what is missing and what fixes it");
  CLI::Option* study = sub->add_option("study", options->study, "also look at what this study file needs");
  sub->add_option("--set", options->overrides, "KEY=VALUE: set any key of the study")
      ->expected(1)
      ->take_all()
      ->needs(study);
  sub->add_flag("--json", options->json, "as JSON");
  sub->footer(
      "Exit code 1 when there is a fault: nothing works without it. What is absent, only some studies need.\n"
      "Examples:\n  hot doctor\n  hot doctor examples/quickstart.yaml --set target.toolchain=tvm");
  sub->callback([options, &exit_code] {
    bool fault = false;
    exit_code = RunCommand(options->json, [&](const Context& context) {
      std::vector<Finding> found = ExamineMachine(fs::current_path(), context.progress);
      if (!options->study.empty()) {
        for (Finding& one : ExamineStudy(ReadStudy(options->study, options->overrides)))
          found.push_back(std::move(one));
      }
      context.progress.End(std::to_string(found.size()) + " findings");
      options->json ? PrintJson(found) : Print(found);
      fault = std::ranges::count(found, Health::kFault, &Finding::health) > 0;
    });
    if (exit_code == 0 && fault) exit_code = 1;
  });
}

}  // namespace hot
