// What all commands of `hot` share: options, the context they run in, and the one place where errors become exit codes.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "core/context.h"

namespace hot {

// Runs `body` with a terminal progress (silent when `quiet`), SIGINT and SIGTERM bound to cancellation; prints a
// hot::Error as one line on stderr and returns its ExitCode().
int RunCommand(bool quiet, const std::function<void(const Context&)>& body);

// A command's options live as long as its callback. `exit_code` is what main returns.
void AddStudyCommands(CLI::App& app, int& exit_code);  // optimize and one a stage
void AddInitCommand(CLI::App& app, int& exit_code);
void AddDoctorCommand(CLI::App& app, int& exit_code);
void AddReportCommand(CLI::App& app, int& exit_code);
void AddExportCommand(CLI::App& app, int& exit_code);
void AddImportCommand(CLI::App& app, int& exit_code);
void AddCheckCommand(CLI::App& app, int& exit_code);
void AddStatusCommand(CLI::App& app, int& exit_code);
void AddDashboardCommand(CLI::App& app, int& exit_code);
void AddJournalCommand(CLI::App& app, int& exit_code);
void AddDataCommand(CLI::App& app, int& exit_code);
void AddServeCommand(CLI::App& app, int& exit_code);
void AddHelpCommands(CLI::App& app, int& exit_code);     // completion, man
void AddServeJobCommand(CLI::App& app, int& exit_code);  // hidden: the process of one job of an agent

}  // namespace hot
