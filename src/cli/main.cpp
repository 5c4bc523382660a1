// hot: the tool. It never links LibTorch; training runs in hot-train.
#include <cstdio>
#include <string>

#include "cli/command.h"
#include "core/version.h"

int main(int argc, char** argv) {
  CLI::App app{"HOT finds, trains, quantizes and measures the network that your device runs best."};
  app.set_version_flag("--version", hot::kHotVersion);
  app.require_subcommand(1);
  app.footer("Example:\n  hot optimize examples/quickstart.yaml");
  int exit_code = 0;
  hot::AddInitCommand(app, exit_code);
  hot::AddDoctorCommand(app, exit_code);
  hot::AddStudyCommands(app, exit_code);
  hot::AddReportCommand(app, exit_code);
  hot::AddExportCommand(app, exit_code);
  hot::AddImportCommand(app, exit_code);
  hot::AddCheckCommand(app, exit_code);
  hot::AddStatusCommand(app, exit_code);
  hot::AddDashboardCommand(app, exit_code);
  hot::AddJournalCommand(app, exit_code);
  hot::AddDataCommand(app, exit_code);
  hot::AddServeCommand(app, exit_code);
  hot::AddHelpCommands(app, exit_code);
  hot::AddServeJobCommand(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::string what = error.what();
    if (const auto rest = app.remaining();
        app.get_subcommands().empty() && !rest.empty() && !rest[0].starts_with('-')) {
      what = "unknown command \"" + rest[0] + "\"";
    }
    std::fprintf(stderr, "error: %s (hot --help, or hot COMMAND --help, shows what is known)\n", what.c_str());
    return 2;
  }
  return exit_code;
}
