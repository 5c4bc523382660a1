#include "agent_soak.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdio>
#include <map>
#include <mutex>
#include <thread>

#include "agent_process.h"
#include "core/rng.h"
#include "deploy/devices/remote/agent_client.h"
#include "deploy/devices/remote/job_files.h"
#include "deploy/devices/remote/wire.h"
#include "deploy/session.h"
#include "deploy/test_networks.h"

namespace hot {
namespace {

constexpr double kPatienceSeconds = 120;

class Soak {
 public:
  explicit Soak(const SoakOptions& options)
      : options_(options), agent_(folder_.path() / "agent"), network_(SmallMobileNet()) {
    artifact_ = MakeToolchain("openvino")->Compile({.network = network_, .graph_key = "soak"});
  }

  SoakResult Run() {
    const Stopwatch watch;
    std::vector<std::jthread> clients;
    for (int client = 0; client < options_.clients; ++client) clients.emplace_back([this, client] { Client(client); });
    KillNowAndThen();
    clients.clear();  // joins
    Count();
    result_.jobs = options_.jobs;
    result_.lost = options_.jobs - right_;
    result_.seconds = watch.Seconds();
    return result_;
  }

 private:
  static std::string Name(int client) { return "client" + std::to_string(client); }

  void Client(int number) {
    AgentClient client(agent_.address(), {.token_file = {}, .ca_file = {}, .client = Name(number)});
    Rng rng(MixSeed(options_.seed, Name(number)));
    for (int job = number; job < options_.jobs; job += options_.clients) {
      try {
        if (RunJob(client, rng)) ++right_;
      } catch (const Error& error) {
        std::fprintf(stderr, "%s: %s\n", Name(number).c_str(), error.what());
      }
      ++ended_;
    }
  }

  bool RunJob(const AgentClient& client, Rng& rng) const {
    const auto silent = MakeSilentProgress();
    const std::atomic<bool> cancelled = false;
    const Context context{SystemClock(), *silent, cancelled};
    const TempFolder folder;
    const auto run = [&](const v1::SubmitRequest& request) {
      return client.Run(folder.path(), request, kPatienceSeconds, context);
    };
    switch (rng.Below(3)) {
      case 0: {
        const Artifact* const both[] = {&artifact_, &artifact_};
        const MeasureOptions options{.min_samples = 6, .max_samples = 8, .min_sample_ns = 10'000};
        const v1::JobResult result = run(WriteProfileJob(folder.path(), both, options, 0));
        return result.profile().measurements_size() == 2 && FromProto(result.profile().measurements(0)).median_ns > 0;
      }
      case 1: {
        run(WriteCompileJob(folder.path(), "openvino", {.network = network_, .graph_key = "soak"}));
        return ReadCompiled(folder.path()).blob_sha256 == artifact_.blob_sha256;
      }
      default: {
        const std::vector<Tensor> picture{artifact_.golden.at(0).input};
        run(WriteRunJob(folder.path(), artifact_, {&picture, 1}));
        return ReadOutputs(folder.path()).at(0).at(0).data == artifact_.golden[0].outputs[0].data;
      }
    }
  }

  // A kill each time another share of the jobs has ended, and a little later.
  void KillNowAndThen() {
    Rng rng(MixSeed(options_.seed, "kills"));
    for (int kill = 0; kill < options_.kills; ++kill) {
      const int share = options_.jobs * (kill + 1) / (options_.kills + 1);
      while (ended_ < share) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      std::this_thread::sleep_for(std::chrono::milliseconds(rng.Below(1000)));
      agent_.Kill();
      agent_.Start();
      ++result_.kills;
    }
  }

  // What the agent itself has written down.
  void Count() {
    const auto stub =
        v1::DeviceAgent::NewStub(grpc::CreateChannel(agent_.address(), grpc::InsecureChannelCredentials()));
    int done = 0;
    for (int client = 0; client < options_.clients; ++client) {
      grpc::ClientContext call;
      call.AddMetadata("hot-client", Name(client));
      v1::ListRequest request;
      request.set_limit(100'000);
      v1::ListResponse response;
      const grpc::Status status = stub->List(&call, request, &response);
      if (!status.ok()) throw Error(Code::kInternal, "soak", status.error_message());
      for (const v1::JobStatus& job : response.jobs()) {
        done += job.state() == v1::JOB_STATE_DONE ? 1 : 0;
        result_.repeated += static_cast<int>(job.attempt()) - 1;
      }
    }
    result_.duplicated = done - right_;
  }

  const SoakOptions options_;
  const TempFolder folder_;
  AgentProcess agent_;
  const Network network_;
  Artifact artifact_;
  std::atomic<int> right_ = 0, ended_ = 0;
  SoakResult result_;
};

}  // namespace

SoakResult SoakAgent(const SoakOptions& options) { return Soak(options).Run(); }

}  // namespace hot
