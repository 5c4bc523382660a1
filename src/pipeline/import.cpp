#include "pipeline/import.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "deploy/onnx_reader/onnx_reader.h"
#include "graph/graph_file.h"
#include "graph/safetensors.h"
#include "models/convention.h"
#include "models/imported/imported_backbone.h"
#include "models/pretrained/pretrained.h"

namespace hot {
namespace {

// What new blocks in this network are built with: as its own layers are.
GraphStyle StyleOf(const Graph& graph) {
  GraphStyle style;
  for (const Node& node : graph.nodes()) {
    const auto& [top, left, bottom, right] = node.attrs.pads;
    if (node.op == Op::kConv && (top != bottom || left != right)) style.padding = Padding::kSame;
    if (node.op == Op::kBatchNorm) style.bn_eps = static_cast<double>(node.attrs.eps);
  }
  return style;
}

std::vector<ImportedSlot> CountChoices(const SlottedNetwork& slotted, const Shape& input) {
  const ImportedBackbone backbone(slotted.network.graph, "import");
  const std::vector<Slot> slots = backbone.Slots(1.0, Precision::kFp32);
  const std::vector<Shape> shapes = SlotInputShapes(backbone, 1.0, input);
  std::vector<ImportedSlot> sections;
  size_t next = 0;
  for (const FoundSection& found : slotted.sections) {
    ImportedSlot& section = sections.emplace_back(ImportedSlot{.section = found});
    if (!found.name.starts_with("slot")) continue;
    section.choices = static_cast<int>(DistinctChoices(slots.at(next), shapes.at(next)).size());
    ++next;
  }
  return sections;
}

std::string Millions(int64_t count) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f M", static_cast<double>(count) / 1e6);
  return text;
}

std::string Text(const Shape& shape) {
  return std::to_string(shape.c) + "x" + std::to_string(shape.h) + "x" + std::to_string(shape.w);
}

// "2 x irb-k3-e6"; blocks that differ are listed.
std::string BlocksText(const std::vector<BlockMatch>& blocks) {
  std::vector<std::pair<std::string, int>> counted;
  for (const BlockMatch& block : blocks) {
    if (counted.empty() || counted.back().first != block.Text()) counted.emplace_back(block.Text(), 0);
    ++counted.back().second;
  }
  std::vector<std::string> names;
  for (const auto& [text, count] : counted) names.push_back((count > 1 ? std::to_string(count) + " x " : "") + text);
  return JoinNames(names);
}

std::string SectionText(const ImportedSlot& slot) {
  const FoundSection& section = slot.section;
  char name[16];
  std::snprintf(name, sizeof name, "  %-8s", section.name.c_str());
  if (!section.blocks.empty()) {
    return name + BlocksText(section.blocks) + ", " + std::to_string(section.blocks.back().out_channels) +
           " channels: " + std::to_string(slot.choices) + " choices\n";
  }
  const std::string nodes = section.nodes == 1 ? section.first : section.first + " .. " + section.last;
  return name + std::string("kept: ") + nodes + " (" + std::to_string(section.nodes) +
         (section.nodes == 1 ? " node, " : " nodes, ") + section.reason + ")\n";
}

}  // namespace

Imported ImportNetwork(const ImportRequest& request) {
  const OnnxNetwork read = ReadOnnx(request.model, {.outputs = request.outputs, .input = request.input});
  const SlottedNetwork slotted = FindSlots(read.network, request.model.string());
  const Graph& graph = slotted.network.graph;
  Imported imported{.files = {request.out / kImportedGraph, request.out / kImportedWeights},
                    .producer = read.producer,
                    .opset = read.opset,
                    .input = graph.node(graph.inputs()[0]).shape,
                    .outputs = read.outputs,
                    .nodes = graph.size() - 1,
                    .costs = ComputeCosts(graph, Precision::kFp32)};
  imported.batch_norm = std::ranges::count(graph.nodes(), Op::kBatchNorm, &Node::op) > 0;
  imported.sections = CountChoices(slotted, imported.input);
  const Convention convention{.mean = request.mean, .stddev = request.stddev, .style = StyleOf(graph)};
  EnsureFolder(request.out);
  WriteSafetensors(imported.files[1], slotted.network.weights, ConventionMetadata(convention));
  WriteFileAtomic(imported.files[0], ToJson(graph));
  return imported;
}

std::string ImportText(const Imported& imported, const fs::path& out) {
  std::string text = "read: " + std::to_string(imported.nodes) + " nodes, input " + Text(imported.input) + ", " +
                     std::to_string(imported.outputs.size()) + " output" + (imported.outputs.size() == 1 ? "" : "s") +
                     " (opset " + std::to_string(imported.opset) + ", " + imported.producer + ")\n";
  text += "size: " + Millions(imported.costs.params) + " parameters, " + Millions(imported.costs.macs) + " MACs\n";
  if (!imported.batch_norm)
    text += "note: batch norm is folded into the convolutions; to train on, export it unfolded (docs/import.md)\n";
  text += "searched:\n";
  for (const ImportedSlot& slot : imported.sections) {
    if (slot.choices > 1) text += SectionText(slot);
  }
  text += "not searched:\n";
  for (const ImportedSlot& slot : imported.sections) {
    if (slot.choices == 1) text += SectionText(slot);
  }
  return text + "in a study: model: {backbone: \"" + kImportPrefix + out.string() + "\", input: [" +
         std::to_string(imported.input.h) + ", " + std::to_string(imported.input.w) + "]}\n";
}

std::string ImportJson(const Imported& imported) {
  using Json = nlohmann::ordered_json;
  Json sections = Json::array();
  for (const ImportedSlot& slot : imported.sections) {
    Json blocks = Json::array();
    for (const BlockMatch& block : slot.section.blocks) blocks.push_back(block.Text());
    sections.push_back({{"name", slot.section.name},
                        {"nodes", slot.section.nodes},
                        {"blocks", blocks},
                        {"choices", slot.choices},
                        {"kept_because", slot.section.reason}});
  }
  Json files = Json::array();
  for (const fs::path& file : imported.files) files.push_back(file.string());
  return Json{{"version", 1},
              {"files", files},
              {"producer", imported.producer},
              {"opset", imported.opset},
              {"input", {imported.input.c, imported.input.h, imported.input.w}},
              {"outputs", imported.outputs},
              {"nodes", imported.nodes},
              {"parameters", imported.costs.params},
              {"macs", imported.costs.macs},
              {"batch_norm", imported.batch_norm},
              {"sections", sections}}
      .dump(1);
}

}  // namespace hot
