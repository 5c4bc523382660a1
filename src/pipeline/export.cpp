#include "pipeline/export.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "deploy/onnx_writer.h"
#include "deploy/pytorch_writer.h"
#include "graph/fold.h"
#include "models/pretrained/pretrained.h"
#include "pipeline/bundle.h"
#include "pipeline/json_file.h"
#include "tasks/trial.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

// The id that "accuracy" or "latency" stands for; anything else is an id itself.
std::string WinnersId(const ExportRequest& request) {
  if (request.network != "accuracy" && request.network != "latency") return request.network;
  const fs::path file = request.run / "evaluation.json";
  const Json winner = ReadJsonObject(file, "run hot evaluate first").at("winners").at(request.network);
  if (winner.is_string()) return winner;
  throw Error(Code::kNotFound, file.string(), "no network won by " + request.network);
}

// The entry of train.json that the request means.
Json FindEntry(const ExportRequest& request) {
  const fs::path file = request.run / "train.json";
  const Json trained = ReadJsonObject(file, "is it a run folder? run hot train first");
  const std::string wanted = WinnersId(request);
  std::vector<Json> found;
  std::string known;
  for (const Json& entry : trained.at("networks")) {
    const std::string id = entry.at("id");
    const bool baseline = entry.at("role") == "baseline";
    if (baseline ? wanted == "baseline" || id.starts_with(wanted) : id.starts_with(wanted)) found.push_back(entry);
    known += (known.empty() ? "" : ", ") + id + (baseline ? " (baseline)" : "");
  }
  if (found.empty()) throw Error(Code::kNotFound, file.string(), "has no network " + wanted, "it has: " + known);
  if (found.size() > 1)
    throw Error(Code::kInvalidArgument, file.string(), wanted + " is the beginning of several ids", "it has: " + known);
  if (found[0].at("best") == "") throw Error(Code::kNotFound, file.string(), "no training of " + wanted + " finished");
  return found[0];
}

std::string Title(const TrialSpec& spec, const std::string& id) {
  std::string slots;
  for (const std::string& slot : spec.slots) slots += (slots.empty() ? "" : ", ") + slot.substr(0, slot.find('@'));
  char width[32];
  std::snprintf(width, sizeof width, "%g", spec.width);
  return "Network " + id + ": " + spec.backbone + ", width " + width + ", " + spec.task.task + "\n\nSlots: " + slots +
         "\n";
}

void CheckFormat(const std::string& format) {
  if (format == "pytorch" || format == "safetensors" || format == "onnx" || format == "bundle") return;
  throw Error(Code::kInvalidArgument, "--format", "unknown format \"" + format + "\"",
              "known: pytorch, safetensors, onnx, bundle");
}

class Exporter {
 public:
  Exporter(const fs::path& trial, std::string id) : id_(std::move(id)), spec_(ReadTrial(trial / "trial.json")) {
    const fs::path file = trial / "weights.safetensors";
    graph_ = TrialGraph(spec_, *MakeTask(spec_.task), Purpose::kShipping);
    Weights trained = ReadSafetensors(file);  // perhaps with outputs that only the loss reads
    CheckWeights(graph_, trained, file.string());
    for (const Parameter& parameter : Parameters(graph_)) weights_[parameter.name] = trained.at(parameter.name);
  }

  std::vector<fs::path> Write(const std::string& format, const fs::path& out) const {
    if (format == "safetensors") return {WriteWeights(out)};
    if (format == "pytorch") return {WriteSource(out), WriteWeights(out)};
    return {WriteModel(out)};
  }

 private:
  fs::path WriteWeights(const fs::path& out) const {
    EnsureFolder(out);
    WriteSafetensors(out / "weights.safetensors", weights_, ConventionMetadata(spec_.task.convention));
    return out / "weights.safetensors";
  }

  fs::path WriteSource(const fs::path& out) const {
    EnsureFolder(out);
    const PytorchOptions options{
        .title = Title(spec_, id_), .preprocessing = TaskPreprocessing(spec_.task), .classes = spec_.task.classes};
    WriteFileAtomic(out / "network.py", WritePytorch(graph_, options));
    return out / "network.py";
  }

  fs::path WriteModel(const fs::path& out) const {
    EnsureFolder(out);
    WriteFileAtomic(out / "network.onnx", WriteOnnx(FoldBatchNorm(graph_, weights_), {}));
    return out / "network.onnx";
  }

  const std::string id_;
  const TrialSpec spec_;
  Graph graph_;
  Weights weights_;
};

}  // namespace

Exported ExportNetwork(const ExportRequest& request) {
  CheckFormat(request.format);
  try {
    const Json entry = FindEntry(request);
    Exported exported{.id = entry.at("id"), .trial = entry.at("best"), .files = {}};
    if (request.format == "bundle") {
      exported.files = WriteBundle({.run = request.run,
                                    .id = exported.id,
                                    .trial = exported.trial,
                                    .precision = request.precision,
                                    .isa = request.isa,
                                    .out = request.out});
      return exported;
    }
    const Exporter exporter(request.run / "trials" / exported.trial, exported.id);
    exported.files = exporter.Write(request.format, request.out);
    return exported;
  } catch (const nlohmann::json::exception& error) {
    throw Error(Code::kDataLoss, request.run.string(), std::string("its files are broken: ") + error.what());
  }
}

}  // namespace hot
