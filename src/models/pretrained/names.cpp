#include "models/pretrained/names.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <utility>

#include "core/error.h"

namespace hot {
namespace {

using Parts = std::array<const char*, 4>;  // of batch norm
constexpr Parts kTorchParts{"weight", "bias", "running_mean", "running_var"};
constexpr Parts kKerasParts{"gamma", "beta", "mean", "variance"};

// PyTorch's ImageNet recipe (torchvision's and timm's presets).
Convention ImageNetConvention() { return {.mean = {0.485, 0.456, 0.406}, .stddev = {0.229, 0.224, 0.225}}; }

// keras.applications' MobileNetV2: x / 127.5 - 1, correct_pad(), BatchNormalization(epsilon=1e-3).
Convention KerasConvention() { return {.style = {.padding = Padding::kSame, .bn_eps = 1e-3}}; }

class Table {
 public:
  explicit Table(const Parts& parts) : parts_(parts) {}

  // `ours` is a GraphBuilder::ConvBn.
  void ConvBn(const std::string& conv, const std::string& batch_norm, const std::string& ours) {
    table_[conv + ".weight"] = ours + ".conv.weight";
    for (size_t i = 0; i < parts_.size(); ++i) table_[batch_norm + "." + parts_[i]] = ours + ".bn." + kTorchParts[i];
  }

  void Classifier(const std::string& theirs) {
    for (const char* part : {".weight", ".bias"}) table_[theirs + part] = std::string("head.classifier") + part;
  }

  std::map<std::string, std::string> Take() && { return std::move(table_); }

 private:
  const Parts& parts_;
  std::map<std::string, std::string> table_;
};

// One block of a backbone.
struct Place {
  int block = 0;                    // over the whole network, from 0
  int slot = 0, repeat = 0;         // both from 0
  int stage = 0, stage_repeat = 0;  // the same where a slot is a stage
  bool has_expansion = true;        // MobileNetV2: all but the first block's
  std::string Ours(const char* part) const {
    return "slot" + std::to_string(slot + 1) + "." + std::to_string(repeat) + "." + part;
  }
};

std::vector<Place> BlocksOf(const Backbone& backbone) {
  std::vector<Place> places;
  for (const Slot& slot : backbone.Slots(1.0, Precision::kFp32)) {
    for (int repeat = 0; repeat < slot.repeats; ++repeat) {
      places.push_back({.block = static_cast<int>(places.size()),
                        .slot = slot.index - 1,
                        .repeat = repeat,
                        .stage = slot.stage - 1,
                        .stage_repeat = slot.first_repeat + repeat,
                        .has_expansion = slot.baseline.expansion != 1});
    }
  }
  return places;
}

// torchvision/models/mobilenetv2.py: `features` holds stem, blocks and tail; `conv` the layers of a block.
std::map<std::string, std::string> TorchvisionNames(const std::vector<Place>& blocks) {
  Table table(kTorchParts);
  table.ConvBn("features.0.0", "features.0.1", "stem");
  for (const Place& place : blocks) {
    const std::string block = "features." + std::to_string(place.block + 1) + ".conv.";
    int layer = 0;
    const auto activated = [&](const char* part) {
      const std::string name = block + std::to_string(layer++);
      table.ConvBn(name + ".0", name + ".1", place.Ours(part));
    };
    if (place.has_expansion) activated("expand");
    activated("depthwise");
    table.ConvBn(block + std::to_string(layer), block + std::to_string(layer + 1), place.Ours("project"));
  }
  const std::string tail = "features." + std::to_string(blocks.size() + 1);
  table.ConvBn(tail + ".0", tail + ".1", "tail");
  table.Classifier("classifier.1");
  return std::move(table).Take();
}

// timm/models/_efficientnet_blocks.py: DepthwiseSeparableConv at first, then InvertedResidual.
std::map<std::string, std::string> TimmNames(const std::vector<Place>& blocks) {
  Table table(kTorchParts);
  table.ConvBn("conv_stem", "bn1", "stem");
  for (const Place& place : blocks) {
    const std::string block = "blocks." + std::to_string(place.stage) + "." + std::to_string(place.stage_repeat) + ".";
    int norm = 1;
    const auto add = [&](const char* theirs, const char* part) {
      table.ConvBn(block + theirs, block + "bn" + std::to_string(norm++), place.Ours(part));
    };
    if (place.has_expansion) add("conv_pw", "expand");
    add("conv_dw", "depthwise");
    add(place.has_expansion ? "conv_pwl" : "conv_pw", "project");
  }
  table.ConvBn("conv_head", "bn2", "tail");
  table.Classifier("classifier");
  return std::move(table).Take();
}

// keras/applications/mobilenet_v2.py.
std::map<std::string, std::string> KerasNames(const std::vector<Place>& blocks) {
  Table table(kKerasParts);
  table.ConvBn("Conv1", "bn_Conv1", "stem");
  for (const Place& place : blocks) {
    const std::string block = place.block == 0 ? "expanded_conv_" : "block_" + std::to_string(place.block) + "_";
    for (const char* part : {"expand", "depthwise", "project"}) {
      if (part == std::string("expand") && !place.has_expansion) continue;
      table.ConvBn(block + part, block + part + "_BN", place.Ours(part));
    }
  }
  table.ConvBn("Conv_1", "Conv_1_bn", "tail");
  table.Classifier("predictions");
  return std::move(table).Take();
}

// torchvision/models/resnet.py and timm/models/resnet.py: layerN holds the blocks of a stage. The first block of a
// stage changes the shape and has a projection; in the first stage, only that of a bottleneck does.
std::map<std::string, std::string> ResNetNames(const Backbone& backbone) {
  const bool bottleneck = backbone.Slots(1.0, Precision::kFp32).front().baseline.block == "bottleneck";
  const std::vector<const char*> parts =
      bottleneck ? std::vector{"reduce", "middle", "expand"} : std::vector{"first", "second"};
  Table table(kTorchParts);
  table.ConvBn("conv1", "bn1", "stem");
  for (const Place& place : BlocksOf(backbone)) {
    const std::string block =
        "layer" + std::to_string(place.stage + 1) + "." + std::to_string(place.stage_repeat) + ".";
    for (size_t i = 0; i < parts.size(); ++i) {
      const std::string number = std::to_string(i + 1);
      table.ConvBn(block + "conv" + number, block + "bn" + number, place.Ours(parts[i]));
    }
    const bool projects = place.stage_repeat == 0 && (place.stage > 0 || bottleneck);
    if (projects) table.ConvBn(block + "downsample.0", block + "downsample.1", place.Ours("shortcut"));
  }
  table.Classifier("fc");
  return std::move(table).Take();
}

// "slot3.1.expand.bn.bias" -> 3, 1 and "expand.bn.bias"; no value for names of other parts.
struct SlotName {
  int slot = 0, repeat = 0;  // slot from 1
  std::string part;
};
std::optional<SlotName> ParseSlotName(const std::string& name) {
  SlotName parsed;
  int end = 0;
  if (std::sscanf(name.c_str(), "slot%4d.%4d.%n", &parsed.slot, &parsed.repeat, &end) != 2 || end == 0) return {};
  parsed.part = name.substr(static_cast<size_t>(end));
  return parsed;
}

bool IsResNet(const Backbone& backbone) { return backbone.name().starts_with("resnet"); }

}  // namespace

std::map<std::string, std::string> OurNames(const Backbone& backbone, const std::vector<std::string>& names) {
  const std::vector<Place> places = BlocksOf(backbone);
  const auto repeats = [](const std::string& name) { return ParseSlotName(name).value_or(SlotName{}).repeat > 0; };
  const bool by_stage = std::ranges::any_of(names, repeats);  // each backbone has a stage of several blocks
  std::map<std::string, std::string> table;
  for (const std::string& name : names) {
    std::string& ours = table[name] = name;
    const std::optional<SlotName> theirs = ParseSlotName(name);
    if (!theirs) continue;
    const auto place = std::ranges::find_if(places, [&](const Place& at) {
      return by_stage ? at.stage + 1 == theirs->slot && at.stage_repeat == theirs->repeat
                      : at.block + 1 == theirs->slot && theirs->repeat == 0;
    });
    if (place != places.end()) ours = place->Ours(theirs->part.c_str());
  }
  return table;
}

std::vector<Naming> NamingsOf(const Backbone& backbone) {
  if (IsResNet(backbone)) return {{"torchvision", ImageNetConvention(), ResNetNames(backbone)}};
  if (backbone.name() != "mobilenet_v2") return {};
  const std::vector<Place> blocks = BlocksOf(backbone);
  return {{"torchvision", ImageNetConvention(), TorchvisionNames(blocks)},
          {"timm", ImageNetConvention(), TimmNames(blocks)},
          {"keras", KerasConvention(), KerasNames(blocks)}};
}

}  // namespace hot
