// hot journal show|export|import: what was measured and finished, on the way between people and programs.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "core/url.h"
#include "pipeline/journal_export.h"
#include "pipeline/journal_summary.h"
#include "store/journal_file.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSource =
    "a journal (file or postgresql://USER@HOST/NAME), or the run folder of a study with one";

struct JournalOptions {
  std::string source, device, toolchain, precision;  // show
  std::string out, optuna, format = "sqlite";        // export
  std::vector<std::string> files;                    // import
  bool overwrite = false, json = false;
};

void PrintJson(const Json& json) { std::printf("%s\n", json.dump().c_str()); }

// ---- show ----

Json ToJson(const MeasuredGroup& group) {
  return {{"device", group.device},         {"label", group.label},
          {"toolchain", group.toolchain},   {"toolchain_version", group.toolchain_version},
          {"precision", group.precision},   {"threads", group.threads},
          {"estimate", group.estimate},     {"rows", group.rows},
          {"superseded", group.superseded}, {"unsteady", group.unsteady},
          {"newest_unix_s", group.newest}};
}

Json ToJson(const RecordGroup& group) {
  return {{"kind", group.kind}, {"study", group.study}, {"rows", group.rows}, {"newest_unix_s", group.newest}};
}

// Columns as wide as what is in them; the first row is the head.
void PrintTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(rows[0].size());
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i] + (i + 1 < row.size() ? std::string(widths[i] - row[i].size() + 2, ' ') : "");
    }
    std::printf("%s\n", line.c_str());
  }
}

void PrintSummary(const JournalSummary& summary, const std::string& place) {
  if (summary.measured.empty()) std::printf("nothing was measured\n");
  std::vector<std::vector<std::string>> rows{
      {"DEVICE", "NAME", "TOOLCHAIN", "PRECISION", "THREADS", "ROWS", "UNSTEADY", "NEWEST (UTC)"}};
  for (const MeasuredGroup& group : summary.measured) {
    rows.push_back({group.device, group.label.empty() ? "-" : group.label,
                    group.toolchain + " " + group.toolchain_version, group.precision, std::to_string(group.threads),
                    std::to_string(group.rows) + (group.estimate ? " (estimates)" : ""), std::to_string(group.unsteady),
                    FormatUtc(group.newest)});
  }
  if (rows.size() > 1) PrintTable(rows);
  rows = {{"RECORD", "STUDY", "ROWS", "NEWEST (UTC)"}};
  for (const RecordGroup& group : summary.records) {
    rows.push_back(
        {group.kind, group.study.empty() ? "-" : group.study, std::to_string(group.rows), FormatUtc(group.newest)});
  }
  if (rows.size() > 1) {
    std::printf("\n");
    PrintTable(rows);
  }
  std::printf("\n%s\n", place.c_str());
}

void Show(const JournalOptions& options) {
  const JournalOf journal = OpenJournalOf(options.source);
  JournalSummary summary = SummarizeJournal(*journal.store);
  const std::string device = options.device.empty() ? "" : FindDevice(summary, options.device);
  std::erase_if(summary.measured, [&](const MeasuredGroup& group) {
    return (!device.empty() && group.device != device) ||
           (!options.toolchain.empty() && group.toolchain != options.toolchain) ||
           (!options.precision.empty() && group.precision != options.precision);
  });
  const std::string place = WithoutPassword(journal.place);
  if (!options.json) return PrintSummary(summary, place);
  Json measured = Json::array(), records = Json::array();
  for (const MeasuredGroup& group : summary.measured) measured.push_back(ToJson(group));
  for (const RecordGroup& group : summary.records) records.push_back(ToJson(group));
  PrintJson({{"version", 1}, {"journal", place}, {"measured", measured}, {"records", records}});
}

// ---- export ----

void ExportForOptuna(const JournalOptions& options, const Context& context) {
  const ExportResult result = ExportOptuna(options.source, options.optuna, options.format, options.overwrite, context);
  if (options.json) {
    PrintJson({{"version", 1}, {"file", options.optuna}, {"studies", result.studies}, {"trials", result.trials}});
  } else {
    std::printf("%d trials of %zu searches in %s\n", result.trials, result.studies.size(), options.optuna.c_str());
  }
}

// All, or what one device measured and how it calls itself.
ExportFilter Filter(const Store& store, const std::string& device) {
  if (device.empty()) return {};
  const std::string fingerprint = FindDevice(SummarizeJournal(store), device);
  return {.device = fingerprint, .record = [fingerprint](const RecordRow& row) {
            return row.kind == "target" && row.key.starts_with(fingerprint);
          }};
}

void ExportRows(const JournalOptions& options, const Context& context) {
  if (fs::exists(options.out) && !options.overwrite) {
    throw Error(Code::kFailedPrecondition, options.out, "exists already", "--overwrite replaces it");
  }
  const JournalOf journal = OpenJournalOf(options.source);
  context.progress.Begin("export", 0);
  const ExportCounts counts =
      ExportJournal(*journal.store, options.out, Filter(*journal.store, options.device), [&](int64_t rows) {
        context.ThrowIfCancelled();
        context.progress.Update(static_cast<double>(rows), "rows");
      });
  if (options.json) {
    PrintJson(
        {{"version", 1}, {"file", options.out}, {"measurements", counts.measurements}, {"records", counts.records}});
  } else {
    std::printf("%lld measurements and %lld records in %s\n", static_cast<long long>(counts.measurements),
                static_cast<long long>(counts.records), options.out.c_str());
  }
}

void Export(const JournalOptions& options, const Context& context) {
  options.optuna.empty() ? ExportRows(options, context) : ExportForOptuna(options, context);
}

// ---- import ----

void Import(const JournalOptions& options, const Context& context) {
  const auto store = OpenStore(options.source);
  Json files = Json::array();
  for (const std::string& file : options.files) {
    context.progress.Begin("import", 0);
    const ImportCounts counts = ImportJournal(*store, file, [&](int64_t rows) {
      context.ThrowIfCancelled();
      context.progress.Update(static_cast<double>(rows), "rows");
    });
    files.push_back(
        {{"file", file}, {"measurements", counts.measurements}, {"records", counts.records}, {"known", counts.known}});
    if (options.json) continue;
    std::printf("%s: %lld measurements and %lld records are new, %lld rows were there already\n", file.c_str(),
                static_cast<long long>(counts.measurements), static_cast<long long>(counts.records),
                static_cast<long long>(counts.known));
  }
  if (options.json) PrintJson({{"version", 1}, {"journal", WithoutPassword(options.source)}, {"files", files}});
}

// ---- command line ----

using Options = std::shared_ptr<JournalOptions>;  // shared: CLI11 copies the callback that owns it

void AddShow(CLI::App& journal, const Options& options) {
  CLI::App* sub = journal.add_subcommand("show", "Tell what was measured, on which device, and when");
  sub->add_option("journal", options->source, kSource)->required();
  sub->add_option("--device", options->device, "only this device: the first letters of its fingerprint");
  sub->add_option("--toolchain", options->toolchain, "only what this toolchain compiled");
  sub->add_option("--precision", options->precision, "only this precision");
  sub->add_flag("--json", options->json, "as JSON");
  sub->footer(
      "Example:\n  hot journal show runs/journal.sqlite\n"
      "  hot search study.yaml --set target.device=journal:9f1c   # a device that is not here");
}

void AddExport(CLI::App& journal, const Options& options) {
  CLI::App* sub = journal.add_subcommand(
      "export", "Write a journal's rows for another journal, or a run's hyper-parameter search for other programs");
  sub->add_option("journal", options->source, kSource)->required();
  CLI::Option_group* what = sub->add_option_group("what", "one of these");
  what->add_option("--out", options->out, "file for hot journal import: all measurements and records");
  what->add_option("--optuna", options->optuna, "file for Optuna and optuna-dashboard: the search of a run folder");
  what->require_option(1);
  sub->add_option("--device", options->device,
                  "of --out: only what this device measured (the first letters of its fingerprint)");
  sub->add_option("--format", options->format, "of --optuna: sqlite, or journal (Optuna's log file)")
      ->check(CLI::IsMember({"sqlite", "journal"}))
      ->capture_default_str();
  sub->add_flag("--overwrite", options->overwrite, "replace the file when it is there");
  sub->add_flag("--json", options->json, "as JSON");
  sub->footer(
      "Example:\n  hot journal export runs/journal.sqlite --out board.hotj\n"
      "  hot journal export runs/bccd --optuna bccd.db\n  optuna-dashboard sqlite:///bccd.db");
}

void AddImport(CLI::App& journal, const Options& options) {
  CLI::App* sub = journal.add_subcommand("import", "Add the rows of exported files; those that are there stay single");
  sub->add_option("journal", options->source, "a file (made where there is none) or postgresql://USER@HOST/NAME")
      ->required();
  sub->add_option("files", options->files, "what hot journal export --out wrote; each is added whole or not at all")
      ->required();
  sub->add_flag("--json", options->json, "as JSON");
  sub->footer("Example:\n  hot journal import runs/journal.sqlite board.hotj");
}

}  // namespace

void AddJournalCommand(CLI::App& app, int& exit_code) {
  CLI::App* journal = app.add_subcommand("journal", "What was measured and finished");
  journal->require_subcommand(1);
  journal->footer("Example:\n  hot journal show runs/journal.sqlite");
  const auto options = std::make_shared<JournalOptions>();
  AddShow(*journal, options);
  AddExport(*journal, options);
  AddImport(*journal, options);
  const auto on = [&](const char* name, void (*run)(const JournalOptions&, const Context&)) {
    journal->get_subcommand(name)->callback([options, run, &exit_code] {
      exit_code = RunCommand(options->json, [&](const Context& context) { run(*options, context); });
    });
  };
  on("show", [](const JournalOptions& o, const Context&) { Show(o); });
  on("export", Export);
  on("import", Import);
}

}  // namespace hot
