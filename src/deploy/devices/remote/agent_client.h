// A connection to one device agent (`hot serve`): uploads what a job needs, waits for it and brings its results. Lost
// connections are taken up again; a job is asked for once however often that happens, for its id is ours
// (docs/formats/device-agent.md). Thread rule: one call at a time an object.
#pragma once

#include <memory>
#include <string>

#include "core/context.h"
#include "core/files.h"
#include "deploy/device.h"
#include "hot/v1/device.grpc.pb.h"

namespace hot {

class AgentClient {
 public:
  // `address`: "board:7070". Connects with the first call. Throws Error(kNotFound, kInvalidArgument) for a token or CA
  // file that is missing or empty.
  AgentClient(const std::string& address, const AgentAccess& access);

  // "grpc://board:7070".
  std::string url() const { return "grpc://" + address_; }

  // Throws Error(kUnavailable) when nobody answers there, kPermissionDenied for a wrong token.
  v1::DescribeResponse Describe(int threads) const;

  // This client's newest jobs, whoever of its processes asked for them; waits a few seconds at most. Throws as
  // Describe.
  v1::ListResponse List(uint32_t limit) const;

  // Puts `request` (but for its id complete) into the agent's queue, its files from `folder` first, and waits; what the
  // job's result names lies below `folder` then. Progress: the job's own. An agent that does not answer is waited for
  // for `patience_seconds`, then Error(kUnavailable). Throws the job's error when it failed, kCancelled.
  v1::JobResult Run(const fs::path& folder, v1::SubmitRequest request, double patience_seconds,
                    const Context& context) const;
  // The same without progress and end, with as much patience as an only board deserves.
  v1::JobResult Run(const fs::path& folder, v1::SubmitRequest request) const;
  static constexpr double kPatienceSeconds = 60;

 private:
  void UploadMissing(const fs::path& folder, const v1::SubmitRequest& request, double patience_seconds,
                     const Context& context) const;
  void Upload(const fs::path& file, const std::string& sha256, uint64_t offset, const Context& context) const;
  void Download(const fs::path& file, const std::string& sha256, double patience_seconds, const Context& context) const;
  v1::JobStatus Await(const v1::SubmitRequest& request, double patience_seconds, const Context& context) const;
  // Watches until the job ends or the connection does, which throws Error(kUnavailable).
  v1::JobStatus Watch(const v1::JobStatus& submitted, const Context& context) const;
  void Cancel(const v1::JobStatus& status) const;
  void Check(const grpc::Status& status) const;
  // Calls `function` again while it throws Error(kUnavailable), until that has gone on for `patience_seconds`.
  template <typename Function>
  auto Retry(double patience_seconds, const Context& context, const Function& function) const;
  std::unique_ptr<grpc::ClientContext> MakeCall(double deadline_seconds) const;

  std::string address_, authorization_, client_;
  std::unique_ptr<v1::DeviceAgent::Stub> stub_;
};

}  // namespace hot
