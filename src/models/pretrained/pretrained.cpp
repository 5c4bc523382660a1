#include "models/pretrained/pretrained.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "models/pretrained/channels.h"
#include "models/pretrained/names.h"
#include "models/pretrained/tensor_file.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;
using Tensors = std::map<std::string, Tensor>;

constexpr const char* kMetadataKey = "hot";
constexpr const char* kOurs = "hot";  // naming
constexpr const char* kNamesHint = "names that are understood: docs/pretrained.md";

std::string FirstComponent(const std::string& name) { return name.substr(0, name.find('.')); }
std::string NodeOf(const std::string& parameter) { return parameter.substr(0, parameter.rfind('.')); }

// The first `count` of the parts between dots.
std::string Components(const std::string& name, int count) {
  size_t end = 0;
  while (count-- > 0 && end != std::string::npos) end = name.find('.', end == 0 ? 0 : end + 1);
  return name.substr(0, end);
}

bool IsHead(const std::string& name) { return FirstComponent(name) == "head"; }

bool IsOurs(const std::string& name) {
  const std::string section = FirstComponent(name);
  const bool slot = section.size() > 4 && section.starts_with("slot") &&
                    section.find_first_not_of("0123456789", 4) == std::string::npos;
  return slot || section == "stem" || section == "tail" || section == "head";
}

// Batch norm's counter of batches: PyTorch has it, nobody needs it.
bool IsCounter(const std::string& name) { return name.ends_with("num_batches_tracked"); }

struct Match {
  Naming naming;
  std::string prefix;  // before every name of the file: "module." of a DataParallel model
  size_t hits = 0;

  // More of the file's tensors have a place, or as many and more of the places are taken.
  bool IsBetterThan(const Match& other) const {
    if (hits != other.hits) return hits > other.hits;
    return naming.parameters.size() < other.naming.parameters.size();
  }
};

size_t CountHits(const Naming& naming, const std::string& prefix, const Tensors& tensors) {
  return static_cast<size_t>(std::ranges::count_if(
      naming.parameters, [&](const auto& pair) { return tensors.contains(prefix + pair.first); }));
}

// The naming and prefix under which most tensors have a place. A prefix is what stands before the naming's first
// convolution.
std::optional<Match> BestMatch(const std::vector<Naming>& namings, const Tensors& tensors) {
  std::optional<Match> best;
  for (const Naming& naming : namings) {
    const auto stem =
        std::ranges::find_if(naming.parameters, [](const auto& p) { return p.second == "stem.conv.weight"; });
    for (const auto& [name, tensor] : tensors) {
      if (!name.ends_with(stem->first)) continue;
      const std::string prefix = name.substr(0, name.size() - stem->first.size());
      if (!prefix.empty() && !prefix.ends_with('.')) continue;
      const Match match{naming, prefix, CountHits(naming, prefix, tensors)};
      if (!best || match.IsBetterThan(*best)) best = match;
    }
  }
  return best;
}

// What stands before "stem.conv.weight", by which weights of ours are known.
std::optional<std::string> OurPrefix(const Tensors& tensors) {
  constexpr std::string_view kStem = "stem.conv.weight";
  for (const auto& [name, tensor] : tensors) {
    if (name == kStem || name.ends_with("." + std::string(kStem))) return name.substr(0, name.size() - kStem.size());
  }
  return std::nullopt;
}

Naming OurNaming(const TensorFile& file, const std::string& prefix, const Backbone& backbone) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : file.tensors) {
    const std::string ours = name.substr(std::min(prefix.size(), name.size()));
    if (name.starts_with(prefix) && IsOurs(ours)) names.push_back(ours);
  }
  Naming naming{.name = kOurs, .convention = {}, .parameters = OurNames(backbone, names)};
  if (const auto found = file.metadata.find(kMetadataKey); found != file.metadata.end()) {
    naming.convention = ConventionFromJson(Json::parse(found->second));
  }
  return naming;
}

// The names of one backbone may be among those of another: ResNet-18's are all in ResNet-34.
void RefuseOtherBackbones(const Match& match, const Tensors& tensors, const Backbone& backbone,
                          const std::string& where) {
  Match best = match;
  std::string_view name = backbone.name();
  for (const Backbone* other : AllBackbones()) {
    const std::optional<Match> found = BestMatch(NamingsOf(*other), tensors);
    if (!found || !found->IsBetterThan(best) || 2 * found->hits < found->naming.parameters.size()) continue;
    best = *found;
    name = other->name();
  }
  if (name == backbone.name()) return;
  throw Error(Code::kInvalidArgument, where,
              "holds weights of " + std::string(name) + ", not of " + std::string(backbone.name()),
              "set model.backbone to " + std::string(name));
}

Match FindNaming(const TensorFile& file, const Backbone& backbone, const std::string& where) {
  if (const auto prefix = OurPrefix(file.tensors))
    return *BestMatch({OurNaming(file, *prefix, backbone)}, file.tensors);
  const std::optional<Match> match = BestMatch(NamingsOf(backbone), file.tensors);
  RefuseOtherBackbones(match.value_or(Match{}), file.tensors, backbone, where);
  if (!match) {
    const std::string first = file.tensors.empty() ? "none" : "\"" + file.tensors.begin()->first + "\"";
    throw Error(Code::kInvalidArgument, where,
                "the names of its " + std::to_string(file.tensors.size()) + " tensors are not known for " +
                    std::string(backbone.name()) + " (the first is " + first + ")",
                kNamesHint);
  }
  return *match;
}

void CheckFinite(const std::string& where, const std::string& name, const Tensor& tensor) {
  if (std::ranges::all_of(tensor.data, [](float value) { return std::isfinite(value); })) return;
  throw Error(Code::kInvalidArgument, where, name + " holds values that are not finite");
}

bool Fits(const Parameter& parameter, const Weights& weights) {
  const auto found = weights.find(parameter.name);
  return found != weights.end() && found->second.shape == parameter.shape;
}

// Copies sections and nodes from the file, and keeps account.
class Heir {
 public:
  Heir(const Graph& graph, const Pretrained& pretrained, Weights& weights)
      : graph_(graph), pretrained_(pretrained), weights_(weights) {
    for (Parameter& parameter : Parameters(graph)) {
      const std::string unit = UnitOf(parameter.name);
      if (units_.empty() || units_.back().name != unit) units_.push_back({.name = unit, .parameters = {}});
      units_.back().parameters.push_back(std::move(parameter));
    }
  }

  Inheritance Run() {
    const std::map<std::string, std::string> sources = TapSources();
    Inheritance result{.file = pretrained_.file, .naming = pretrained_.naming};
    std::vector<std::string> random;
    bool any_section = false, any_of_head = false;
    for (const Unit& unit : units_) {
      const bool is_head = IsHead(unit.name);
      const bool taken = Take(unit, unit.name) || TakeTap(unit, sources) || TakeChannels(unit, result.in_part);
      if (!taken) random.push_back(unit.name);
      any_section |= taken && !is_head;
      any_of_head |= taken && is_head;
    }
    if (!any_section) RefuseWidth();
    for (const std::string& unit : random)
      AddUnit(any_of_head ? Components(unit, 2) : FirstComponent(unit), result.random);
    result.tensors = pretrained_.weights.size() + pretrained_.unknown.size();
    result.taken = taken_.size();
    result.no_place = NoPlace();
    return result;
  }

 private:
  // What is taken whole or not at all: a section of the backbone, or a node of the head.
  struct Unit {
    std::string name;
    std::vector<Parameter> parameters;
  };

  static std::string UnitOf(const std::string& parameter) {
    return IsHead(parameter) ? NodeOf(parameter) : FirstComponent(parameter);
  }

  static void AddUnit(const std::string& unit, std::vector<std::string>& units) {
    if (std::ranges::find(units, unit) == units.end()) units.push_back(unit);
  }

  static std::string Renamed(const std::string& name, const std::string& from, const std::string& to) {
    return to + name.substr(from.size());
  }

  // Copies the file's `source` to the unit; false when it is not there or built differently.
  bool Take(const Unit& unit, const std::string& source) {
    for (Parameter parameter : unit.parameters) {
      parameter.name = Renamed(parameter.name, unit.name, source);
      if (!Fits(parameter, pretrained_.weights)) return false;
    }
    if (!IsHead(unit.name) && CountBelow(source) != unit.parameters.size()) return false;  // the file's has more layers
    for (const Parameter& parameter : unit.parameters) {
      const std::string theirs = Renamed(parameter.name, unit.name, source);
      weights_[parameter.name] = pretrained_.weights.at(theirs);
      taken_.insert(theirs);
    }
    return true;
  }

  // What a slot of the same layers can start with.
  bool TakeChannels(const Unit& unit, std::vector<std::string>& in_part) {
    if (!unit.name.starts_with("slot") || !InheritChannels(graph_, unit.name, pretrained_.weights, weights_))
      return false;
    in_part.push_back(unit.name);
    for (const Parameter& parameter : unit.parameters) taken_.insert(parameter.name);
    return true;
  }

  size_t CountBelow(const std::string& unit) const {
    const auto first = pretrained_.weights.lower_bound(unit + ".");
    const auto last = pretrained_.weights.lower_bound(unit + "/");  // the character behind '.'
    return static_cast<size_t>(std::distance(first, last));
  }

  bool TakeTap(const Unit& unit, const std::map<std::string, std::string>& sources) {
    const auto source = sources.find(unit.name);
    return source != sources.end() && Take(unit, source->second);
  }

  // Nodes of the head that may start as the expansion behind the slot that they read: "head.tap1.conv" ->
  // "slot6.0.expand.conv", and the same for the batch norm behind it.
  std::map<std::string, std::string> TapSources() const {
    std::map<std::string, std::string> sources;
    for (const Node& node : graph_.nodes()) {
      if (!IsHead(node.name) || node.inputs.empty()) continue;
      const std::string& input = graph_.node(node.inputs[0]).name;
      const std::string suffix = node.op == Op::kConv ? "conv" : "bn";
      if (node.op == Op::kBatchNorm && sources.contains(input)) {
        sources[node.name] = NodeOf(sources.at(input)) + "." + suffix;
      } else if (node.op == Op::kConv && EndsSlot(node.inputs[0])) {
        const std::string next = "slot" + std::to_string(std::stoi(FirstComponent(input).substr(4)) + 1) + ".0";
        // Other blocks than irb call by this name what does not read their input.
        if (pretrained_.weights.contains(next + ".depthwise.conv.weight"))
          sources[node.name] = next + ".expand." + suffix;
      }
    }
    return sources;
  }

  bool EndsSlot(NodeId id) const {
    return std::ranges::any_of(graph_.sections(), [id](const Section& section) {
      return section.name.starts_with("slot") && section.last == id + 1;
    });
  }

  [[noreturn]] void RefuseWidth() const {
    const std::vector<Parameter>& stem = units_.front().parameters;
    const auto theirs = pretrained_.weights.find(stem.front().name);
    std::string shapes;
    if (theirs != pretrained_.weights.end()) {
      shapes = ": its stem has " + std::to_string(theirs->second.shape.at(0)) + " channels, the network's " +
               std::to_string(stem.front().shape.at(0));
    }
    throw Error(Code::kInvalidArgument, pretrained_.file, "none of its tensors fits this network" + shapes,
                "weights fit networks of their own width (model.width)");
  }

  std::vector<std::string> NoPlace() const {
    std::set<std::string> sections, groups;
    for (const Unit& unit : units_) sections.insert(unit.name);
    for (const auto& [name, tensor] : pretrained_.weights) {
      const std::string unit = UnitOf(name);
      if (!sections.contains(unit)) groups.insert(unit + ".*");
    }
    for (const std::string& name : pretrained_.unknown) groups.insert(FirstComponent(name) + ".*");
    return {groups.begin(), groups.end()};
  }

  const Graph& graph_;
  const Pretrained& pretrained_;
  Weights& weights_;
  std::vector<Unit> units_;
  std::set<std::string> taken_;
};

}  // namespace

Pretrained ReadPretrained(const fs::path& path, const Backbone& backbone) {
  TensorFile file = ReadTensorFile(path);
  std::erase_if(file.tensors, [](const auto& pair) { return IsCounter(pair.first); });
  const std::string where = path.string();
  try {
    const Match match = FindNaming(file, backbone, where);
    Pretrained result{.file = where, .naming = match.naming.name, .convention = match.naming.convention};
    result.states_convention = result.naming != kOurs || file.metadata.contains(kMetadataKey);
    for (auto& [name, tensor] : file.tensors) {
      const bool prefixed = name.starts_with(match.prefix);
      const auto ours = match.naming.parameters.find(prefixed ? name.substr(match.prefix.size()) : name);
      if (!prefixed || ours == match.naming.parameters.end()) {
        result.unknown.push_back(name);
        continue;
      }
      CheckFinite(where, name, tensor);
      result.weights[ours->second] = std::move(tensor);
    }
    if (const auto eps = file.metadata.find("bn_eps"); eps != file.metadata.end()) {
      result.convention.style.bn_eps = Json::parse(eps->second).get<double>();
    }
    return result;
  } catch (const nlohmann::json::exception& error) {
    throw Error(Code::kDataLoss, where, std::string("has broken metadata: ") + error.what());
  }
}

Inheritance Inherit(const Graph& graph, const Pretrained& pretrained, Weights& weights) {
  return Heir(graph, pretrained, weights).Run();
}

std::string Inheritance::Summary() const {
  std::string text =
      file + " (" + naming + " names): " + std::to_string(taken) + " of " + std::to_string(tensors) + " tensors taken";
  if (!in_part.empty()) text += "; in part: " + JoinNames(in_part);
  if (!random.empty()) text += "; from random: " + JoinNames(random);
  if (!no_place.empty()) text += "; no place for: " + JoinNames(no_place);
  return text;
}

SafetensorsMetadata ConventionMetadata(const Convention& convention) {
  return {{kMetadataKey, ToJson(convention).dump()}};
}

}  // namespace hot
