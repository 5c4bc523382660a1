// `hot serve` as its clients see it: over the network, with clients that are careless, hostile or gone.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "agent_process.h"
#include "agent_soak.h"
#include "core/hash.h"
#include "deploy/devices/remote/agent_client.h"
#include "deploy/devices/remote/job_files.h"
#include "deploy/session.h"
#include "deploy/test_networks.h"
#include "hot_program.h"
#include "onnx.pb.h"

namespace hot {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr const char* kToken = "0123456789abcdef0123456789abcdef";

// One agent for all cases: each must leave it well.
class AgentTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TempFolder>();
    WriteFileAtomic(Token(), std::string(kToken) + "\n");
    WriteFileAtomic(folder_->path() / "team", std::string("# team\nalice ") + kToken + "\nbob fedcba9876543210\n");
    agent_ = std::make_unique<AgentProcess>(
        folder_->path() / "agent",
        std::vector<std::string>{"--token-file", (folder_->path() / "team").string(), "--job-seconds", "4",
                                 "--job-memory-mib", "2048", "--blob-mib", "8", "--lease-seconds", "2"});
    network_ = std::make_unique<Network>(SmallMobileNet());
    artifact_ =
        std::make_unique<Artifact>(MakeToolchain("openvino")->Compile({.network = *network_, .graph_key = "test"}));
  }
  static void TearDownTestSuite() {
    agent_.reset();
    folder_.reset();
  }
  // Whatever a case did, the next request is answered.
  void TearDown() override {
    EXPECT_NO_THROW(Client().Describe(1));
    EXPECT_TRUE(ReadOutput().ok()) << "a job after this case failed";
  }

  static fs::path Token() { return folder_->path() / "token"; }
  static AgentClient Client() { return {agent_->address(), {.token_file = Token(), .ca_file = {}, .client = "test"}}; }
  static std::unique_ptr<v1::DeviceAgent::Stub> Stub() {
    return v1::DeviceAgent::NewStub(grpc::CreateChannel(agent_->address(), grpc::InsecureChannelCredentials()));
  }
  static std::unique_ptr<grpc::ClientContext> Call(const std::string& token = kToken) {
    auto call = std::make_unique<grpc::ClientContext>();
    call->AddMetadata("authorization", "Bearer " + token);
    call->AddMetadata("hot-client", "test");
    call->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    return call;
  }

  // Runs the job of that request with the files in `folder`.
  static v1::JobResult Run(const fs::path& folder, const v1::SubmitRequest& request) {
    const auto silent = MakeSilentProgress();
    const std::atomic<bool> cancelled = false;
    return Client().Run(folder, request, 30, {SystemClock(), *silent, cancelled});
  }

  static grpc::Status ReadOutput() {
    const TempFolder folder;
    const std::vector<Tensor> picture{artifact_->golden.at(0).input};
    try {
      Run(folder.path(), WriteRunJob(folder.path(), *artifact_, {&picture, 1}));
      if (ReadOutputs(folder.path()).at(0).at(0).data != artifact_->golden[0].outputs[0].data)
        return {grpc::StatusCode::DATA_LOSS, "other outputs than on this machine"};
    } catch (const Error& error) {
      return {static_cast<grpc::StatusCode>(error.code()), error.what()};
    }
    return grpc::Status::OK;
  }

  // The error of a run job with another model file in the artifact.
  static Error RunModel(const std::string& blob) {
    Artifact artifact = *artifact_;
    artifact.blob = blob;
    artifact.blob_sha256 = Sha256Hex(blob);
    const TempFolder folder;
    const std::vector<Tensor> picture{artifact.golden.at(0).input};
    try {
      Run(folder.path(), WriteRunJob(folder.path(), artifact, {&picture, 1}));
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      return error;
    }
    return {Code::kOk, "", ""};
  }

  static grpc::Status Upload(const std::string& sha256, const std::string& bytes, uint64_t total, uint64_t offset = 0) {
    const auto call = Call();
    v1::UploadResponse response;
    const auto writer = Stub()->Upload(call.get(), &response);
    v1::UploadRequest message;
    message.mutable_header()->set_sha256(sha256);
    message.mutable_header()->set_bytes(total);
    message.mutable_header()->set_offset(offset);
    writer->Write(message);
    message.set_data(bytes);
    writer->Write(message);
    writer->WritesDone();
    return writer->Finish();
  }

  static uint64_t Received(const std::string& sha256) {
    v1::FindBlobsRequest request;
    request.add_sha256(sha256);
    v1::FindBlobsResponse response;
    EXPECT_TRUE(Stub()->FindBlobs(Call().get(), request, &response).ok());
    return response.blobs(0).received();
  }

  static std::unique_ptr<TempFolder> folder_;
  static std::unique_ptr<AgentProcess> agent_;
  static std::unique_ptr<Network> network_;
  static std::unique_ptr<Artifact> artifact_;
};

std::unique_ptr<TempFolder> AgentTest::folder_;
std::unique_ptr<AgentProcess> AgentTest::agent_;
std::unique_ptr<Network> AgentTest::network_;
std::unique_ptr<Artifact> AgentTest::artifact_;

TEST_F(AgentTest, WrongTokenIsRefused) {
  for (const std::string token : {"", "0123456789abcdef", "alice"}) {
    v1::DescribeResponse response;
    const grpc::Status status = Stub()->Describe(Call(token).get(), {}, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED) << token;
    EXPECT_THAT(status.error_message(), HasSubstr("token"));
    EXPECT_EQ(Stub()->Submit(Call(token).get(), {}, std::make_unique<v1::JobStatus>().get()).error_code(),
              grpc::StatusCode::PERMISSION_DENIED);
  }
}

TEST_F(AgentTest, GarbageInsteadOfAMessageIsRefused) {
  grpc::GenericStub stub(grpc::CreateChannel(agent_->address(), grpc::InsecureChannelCredentials()));
  for (const char* method : {"Submit", "Describe", "FindBlobs"}) {
    const auto call = Call();
    const grpc::Slice slice(std::string("\xff\xff\xff\xff\xff garbage \x01\x02"));
    const grpc::ByteBuffer garbage(&slice, 1);
    grpc::CompletionQueue queue;
    grpc::ByteBuffer answer;
    grpc::Status status;
    const auto reader =
        stub.PrepareUnaryCall(call.get(), std::string("/hot.v1.DeviceAgent/") + method, garbage, &queue);
    reader->StartCall();
    reader->Finish(&answer, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    EXPECT_FALSE(status.ok()) << method;
  }
}

TEST_F(AgentTest, RequestsThatCannotBeMeantAreRefusedInOneLine) {
  const TempFolder folder;
  const Artifact* const artifacts[] = {artifact_.get()};
  const v1::SubmitRequest good = WriteProfileJob(folder.path(), artifacts, {}, 0);
  const auto refused = [&](v1::SubmitRequest request) {
    if (request.job_id().empty()) request.set_job_id("bad-request");
    v1::JobStatus job;
    const grpc::Status status = Stub()->Submit(Call().get(), request, &job);
    EXPECT_EQ(status.error_message().find('\n'), std::string::npos);
    return status.error_code();
  };
  v1::SubmitRequest request = good;
  request.set_job_id("../../etc/passwd");
  EXPECT_EQ(refused(request), grpc::StatusCode::INVALID_ARGUMENT);
  request = good;
  request.clear_profile();
  EXPECT_EQ(refused(request), grpc::StatusCode::INVALID_ARGUMENT);
  request = good;
  request.mutable_profile()->mutable_artifacts(0)->mutable_files(0)->set_sha256("../secret");
  EXPECT_EQ(refused(request), grpc::StatusCode::INVALID_ARGUMENT);
  request = good;
  request.mutable_profile()->mutable_options()->set_max_samples(2'000'000'000);
  EXPECT_EQ(refused(request), grpc::StatusCode::INVALID_ARGUMENT);
  request = good;
  request.set_threads(static_cast<int>(std::thread::hardware_concurrency()) + 1);
  EXPECT_EQ(refused(request), grpc::StatusCode::INVALID_ARGUMENT);
  request = good;
  for (int i = 0; i < 64; ++i) *request.mutable_profile()->add_artifacts() = good.profile().artifacts(0);
  EXPECT_EQ(refused(request), grpc::StatusCode::INVALID_ARGUMENT);
  request = good;
  request.mutable_profile()->mutable_artifacts(0)->mutable_files(0)->set_sha256(Sha256Hex("never uploaded"));
  EXPECT_EQ(refused(request), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(AgentTest, OversizedUploadIsRefusedBeforeItIsSent) {
  const grpc::Status status = Upload(Sha256Hex("big"), "begin", uint64_t{9} << 20);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  EXPECT_EQ(Received(Sha256Hex("big")), 0u);
}

TEST_F(AgentTest, UploadsGoOnWhereTheyBrokeOff) {
  const std::string bytes(3'000'000, 'x'), sha256 = Sha256Hex(bytes);
  {
    const auto call = Call();
    v1::UploadResponse response;
    const auto writer = Stub()->Upload(call.get(), &response);
    v1::UploadRequest message;
    message.mutable_header()->set_sha256(sha256);
    message.mutable_header()->set_bytes(bytes.size());
    writer->Write(message);
    message.set_data(bytes.substr(0, 1 << 20));
    writer->Write(message);
    for (int i = 0; i < 200 && Received(sha256) == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    call->TryCancel();  // the cable is pulled
    writer->Finish();
  }
  const uint64_t received = Received(sha256);
  EXPECT_EQ(received, uint64_t{1} << 20);
  EXPECT_EQ(Upload(sha256, "x", bytes.size(), received + 1).error_code(), grpc::StatusCode::OUT_OF_RANGE);
  for (uint64_t at = received; at < bytes.size(); at += 1 << 20)
    EXPECT_TRUE(Upload(sha256, bytes.substr(at, 1 << 20), bytes.size(), at).ok());
  EXPECT_EQ(Received(sha256), bytes.size());
}

TEST_F(AgentTest, BytesOfAnotherHashAreThrownAway) {
  EXPECT_EQ(Upload(Sha256Hex("abc"), "abd", 3).error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_EQ(Received(Sha256Hex("abc")), 0u);
  EXPECT_TRUE(Upload(Sha256Hex("abc"), "abc", 3).ok());
}

TEST_F(AgentTest, AModelThatCannotBeReadFailsItsJob) {
  EXPECT_EQ(RunModel("not a model").code(), Code::kDataLoss);
  std::string unknown = artifact_->blob;  // an operator that nobody has
  for (size_t at = unknown.find("Conv"); at != std::string::npos; at = unknown.find("Conv", at + 1))
    if (unknown[at - 1] == 4) unknown[at] = 'X';
  ASSERT_NE(unknown, artifact_->blob);
  const Error error = RunModel(unknown);
  EXPECT_EQ(error.code(), Code::kDataLoss) << error.what();
  EXPECT_THAT(error.what(), HasSubstr("Xonv"));
}

// An ONNX file that wants a map of 50000 x 50000 values, 10 GB.
std::string HungryModel() {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  graph.set_name("hungry");
  const auto value = [](onnx::ValueInfoProto& info, const std::string& name) {
    info.set_name(name);
    onnx::TypeProto::Tensor& type = *info.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    for (const int64_t size : {1, 3, 32, 32}) type.mutable_shape()->add_dim()->set_dim_value(size);
  };
  const auto node = [&](const std::string& op, const std::vector<std::string>& inputs, const std::string& output) {
    onnx::NodeProto& made = *graph.add_node();
    made.set_op_type(op);
    for (const std::string& input : inputs) made.add_input(input);
    made.add_output(output);
  };
  value(*graph.add_input(), "image");
  value(*graph.add_output(), "out");
  onnx::TensorProto& shape = *graph.add_initializer();
  shape.set_name("shape");
  shape.set_data_type(onnx::TensorProto::INT64);
  shape.add_dims(4);
  for (const int64_t size : {1, 1, 50'000, 50'000}) shape.add_int64_data(size);
  node("ReduceMean", {"image"}, "mean");
  node("Expand", {"mean", "shape"}, "map");
  node("Exp", {"map"}, "more");
  node("ReduceMean", {"more"}, "one");
  node("Add", {"image", "one"}, "out");
  return model.SerializeAsString();
}

TEST_F(AgentTest, AModelThatTakesTooMuchMemoryFailsItsJob) {
  const Error error = RunModel(HungryModel());
  EXPECT_EQ(error.code(), Code::kResourceExhausted) << error.what();
  EXPECT_THAT(error.what(), HasSubstr("memory"));
}

TEST_F(AgentTest, AJobWithoutEndIsEnded) {
  const TempFolder folder;
  const Artifact* const artifacts[] = {artifact_.get()};
  const MeasureOptions options{.target_half_width = 1e-9, .max_samples = 10'000, .min_sample_ns = 10'000'000'000};
  try {
    Run(folder.path(), WriteProfileJob(folder.path(), artifacts, options, 0));
    ADD_FAILURE() << "it ended";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kDeadlineExceeded) << error.what();
    EXPECT_THAT(error.what(), HasSubstr("4 s"));
  }
}

TEST_F(AgentTest, AnIdIsOneJob) {
  const TempFolder folder;
  const std::vector<Tensor> picture{artifact_->golden.at(0).input};
  v1::SubmitRequest request = WriteRunJob(folder.path(), *artifact_, {&picture, 1});
  Run(folder.path(), request);  // brings the files
  request.set_job_id("same");
  v1::JobStatus first, again, other;
  ASSERT_TRUE(Stub()->Submit(Call().get(), request, &first).ok());
  ASSERT_TRUE(Stub()->Submit(Call().get(), request, &again).ok());
  EXPECT_EQ(first.lease().token(), again.lease().token());
  const grpc::Status taken = Stub()->Submit(Call("fedcba9876543210").get(), request, &other);  // bob's
  EXPECT_EQ(taken.error_code(), grpc::StatusCode::ALREADY_EXISTS) << taken.error_message();
  request.set_threads(2);
  EXPECT_EQ(Stub()->Submit(Call().get(), request, &other).error_code(), grpc::StatusCode::ALREADY_EXISTS);
}

TEST_F(AgentTest, ALeaseThatExpiredCancelsItsJob) {
  const TempFolder folder;
  const Artifact* const artifacts[] = {artifact_.get()};
  const MeasureOptions slow{.target_half_width = 1e-9, .max_samples = 10'000, .min_sample_ns = 100'000'000};
  v1::SubmitRequest request = WriteProfileJob(folder.path(), artifacts, slow, 0);
  for (const JobFile& file : FilesOf(request)) {
    const std::string bytes = ReadFile(folder.path() / file.path);
    ASSERT_TRUE(Upload(file.sha256, bytes, bytes.size()).ok());
  }
  request.set_job_id("left-alone");
  v1::JobStatus job;
  ASSERT_TRUE(Stub()->Submit(Call().get(), request, &job).ok());
  v1::RenewRequest renew;
  renew.set_job_id("left-alone");
  renew.set_lease("another");
  EXPECT_EQ(Stub()->Renew(Call().get(), renew, &job).error_code(), grpc::StatusCode::ABORTED);
  std::this_thread::sleep_for(std::chrono::seconds(5));  // of a lease of 2
  renew.set_lease(job.lease().token());
  const grpc::Status status = Stub()->Renew(Call().get(), renew, &job);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED) << status.error_message();
  v1::ResultRequest ask;
  ask.set_job_id("left-alone");
  v1::JobResult result;
  EXPECT_EQ(Stub()->Result(Call().get(), ask, &result).error_code(), grpc::StatusCode::ABORTED);
}

TEST(Serve, AddressesThatOthersReachNeedTokenAndTls) {
  const TempFolder folder;
  HotResult result = RunHot(folder.path(), "serve --listen 0.0.0.0:0 --state agent");
  EXPECT_EQ(result.code, 2) << result.output;
  EXPECT_THAT(result.output, AllOf(HasSubstr("TLS"), HasSubstr("hot serve --init-tls")));
  result = RunHot(folder.path(), "serve --init-tls tls --name board.lan");
  EXPECT_EQ(result.code, 0) << result.output;
  EXPECT_EQ(RunHot(folder.path(), "serve --init-tls tls").code, 1);
  const AgentProcess agent(folder.path() / "agent", {"--tls", (folder.path() / "tls").string(), "--token-file",
                                                     (folder.path() / "tls/token").string()});
  const AgentAccess access{.token_file = folder.path() / "tls/token", .ca_file = folder.path() / "tls/ca.pem"};
  EXPECT_FALSE(AgentClient(agent.address(), access).Describe(1).device().fingerprint().empty());
  EXPECT_THROW(AgentClient(agent.address(), {.token_file = access.token_file}).Describe(1), Error);  // no TLS
}

TEST(Serve, NoJobIsLostWhenTheAgentIsKilled) {
  const SoakResult result = SoakAgent({.clients = 4, .jobs = 24, .kills = 2, .seed = 3});
  EXPECT_EQ(result.lost, 0);
  EXPECT_EQ(result.duplicated, 0);
  EXPECT_EQ(result.kills, 2);
}

TEST(Serve, WorkOfABoardThatDisappearsMovesToAnother) {
  const TempFolder folder;
  std::optional<AgentProcess> first(std::in_place, folder.path() / "a");
  const AgentProcess second(folder.path() / "b");
  const auto device = MakeDevice(first->url() + "," + second.url(), 1);
  const Artifact artifact = MakeToolchain("openvino")->Compile({.network = SmallMobileNet(), .timing_only = true});
  const std::vector<const Artifact*> artifacts(8, &artifact);
  first.reset();
  const auto silent = MakeSilentProgress();
  const std::atomic<bool> cancelled = false;
  const auto rows =
      device->Profile(artifacts, {.min_samples = 6, .max_samples = 8}, 0, {SystemClock(), *silent, cancelled});
  ASSERT_EQ(rows.size(), 8u);
  for (const Measurement& row : rows) EXPECT_GT(row.median_ns, 0);
}

}  // namespace
}  // namespace hot
