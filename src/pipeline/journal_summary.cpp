#include "pipeline/journal_summary.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "core/error.h"
#include "core/text.h"
#include "pipeline/target.h"

namespace hot {
namespace {

using Group = std::tuple<std::string, std::string, std::string, std::string, int, bool>;

Group GroupOf(const MeasurementKey& key, bool estimate) {
  return {key.device, key.toolchain, key.toolchain_version, key.precision, key.threads, estimate};
}

// The newest row of a key, as far as it was met.
struct Newest {
  int64_t created = 0, rows = 0;
  bool steady = true, estimate = false;
};

std::vector<MeasuredGroup> Measured(const Store& store) {
  std::map<MeasurementKey, Newest> keys;
  store.VisitMeasurements("", [&](const MeasurementRow& row) {
    Newest& newest = keys[row.key];
    if (++newest.rows > 1 && row.created < newest.created) return;
    newest.created = row.created;
    newest.steady = row.steady;
    newest.estimate = row.estimate;
  });
  std::map<Group, MeasuredGroup> groups;
  for (const auto& [key, newest] : keys) {
    MeasuredGroup& group = groups[GroupOf(key, newest.estimate)];
    ++group.rows;
    group.superseded += newest.rows - 1;
    group.unsteady += newest.steady ? 0 : 1;
    group.newest = std::max(group.newest, newest.created);
  }
  std::map<std::string, std::string> labels;
  for (const RememberedTarget& target : RememberedTargets(store)) {
    labels[target.device.fingerprint] = DeviceLabel(target.device);
  }
  std::vector<MeasuredGroup> measured;
  for (auto& [key, group] : groups) {
    std::tie(group.device, group.toolchain, group.toolchain_version, group.precision, group.threads, group.estimate) =
        key;
    group.label = labels[group.device];
    measured.push_back(std::move(group));
  }
  return measured;
}

}  // namespace

JournalSummary SummarizeJournal(const Store& store) {
  JournalSummary summary{.measured = Measured(store), .records = {}};
  std::map<std::pair<std::string, std::string>, RecordGroup> groups;
  store.VisitRecords({}, [&](const RecordRow& row) {
    RecordGroup& group = groups[{row.kind, row.study}];
    group.kind = row.kind;
    group.study = row.study;
    ++group.rows;
    group.newest = std::max(group.newest, row.created);
  });
  for (auto& [key, group] : groups) summary.records.push_back(std::move(group));
  return summary;
}

std::string FindDevice(const JournalSummary& summary, const std::string& prefix) {
  std::set<std::string> devices, found;
  for (const MeasuredGroup& group : summary.measured) {
    devices.insert(group.device);
    if (group.device.starts_with(prefix)) found.insert(group.device);
  }
  if (found.size() == 1) return *found.begin();
  const std::set<std::string>& named = found.empty() ? devices : found;
  throw Error(found.empty() ? Code::kNotFound : Code::kInvalidArgument, "--device " + prefix,
              found.empty() ? "nothing in the journal was measured on it" : "may be several devices",
              "known: " + JoinNames({named.begin(), named.end()}));
}

}  // namespace hot
