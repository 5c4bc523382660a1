#include "store/sql_store.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/utf8.h"
#include "store/transaction.h"

namespace hot {
namespace {

constexpr std::string_view kColumns =
    "graph_key, device, toolchain, toolchain_version, flags, precision, scheme, threads, batch, estimate, samples_ns, "
    "canary_ns, median_ns, low_ns, high_ns, raw_median_ns, p90_ns, canary_median_ns, steady, note, created_unix_s";

constexpr std::string_view kOfKey =
    "graph_key=$1 AND device=$2 AND toolchain=$3 AND toolchain_version=$4 AND flags=$5 AND precision=$6 AND scheme=$7 "
    "AND threads=$8 AND batch=$9";

constexpr std::string_view kValues =
    "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, ";

constexpr std::string_view kEqualMeasurement =
    "estimate=$10 AND samples_ns=$11 AND canary_ns=$12 AND median_ns=$13 AND low_ns=$14 AND high_ns=$15 AND "
    "raw_median_ns=$16 AND p90_ns=$17 AND canary_median_ns=$18 AND steady=$19 AND note=$20 AND created_unix_s=";

constexpr std::string_view kRecordColumns = "kind, key, study, body, created_unix_s";

// The time of a row that is added now: not before that of a row which it supersedes.
std::string Superseding() {
  return "(SELECT CASE WHEN max(created_unix_s) > $21 THEN max(created_unix_s) ELSE $21 END FROM measurement WHERE " +
         std::string(kOfKey) + ")";
}

// Inserts; with `if_new` only what is not there yet. Returns the id, or no row.
std::string InsertMeasurement(const std::string& created, bool if_new) {
  std::string sql = "INSERT INTO measurement (" + std::string(kColumns) + ") SELECT " + std::string(kValues) + created;
  if (if_new) {
    sql += " WHERE NOT EXISTS (SELECT 1 FROM measurement WHERE " + std::string(kOfKey) + " AND " +
           std::string(kEqualMeasurement) + created + ")";
  }
  return sql + " RETURNING id";
}

std::string InsertRecord(bool if_new) {
  std::string sql = "INSERT INTO record (" + std::string(kRecordColumns) + ") SELECT $1, $2, $3, $4, $5";
  if (if_new) {
    sql +=
        " WHERE NOT EXISTS (SELECT 1 FROM record WHERE kind=$1 AND key=$2 AND study=$3 AND body=$4 AND "
        "created_unix_s=$5)";
  }
  return sql + " RETURNING id";
}

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

std::vector<int64_t> Unpack(const std::string& bytes, const std::string& where) {
  if (bytes.size() % 8 != 0) throw Error(Code::kDataLoss, where, "the journal is damaged: samples are cut short");
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

std::vector<SqlValue> KeyValues(const MeasurementKey& key) {
  std::vector<SqlValue> values;
  for (const std::string* text :
       {&key.graph_key, &key.device, &key.toolchain, &key.toolchain_version, &key.flags, &key.precision, &key.scheme}) {
    values.emplace_back(std::string_view(*text));
  }
  values.emplace_back(int64_t{key.threads});
  values.emplace_back(int64_t{key.batch});
  return values;
}

MeasurementRow ReadMeasurement(SqlRow& row, const std::string& where) {
  MeasurementRow m;
  m.id = row.Integer();
  for (std::string* text : {&m.key.graph_key, &m.key.device, &m.key.toolchain, &m.key.toolchain_version, &m.key.flags,
                            &m.key.precision, &m.key.scheme}) {
    *text = row.Text();
  }
  m.key.threads = static_cast<int>(row.Integer());
  m.key.batch = static_cast<int>(row.Integer());
  m.estimate = row.Integer() != 0;
  m.samples_ns = Unpack(row.Bytes(), where);
  m.canary_ns = Unpack(row.Bytes(), where);
  for (double* number : {&m.median_ns, &m.low_ns, &m.high_ns, &m.raw_median_ns, &m.p90_ns, &m.canary_median_ns}) {
    *number = row.Real();
  }
  m.steady = row.Integer() != 0;
  m.note = row.Text();
  m.created = row.Integer();
  return m;
}

RecordRow ReadRecord(SqlRow& row) {
  RecordRow r;
  r.id = row.Integer();
  for (std::string* text : {&r.kind, &r.key, &r.study, &r.body}) *text = row.Text();
  r.created = row.Integer();
  return r;
}

// What every database keeps as it is.
void CheckText(const std::string& text) {
  if (text.find('\0') != std::string::npos || Utf8Prefix(text) != text.size()) {
    throw Error(Code::kInvalidArgument, "journal", "a row's text must be UTF-8 without NUL characters");
  }
}

void CheckRow(const MeasurementRow& row) {
  if (row.samples_ns.size() != row.canary_ns.size()) {
    throw Error(Code::kInvalidArgument, "journal", "a measurement needs one canary reading a sample");
  }
  for (const double number :
       {row.median_ns, row.low_ns, row.high_ns, row.raw_median_ns, row.p90_ns, row.canary_median_ns}) {
    if (!std::isfinite(number)) throw Error(Code::kInvalidArgument, "journal", "a measurement must be finite");
  }
  for (const SqlValue& value : KeyValues(row.key)) {
    if (const auto* text = std::get_if<std::string_view>(&value)) CheckText(std::string(*text));
  }
  CheckText(row.note);
}

// Returns whether it was added.
bool Insert(Database& database, const std::string& sql, const MeasurementRow& row) {
  const std::string samples = Pack(row.samples_ns), canary = Pack(row.canary_ns);
  std::vector<SqlValue> values = KeyValues(row.key);
  values.insert(values.end(), {int64_t{row.estimate}, Blob{samples}, Blob{canary}, row.median_ns, row.low_ns,
                               row.high_ns, row.raw_median_ns, row.p90_ns, row.canary_median_ns, int64_t{row.steady},
                               std::string_view(row.note), row.created});
  bool added = false;
  database.Run(sql, values, [&](SqlRow&) { added = true; });
  return added;
}

bool Insert(Database& database, const std::string& sql, const RecordRow& row) {
  const SqlValue values[] = {std::string_view(row.kind), std::string_view(row.key), std::string_view(row.study),
                             std::string_view(row.body), row.created};
  bool added = false;
  database.Run(sql, values, [&](SqlRow&) { added = true; });
  return added;
}

void Check(const RecordRow& row) {
  for (const std::string* text : {&row.kind, &row.key, &row.study, &row.body}) CheckText(*text);
}

class SqlTransaction : public OpenTransaction<Database> {
 public:
  SqlTransaction(Database& database, bool alone) : OpenTransaction((database.Begin(alone), database)) {}
};

}  // namespace

void SqlStore::Query(std::string_view sql, std::span<const SqlValue> parameters, const SqlRowVisitor& visit) const {
  bool begun = false;
  database_->Attempt([&](bool again) {
    if (again && begun) {
      throw Error(Code::kUnavailable, database_->where(), "the connection was lost in mid-reading",
                  "run the same command again");
    }
    database_->Run(sql, parameters, [&](SqlRow& row) {
      begun = true;
      visit(row);
    });
  });
}

void SqlStore::AddMeasurement(const MeasurementRow& row) {
  CheckRow(row);
  const std::scoped_lock lock(mutex_);
  database_->Attempt([&](bool again) {
    SqlTransaction transaction(*database_, /*alone=*/false);
    Insert(*database_, InsertMeasurement(Superseding(), /*if_new=*/again), row);
    transaction.Commit();
  });
}

std::optional<MeasurementRow> SqlStore::FindMeasurement(const MeasurementKey& key) const {
  const std::scoped_lock lock(mutex_);
  std::optional<MeasurementRow> found;
  Query("SELECT id, " + std::string(kColumns) + " FROM measurement WHERE " + std::string(kOfKey) +
            " ORDER BY created_unix_s DESC, id DESC LIMIT 1",
        KeyValues(key), [&](SqlRow& row) { found = ReadMeasurement(row, database_->where()); });
  return found;
}

int64_t SqlStore::CountMeasurements(const MeasurementKey& key) const {
  const std::scoped_lock lock(mutex_);
  int64_t count = 0;
  Query("SELECT count(*) FROM measurement WHERE " + std::string(kOfKey), KeyValues(key),
        [&](SqlRow& row) { count = row.Integer(); });
  return count;
}

void SqlStore::VisitMeasurements(const std::string& device, const MeasurementVisitor& visit) const {
  const std::scoped_lock lock(mutex_);
  const std::string all = "SELECT id, " + std::string(kColumns) + " FROM measurement";
  const SqlValue values[] = {std::string_view(device)};
  Query(all + (device.empty() ? "" : " WHERE device=$1") + " ORDER BY id",
        std::span(values).first(device.empty() ? 0 : 1),
        [&](SqlRow& row) { visit(ReadMeasurement(row, database_->where())); });
}

void SqlStore::AddRecord(const RecordRow& row) {
  Check(row);
  const std::scoped_lock lock(mutex_);
  database_->Attempt([&](bool again) {
    SqlTransaction transaction(*database_, /*alone=*/false);
    Insert(*database_, InsertRecord(/*if_new=*/again), row);
    transaction.Commit();
  });
}

std::optional<RecordRow> SqlStore::FindRecord(const std::string& kind, const std::string& key) const {
  const std::scoped_lock lock(mutex_);
  std::optional<RecordRow> found;
  const SqlValue values[] = {std::string_view(kind), std::string_view(key)};
  Query("SELECT id, " + std::string(kRecordColumns) + " FROM record WHERE kind=$1 AND key=$2 ORDER BY id DESC LIMIT 1",
        values, [&](SqlRow& row) { found = ReadRecord(row); });
  return found;
}

void SqlStore::VisitRecords(const RecordFilter& filter, const RecordVisitor& visit) const {
  const std::scoped_lock lock(mutex_);
  std::string sql = "SELECT id, " + std::string(kRecordColumns) + " FROM record";
  std::vector<SqlValue> values;
  for (const auto& [column, text] : {std::pair{"kind", &filter.kind}, std::pair{"study", &filter.study}}) {
    if (text->empty()) continue;
    sql += (values.empty() ? " WHERE " : " AND ") + std::string(column) + "=$" + std::to_string(values.size() + 1);
    values.emplace_back(std::string_view(*text));
  }
  Query(sql + " ORDER BY id", values, [&](SqlRow& row) { visit(ReadRecord(row)); });
}

ImportCounts SqlStore::Import(const JournalRows& next) {
  const std::string measurement = InsertMeasurement("$21", /*if_new=*/true), record = InsertRecord(/*if_new=*/true);
  const std::scoped_lock lock(mutex_);
  ImportCounts counts;
  SqlTransaction transaction(*database_, /*alone=*/true);
  while (const std::optional<JournalRow> row = next()) {
    if (const auto* m = std::get_if<MeasurementRow>(&*row)) {
      CheckRow(*m);
      ++(Insert(*database_, measurement, *m) ? counts.measurements : counts.known);
    } else {
      Check(std::get<RecordRow>(*row));
      ++(Insert(*database_, record, std::get<RecordRow>(*row)) ? counts.records : counts.known);
    }
  }
  transaction.Commit();
  return counts;
}

}  // namespace hot
