// hot serve-job FOLDER: the process of one job of an agent (src/server/job_process.h), which starts it before there is
// a job: libraries are loaded meanwhile, and a line on standard input says that the job lies in the folder. Hidden:
// nobody needs to know but who looks for a job's fault, with `echo | hot serve-job FOLDER`.
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "cli/command.h"
#include "core/files.h"
#include "core/subprocess.h"
#include "server/job_runner.h"

namespace hot {
namespace {

// False when standard input ends first: the agent has no job.
bool AwaitLine(const Context& context) {
  for (char c = 0; c != '\n';) {
    const ssize_t count = ::read(STDIN_FILENO, &c, 1);
    if (count < 0 && errno == EINTR && !context.cancelled) continue;
    if (count <= 0) return false;
  }
  return true;
}

// Temporary files, too, lie in the job's folder, where the agent sees and removes them.
void Enter(const fs::path& folder) {
  const fs::path temporary = fs::absolute(folder) / "tmp";
  EnsureFolder(temporary);
  ::setenv("TMPDIR", temporary.c_str(), 1);
  fs::current_path(folder);
}

}  // namespace

void AddServeJobCommand(CLI::App& app, int& exit_code) {
  struct Options {
    fs::path folder;
    server::ProcessLimits limits;
  };
  auto options = std::make_shared<Options>();  // shared: CLI11 copies the callback that owns it
  CLI::App* sub = app.add_subcommand("serve-job", "Run one job of an agent")->group("");
  sub->add_option("folder", options->folder, "the job's folder")->required();
  sub->add_option("--memory-bytes", options->limits.memory_bytes, "most memory of the process; 0: no limit");
  sub->add_option("--file-bytes", options->limits.file_bytes, "largest file that it may write; 0: no limit");
  sub->callback([options, &exit_code] {
    DieWithParent();
    int job_code = 0;
    const int code = RunCommand(/*quiet=*/true, [&](const Context& context) {
      server::LimitProcess(options->limits);
      server::WarmUpRuntimes();
      if (!AwaitLine(context)) return;
      Enter(options->folder);
      const auto progress = server::MakeLineProgress(context.clock);
      job_code = server::RunJob("", {context.clock, *progress, context.cancelled});
    });
    exit_code = code != 0 ? code : job_code;
  });
}

}  // namespace hot
