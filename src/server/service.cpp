#include "server/service.h"

#include <arpa/inet.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <fstream>

#include "core/error.h"
#include "deploy/devices/remote/job_state.h"
#include "hot/v1/device.grpc.pb.h"
#include "server/tls.h"
#include "server/tokens.h"

namespace hot::server {
namespace {

constexpr int kLargestMessage = 4 << 20;
constexpr size_t kLargestPiece = 1 << 20;  // of an upload
constexpr size_t kPiece = 256 << 10;       // of a download
constexpr auto kHeartbeat = std::chrono::seconds(1);
constexpr int kMostThreads = 256;  // each watched job takes one

std::string Metadata(const grpc::ServerContext& call, const char* key) {
  const auto found = call.client_metadata().find(key);
  return found == call.client_metadata().end() ? "" : std::string(found->second.data(), found->second.size());
}

grpc::Status ToStatus(const Error& error) { return {static_cast<grpc::StatusCode>(error.code()), error.what()}; }

class Service final : public v1::DeviceAgent::Service {
 public:
  Service(Agent& agent, Tokens tokens) : agent_(agent), tokens_(std::move(tokens)) {}

  grpc::Status Describe(grpc::ServerContext* call, const v1::DescribeRequest* request,
                        v1::DescribeResponse* response) override {
    return Answer(*call, [&](const std::string&) { *response = agent_.Describe(request->threads()); });
  }

  grpc::Status FindBlobs(grpc::ServerContext* call, const v1::FindBlobsRequest* request,
                         v1::FindBlobsResponse* response) override {
    return Answer(*call, [&](const std::string&) {
      for (const std::string& sha256 : request->sha256()) {
        const BlobInfo info = agent_.blobs().Find(sha256);
        v1::BlobState& state = *response->add_blobs();
        state.set_sha256(sha256);
        state.set_whole(info.whole);
        state.set_received(info.received);
      }
    });
  }

  grpc::Status Upload(grpc::ServerContext* call, grpc::ServerReader<v1::UploadRequest>* reader,
                      v1::UploadResponse* response) override {
    return Answer(*call, [&](const std::string&) {
      v1::UploadRequest message;
      if (!reader->Read(&message) || !message.has_header())
        throw Error(Code::kInvalidArgument, "upload", "the first message must name the file (header)");
      const v1::UploadRequest::Header header = message.header();
      uint64_t offset = header.offset();
      BlobInfo info = agent_.blobs().Append(header.sha256(), header.bytes(), offset, "");
      while (reader->Read(&message)) {
        if (message.has_header() || message.data().size() > kLargestPiece)
          throw Error(Code::kInvalidArgument, "upload", "expected at most 1 MiB of data");
        info = agent_.blobs().Append(header.sha256(), header.bytes(), offset, message.data());
        offset += message.data().size();
      }
      response->set_received(info.received);
    });
  }

  grpc::Status Download(grpc::ServerContext* call, const v1::DownloadRequest* request,
                        grpc::ServerWriter<v1::DownloadResponse>* writer) override {
    return Answer(*call, [&](const std::string&) {
      std::ifstream file(agent_.blobs().Path(request->sha256()), std::ios::binary);
      if (!file) throw Error(Code::kNotFound, "blob " + request->sha256(), "was removed a moment ago");
      file.seekg(0, std::ios::end);
      if (request->offset() > static_cast<uint64_t>(file.tellg()))
        throw Error(Code::kOutOfRange, "download", "the offset lies behind the file's end");
      file.seekg(static_cast<std::streamoff>(request->offset()));
      v1::DownloadResponse piece;
      std::string bytes(kPiece, '\0');
      while (file.read(bytes.data(), kPiece), file.gcount() > 0) {
        piece.set_data(bytes.data(), static_cast<size_t>(file.gcount()));
        if (!writer->Write(piece)) return;
      }
    });
  }

  grpc::Status Submit(grpc::ServerContext* call, const v1::SubmitRequest* request, v1::JobStatus* response) override {
    return Answer(*call, [&](const std::string& client) { *response = agent_.Submit(client, *request); });
  }

  grpc::Status Watch(grpc::ServerContext* call, const v1::WatchRequest* request,
                     grpc::ServerWriter<v1::JobStatus>* writer) override {
    return Answer(*call, [&](const std::string&) {
      uint64_t seen = 0;
      v1::JobStatus status;
      do {
        status = agent_.WaitForChange(request->job_id(), request->lease(), seen, kHeartbeat);
      } while (writer->Write(status) && !HasEnded(status.state()) && !call->IsCancelled());
    });
  }

  grpc::Status Renew(grpc::ServerContext* call, const v1::RenewRequest* request, v1::JobStatus* response) override {
    return Answer(*call, [&](const std::string&) { *response = agent_.Renew(request->job_id(), request->lease()); });
  }

  grpc::Status Cancel(grpc::ServerContext* call, const v1::CancelRequest* request, v1::JobStatus* response) override {
    return Answer(*call, [&](const std::string&) { *response = agent_.Cancel(request->job_id(), request->lease()); });
  }

  grpc::Status Result(grpc::ServerContext* call, const v1::ResultRequest* request, v1::JobResult* response) override {
    return Answer(*call, [&](const std::string&) { *response = agent_.Result(request->job_id()); });
  }

  grpc::Status List(grpc::ServerContext* call, const v1::ListRequest* request, v1::ListResponse* response) override {
    return Answer(*call, [&](const std::string& client) {
      for (const v1::JobStatus& status : agent_.List(client, static_cast<int>(request->limit())))
        *response->add_jobs() = status;
    });
  }

 private:
  // Runs `function` for a client that may call, with the client's name; what it throws becomes the answer.
  template <typename Function>
  grpc::Status Answer(const grpc::ServerContext& call, const Function& function) const {
    try {
      const std::optional<std::string> name = tokens_.Name(Metadata(call, "authorization"));
      if (!name) throw Error(Code::kPermissionDenied, "token", "is missing or wrong", "target.token_file: FILE");
      function(*name + "/" + Metadata(call, "hot-client").substr(0, 100));
      return grpc::Status::OK;
    } catch (const Error& error) {
      return ToStatus(error);
    } catch (const std::exception& error) {
      return {grpc::StatusCode::INTERNAL, error.what()};
    }
  }

  Agent& agent_;
  const Tokens tokens_;
};

std::string Host(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == address.size())
    throw Error(Code::kInvalidArgument, "--listen", "expected HOST:PORT, got \"" + address + "\"");
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

bool IsLoopback(const std::string& host) {
  in_addr address{};
  if (inet_pton(AF_INET, host.c_str(), &address) == 1) return ntohl(address.s_addr) >> 24 == 127;
  return host == "localhost" || host == "::1";
}

std::shared_ptr<grpc::ServerCredentials> Credentials(const fs::path& tls_folder) {
  if (tls_folder.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({ReadFile(tls_folder / kServerKey), ReadFile(tls_folder / kServerCertificate)});
  return grpc::SslServerCredentials(options);
}

}  // namespace

void CheckExposure(const ServeOptions& options) {
  if (IsLoopback(Host(options.listen))) return;
  if (!options.token_file.empty() && !options.tls_folder.empty()) return;
  throw Error(Code::kInvalidArgument, "--listen",
              "others than this machine reach " + options.listen + ": that needs a token and TLS",
              "once: hot serve --init-tls DIR --name " + Host(options.listen) +
                  "; then add --tls DIR --token-file DIR/" + kTokenFile);
}

class Server::Impl {
 public:
  Impl(const ServeOptions& options, Agent& agent)
      : service_(agent, options.token_file.empty() ? Tokens() : Tokens(options.token_file)) {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    builder.AddListeningPort(options.listen, Credentials(options.tls_folder), &port_);
    builder.RegisterService(&service_);
    builder.SetMaxReceiveMessageSize(kLargestMessage);
    builder.SetResourceQuota(grpc::ResourceQuota("hot serve").SetMaxThreads(kMostThreads));
    // Clients ask more often than gRPC's default allows whether a quiet connection still lives.
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // two agents at one port would share its clients
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port_ == 0)
      throw Error(Code::kUnavailable, "--listen",
                  "can't listen at " + options.listen + ": is it taken, or not this machine's?");
  }

  ~Impl() {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
  }

  int port() const { return port_; }

 private:
  Service service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

Server::Server(const ServeOptions& options, Agent& agent) {
  CheckExposure(options);
  impl_ = std::make_unique<Impl>(options, agent);
}
Server::~Server() = default;
int Server::port() const { return impl_->port(); }

}  // namespace hot::server
