// hot report RUN: writes report.html anew from what the run folder holds.
#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "core/files.h"
#include "report/report.h"

namespace hot {

void AddReportCommand(CLI::App& app, int& exit_code) {
  auto run = std::make_shared<std::string>();  // shared: CLI11 copies the callback that owns it
  auto json = std::make_shared<bool>(false);
  CLI::App* sub = app.add_subcommand("report", "Write the report of a run folder");
  sub->add_option("run", *run, "run folder")->required();
  sub->add_flag("--json", *json, "print the path as JSON on stdout");
  sub->footer("Example:\n  hot report runs/quickstart");
  sub->callback([run, json, &exit_code] {
    exit_code = RunCommand(*json, [&](const Context& context) {
      if (!fs::exists(fs::path(*run) / "study.json")) {
        throw Error(Code::kNotFound, *run, "is no run folder: it has no study.json", "run hot optimize first");
      }
      WriteReport(*run, context);
      const std::string path = fs::absolute(fs::path(*run) / "report.html").lexically_normal().string();
      if (*json) {
        std::printf("{\"version\": 1, \"report\": \"%s\"}\n", path.c_str());
      } else {
        std::printf("%s\n", path.c_str());
      }
    });
  });
}

}  // namespace hot
