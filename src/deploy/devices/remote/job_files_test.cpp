#include "deploy/devices/remote/job_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "core/error.h"
#include "core/hash.h"
#include "deploy/test_networks.h"
#include "graph/key.h"
#include "graph/safetensors.h"

namespace hot {
namespace {

using Pictures = std::vector<std::vector<Tensor>>;

Artifact SmallArtifact(const std::string& blob) {
  Artifact artifact;
  artifact.toolchain = "openvino";
  artifact.toolchain_version = "1";
  artifact.output_names = {"y"};
  artifact.blob = blob;
  artifact.blob_sha256 = Sha256Hex(blob);
  artifact.golden = {{Tensor({1, 2}, 0.5f), {Tensor({1, 3}, 0.25f)}}};
  return artifact;
}

// What the agent does between client and job: every file by its hash, into another folder.
void LayOut(const std::vector<JobFile>& files, const fs::path& from, const fs::path& to) {
  for (const JobFile& file : files) {
    EXPECT_EQ(Sha256File(from / file.path), file.sha256) << file.path;
    EnsureFolder((to / file.path).parent_path());
    fs::copy_file(from / file.path, to / file.path);
  }
}

class JobFiles : public testing::Test {
 protected:
  TempFolder client_, agent_;
};

TEST_F(JobFiles, ANetworkToCompileArrivesWhole) {
  const Network network = SmallMobileNet();
  const Quantization quantization = SyntheticQuantization(network);
  const std::vector<Tensor> golden = {RandomInput(network, 1), RandomInput(network, 2)};
  const v1::SubmitRequest request = WriteCompileJob(client_.path(), "openvino",
                                                    {.network = network,
                                                     .precision = Precision::kInt8,
                                                     .quantization = &quantization,
                                                     .threads = 2,
                                                     .int8_borders = true,
                                                     .graph_key = "key",
                                                     .golden_inputs = golden});
  EXPECT_EQ(request.threads(), 2);
  EXPECT_EQ(request.compile().precision(), "int8");
  EXPECT_TRUE(request.compile().int8_borders());
  EXPECT_FALSE(request.compile().timing_only());
  EXPECT_EQ(request.compile().graph_key(), "key");
  LayOut(FilesOf(request), client_.path(), agent_.path());
  const NetworkToCompile read = ReadNetwork(agent_.path(), request.compile());
  EXPECT_EQ(GraphKey(read.network.graph, Precision::kInt8), GraphKey(network.graph, Precision::kInt8));
  ASSERT_EQ(read.network.weights.size(), network.weights.size());
  for (const auto& [name, tensor] : network.weights) EXPECT_EQ(read.network.weights.at(name).data, tensor.data);
  ASSERT_TRUE(read.quantization);
  EXPECT_EQ(ToJson(*read.quantization), ToJson(quantization));
  ASSERT_EQ(read.golden_inputs.size(), 2u);
  EXPECT_EQ(read.golden_inputs[1].data, golden[1].data);
}

TEST_F(JobFiles, AFloatNetworkNeedsNoQuantizationAndNoPictures) {
  const Network network = SmallMobileNet();
  const v1::SubmitRequest request = WriteCompileJob(client_.path(), "openvino", {.network = network});
  EXPECT_EQ(FilesOf(request).size(), 2u);
  LayOut(FilesOf(request), client_.path(), agent_.path());
  const NetworkToCompile read = ReadNetwork(agent_.path(), request.compile());
  EXPECT_FALSE(read.quantization);
  EXPECT_TRUE(read.golden_inputs.empty());
}

TEST_F(JobFiles, WeightsOfAnotherNetworkAreRefused) {
  const Network network = SmallMobileNet();
  const v1::SubmitRequest request = WriteCompileJob(client_.path(), "openvino", {.network = network});
  WriteCompileJob(agent_.path(), "openvino", {.network = EveryOp()});
  fs::copy_file(client_.path() / FilesOf(request)[0].path, agent_.path() / FilesOf(request)[0].path,
                fs::copy_options::overwrite_existing);
  try {
    ReadNetwork(agent_.path(), request.compile());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kDataLoss);
    EXPECT_THAT(error.what(), testing::HasSubstr("lacks the parameter"));
  }
}

TEST_F(JobFiles, ArtifactsArriveInTheirOrder) {
  Artifact first = SmallArtifact("one"), second = SmallArtifact("two");
  second.format = BlobFormat::kEthosU;
  second.reference = "reference";
  const Artifact* both[] = {&first, &second};
  const v1::SubmitRequest request = WriteProfileJob(client_.path(), both, {.min_samples = 70}, 0.5);
  EXPECT_EQ(request.profile().options().min_samples(), 70);
  EXPECT_EQ(request.profile().reference_canary_ns(), 0.5);
  LayOut(FilesOf(request), client_.path(), agent_.path());
  EXPECT_EQ(ReadJobArtifact(agent_.path(), 0).blob, "one");
  const Artifact read = ReadJobArtifact(agent_.path(), 1);
  EXPECT_EQ(read.blob, "two");
  EXPECT_EQ(read.format, BlobFormat::kEthosU);
  EXPECT_EQ(read.reference, "reference");
  EXPECT_EQ(read.golden.at(0).outputs.at(0).data, second.golden[0].outputs[0].data);
}

TEST_F(JobFiles, PicturesAndOutputsKeepTheirPlaces) {
  Pictures pictures;
  for (int i = 0; i < 12; ++i)  // ten comes before two in the order of names
    pictures.push_back({Tensor({1, 2}, static_cast<float>(i)), Tensor({3}, static_cast<float>(-i))});
  const v1::SubmitRequest request = WriteRunJob(client_.path(), SmallArtifact("one"), pictures);
  LayOut(FilesOf(request), client_.path(), agent_.path());
  const Pictures read = ReadPictures(agent_.path());
  ASSERT_EQ(read.size(), pictures.size());
  for (size_t i = 0; i < read.size(); ++i) {
    ASSERT_EQ(read[i].size(), 2u);
    EXPECT_EQ(read[i][0].data, pictures[i][0].data);
    EXPECT_EQ(read[i][1].data, pictures[i][1].data);
  }
  v1::JobResult result;
  *result.mutable_run()->mutable_outputs() = WriteOutputs(agent_.path(), pictures);
  const TempFolder back;
  LayOut(FilesOf(result), agent_.path(), back.path());
  EXPECT_EQ(ReadOutputs(back.path()).at(11).at(1).data, pictures[11][1].data);
}

TEST_F(JobFiles, WhatWasCompiledComesBack) {
  v1::JobResult result;
  *result.mutable_artifact() = WriteCompiled(agent_.path(), SmallArtifact("compiled"));
  LayOut(FilesOf(result), agent_.path(), client_.path());
  EXPECT_EQ(ReadCompiled(client_.path()).blob, "compiled");
}

TEST_F(JobFiles, TensorsWithOtherNamesAreRefused) {
  WriteRunJob(client_.path(), SmallArtifact("one"), Pictures{{Tensor({1})}});
  for (const Weights& tensors : {Weights{{"x", Tensor({1})}}, Weights{{"0.0", Tensor({1})}, {"2.0", Tensor({1})}},
                                 Weights{{"0.0", Tensor({1})}, {"0.2", Tensor({1})}}}) {
    WriteSafetensors(client_.path() / "inputs.safetensors", tensors);
    EXPECT_THROW(ReadPictures(client_.path()), Error);
  }
  WriteSafetensors(client_.path() / "inputs.safetensors", {});  // to see whether the device takes the artifact
  EXPECT_TRUE(ReadPictures(client_.path()).empty());
}

TEST_F(JobFiles, RefusesRequestsWhoseFilesAreNotTheirs) {
  using Fault = std::function<void(v1::SubmitRequest&)>;
  const v1::SubmitRequest run = WriteRunJob(client_.path(), SmallArtifact("one"), Pictures{{Tensor({1})}});
  const auto artifact = [](v1::SubmitRequest& r) { return r.mutable_run()->mutable_artifact(); };
  const std::pair<Fault, const char*> faults[] = {
      {[](auto& r) { r.clear_job(); }, "asks for nothing"},
      {[&](auto& r) { artifact(r)->mutable_files()->RemoveLast(); }, "lacks golden.safetensors"},
      {[&](auto& r) { *artifact(r)->add_files() = artifact(r)->files(0); }, "manifest.json twice"},
      {[&](auto& r) { artifact(r)->mutable_files(0)->set_role(v1::FILE_ROLE_GRAPH); }, "no place for graph.json"},
      {[&](auto& r) { artifact(r)->mutable_files(0)->set_role(static_cast<v1::FileRole>(77)); },
       "no place for role 77"},
      {[&](auto& r) { artifact(r)->mutable_files(0)->set_sha256("../../etc/passwd"); }, "no SHA-256"},
      {[&](auto& r) { artifact(r)->mutable_files(0)->mutable_sha256()->at(0) = 'A'; }, "no SHA-256"},
      {[](auto& r) { r.mutable_run()->clear_inputs(); }, "no place for role 0"},
      {[](auto& r) { r.mutable_compile(); }, "lacks graph.json"}};
  for (const auto& [fault, says] : faults) {
    v1::SubmitRequest request = run;
    fault(request);
    try {
      FilesOf(request);
      ADD_FAILURE() << says;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument) << error.what();
      EXPECT_THAT(error.what(), testing::HasSubstr(says));
    }
  }
}

}  // namespace
}  // namespace hot
