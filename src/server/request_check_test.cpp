// Requests of each kind that are right, and what is wrong in turn.
#include "server/request_check.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "core/hash.h"
#include "gmock/gmock.h"
#include "server/testing/server_test.h"

namespace hot::server {
namespace {

using testing::HasSubstr;

void AddFile(google::protobuf::RepeatedPtrField<v1::File>* files, v1::FileRole role) {
  v1::File& file = *files->Add();
  file.set_role(role);
  file.set_sha256(Sha256Hex(v1::FileRole_Name(role)));
}

void AddArtifact(v1::Artifact* artifact) {
  for (const auto role : {v1::FILE_ROLE_MANIFEST, v1::FILE_ROLE_MODEL, v1::FILE_ROLE_GOLDEN}) {
    AddFile(artifact->mutable_files(), role);
  }
}

v1::SubmitRequest GoodCompile() {
  v1::SubmitRequest request;
  request.set_job_id("bccd-host-17");
  request.mutable_compile()->set_toolchain("tvm");
  request.mutable_compile()->set_precision("int8");
  for (const auto role : {v1::FILE_ROLE_GRAPH, v1::FILE_ROLE_WEIGHTS, v1::FILE_ROLE_QUANTIZATION}) {
    AddFile(request.mutable_compile()->mutable_network(), role);
  }
  AddFile(request.mutable_compile()->mutable_golden_inputs(), v1::FILE_ROLE_INPUTS);
  return request;
}

v1::SubmitRequest GoodProfile(int artifacts) {
  v1::SubmitRequest request;
  request.set_job_id(std::string(64, 'a'));
  request.set_threads(64);
  request.mutable_profile();
  for (int i = 0; i < artifacts; ++i) AddArtifact(request.mutable_profile()->add_artifacts());
  return request;
}

v1::SubmitRequest GoodMeasurement() {
  v1::SubmitRequest request = GoodProfile(2);
  request.mutable_profile()->mutable_options()->set_min_samples(64);
  request.mutable_profile()->mutable_options()->set_max_samples(64);
  return request;
}

v1::SubmitRequest GoodRun() {
  v1::SubmitRequest request;
  request.set_job_id("-");
  request.set_priority(v1::PRIORITY_HIGH);
  AddArtifact(request.mutable_run()->mutable_artifact());
  request.mutable_run()->mutable_inputs()->set_role(v1::FILE_ROLE_INPUTS);
  request.mutable_run()->mutable_inputs()->set_sha256(Sha256Hex(""));
  return request;
}

std::vector<v1::Toolchain> Toolchains() {
  std::vector<v1::Toolchain> toolchains(2);
  toolchains[0].set_name("openvino");
  toolchains[0].add_precisions("fp32");
  toolchains[1].set_name("tvm");
  toolchains[1].add_precisions("fp32");
  toolchains[1].add_precisions("int8");
  return toolchains;
}

void Check(const v1::SubmitRequest& request) { CheckRequest(request, Toolchains(), {}); }

TEST(RequestCheck, RightRequestsPass) {
  for (const v1::SubmitRequest& request :
       {GoodCompile(), GoodProfile(1), GoodProfile(64), GoodMeasurement(), GoodRun()}) {
    EXPECT_NO_THROW(Check(request)) << request.DebugString();
  }
}

struct Wrong {
  const char* message;
  v1::SubmitRequest request;
  std::function<void(v1::SubmitRequest&)> change;
};

std::vector<Wrong> WrongRequests() {
  using Request = v1::SubmitRequest;
  return {
      {"job_id: expected 1 to 64 of a-z, 0-9 and '-', got ''", GoodRun(), [](Request& r) { r.clear_job_id(); }},
      {"job_id: ", GoodRun(), [](Request& r) { r.set_job_id(std::string(65, 'a')); }},
      {"job_id: ", GoodRun(), [](Request& r) { r.set_job_id("../up"); }},
      {"job_id: ", GoodRun(), [](Request& r) { r.set_job_id("Upper"); }},
      {"job_id: ", GoodRun(), [](Request& r) { r.set_job_id(std::string("a\0b", 3)); }},
      {"aaa...'", GoodRun(), [](Request& r) { r.set_job_id(std::string(1 << 20, 'a')); }},
      {"priority: there is no priority 7", GoodRun(), [](Request& r) { r.set_priority(static_cast<v1::Priority>(7)); }},
      {"threads: expected 1 to 64, got -1", GoodRun(), [](Request& r) { r.set_threads(-1); }},
      {"threads: expected 1 to 64, got 65", GoodRun(), [](Request& r) { r.set_threads(65); }},
      {"toolchain: this agent has no 'vela' (it has: openvino, tvm)", GoodCompile(),
       [](Request& r) { r.mutable_compile()->set_toolchain("vela"); }},
      {"precision: tvm has no 'int16x8' (it has: fp32, int8)", GoodCompile(),
       [](Request& r) { r.mutable_compile()->set_precision("int16x8"); }},
      {"precision: openvino has no 'int8'", GoodCompile(),
       [](Request& r) { r.mutable_compile()->set_toolchain("openvino"); }},
      {"artifacts: expected 1 to 64, got 0", GoodProfile(0), [](Request&) {}},
      {"artifacts: expected 1 to 64, got 65", GoodProfile(65), [](Request&) {}},
      {"reference_canary_ns", GoodProfile(1),
       [](Request& r) { r.mutable_profile()->set_reference_canary_ns(std::nan("")); }},
      {"reference_canary_ns", GoodProfile(1),
       [](Request& r) { r.mutable_profile()->set_reference_canary_ns(std::numeric_limits<double>::infinity()); }},
      {"reference_canary_ns", GoodProfile(1), [](Request& r) { r.mutable_profile()->set_reference_canary_ns(-1); }},
      {"request: it asks for nothing", GoodRun(), [](Request& r) { r.clear_run(); }},
      {"lacks weights.safetensors", GoodCompile(),
       [](Request& r) { r.mutable_compile()->mutable_network()->DeleteSubrange(1, 1); }},
      {"inputs.safetensors twice", GoodCompile(),
       [](Request& r) { *r.mutable_compile()->add_golden_inputs() = r.compile().golden_inputs(0); }},
      {"artifact1: the hash of model is no SHA-256", GoodProfile(2),
       [](Request& r) { r.mutable_profile()->mutable_artifacts(1)->mutable_files(1)->set_sha256("../../etc"); }},
      {"request: has no place for role 0", GoodRun(),
       [](Request& r) { r.mutable_run()->mutable_inputs()->clear_role(); }},
  };
}

// Of a measurement; all that they may be: wire_test.
std::vector<Wrong> WrongOptions() {
  using Request = v1::SubmitRequest;
  return {
      {"measure options: min_samples: expected 1 to 10000", GoodProfile(1),
       [](Request& r) { r.mutable_profile()->mutable_options()->set_max_samples(5); }},
      {"measure options: max_samples: expected min_samples to 10000", GoodMeasurement(),
       [](Request& r) { r.mutable_profile()->mutable_options()->set_max_samples(2'000'000'000); }},
      {"measure options: target_half_width: expected 0 to 1", GoodMeasurement(),
       [](Request& r) { r.mutable_profile()->mutable_options()->set_target_half_width(std::nan("")); }},
      {"measure options: max_total_ns: expected no negative time", GoodMeasurement(),
       [](Request& r) { r.mutable_profile()->mutable_options()->set_max_total_ns(-1); }},
  };
}

TEST(RequestCheck, WhatIsWrongIsNamed) {
  std::vector<Wrong> wrong_ones = WrongRequests();
  std::ranges::move(WrongOptions(), std::back_inserter(wrong_ones));
  for (Wrong& wrong : wrong_ones) {
    wrong.change(wrong.request);
    const Error error = Failure([&] { Check(wrong.request); });
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_THAT(error.what(), HasSubstr(wrong.message));
    EXPECT_LT(std::string(error.what()).size(), 200u);
  }
}

}  // namespace
}  // namespace hot::server
