// hot dashboard RUN: the report's page on loopback, while the study runs.
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/command.h"
#include "report/dashboard.h"

namespace hot {
namespace {

constexpr auto kPause = std::chrono::milliseconds(100);

struct DashboardOptions {
  std::string run;
  int port = Dashboard::kPort;
  bool json = false;
};

void Show(const DashboardOptions& options, const Context& context) {
  const Dashboard dashboard(options.run, options.port);
  const std::string address = "http://127.0.0.1:" + std::to_string(dashboard.port()) + "/";
  if (options.json) {
    std::printf("%s\n", nlohmann::ordered_json{{"version", 1}, {"address", address}}.dump().c_str());
  } else {
    std::printf("%s shows %s; Ctrl-C ends\n", address.c_str(), options.run.c_str());
  }
  std::fflush(stdout);
  while (!context.cancelled) std::this_thread::sleep_for(kPause);
}

}  // namespace

void AddDashboardCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<DashboardOptions>();  // shared: CLI11 copies the callback that owns it
  CLI::App* sub = app.add_subcommand("dashboard", "Show a study in the browser while it runs");
  sub->add_option("run", options->run, "run folder")->required();
  sub->add_option("--port", options->port, "at 127.0.0.1; port 0 is any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  sub->add_flag("--json", options->json, "the address as JSON");
  sub->footer(
      "Example:\n  hot dashboard runs/quickstart\n"
      "then open http://127.0.0.1:7071/ in a browser; of another machine, first: ssh -L 7071:127.0.0.1:7071 MACHINE");
  sub->callback([options, &exit_code] {
    exit_code = RunCommand(/*quiet=*/false, [&](const Context& context) { Show(*options, context); });
  });
}

}  // namespace hot
