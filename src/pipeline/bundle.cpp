#include "pipeline/bundle.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/hash.h"
#include "core/read_json.h"
#include "data/class_names.h"
#include "pipeline/bundle_assets.h"
#include "pipeline/bundle_texts.h"
#include "pipeline/json_file.h"
#include "pipeline/recompile.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr const char* kChecksums = "SHA256SUMS";

std::string_view OutputsHeader(const std::string& task) {
  if (task == "ssd") return kBundleSsd;
  if (task == "cpn") return kBundleCpn;
  if (task == "classify") return kBundleClassify;
  throw Error(Code::kUnimplemented, "bundle", "there is no example for the task " + task);
}

// Where the study's test scores come from: {the keys of SourceJson, "same_classes"}.
Json TestJson(const Json& study, const TrialSpec& trial) {
  const Json& data = study.at("data");
  DataSource test = trial.train;
  if (test.share) {  // the test pictures are those that were kept from the training
    test.share->rest = false;
    return SourceJson(test);
  }
  test.split = data.at("test");
  test.format = ParseDataFormat(data.at("test_format"));
  test.root = data.at("test_root").get<std::string>();
  Json json = SourceJson(test);
  if (test.root != trial.train.root || test.format != trial.train.format)
    json["same_classes"] = data.at("same_classes");
  return json;
}

// What evaluation.json says about this artifact, or null when that stage has not run.
Json EvaluationOf(const BundleRequest& request, const std::string& precision) {
  const fs::path file = request.run / "evaluation.json";
  if (!fs::exists(file)) return nullptr;
  const Json evaluation = ReadJsonObject(file, "");
  for (const Json& network : evaluation.at("networks")) {
    if (network.at("id") != request.id) continue;
    for (const Json& artifact : network.at("artifacts")) {
      if (artifact.at("precision") == precision)
        return {{"score", evaluation.at("score")}, {"test", artifact.at("test")}, {"latency", artifact.at("latency")}};
    }
  }
  return nullptr;
}

std::string Lines(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += name + "\n";
  return text;
}

void CheckToolchain(const Artifact& artifact, const fs::path& folder) {
  if (artifact.toolchain != "openvino" && artifact.toolchain != "tvm") {
    throw Error(Code::kUnimplemented, folder.string(), "there is no example for the toolchain " + artifact.toolchain,
                "this folder is the artifact itself (docs/formats/artifact.md); bundles are of target.toolchain: "
                "openvino or tvm");
  }
  const bool library = artifact.toolchain == "tvm";
  if (library && (artifact.blob.find("hot_infer") == std::string::npos || !artifact.planned_bytes.contains("arena"))) {
    throw Error(Code::kFailedPrecondition, folder.string(), "was compiled before libraries could run without tvm-ffi",
                "compile it again with hot compile");
  }
}

class Writer {
 public:
  explicit Writer(const fs::path& folder) : folder_(folder) {}

  void Add(const std::string& name, std::string_view text) {
    EnsureFolder((folder_ / name).parent_path());
    WriteFileAtomic(folder_ / name, text);
    files_.push_back(name);
  }

  // The files of the artifact's folder as they are.
  void AddArtifact(const fs::path& from) {
    for (const fs::path& file : ListFiles(from)) Add("artifact/" + file.filename().string(), ReadFile(file));
  }

  void AddExample(const Artifact& artifact, const TrialSpec& trial, const std::string& id) {
    Add("example/CMakeLists.txt", kBundleCMake);
    Add("example/example.cpp", kBundleExample);
    const bool tvm = artifact.toolchain == "tvm";
    Add("example/model.h", tvm ? kBundleTvm : kBundleOpenVino);
    Add("example/runtime.cmake", tvm ? kBundleTvmCMake : kBundleOpenVinoCMake);
    Add("example/network.h", NetworkHeader(artifact, trial.task, id));
    Add("example/outputs.h", OutputsHeader(artifact.task));
    Add("example/picture.h", artifact.task == "cpn" ? kBundleCrop : kBundleWhole);
    Add("example/verify.cpp", kBundleVerify);
    Add("verify", kBundleVerifyScript);
    fs::permissions(folder_ / "verify", fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec,
                    fs::perm_options::add);
  }

  // In the form of sha256sum; last, so that a folder with it is whole.
  std::vector<fs::path> Finish() {
    std::string sums;
    for (const std::string& name : files_) sums += Sha256File(folder_ / name) + "  " + name + "\n";
    Add(kChecksums, sums);
    std::vector<fs::path> paths;
    for (const std::string& name : files_) paths.push_back(folder_ / name);
    return paths;
  }

 private:
  const fs::path folder_;
  std::vector<std::string> files_;
};

void CheckSums(const fs::path& folder) {
  if (!fs::is_directory(folder))
    throw Error(Code::kNotFound, folder.string(), "is not a folder", "hot export writes it");
  const fs::path file = folder / kChecksums;
  if (!fs::exists(file)) {
    throw Error(Code::kDataLoss, folder.string(), "is no whole bundle: it has no " + std::string(kChecksums),
                "write it again with hot export");
  }
  const std::string sums = ReadFile(file);
  for (size_t begin = 0, end; (end = sums.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = sums.substr(begin, end - begin);
    const size_t gap = line.find("  ");
    const fs::path name = gap == std::string::npos ? "" : line.substr(gap + 2);
    if (name.empty() || !fs::exists(folder / name) || Sha256File(folder / name) != line.substr(0, gap))
      throw Error(Code::kDataLoss, (folder / name).string(), "is not the file that was exported", "export it again");
  }
}

Bundle FromJson(const fs::path& folder, const Json& json) {
  if (WholeNumber<int>(json.at("version")) > kVersion) {
    throw Error(Code::kFailedPrecondition, "", "was made by a newer version of hot");
  }
  Bundle bundle{.id = json.at("id"),
                .artifact = ReadArtifact(folder / "artifact"),
                .trial = ReadTrial(folder / "trial.json"),
                .test = SourceFrom(json.at("test"))};
  if (json.at("test").contains("same_classes"))
    bundle.test.shared = ParseClassNames(json["test"]["same_classes"], "data.same_classes");
  return bundle;
}

}  // namespace

std::vector<fs::path> WriteBundle(const BundleRequest& request) {
  const Json study = ReadJsonObject(request.run / "study.json", "is it a run folder?");
  const std::string precision =
      request.precision.empty() ? study.at("target").at("precision").at(0).get<std::string>() : request.precision;
  const fs::path compiled = request.run / "artifacts" / (request.id + "-" + precision);
  if (!fs::exists(compiled))
    throw Error(Code::kNotFound, compiled.string(), "does not exist", "run hot compile first, with this precision");
  const fs::path trial_folder = request.run / "trials" / request.trial;
  Artifact artifact = ReadArtifact(compiled);
  if (!request.isa.empty()) artifact = Recompile(artifact, request.run, trial_folder, request.id, request.isa);
  CheckToolchain(artifact, compiled);
  const TrialSpec trial = ReadTrial(trial_folder / "trial.json");
  const Json description{{"version", kVersion},
                         {"id", request.id},
                         {"precision", precision},
                         {"sha256", artifact.blob_sha256},
                         {"test", TestJson(study, trial)},
                         {"evaluation", request.isa.empty() ? EvaluationOf(request, precision) : nullptr}};
  std::error_code ignored;
  fs::remove(request.out / kChecksums, ignored);  // until the new one is there, the folder is no bundle
  Writer writer(request.out);
  const TempFolder recompiled;
  if (!request.isa.empty()) WriteArtifact(recompiled.path(), artifact);
  writer.AddArtifact(request.isa.empty() ? compiled : recompiled.path());
  writer.AddExample(artifact, trial, request.id);
  writer.Add("bundle.json", description.dump(1) + "\n");
  writer.Add("trial.json", ReadFile(trial_folder / "trial.json"));
  writer.Add("classes.txt", Lines(artifact.classes));
  if (!artifact.keypoints.empty()) writer.Add("keypoints.txt", Lines(artifact.keypoints));
  writer.Add("LICENCES.md", BundleLicences(artifact, trial));
  writer.Add("README.md", BundleReadMe(artifact, request.id));
  return writer.Finish();
}

Bundle ReadBundle(const fs::path& folder) {
  CheckSums(folder);
  const fs::path file = folder / "bundle.json";
  const Json json = ReadJsonObject(file, "is it a bundle of hot export?");
  try {
    return WithPlace(file.string(), [&] { return FromJson(folder, json); });
  } catch (const nlohmann::json::exception& error) {
    throw Error(Code::kDataLoss, file.string(), std::string("is broken: ") + error.what(), "export it again");
  }
}

}  // namespace hot
