#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "pipeline/bundle.h"
#include "tasks/ssd/ssd.h"

namespace hot {
namespace {

constexpr double kDrawAbove = 0.5;         // score of what an application shows
constexpr double kFloatTolerance = 0.001;  // of an output's largest value: another order of float32 sums
constexpr double kHalfTolerance = 0.03;    // bf16 and fp16

// A C++ string literal; bytes beyond ASCII stay as they are (UTF-8).
std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    const bool control = static_cast<unsigned char>(c) < 0x20;
    quoted += control ? ' ' : c;
  }
  return quoted + "\"";
}

std::string NameList(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + Quoted(name);
  return "{" + list + "}";
}

std::string Number(double value) {
  std::ostringstream text;
  text.precision(9);
  text << value;
  return text.str();
}

std::string Float(double value) {
  const std::string number = Number(value);
  return number.find_first_of(".e") == std::string::npos ? number + ".0f" : number + "f";
}

std::string MapsText(const TaskOptions& options) {
  const SsdTask task(options);
  const auto per_cell = static_cast<size_t>(task.anchors_per_cell());
  std::string text =
      "// Maps from fine to coarse, and the sizes of the anchors at each of their cells, relative to the picture.\n"
      "struct Map {\n  size_t rows, columns;\n  std::vector<std::pair<float, float>> anchors;\n};\n"
      "inline const std::vector<Map> kMaps = {\n";
  size_t first = 0;
  for (const auto& [rows, columns] : task.Maps()) {
    text += "    {" + std::to_string(rows) + ", " + std::to_string(columns) + ", {";
    for (size_t i = 0; i < per_cell; ++i) {
      const Anchor& anchor = task.anchors()[first + i];
      text += (i == 0 ? "{" : ", {") + Float(anchor.w) + ", " + Float(anchor.h) + "}";
    }
    text += "}},\n";
    first += static_cast<size_t>(rows * columns) * per_cell;
  }
  return text + "};\ninline constexpr float kNmsIou = " + Float(options.nms_iou) +
         ";\ninline constexpr size_t kMaxDetections = " + std::to_string(options.max_detections) + ";\n";
}

std::string PoseText(const Artifact& artifact) {
  const nlohmann::json options = nlohmann::json::parse(artifact.task_options);
  const std::vector<double> margin = options.at("box_margin");
  std::string bones;
  for (const auto& bone : options.at("skeleton"))
    bones += (bones.empty() ? "{" : ", {") + bone.at(0).dump() + ", " + bone.at(1).dump() + "}";
  return "inline const std::vector<std::string> kKeypoints = " + NameList(artifact.keypoints) +
         ";\ninline const std::vector<std::pair<size_t, size_t>> kSkeleton = {" + bones +
         "};\ninline constexpr double kMarginY = " + Number(margin.at(0)) + ", kMarginX = " + Number(margin.at(1)) +
         ";\n";
}

double LargestGolden(const Artifact& artifact, size_t output) {
  double largest = 1e-6;
  for (const GoldenPair& pair : artifact.golden) {
    for (const float value : pair.outputs.at(output).data) largest = std::max<double>(largest, std::abs(value));
  }
  return largest;
}

// What verify_golden allows: an int8 network may be as far on the other side of the reference interpreter as it is on
// this side, and one step more; a float network a share of the largest value.
std::string ToleranceText(const Artifact& artifact) {
  double tolerance = 1;
  std::string steps;
  for (size_t i = 0; i < artifact.output_names.size(); ++i) {
    const bool integer = i < artifact.deviations.size();
    const double share = artifact.precision == "fp32" ? kFloatTolerance : kHalfTolerance;
    if (integer) tolerance = std::max(tolerance, 2 * artifact.deviations[i].max_lsb + 1);
    steps += (i == 0 ? "" : ", ") + Number(integer ? artifact.deviations[i].step : share * LargestGolden(artifact, i));
  }
  return "// verify_golden: one step of each output, and how many of them it may be away.\n"
         "inline const std::vector<std::string> kOutputs = " +
         NameList(artifact.output_names) + ";\ninline const std::vector<double> kSteps = {" + steps +
         "};\ninline constexpr double kTolerance = " + Number(tolerance) + ";\n";
}

std::string Triple(const float values[3]) {
  std::string text = "{";
  for (int i = 0; i < 3; ++i) {
    if (i > 0) text += ", ";
    text += Float(values[i]);
  }
  return text + "}";
}

std::string FloatPrecision(const std::string& precision) {
  if (precision == "bf16") return "bf16";
  return precision == "fp16" ? "f16" : "f32";  // int8 networks keep their float parts in float32
}

std::string OpenVinoText(const Artifact& artifact) {
  return "inline constexpr int kThreads = " + std::to_string(artifact.threads) +
         ";\ninline constexpr const char* kFloatPrecision = " + Quoted(FloatPrecision(artifact.precision)) + ";\n";
}

// One block of memory: the input, the outputs, and what the network needs while it runs.
std::string MemoryText(const Artifact& artifact) {
  constexpr int64_t kLine = 16;  // floats
  const auto count = [](const std::vector<int64_t>& shape) {
    return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
  };
  const auto lines = [](int64_t floats) { return (floats + kLine - 1) / kLine * kLine; };
  const int64_t input = count(artifact.input_shapes.at(0));
  int64_t end = lines(input);
  std::string places, sizes;
  for (const std::vector<int64_t>& shape : artifact.output_shapes) {
    places += (places.empty() ? "" : ", ") + std::to_string(end);
    sizes += (sizes.empty() ? "" : ", ") + std::to_string(count(shape));
    end += lines(count(shape));
  }
  const int64_t arena = lines(artifact.planned_bytes.at("arena") / static_cast<int64_t>(sizeof(float)) + 1);
  std::string text =
      "// Memory, in floats: the input first, then the outputs, then what model.so needs while it runs.\n";
  text += "inline constexpr size_t kInputSize = " + std::to_string(input) + ", kArena = " + std::to_string(end);
  text += ", kMemoryLines = " + std::to_string((end + arena) / kLine) + ";  // of 64 bytes\n";
  text += "inline const std::vector<size_t> kOutputPlaces = {" + places + "}, kOutputSizes = {" + sizes + "};\n";
  return text;
}

}  // namespace

std::string NetworkHeader(const Artifact& artifact, const TaskOptions& task, const std::string& name) {
  const Preprocessing& p = artifact.preprocessing;
  std::string text =
      "// Network " + name +
      ": names, sizes and thresholds. Written by hot export.\n#pragma once\n\n"
      "#include <cstddef>\n#include <string>\n#include <utility>\n#include <vector>\n\nnamespace network {\n\n";
  text +=
      "inline constexpr int kWidth = " + std::to_string(p.width) + ", kHeight = " + std::to_string(p.height) + ";\n";
  text += "inline constexpr float kMean[3] = " + Triple(p.mean) + ", kStddev[3] = " + Triple(p.stddev) + ";\n";
  text += "inline const std::string kRuntimeVersion = " + Quoted(artifact.toolchain_version) + ";\n";
  text += artifact.toolchain == "tvm" ? MemoryText(artifact) : OpenVinoText(artifact);
  text += "inline const std::vector<std::string> kClasses = " + NameList(artifact.classes) + ";\n";
  text += "inline constexpr float kDrawAbove = " + Float(kDrawAbove) + ";  // score of what is shown\n";
  if (artifact.task == "ssd") text += MapsText(task);
  if (artifact.task == "cpn") text += PoseText(artifact);
  return text + "\n" + ToleranceText(artifact) +
         "\n}  // namespace network\n\nusing Outputs = std::vector<std::vector<float>>;  // in the order of kOutputs\n";
}

}  // namespace hot
