#include "pipeline/target.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/read_json.h"
#include "core/text.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kKind = "target";
constexpr std::string_view kJournal = "journal:";

std::string RecordBody(const Device& device, const Toolchain& toolchain) {
  const DeviceInfo info = device.Describe();
  Json precisions = Json::array();
  for (const Precision precision : toolchain.precisions()) precisions.push_back(PrecisionName(precision));
  return Json{{"version", 1},
              {"device",
               {{"name", info.name},
                {"fingerprint", info.fingerprint},
                {"estimator", info.estimator},
                {"accuracy_from", info.accuracy_from},
                {"info", Json::parse(info.json)}}},
              {"toolchain",
               {{"name", toolchain.name()},
                {"version", toolchain.version()},
                {"flags", toolchain.flags()},
                {"precisions", precisions}}}}
      .dump();
}

// Throws nlohmann's exceptions.
RememberedTarget TargetFrom(const Json& json) {
  const Json &device = json.at("device"), &toolchain = json.at("toolchain");
  RememberedTarget target{.device = {.name = device.at("name"),
                                     .fingerprint = device.at("fingerprint"),
                                     .json = device.at("info").dump(),
                                     .estimator = device.at("estimator"),
                                     .accuracy_from = device.at("accuracy_from"),
                                     .present = false},
                          .toolchain = toolchain.at("name"),
                          .toolchain_version = toolchain.at("version"),
                          .flags = toolchain.at("flags")};
  for (const Json& name : toolchain.at("precisions")) {
    target.precisions.push_back(ParsePrecision(name.get<std::string>()));
  }
  return target;
}

// Records come from other people's journals, too. One of another version is left alone.
std::optional<RememberedTarget> ReadTarget(const RecordRow& row) {
  const auto too_deep = [] { throw Error(Code::kDataLoss, "", "nested too deep"); };
  try {
    const Json json = ParseShallow<Json>(row.body, kMaxRecordDepth, too_deep, /*allow_exceptions=*/false);
    if (!json.is_object() || json.value("version", Json()) != 1) return std::nullopt;
    return TargetFrom(json);
  } catch (const std::exception& error) {
    throw Error(Code::kDataLoss, "journal",
                "record " + std::to_string(row.id) + " (target) is broken: " + error.what());
  }
}

[[noreturn]] void ThrowNotHere(const std::string& where, const std::string& what) {
  throw Error(Code::kUnavailable, where, what + ": the device is not here, only what the journal has of it",
              "do this beside the device, and import its journal");
}

class JournalToolchain : public Toolchain {
 public:
  JournalToolchain(RememberedTarget target, std::string where) : target_(std::move(target)), where_(std::move(where)) {}
  std::string_view name() const override { return target_.toolchain; }
  std::string version() const override { return target_.toolchain_version; }
  std::string flags() const override { return target_.flags; }
  std::vector<Precision> precisions() const override { return target_.precisions; }
  Artifact Compile(const CompileRequest&) const override { ThrowNotHere(where_, "can't compile a network"); }

 private:
  RememberedTarget target_;
  std::string where_;
};

class JournalDevice : public Device {
 public:
  JournalDevice(DeviceInfo info, std::string where) : info_(std::move(info)), where_(std::move(where)) {}
  DeviceInfo Describe() const override { return info_; }
  std::unique_ptr<Session> Load(const Artifact&) const override { ThrowNotHere(where_, "can't run a network"); }
  std::vector<Measurement> Profile(std::span<const Artifact* const>, const MeasureOptions&, double,
                                   const Context&) const override {
    ThrowNotHere(where_, "can't measure a network");
  }

 private:
  DeviceInfo info_;
  std::string where_;
};

std::string KnownDevices(const std::vector<RememberedTarget>& targets) {
  std::vector<std::string> names;
  for (const RememberedTarget& target : targets) {
    names.push_back(target.device.fingerprint + " (" + DeviceLabel(target.device) + ", " + target.toolchain + ")");
  }
  return names.empty() ? "the journal knows of no device: import one, or measure something"
                       : "known: " + JoinNames(names);
}

Target FindTarget(const Study::Target& target, const Store& store) {
  const std::string prefix = target.device.substr(kJournal.size());
  const std::vector<RememberedTarget> all = RememberedTargets(store);
  std::vector<RememberedTarget> found;
  std::ranges::copy_if(all, std::back_inserter(found), [&](const RememberedTarget& known) {
    return known.toolchain == target.toolchain && known.device.fingerprint.starts_with(prefix);
  });
  if (found.empty()) {
    throw Error(Code::kNotFound, "target.device",
                "the journal has no device " + prefix + " with toolchain " + target.toolchain, KnownDevices(all));
  }
  if (found.size() > 1) {
    throw Error(Code::kInvalidArgument, "target.device", target.device + " may be several devices",
                KnownDevices(found));
  }
  const std::string where = std::string(kJournal) + found[0].device.fingerprint;
  return {.toolchain = std::make_unique<JournalToolchain>(found[0], where),
          .device = std::make_unique<JournalDevice>(found[0].device, where)};
}

}  // namespace

Target MakeTarget(const Study::Target& target, const Store& store) {
  if (target.device.starts_with(kJournal)) return FindTarget(target, store);
  const AgentAccess access{.token_file = target.token_file, .ca_file = target.ca_file, .client = ""};
  return {.toolchain = MakeToolchain(target.toolchain, target.device, access),
          .device = MakeDevice(target.device, static_cast<int>(target.threads), access)};
}

void CheckPrecisions(const Study::Target& target, const Toolchain& toolchain) {
  std::vector<std::string> known;
  for (const Precision precision : toolchain.precisions()) known.push_back(PrecisionName(precision));
  for (const std::string& name : target.precision) {
    if (std::ranges::count(known, name) > 0) continue;
    throw Error(Code::kInvalidArgument, "target.precision",
                target.toolchain + " can't execute " + name + " on " + target.device,
                "it executes " + JoinNames(known));
  }
}

void RememberTarget(const Device& device, const Toolchain& toolchain, Store& store, int64_t now) {
  const std::string key = device.Describe().fingerprint + " " + std::string(toolchain.name());
  const std::string body = RecordBody(device, toolchain);
  const auto newest = store.FindRecord(kKind, key);
  if (newest && newest->body == body) return;
  store.AddRecord({.kind = kKind, .key = key, .study = "", .body = body, .created = now});
}

std::vector<RememberedTarget> RememberedTargets(const Store& store) {
  std::vector<RememberedTarget> targets;
  std::map<std::string, size_t> index;
  std::map<std::string, int64_t> created;
  store.VisitRecords({.kind = kKind, .study = ""}, [&](const RecordRow& row) {
    std::optional<RememberedTarget> target = ReadTarget(row);
    if (!target) return;
    const auto [it, added] = index.try_emplace(row.key, targets.size());
    if (added) {
      targets.push_back(*std::move(target));
    } else if (row.created >= created[row.key]) {  // not what an import brought of an older time
      targets[it->second] = *std::move(target);
    } else {
      return;
    }
    created[row.key] = row.created;
  });
  return targets;
}

std::string DeviceLabel(const DeviceInfo& device) {
  const Json info = Json::parse(device.json, nullptr, /*allow_exceptions=*/false);
  const Json cpu = info.is_object() ? info.value("cpu", Json()) : Json();
  std::string label = device.name;
  if (cpu.is_string()) label += ", " + cpu.get<std::string>().substr(0, cpu.get<std::string>().find(','));
  return label;
}

}  // namespace hot
