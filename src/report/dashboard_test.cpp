// The dashboard over a real socket: what it offers and what it refuses, and what it tells of a study.
#include "report/dashboard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/error.h"
#include "core/hash.h"
#include "report/live_run.h"
#include "report/testing/live_study.h"
#include "server/service.h"

namespace hot {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Json = nlohmann::ordered_json;

class DashboardTest : public ::testing::Test {
 protected:
  httplib::Result Get(const std::string& path, const httplib::Headers& headers = {}) {
    return httplib::Client("127.0.0.1", dashboard_.port()).Get(path, headers);
  }
  Json Answer(const std::string& path) {
    const httplib::Result result = Get(path);
    EXPECT_EQ(result->status, 200) << path;
    EXPECT_EQ(result->get_header_value("Content-Type"), "application/json");
    return Json::parse(result->body);
  }

  TempFolder folder_;
  LiveStudy study_{folder_.path() / "run"};
  Dashboard dashboard_{study_.folder(), 0};
};

TEST_F(DashboardTest, ThePageIsTheReportsWithoutData) {
  const httplib::Result page = Get("/");
  ASSERT_EQ(page->status, 200);
  EXPECT_EQ(page->get_header_value("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(page->body, AllOf(HasSubstr("<h1>bccd</h1>"), HasSubstr("id=\"run-data\"></script>"),
                                HasSubstr("Chart.js v3.9.1"), HasSubstr("/status.json"), Not(HasSubstr("{{nonce"))));
  for (const char* load : {"src=\"", "href=\"http", "<iframe", "<object", "@import", "url("})
    EXPECT_THAT(page->body, Not(HasSubstr(load)));
}

TEST_F(DashboardTest, OnlyItsOwnScriptsMayRun) {
  const httplib::Result page = Get("/");
  const std::string policy = page->get_header_value("Content-Security-Policy");
  EXPECT_THAT(policy, HasSubstr("default-src 'none'; script-src 'nonce-"));
  const std::string nonce = policy.substr(policy.find("'nonce-") + 7, 32);
  size_t scripts = 0;
  for (size_t at = page->body.find("<script nonce=\"" + nonce); at != std::string::npos; ++scripts)
    at = page->body.find("<script nonce=\"" + nonce, at + 1);
  EXPECT_EQ(scripts, 2u);
  EXPECT_THAT(Get("/")->body, Not(HasSubstr(nonce)));  // a new one each time
  EXPECT_EQ(page->get_header_value("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(page->get_header_value("Cross-Origin-Resource-Policy"), "same-origin");
}

TEST_F(DashboardTest, AnswersThisMachineOnly) {
  const std::string port = std::to_string(dashboard_.port());
  for (const std::string& host : {"127.0.0.1:" + port, "localhost:" + port})
    EXPECT_EQ(Get("/status.json", {{"Host", host}})->status, 200) << host;
  const std::vector<std::string> others{"evil.example", "evil.example:" + port, "127.0.0.1:" + port + ".evil.example",
                                        "127.0.0.1",    "[::1]:" + port,        ""};
  for (const std::string& host : others) EXPECT_EQ(Get("/status.json", {{"Host", host}})->status, 403) << host;
}

TEST_F(DashboardTest, NothingCanBeChanged) {
  httplib::Client client("127.0.0.1", dashboard_.port());
  const std::vector<httplib::Result> refused = [&] {
    std::vector<httplib::Result> all;
    all.push_back(client.Post("/status.json", "{}", "application/json"));
    all.push_back(client.Put("/study.json", "{}", "application/json"));
    all.push_back(client.Delete("/"));
    all.push_back(client.Patch("/", "{}", "application/json"));
    all.push_back(client.Options("/"));
    all.push_back(client.Head("/"));
    return all;
  }();
  for (const httplib::Result& result : refused) {
    ASSERT_TRUE(result);
    EXPECT_EQ(result->status, 405);
    EXPECT_EQ(result->get_header_value("Allow"), "GET");
  }
}

TEST_F(DashboardTest, NoAddressLeadsToAFile) {
  for (const char* path : {"/study.json", "/../study.json", "/%2e%2e/run/study.json", "/stages/profile.json",
                           "//etc/passwd", "/data.json/..", "/status.json/", "/status_json", "/index.html"})
    EXPECT_EQ(Get(path)->status, 404) << path;
}

TEST_F(DashboardTest, SpendsNoTimeOnCompression) {
  const httplib::Result page = Get("/", {{"Accept-Encoding", "gzip, deflate, br"}});
  EXPECT_FALSE(page->has_header("Content-Encoding"));
  EXPECT_EQ(page->get_header_value("Content-Length"), std::to_string(page->body.size()));
}

TEST_F(DashboardTest, APortThatIsTakenIsOneLine) {
  try {
    const Dashboard second(study_.folder(), dashboard_.port());
    FAIL() << "two listen at one port";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("--port"), HasSubstr("taken"), Not(HasSubstr("\n"))));
  }
}

TEST_F(DashboardTest, TheSamePortIsFreeAgainAtOnce) {
  auto first = std::make_unique<Dashboard>(study_.folder(), 0);
  const int port = first->port();
  EXPECT_EQ(httplib::Client("127.0.0.1", port).Get("/")->status, 200);
  first.reset();
  EXPECT_EQ(Dashboard(study_.folder(), port).port(), port);
}

TEST_F(DashboardTest, WithoutStudyIsNoRunFolder) {
  EXPECT_THROW(Dashboard(folder_.path() / "nowhere", 0), Error);
  EXPECT_THROW(Dashboard(folder_.path(), 0), Error);
}

TEST_F(DashboardTest, TellsOfAStudyFromItsBeginningToItsEnd) {
  EXPECT_EQ(Answer("/status.json").at("state"), "not begun");
  study_.Start();
  study_.Begin("profile", 114, 41, "measuring 64 parts in turns");
  Json status = Answer("/status.json");
  EXPECT_EQ(status.at("state"), "running");
  EXPECT_EQ(status.at("doing").at("done"), 41.0);
  EXPECT_EQ(status.at("doing").at("note"), "measuring 64 parts in turns");
  EXPECT_GT(status.at("doing").at("left_s"), 0.0);
  EXPECT_EQ(status.at("device"), "host");
  EXPECT_TRUE(status.at("queue").is_null());
  for (const char* stage : {"profile", "search", "verify", "train", "quantize", "compile", "evaluate"})
    study_.Finish(stage);
  study_.Kill();
  EXPECT_EQ(Answer("/status.json").at("state"), "finished");
  EXPECT_FALSE(Answer("/data.json").at("evaluation").at("verdict").get<std::string>().empty());
}

TEST_F(DashboardTest, StampsChangeWithTheFilesBehindThem) {
  const auto stamps = [&] { return Answer("/status.json").at("stamps"); };
  const Json first = stamps();
  EXPECT_EQ(stamps(), first);
  study_.Start();
  study_.Begin("profile", 10, 1, "");
  EXPECT_EQ(stamps(), first) << "progress alone is no new data";
  study_.Finish("profile");
  const Json second = stamps();
  EXPECT_NE(second.at("data"), first.at("data"));
  EXPECT_EQ(second.at("curves"), first.at("curves"));
  study_.Train(3);
  const Json third = stamps();
  EXPECT_EQ(third.at("data"), second.at("data"));
  EXPECT_NE(third.at("curves"), second.at("curves"));
  study_.Train(4);
  EXPECT_NE(stamps().at("curves"), third.at("curves"));
}

TEST_F(DashboardTest, CurvesGrowWithTheTrainings) {
  EXPECT_THAT(Answer("/curves.json"), IsEmpty());
  study_.Start();
  study_.Begin("train", 1, 0.2, "");
  study_.Train(3);
  EXPECT_EQ(Answer("/curves.json").at(study_.running_trial()).at("epoch"), Json({1, 2, 3}));
  study_.Train(12);
  Json curves = Answer("/curves.json");
  EXPECT_EQ(curves.size(), 2u);
  EXPECT_EQ(curves.at(study_.running_trial()).at("epoch").back(), 12);
  EXPECT_TRUE(curves.at(study_.running_trial()).at("val").at(9).is_number());
  WriteFileAtomic(study_.folder() / "trials" / study_.running_trial() / "epochs.jsonl", "nonsense\n");
  EXPECT_EQ(Answer("/curves.json").size(), 1u);
}

TEST_F(DashboardTest, AKilledStudyIsToldAndGoesOn) {
  study_.Start();
  study_.Begin("train", 1, 0.2, "");
  study_.Train(3);
  study_.Kill();
  Json status = Answer("/status.json");
  EXPECT_EQ(status.at("state"), "interrupted");
  EXPECT_EQ(status.at("train").at("trials").at(1).at("state"), "interrupted");
  study_.Start();
  study_.Train(4);
  EXPECT_EQ(Answer("/status.json").at("state"), "running");
  study_.Kill();
  fs::remove_all(study_.folder());
  EXPECT_EQ(Answer("/status.json").at("state"), "not begun");
  EXPECT_THAT(Answer("/data.json").at("error").get<std::string>(), HasSubstr("no run folder"));
}

TEST_F(DashboardTest, ABrokenFileIsOneLineOnThePage) {
  WriteFileAtomic(study_.folder() / "table.json", "{");
  EXPECT_THAT(Answer("/data.json").at("error").get<std::string>(),
              AllOf(HasSubstr("table.json:1:2"), Not(HasSubstr("\n"))));
}

TEST_F(DashboardTest, ReadsTrialsOfTheRunFolderOnly) {
  EnsureFolder(folder_.path() / "elsewhere");
  WriteFileAtomic(folder_.path() / "elsewhere" / "epochs.jsonl", "{\"epoch\": 1, \"loss\": 2}\n");
  EnsureFolder(study_.folder() / "trials");
  WriteFileAtomic(
      study_.folder() / "train_progress.json",
      R"({"version": 1, "trials": [{"trial": "../../elsewhere", "state": "running", "epochs": 0, "of": 9}]})");
  EXPECT_THAT(Answer("/curves.json"), IsEmpty());
}

// The jobs of this user at an agent on this machine; what they do matters to nobody here.
TEST_F(DashboardTest, ShowsTheQueueOfAnAgent) {
  const std::unique_ptr<Progress> silent = MakeSilentProgress();
  const std::atomic<bool> cancelled{false};
  const server::AgentOptions options{
      .state = folder_.path() / "agent", .job_program = {"/bin/false"}, .describe = [](int) {
        v1::DescribeResponse response;
        response.add_toolchains()->set_name("openvino");
        response.mutable_toolchains(0)->add_precisions("fp32");
        return response;
      }};
  server::Agent agent(options, Context{SystemClock(), *silent, cancelled});
  const server::Server server({.listen = "127.0.0.1:0", .token_file = "", .tls_folder = ""}, agent);
  v1::SubmitRequest request;
  request.set_job_id("job-1");
  request.mutable_compile()->set_toolchain("openvino");
  request.mutable_compile()->set_precision("fp32");
  for (const v1::FileRole role : {v1::FILE_ROLE_GRAPH, v1::FILE_ROLE_WEIGHTS}) {
    v1::File& file = *request.mutable_compile()->add_network();
    file.set_role(role);
    file.set_sha256(Sha256Hex("bytes"));
  }
  agent.blobs().Append(Sha256Hex("bytes"), 5, 0, "bytes");
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  agent.Submit("/" + std::to_string(getuid()) + "@" + host.data(), request);

  Json study = Json::parse(ReadFile(study_.folder() / "study.json"));
  study["target"]["device"] = "grpc://127.0.0.1:" + std::to_string(server.port());
  WriteFileAtomic(study_.folder() / "study.json", study.dump());
  Json queue = Answer("/status.json").at("queue");  // nobody has been asked yet
  for (int i = 0; i < 400 && queue.is_null(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
    queue = Answer("/status.json").at("queue");
  }
  ASSERT_EQ(queue.size(), 1u);
  EXPECT_EQ(queue[0].at("error"), "");
  EXPECT_EQ(queue[0].at("jobs").at(0).at("job"), "job-1");
  EXPECT_THAT(queue.dump(), Not(HasSubstr("lease")));
}

}  // namespace
}  // namespace hot
