// hot journal export RUN --optuna FILE: a run's hyper-parameter search for optuna-dashboard.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "pipeline/journal_export.h"

namespace hot {
namespace {

struct ExportOptions {
  std::string run, file, format = "sqlite";
  bool overwrite = false, json = false;
};

void Export(const ExportOptions& options, const Context& context) {
  const ExportResult result = ExportOptuna(options.run, options.file, options.format, options.overwrite, context);
  if (options.json) {
    std::printf("%s\n",
                nlohmann::ordered_json{
                    {"version", 1}, {"file", options.file}, {"studies", result.studies}, {"trials", result.trials}}
                    .dump()
                    .c_str());
  } else {
    std::printf("%d trials of %zu searches in %s\n", result.trials, result.studies.size(), options.file.c_str());
  }
}

}  // namespace

void AddJournalCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ExportOptions>();  // shared: CLI11 copies the callback that owns it
  CLI::App* journal = app.add_subcommand("journal", "What was measured and finished");
  journal->require_subcommand(1);
  CLI::App* sub = journal->add_subcommand("export", "Write a run's hyper-parameter search for other programs");
  sub->add_option("run", options->run, "run folder")->required();
  sub->add_option("--optuna", options->file, "file for Optuna and optuna-dashboard")->required();
  sub->add_option("--format", options->format, "sqlite, or journal (Optuna's log file)")
      ->check(CLI::IsMember({"sqlite", "journal"}))
      ->capture_default_str();
  sub->add_flag("--overwrite", options->overwrite, "replace the file when it is there");
  sub->add_flag("--json", options->json, "as JSON");
  sub->footer("Example:\n  hot journal export runs/bccd --optuna bccd.db\n  optuna-dashboard sqlite:///bccd.db");
  sub->callback([options, &exit_code] {
    exit_code = RunCommand(/*quiet=*/true, [&](const Context& context) { Export(*options, context); });
  });
}

}  // namespace hot
