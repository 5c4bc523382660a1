// A record of somebody else's journal, which an import or a shared database brings: the same bytes as its body in each
// kind.
#include <vector>

#include "fuzz_target.h"
#include "pipeline/target.h"
#include "pipeline/trial_journal.h"

namespace {

using namespace hot;

class OneBody : public Store {
 public:
  explicit OneBody(std::string_view body) {
    for (const char* kind : {"target", "search", "step", "trial"})
      rows_.push_back({.id = 1, .kind = kind, .key = "key", .study = "study", .body = std::string(body), .created = 1});
  }

  void AddMeasurement(const MeasurementRow&) override {}
  std::optional<MeasurementRow> FindMeasurement(const MeasurementKey&) const override { return std::nullopt; }
  int64_t CountMeasurements(const MeasurementKey&) const override { return 0; }
  void VisitMeasurements(const std::string&, const MeasurementVisitor&) const override {}
  void AddRecord(const RecordRow&) override {}
  std::optional<RecordRow> FindRecord(const std::string& kind, const std::string&) const override {
    for (const RecordRow& row : rows_) {
      if (row.kind == kind) return row;
    }
    return std::nullopt;
  }
  void VisitRecords(const RecordFilter& filter, const RecordVisitor& visit) const override {
    for (const RecordRow& row : rows_) {
      if (filter.kind.empty() || filter.kind == row.kind) visit(row);
    }
  }
  ImportCounts Import(const JournalRows&) override { return {}; }

 private:
  std::vector<RecordRow> rows_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  OneBody store(AsText(data, size));
  const TrialJournal journal(store, "study", SystemClock());
  MayThrowError([&] {
    for (const RememberedTarget& target : RememberedTargets(store)) static_cast<void>(DeviceLabel(target.device));
  });
  MayThrowError([&] { journal.Searches(); });
  MayThrowError([&] { HOT_ASSERT(journal.Steps("key").size() <= 1); });
  MayThrowError([&] { journal.FindResult("key"); });
  MayThrowError([&] { journal.Results("key"); });
  return 0;
}
