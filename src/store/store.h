// The journal: measurements and finished work, kept for ever. Rows are never overwritten; a newer one supersedes.
// Implementations: sqlite/, postgres/. Every one passes store_contract_test. What it returns is a copy. Thread-safe.
// Format and migrations: docs/formats/journal.md. From one journal to another: journal_file.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace hot {

// Everything that changes the number. Equal keys, comparable numbers.
struct MeasurementKey {
  std::string graph_key;  // structural hash, precision included
  std::string device;     // fingerprint of board, CPU model, kernel, governor, kind and number of cores
  std::string toolchain;  // "openvino"
  std::string toolchain_version;
  std::string flags;      // canonical text
  std::string precision;  // executed: "fp32", "int8"
  std::string scheme;     // quantization scheme, "" in float
  int threads = 1;
  int batch = 1;
  auto operator<=>(const MeasurementKey&) const = default;
};

struct MeasurementRow {
  int64_t id = 0;  // given by the store
  MeasurementKey key;
  bool estimate = false;                 // a vendor's estimate, not measured
  std::vector<int64_t> samples_ns;       // raw, in order
  std::vector<int64_t> canary_ns;        // canary's reading beside each sample; same length
  double median_ns = 0;                  // of canary-normalised samples, see docs/formats/journal.md
  double low_ns = 0, high_ns = 0;        // 95 % interval of the median
  double raw_median_ns = 0, p90_ns = 0;  // of the raw samples
  double canary_median_ns = 0;
  bool steady = true;  // false: the interval's target was not reached before the cap
  std::string note;
  int64_t created = 0;  // Unix seconds; of two rows with one key the later one counts
};

// A finished piece of work whose result others may reuse: kind "candidate", "trial", "evaluation", ... body is JSON.
struct RecordRow {
  int64_t id = 0;
  std::string kind;
  std::string key;  // hash of everything it depends on
  std::string study;
  std::string body;  // JSON
  int64_t created = 0;
};

// How deep a body may be nested: what copies or writes a deeper one recurses. Ours have less than 10.
inline constexpr int kMaxRecordDepth = 64;

struct RecordFilter {
  std::string kind, study;  // empty: any
};

struct ImportCounts {
  int64_t measurements = 0, records = 0;  // added
  int64_t known = 0;                      // rows of both sorts that were there already
};

using MeasurementVisitor = std::function<void(const MeasurementRow&)>;
using RecordVisitor = std::function<void(const RecordRow&)>;
using JournalRow = std::variant<MeasurementRow, RecordRow>;
using JournalRows = std::function<std::optional<JournalRow>()>;  // the next one, until there is none

class Store {
 public:
  virtual ~Store() = default;
  // Throws Error(kInvalidArgument) for a row that makes no sense. A clock that was put back does not make it older than
  // what it supersedes: then it gets the time of that.
  virtual void AddMeasurement(const MeasurementRow& row) = 0;
  // The newest row of that key.
  virtual std::optional<MeasurementRow> FindMeasurement(const MeasurementKey& key) const = 0;
  // All rows of that key, superseded ones too.
  virtual int64_t CountMeasurements(const MeasurementKey& key) const = 0;
  // Every row of that device, or of all devices where it is empty, superseded ones too, by id and one at a time: a
  // journal may be larger than memory. `visit` must not call this store.
  virtual void VisitMeasurements(const std::string& device, const MeasurementVisitor& visit) const = 0;
  virtual void AddRecord(const RecordRow& row) = 0;
  // The newest of that kind and key, which is the one added last.
  virtual std::optional<RecordRow> FindRecord(const std::string& kind, const std::string& key) const = 0;
  // Every row that fits, by id and one at a time. `visit` must not call this store.
  virtual void VisitRecords(const RecordFilter& filter, const RecordVisitor& visit) const = 0;
  // Rows of another journal, with their time and without their ids. One that is here already (equal in all but its id)
  // is not added again. One transaction: when `next` throws, nothing was imported. `next` must not call this store.
  virtual ImportCounts Import(const JournalRows& next) = 0;

  // Newest row of each key measured on that device, by id.
  std::vector<MeasurementRow> Measurements(const std::string& device) const;
  // Of one study, by id.
  std::vector<RecordRow> Records(const std::string& study) const;
};

enum class IfMissing { kMake, kThrow };

// Whether `where` names a file, and none is there. Asks no server.
bool IsMissingFile(const std::string& where);

// The one way to open a journal. `where` is an SQLite file (WAL, busy timeout 30 s) or a PostgreSQL database
// (postgresql://USER@HOST/NAME; a password comes from it, PGPASSWORD or ~/.pgpass, and is in no message). Made where
// there is none, else migrated forward. Throws Error(kFailedPrecondition) for a journal of a newer version ("made by a
// newer hot"), kDataLoss for something that is no journal, kPermissionDenied, kUnavailable (no server), kNotFound.
std::unique_ptr<Store> OpenStore(const std::string& where, IfMissing if_missing = IfMissing::kMake);

}  // namespace hot
