#include "deploy/devices/remote/agent_client.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <thread>

#include "core/hash.h"
#include "deploy/devices/remote/job_files.h"
#include "deploy/devices/remote/job_state.h"
#include "deploy/devices/remote/wire.h"

namespace hot {
namespace {

constexpr size_t kChunk = 256 * 1024;
constexpr double kCallSeconds = 20;  // of calls that wait for nothing
constexpr double kLookSeconds = 3;   // of those that somebody looks at the answer of
constexpr auto kPause = std::chrono::milliseconds(200);

std::string ReadToken(const fs::path& file) {
  if (file.empty()) return "";
  std::string token = ReadFile(file);
  token.erase(std::remove_if(token.begin(), token.end(), [](unsigned char c) { return std::isspace(c); }), token.end());
  if (token.empty()) throw Error(Code::kInvalidArgument, file.string(), "holds no token");
  return token;
}

std::string UserAtHost() {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return std::to_string(getuid()) + "@" + host.data();
}

std::shared_ptr<grpc::Channel> Connect(const std::string& address, const AgentAccess& access) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // A board whose cable was pulled says nothing any more.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  if (access.ca_file.empty()) {
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  }
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = ReadFile(access.ca_file);
  return grpc::CreateCustomChannel(address, grpc::SslCredentials(tls), arguments);
}

void Show(const v1::JobStatus& status, const Context& context) {
  if (status.state() == v1::JOB_STATE_RUNNING) {
    context.progress.Update(status.done(), status.note());
  } else if (status.state() == v1::JOB_STATE_QUEUED) {
    context.progress.Update(0, "waiting for the device, " + std::to_string(status.jobs_before()) + " jobs before");
  }
}

}  // namespace

AgentClient::AgentClient(const std::string& address, const AgentAccess& access)
    : address_(address),
      authorization_(ReadToken(access.token_file)),
      client_(access.client.empty() ? UserAtHost() : access.client),
      stub_(v1::DeviceAgent::NewStub(Connect(address, access))) {}

std::unique_ptr<grpc::ClientContext> AgentClient::MakeCall(double deadline_seconds) const {
  auto call = std::make_unique<grpc::ClientContext>();
  if (!authorization_.empty()) call->AddMetadata("authorization", "Bearer " + authorization_);
  call->AddMetadata("hot-client", client_);
  if (deadline_seconds > 0) {
    call->set_deadline(std::chrono::system_clock::now() +
                       std::chrono::milliseconds(static_cast<int64_t>(deadline_seconds * 1e3)));
  }
  return call;
}

void AgentClient::Check(const grpc::Status& status) const {
  if (status.ok()) return;
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE ||
      status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    throw Error(Code::kUnavailable, url(), "the device agent does not answer: " + status.error_message(),
                "start it there: hot serve --listen ADDRESS");
  }
  throw ErrorFromWire(status.error_code(), url() + ": " + status.error_message());
}

template <typename Function>
auto AgentClient::Retry(double patience_seconds, const Context& context, const Function& function) const {
  const Stopwatch since;
  for (;;) {
    context.ThrowIfCancelled();
    try {
      return function();
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable || since.Seconds() > patience_seconds) throw;
    }
    context.progress.Update(0, "waiting for grpc://" + address_ + " to answer");
    std::this_thread::sleep_for(kPause);
  }
}

v1::DescribeResponse AgentClient::Describe(int threads) const {
  v1::DescribeRequest request;
  request.set_threads(threads);
  v1::DescribeResponse response;
  Check(stub_->Describe(MakeCall(kCallSeconds).get(), request, &response));
  return response;
}

v1::ListResponse AgentClient::List(uint32_t limit) const {
  v1::ListRequest request;
  request.set_limit(limit);
  v1::ListResponse response;
  Check(stub_->List(MakeCall(kLookSeconds).get(), request, &response));
  return response;
}

void AgentClient::Upload(const fs::path& file, const std::string& sha256, uint64_t offset,
                         const Context& context) const {
  std::ifstream in(file, std::ios::binary);
  if (!in.seekg(static_cast<std::streamoff>(offset)))
    throw Error(Code::kNotFound, file.string(), "can't be read to upload it");
  const auto call = MakeCall(0);
  v1::UploadResponse response;
  const auto writer = stub_->Upload(call.get(), &response);
  v1::UploadRequest message;
  message.mutable_header()->set_sha256(sha256);
  message.mutable_header()->set_bytes(fs::file_size(file));
  message.mutable_header()->set_offset(offset);
  std::string chunk(kChunk, '\0');
  bool open = writer->Write(message);
  while (open && !context.cancelled && (in.read(chunk.data(), kChunk), in.gcount() > 0)) {
    message.set_data(chunk.data(), static_cast<size_t>(in.gcount()));
    open = writer->Write(message);
  }
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  context.ThrowIfCancelled();
  Check(status);
}

void AgentClient::UploadMissing(const fs::path& folder, const v1::SubmitRequest& request, double patience_seconds,
                                const Context& context) const {
  const std::vector<JobFile> files = FilesOf(request);
  Retry(patience_seconds, context, [&] {
    v1::FindBlobsRequest find;
    for (const JobFile& file : files) find.add_sha256(file.sha256);
    v1::FindBlobsResponse found;
    Check(stub_->FindBlobs(MakeCall(kCallSeconds).get(), find, &found));
    for (int i = 0; i < found.blobs_size(); ++i) {
      if (found.blobs(i).whole()) continue;
      const JobFile& file = files.at(static_cast<size_t>(i));
      Upload(folder / file.path, file.sha256, found.blobs(i).received(), context);
    }
    return 0;
  });
}

void AgentClient::Download(const fs::path& file, const std::string& sha256, double patience_seconds,
                           const Context& context) const {
  EnsureFolder(file.parent_path());
  std::string bytes;
  Retry(patience_seconds, context, [&] {
    v1::DownloadRequest request;
    request.set_sha256(sha256);
    request.set_offset(bytes.size());
    const auto call = MakeCall(0);
    const auto reader = stub_->Download(call.get(), request);
    v1::DownloadResponse message;
    while (reader->Read(&message)) bytes += message.data();
    Check(reader->Finish());
    return 0;
  });
  if (Sha256Hex(bytes) != sha256) throw Error(Code::kDataLoss, url(), "what was downloaded does not match its hash");
  WriteFileAtomic(file, bytes);
}

void AgentClient::Cancel(const v1::JobStatus& status) const {
  v1::CancelRequest request;
  request.set_job_id(status.job_id());
  request.set_lease(status.lease().token());
  v1::JobStatus ignored;
  stub_->Cancel(MakeCall(kCallSeconds).get(), request, &ignored);  // if it fails, the lease expires
}

v1::JobStatus AgentClient::Watch(const v1::JobStatus& submitted, const Context& context) const {
  v1::WatchRequest request;
  request.set_job_id(submitted.job_id());
  request.set_lease(submitted.lease().token());
  const auto call = MakeCall(0);
  const auto reader = stub_->Watch(call.get(), request);
  v1::JobStatus status = submitted;
  while (reader->Read(&status)) {
    Show(status, context);
    if (!context.cancelled) continue;
    Cancel(submitted);
    call->TryCancel();
    reader->Finish();
    context.ThrowIfCancelled();
  }
  Check(reader->Finish());
  if (!HasEnded(status.state())) throw Error(Code::kUnavailable, url(), "the device agent is going down");
  return status;
}

v1::JobStatus AgentClient::Await(const v1::SubmitRequest& request, double patience_seconds,
                                 const Context& context) const {
  // However long a job takes, patience is for an agent that does not answer, so it begins anew with each answer.
  for (;;) {
    const v1::JobStatus submitted = Retry(patience_seconds, context, [&] {
      v1::JobStatus status;
      Check(stub_->Submit(MakeCall(kCallSeconds).get(), request, &status));
      return status;
    });
    if (HasEnded(submitted.state())) return submitted;
    try {
      return Watch(submitted, context);
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
    }
  }
}

v1::JobResult AgentClient::Run(const fs::path& folder, v1::SubmitRequest request, double patience_seconds,
                               const Context& context) const {
  request.set_job_id(RandomHex(16));
  UploadMissing(folder, request, patience_seconds, context);
  const v1::JobStatus status = Await(request, patience_seconds, context);
  if (status.state() != v1::JOB_STATE_DONE) throw ErrorFromWire(status.code(), status.error());
  v1::JobResult result = Retry(patience_seconds, context, [&] {
    v1::ResultRequest ask;
    ask.set_job_id(request.job_id());
    v1::JobResult answer;
    Check(stub_->Result(MakeCall(kCallSeconds).get(), ask, &answer));
    return answer;
  });
  for (const JobFile& file : FilesOf(result)) Download(folder / file.path, file.sha256, patience_seconds, context);
  return result;
}

v1::JobResult AgentClient::Run(const fs::path& folder, v1::SubmitRequest request) const {
  const auto silent = MakeSilentProgress();
  const std::atomic<bool> cancelled = false;
  return Run(folder, std::move(request), kPatienceSeconds, {SystemClock(), *silent, cancelled});
}

}  // namespace hot
