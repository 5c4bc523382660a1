// The Store in one SQLite file. One connection behind a mutex; other processes are waited for by SQLite's busy timeout.
#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <mutex>
#include <string_view>

#include "core/error.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/schema.h"
#include "store/store.h"

namespace hot {
namespace {

using sqlite::Connection;
using sqlite::Statement;
using sqlite::Transaction;

constexpr int kBusyTimeoutMs = 30'000;

constexpr std::string_view kColumns =
    "graph_key, device, toolchain, toolchain_version, flags, precision, scheme, threads, batch, estimate, samples_ns, "
    "canary_ns, median_ns, low_ns, high_ns, raw_median_ns, p90_ns, canary_median_ns, steady, note, created_unix_s";

constexpr std::string_view kKeyColumns =
    "graph_key, device, toolchain, toolchain_version, flags, precision, scheme, threads, batch";

constexpr std::string_view kOfKey =
    "graph_key=? AND device=? AND toolchain=? AND toolchain_version=? AND flags=? AND precision=? AND scheme=? AND "
    "threads=? AND batch=?";

// Little-endian 64-bit two's complement, whatever the machine.
std::string Pack(const std::vector<int64_t>& numbers) {
  std::string bytes;
  bytes.reserve(numbers.size() * 8);
  for (const int64_t number : numbers) {
    const auto bits = static_cast<uint64_t>(number);
    for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<char>(bits >> shift & 0xff));
  }
  return bytes;
}

std::vector<int64_t> Unpack(const std::string& bytes, const Connection& connection) {
  if (bytes.size() % 8 != 0) {
    throw Error(Code::kDataLoss, connection.file().string(), "the journal is damaged: samples are cut short");
  }
  std::vector<int64_t> numbers(bytes.size() / 8);
  for (size_t i = 0; i < numbers.size(); ++i) {
    uint64_t bits = 0;
    for (size_t byte = 0; byte < 8; ++byte) {
      bits |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i * 8 + byte])) << (8 * byte);
    }
    numbers[i] = static_cast<int64_t>(bits);
  }
  return numbers;
}

void BindKey(Statement& statement, const MeasurementKey& key) {
  for (const std::string* text :
       {&key.graph_key, &key.device, &key.toolchain, &key.toolchain_version, &key.flags, &key.precision, &key.scheme}) {
    statement.Bind(std::string_view(*text));
  }
  statement.Bind(int64_t{key.threads}).Bind(int64_t{key.batch});
}

MeasurementRow ReadMeasurement(Statement& statement, const Connection& connection) {
  MeasurementRow row;
  row.id = statement.Integer();
  for (std::string* text : {&row.key.graph_key, &row.key.device, &row.key.toolchain, &row.key.toolchain_version,
                            &row.key.flags, &row.key.precision, &row.key.scheme}) {
    *text = statement.Text();
  }
  row.key.threads = static_cast<int>(statement.Integer());
  row.key.batch = static_cast<int>(statement.Integer());
  row.estimate = statement.Integer() != 0;
  row.samples_ns = Unpack(statement.Blob(), connection);
  row.canary_ns = Unpack(statement.Blob(), connection);
  for (double* number :
       {&row.median_ns, &row.low_ns, &row.high_ns, &row.raw_median_ns, &row.p90_ns, &row.canary_median_ns}) {
    *number = statement.Real();
  }
  row.steady = statement.Integer() != 0;
  row.note = statement.Text();
  row.created = statement.Integer();
  return row;
}

RecordRow ReadRecord(Statement& statement) {
  RecordRow row;
  row.id = statement.Integer();
  row.kind = statement.Text();
  row.key = statement.Text();
  row.study = statement.Text();
  row.body = statement.Text();
  row.created = statement.Integer();
  return row;
}

void CheckRow(const MeasurementRow& row) {
  if (row.samples_ns.size() != row.canary_ns.size()) {
    throw Error(Code::kInvalidArgument, "journal", "a measurement needs one canary reading a sample");
  }
  for (const double number :
       {row.median_ns, row.low_ns, row.high_ns, row.raw_median_ns, row.p90_ns, row.canary_median_ns}) {
    if (!std::isfinite(number)) throw Error(Code::kInvalidArgument, "journal", "a measurement must be finite");
  }
}

class SqliteStore : public Store {
 public:
  explicit SqliteStore(const fs::path& file) : connection_(file, kBusyTimeoutMs) {
    sqlite::Migrate(connection_, sqlite::JournalMigrations());
    connection_.UseWal();
    connection_.Execute("PRAGMA synchronous = NORMAL");
  }

  void AddMeasurement(const MeasurementRow& row) override {
    CheckRow(row);
    const std::scoped_lock lock(mutex_);
    Transaction transaction(connection_);
    Statement statement(connection_, "INSERT INTO measurement (" + std::string(kColumns) +
                                         ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    BindKey(statement, row.key);
    statement.Bind(int64_t{row.estimate}).BindBlob(Pack(row.samples_ns)).BindBlob(Pack(row.canary_ns));
    statement.Bind(row.median_ns).Bind(row.low_ns).Bind(row.high_ns);
    statement.Bind(row.raw_median_ns).Bind(row.p90_ns).Bind(row.canary_median_ns);
    statement.Bind(int64_t{row.steady}).Bind(std::string_view(row.note)).Bind(row.created);
    statement.Step();
    transaction.Commit();
  }

  std::optional<MeasurementRow> FindMeasurement(const MeasurementKey& key) const override {
    const std::scoped_lock lock(mutex_);
    Statement statement(connection_, "SELECT id, " + std::string(kColumns) + " FROM measurement WHERE " +
                                         std::string(kOfKey) + " ORDER BY id DESC LIMIT 1");
    BindKey(statement, key);
    if (!statement.Step()) return std::nullopt;
    return ReadMeasurement(statement, connection_);
  }

  int64_t CountMeasurements(const MeasurementKey& key) const override {
    const std::scoped_lock lock(mutex_);
    Statement statement(connection_, "SELECT count(*) FROM measurement WHERE " + std::string(kOfKey));
    BindKey(statement, key);
    HOT_ASSERT(statement.Step());
    return statement.Integer();
  }

  std::vector<MeasurementRow> Measurements(const std::string& device) const override {
    const std::scoped_lock lock(mutex_);
    Statement statement(connection_,
                        "SELECT id, " + std::string(kColumns) +
                            " FROM measurement WHERE id IN (SELECT max(id) FROM measurement WHERE device=? "
                            "GROUP BY " +
                            std::string(kKeyColumns) + ") ORDER BY id");
    statement.Bind(std::string_view(device));
    std::vector<MeasurementRow> rows;
    while (statement.Step()) rows.push_back(ReadMeasurement(statement, connection_));
    return rows;
  }

  void AddRecord(const RecordRow& row) override {
    const std::scoped_lock lock(mutex_);
    Transaction transaction(connection_);
    Statement statement(connection_, "INSERT INTO record (kind, key, study, body, created_unix_s) VALUES (?,?,?,?,?)");
    statement.Bind(std::string_view(row.kind)).Bind(std::string_view(row.key)).Bind(std::string_view(row.study));
    statement.Bind(std::string_view(row.body)).Bind(row.created);
    statement.Step();
    transaction.Commit();
  }

  std::optional<RecordRow> FindRecord(const std::string& kind, const std::string& key) const override {
    const std::scoped_lock lock(mutex_);
    Statement statement(connection_,
                        "SELECT id, kind, key, study, body, created_unix_s FROM record WHERE kind=? AND key=? "
                        "ORDER BY id DESC LIMIT 1");
    statement.Bind(std::string_view(kind)).Bind(std::string_view(key));
    if (!statement.Step()) return std::nullopt;
    return ReadRecord(statement);
  }

  std::vector<RecordRow> Records(const std::string& study) const override {
    const std::scoped_lock lock(mutex_);
    Statement statement(connection_,
                        "SELECT id, kind, key, study, body, created_unix_s FROM record WHERE study=? ORDER BY id");
    statement.Bind(std::string_view(study));
    std::vector<RecordRow> rows;
    while (statement.Step()) rows.push_back(ReadRecord(statement));
    return rows;
  }

 private:
  mutable std::mutex mutex_;
  mutable Connection connection_;
};

}  // namespace

std::unique_ptr<Store> OpenSqliteStore(const fs::path& file) { return std::make_unique<SqliteStore>(file); }

}  // namespace hot
