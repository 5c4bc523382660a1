#include "deploy/artifact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/hash.h"

namespace hot {
namespace {

using ::testing::HasSubstr;

Artifact Example() {
  Artifact a;
  a.toolchain = "openvino";
  a.toolchain_version = "2026.4";
  a.flags = "streams=1";
  a.precision = "int8";
  a.scheme = "s8s8";
  a.graph_key = "abc";
  a.threads = 2;
  a.input_names = {"image"};
  a.input_shapes = {{1, 3, 2, 2}};
  a.output_names = {"boxes", "classes"};
  a.output_shapes = {{1, 4, 1, 1}, {1, 2, 1, 1}};
  a.layer_precisions = {{"Convolution boxes", "i8"}};
  a.preprocessing = {.width = 2, .height = 3, .mean = {0.1f, 0.2f, 0.3f}, .stddev = {0.4f, 0.5f, 0.6f}};
  a.task = "ssd";
  a.classes = {"red", "white"};
  a.keypoints = {"head", "hand"};
  a.task_options = R"({"threshold": 0.5})";
  a.deviations = {{.output = "boxes", .step = 0.25, .max_lsb = 1.5, .rms_lsb = 0.5, .share = 0.125, .noise_lsb = 0.75},
                  {.output = "classes", .step = 0.5}};
  a.blob = std::string("ONNX\0bytes", 10);
  a.golden = {{Tensor({1, 3, 2, 2}, 0.25f), {Tensor({1, 4, 1, 1}, 1.5f), Tensor({1, 2, 1, 1}, -2.0f)}}};
  return a;
}

TEST(Artifact, OfAnNpuHasTheEstimateAndTheFileItWasCompiledFrom) {
  const TempFolder folder;
  Artifact a = Example();
  a.format = BlobFormat::kEthosU;
  a.reference = "TFLite";
  a.planned_bytes = {{"arena", 65536}, {"constants", 1234}};
  a.estimate = Estimate{.latency_ns = 1.25e6, .peak_bytes = {{"sram", 4096}, {"off_chip_flash", 10}}};
  WriteArtifact(folder.path(), a);
  EXPECT_EQ(ReadFile(folder.path() / "model_vela.tflite"), a.blob);
  EXPECT_FALSE(fs::exists(folder.path() / "model.onnx"));
  const Artifact b = ReadArtifact(folder.path());
  EXPECT_EQ(b.version, 2) << "programs that know version 1 only must not look for its ONNX file";
  EXPECT_EQ(b.format, BlobFormat::kEthosU);
  EXPECT_EQ(b.reference, a.reference);
  EXPECT_EQ(b.reference_sha256, Sha256Hex(a.reference));
  EXPECT_EQ(b.planned_bytes, a.planned_bytes);
  ASSERT_TRUE(b.estimate);
  EXPECT_EQ(b.estimate->latency_ns, a.estimate->latency_ns);
  EXPECT_EQ(b.estimate->peak_bytes, a.estimate->peak_bytes);
  WriteFileAtomic(folder.path() / "model.tflite", "other");
  try {
    ReadArtifact(folder.path());
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kDataLoss);
    EXPECT_THAT(error.what(), HasSubstr("model.tflite"));
  }
}

TEST(Artifact, ComesBackAsItWasWritten) {
  const TempFolder folder;
  const Artifact a = Example();
  WriteArtifact(folder.path() / "net", a);
  const Artifact b = ReadArtifact(folder.path() / "net");
  EXPECT_EQ(b.version, 2);
  EXPECT_FALSE(b.hot_version.empty());
  EXPECT_EQ(b.toolchain, a.toolchain);
  EXPECT_EQ(b.toolchain_version, a.toolchain_version);
  EXPECT_EQ(b.flags, a.flags);
  EXPECT_EQ(b.precision, a.precision);
  EXPECT_EQ(b.scheme, a.scheme);
  EXPECT_EQ(b.graph_key, a.graph_key);
  EXPECT_EQ(b.threads, a.threads);
  EXPECT_EQ(b.input_names, a.input_names);
  EXPECT_EQ(b.input_shapes, a.input_shapes);
  EXPECT_EQ(b.output_names, a.output_names);
  EXPECT_EQ(b.output_shapes, a.output_shapes);
  EXPECT_EQ(b.layer_precisions, a.layer_precisions);
  EXPECT_EQ(b.preprocessing.height, 3);
  EXPECT_EQ(b.preprocessing.stddev[0], 0.4f);
  EXPECT_EQ(b.task, a.task);
  EXPECT_EQ(b.classes, a.classes);
  EXPECT_EQ(b.keypoints, a.keypoints);
  EXPECT_EQ(b.task_options, a.task_options);
  ASSERT_EQ(b.deviations.size(), 2u);
  EXPECT_EQ(b.deviations[0].output, "boxes");
  EXPECT_EQ(b.deviations[0].step, 0.25);
  EXPECT_EQ(b.deviations[0].max_lsb, 1.5);
  EXPECT_EQ(b.deviations[0].rms_lsb, 0.5);
  EXPECT_EQ(b.deviations[0].share, 0.125);
  EXPECT_EQ(b.deviations[0].noise_lsb, 0.75);
  EXPECT_EQ(b.blob, a.blob);
  EXPECT_EQ(b.blob_sha256, Sha256Hex(a.blob));
  ASSERT_EQ(b.golden.size(), 1u);
  EXPECT_EQ(b.golden[0].input.data, a.golden[0].input.data);
  ASSERT_EQ(b.golden[0].outputs.size(), 2u);
  EXPECT_EQ(b.golden[0].outputs[1].data, a.golden[0].outputs[1].data);
  EXPECT_EQ(b.golden[0].outputs[1].shape, a.golden[0].outputs[1].shape);
}

TEST(Artifact, CanBeWrittenOverAnOlderOne) {
  const TempFolder folder;
  Artifact a = Example();
  WriteArtifact(folder.path(), a);
  a.blob = "another";
  a.golden.clear();
  WriteArtifact(folder.path(), a);
  EXPECT_EQ(ReadArtifact(folder.path()).blob, "another");
  EXPECT_TRUE(ReadArtifact(folder.path()).golden.empty());
}

// Written by the program of that version (0.1.0 before the reference interpreter).
TEST(Artifact, TheOldestVersionIsRead) {
  const Artifact a = ReadArtifact(fs::path(HOT_SOURCE_DIR) / "src/deploy/testdata/artifact_v1");
  const Artifact example = Example();
  EXPECT_EQ(a.version, 1);
  EXPECT_EQ(a.toolchain_version, example.toolchain_version);
  EXPECT_EQ(a.layer_precisions, example.layer_precisions);
  EXPECT_EQ(a.classes, example.classes);
  EXPECT_EQ(a.task_options, example.task_options);
  EXPECT_EQ(a.blob, example.blob);
  ASSERT_EQ(a.golden.size(), 1u);
  EXPECT_EQ(a.golden[0].outputs[1].data, example.golden[0].outputs[1].data);
  EXPECT_TRUE(a.hot_version.empty());
  EXPECT_TRUE(a.keypoints.empty());
  EXPECT_TRUE(a.deviations.empty());
}

// Changes a text in a file; the text must be there.
void Replace(const fs::path& file, const std::string& from, const std::string& to) {
  std::string bytes = ReadFile(file);
  const size_t at = bytes.find(from);
  ASSERT_NE(at, std::string::npos);
  WriteFileAtomic(file, bytes.replace(at, from.size(), to));
}

struct Case {
  std::string name;
  std::function<void(const fs::path&)> damage;
  Code code;
  std::string named;
};

std::vector<Case> DamageCases() {
  return {
      {"one byte of the model", [](const fs::path& f) { Replace(f / "model.onnx", "ONNX", "ONNY"); }, Code::kDataLoss,
       "model.onnx"},
      {"a truncated model", [](const fs::path& f) { WriteFileAtomic(f / "model.onnx", "ON"); }, Code::kDataLoss,
       "model.onnx"},
      {"no model", [](const fs::path& f) { fs::remove(f / "model.onnx"); }, Code::kDataLoss, "model.onnx"},
      {"no manifest", [](const fs::path& f) { fs::remove(f / "manifest.json"); }, Code::kDataLoss, "manifest.json"},
      {"no golden pairs", [](const fs::path& f) { fs::remove(f / "golden.safetensors"); }, Code::kDataLoss,
       "golden.safetensors"},
      {"golden bytes", [](const fs::path& f) { Replace(f / "golden.safetensors", "0.input", "0.inptu"); },
       Code::kDataLoss, "golden"},
      {"a class renamed by hand", [](const fs::path& f) { Replace(f / "manifest.json", "white", "black"); },
       Code::kDataLoss, "manifest.json"},
      {"another model's hash",
       [](const fs::path& f) { Replace(f / "manifest.json", Sha256Hex(Example().blob), Sha256Hex("x")); },
       Code::kDataLoss, "manifest.json"},
      {"half the golden pairs",
       [](const fs::path& f) {
         WriteFileAtomic(f / "golden.safetensors", ReadFile(f / "golden.safetensors").substr(0, 60));
       },
       Code::kDataLoss, "golden.safetensors"},
      {"an empty model", [](const fs::path& f) { WriteFileAtomic(f / "model.onnx", ""); }, Code::kDataLoss,
       "model.onnx"},
      {"an accuracy made better by hand", [](const fs::path& f) { Replace(f / "manifest.json", "0.125", "0.025"); },
       Code::kDataLoss, "manifest.json"},
      {"half a manifest", [](const fs::path& f) { WriteFileAtomic(f / "manifest.json", "{\"version\": 1,"); },
       Code::kDataLoss, "manifest.json"},
      {"another kind of JSON", [](const fs::path& f) { WriteFileAtomic(f / "manifest.json", "[1]"); }, Code::kDataLoss,
       "manifest.json"},
      {"a newer version", [](const fs::path& f) { Replace(f / "manifest.json", "\"version\": 2", "\"version\": 3"); },
       Code::kFailedPrecondition, "newer"},
  };
}

TEST(Artifact, RefusesWhatWasChangedOrIsMissing) {
  for (const Case& c : DamageCases()) {
    const TempFolder folder;
    WriteArtifact(folder.path(), Example());
    c.damage(folder.path());
    try {
      ReadArtifact(folder.path());
      ADD_FAILURE() << c.name << ": was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), c.code) << c.name;
      EXPECT_THAT(error.what(), HasSubstr(c.named)) << c.name;
    }
  }
}

// Behind right hashes: what a broken tool would write.
TEST(Artifact, RefusesManifestsThatMakeNoSense) {
  const std::pair<const char*, nlohmann::json> cases[] = {
      {"threads", 1e300},
      {"threads", 2.5},
      {"golden_pairs", uint64_t{1} << 60},
      {"golden_pairs", -1},
      {"classes", {1, 2}},
      {"version", 0},
      {"deviations", {{{"output", "boxes"}}}},
      {"toolchain", {{"name", "openvino"}, {"version", ""}, {"flags", ""}}},
      {"inputs", nullptr},
      {"preprocessing", {{"width", 3}}},
      {"outputs", {{"names", {"a", "b", "c"}}, {"shapes", {{1, 1e300}}}}}};
  for (const auto& [key, value] : cases) {
    const TempFolder folder;
    WriteArtifact(folder.path(), Example());
    auto manifest = nlohmann::json::parse(ReadFile(folder.path() / "manifest.json"));
    (std::string(key) == "classes" ? manifest["task"] : manifest)[key] = value;
    manifest.erase("manifest_sha256");
    manifest["manifest_sha256"] = Sha256Hex(manifest.dump());
    WriteFileAtomic(folder.path() / "manifest.json", manifest.dump());
    try {
      ReadArtifact(folder.path());
      ADD_FAILURE() << key << " " << value;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kDataLoss) << key << " " << value;
      EXPECT_THAT(error.what(), HasSubstr(folder.path().string())) << key;
    }
  }
}

// The keys of docs/formats/artifact.md; a new one needs a new version there.
TEST(Artifact, ManifestHasTheDocumentedKeys) {
  const TempFolder folder;
  WriteArtifact(folder.path(), Example());
  const auto manifest = nlohmann::json::parse(ReadFile(folder.path() / "manifest.json"));
  for (const char* key : {"version", "hot_version", "deviations", "toolchain", "precision", "scheme", "graph_key",
                          "threads", "inputs", "outputs", "layer_precisions", "preprocessing", "task", "golden_pairs",
                          "format", "blob_sha256", "golden_sha256", "manifest_sha256"}) {
    EXPECT_TRUE(manifest.contains(key)) << key;
  }
  EXPECT_EQ(manifest["version"], 2);
  EXPECT_EQ(manifest.size(), 18u);
}

}  // namespace
}  // namespace hot
