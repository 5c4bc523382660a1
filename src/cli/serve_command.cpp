// hot serve: the device agent. (hot serve-job, the process of one of its jobs: serve_job_command.cpp.)
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/command.h"
#include "deploy/devices/remote/wire.h"
#include "measure/conditions.h"
#include "measure/emulation.h"
#include "server/service.h"
#include "server/tls.h"

namespace hot {
namespace {

constexpr auto kPause = std::chrono::milliseconds(100);

struct ServeCommand {
  server::ServeOptions serve;
  server::AgentOptions agent;
  std::string init_tls, governor;
  std::vector<std::string> names;
  uint64_t memory_mib = 8192, blob_mib = 1024, store_mib = 8192;
  bool json = false;
};

// Which toolchains are installed: asking them takes a second or two, for TVM's is in Python.
v1::DescribeResponse DescribeToolchains() {
  v1::DescribeResponse response;
  for (const char* name : {"openvino", "tvm"}) {
    try {
      *response.add_toolchains() = ToProto(*MakeToolchain(name));
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      response.mutable_toolchains()->RemoveLast();
    }
  }
  return response;
}

void Serve(ServeCommand command, const Context& context) {
  if (!command.init_tls.empty()) {
    server::InitTls(command.init_tls, command.names);
    std::printf("made %s: give clients %s/%s and %s/%s\n", command.init_tls.c_str(), command.init_tls.c_str(),
                server::kCaCertificate, command.init_tls.c_str(), server::kTokenFile);
    return;
  }
  server::CheckExposure(command.serve);
  std::optional<ScopedGovernor> governor;
  if (!command.governor.empty() && governor.emplace(command.governor).cores() == 0)
    context.progress.Note("the kernel does not let the governor be set to " + command.governor);
  command.agent.job_program = {fs::read_symlink("/proc/self/exe").string(), "serve-job"};
  // The kernel can't start a program for another processor. The emulator's options come in its environment variables.
  if (const fs::path emulator = Emulator(); !emulator.empty())
    command.agent.job_program.insert(command.agent.job_program.begin(), emulator.string());
  command.agent.describe = [toolchains = DescribeToolchains()](int threads) {
    v1::DescribeResponse response = toolchains;
    *response.mutable_device() = ToProto(MakeDevice("host", threads)->Describe());
    return response;
  };
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  command.agent.request.threads = std::clamp(cores, 1, command.agent.request.threads);
  command.agent.limits.memory_bytes = command.memory_mib << 20;
  command.agent.blobs.max_blob_bytes = command.agent.limits.file_bytes = command.blob_mib << 20;
  command.agent.blobs.max_total_bytes = command.store_mib << 20;
  server::Agent agent(command.agent, context);
  const server::Server server(command.serve, agent);
  const std::string host = command.serve.listen.substr(0, command.serve.listen.rfind(':') + 1);
  if (command.json) {
    std::printf("%s\n", nlohmann::ordered_json{{"version", 1}, {"port", server.port()}}.dump().c_str());
  } else {
    std::printf("listening at %s%d%s, state in %s; Ctrl-C ends\n", host.c_str(), server.port(),
                command.serve.tls_folder.empty() ? "" : " with TLS", command.agent.state.c_str());
  }
  std::fflush(stdout);
  while (!context.cancelled) std::this_thread::sleep_for(kPause);
}

void AddLimits(CLI::App& app, const std::shared_ptr<ServeCommand>& options) {
  app.add_option("--governor", options->governor, "clock governor while it runs (performance), where permitted");
  app.add_option("--compile-jobs", options->agent.capacity.compile_jobs, "that run side by side")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--job-seconds", options->agent.limits.run_s, "a job may run")
      ->check(CLI::Range(int64_t{1}, int64_t{86'400}))
      ->capture_default_str();
  app.add_option("--job-memory-mib", options->memory_mib, "a job may take")
      ->check(CLI::Range(64, 1 << 20))
      ->capture_default_str();
  app.add_option("--blob-mib", options->blob_mib, "largest file")->check(CLI::Range(1, 1 << 20))->capture_default_str();
  app.add_option("--store-mib", options->store_mib, "all files together")
      ->check(CLI::Range(1, 1 << 24))
      ->capture_default_str();
  app.add_option("--queue-jobs", options->agent.queue.max_jobs, "that may wait")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--client-jobs", options->agent.queue.max_client_jobs, "of one client, of those")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--lease-seconds", options->agent.queue.lease_s,
                 "a job without a word from its client is cancelled after")
      ->check(CLI::Range(int64_t{1}, int64_t{86'400}))
      ->capture_default_str();
}

}  // namespace

void AddServeCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ServeCommand>();  // shared: CLI11 copies the callback that owns it
  options->agent.state = "hot-agent";
  CLI::App* sub = app.add_subcommand("serve", "Let others measure on this machine: the device agent");
  sub->add_option("--listen", options->serve.listen, "HOST:PORT; port 0 is any free one")->capture_default_str();
  sub->add_option("--state", options->agent.state, "folder of queue and files; the same again goes on")
      ->capture_default_str();
  sub->add_option("--token-file", options->serve.token_file, "who may use it: TOKEN or NAME TOKEN a line");
  sub->add_option("--tls", options->serve.tls_folder, "folder that --init-tls made");
  sub->add_option("--init-tls", options->init_tls, "only make certificates and a token in this new folder");
  sub->add_option("--name", options->names, "with --init-tls: host names and addresses clients use");
  AddLimits(*sub, options);
  sub->add_flag("--json", options->json, "as JSON");
  sub->footer(
      "Examples:\n  hot serve --listen 127.0.0.1:7070 --token-file t\n"
      "  hot serve --init-tls agent-tls --name board.lan\n"
      "  hot serve --listen 0.0.0.0:7070 --tls agent-tls --token-file agent-tls/token\n"
      "then, in a study: target: {device: grpc://board.lan:7070, ca_file: ca.pem, token_file: token}");
  sub->callback([options, &exit_code] {
    exit_code = RunCommand(/*quiet=*/false, [&](const Context& context) { Serve(*options, context); });
  });
}

}  // namespace hot
