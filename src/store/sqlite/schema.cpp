#include "store/sqlite/schema.h"

#include <array>
#include <string>

#include "core/error.h"

namespace hot::sqlite {
namespace {

constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE measurement (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  graph_key TEXT NOT NULL,
  device TEXT NOT NULL,
  toolchain TEXT NOT NULL,
  toolchain_version TEXT NOT NULL,
  flags TEXT NOT NULL,
  precision TEXT NOT NULL,
  scheme TEXT NOT NULL,
  threads INTEGER NOT NULL,
  batch INTEGER NOT NULL,
  estimate INTEGER NOT NULL CHECK (estimate IN (0, 1)),
  samples_ns BLOB NOT NULL,
  canary_ns BLOB NOT NULL,
  median_ns REAL NOT NULL,
  low_ns REAL NOT NULL,
  high_ns REAL NOT NULL,
  raw_median_ns REAL NOT NULL,
  p90_ns REAL NOT NULL,
  canary_median_ns REAL NOT NULL,
  steady INTEGER NOT NULL CHECK (steady IN (0, 1)),
  note TEXT NOT NULL,
  created_unix_s INTEGER NOT NULL
) STRICT;
CREATE INDEX measurement_key ON measurement
  (device, graph_key, toolchain, toolchain_version, flags, precision, scheme, threads, batch);
CREATE TABLE record (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  study TEXT NOT NULL,
  body TEXT NOT NULL,
  created_unix_s INTEGER NOT NULL
) STRICT;
CREATE INDEX record_key ON record (kind, key);
CREATE INDEX record_study ON record (study);
CREATE TRIGGER measurement_is_final BEFORE UPDATE ON measurement
  BEGIN SELECT RAISE(ABORT, 'journal rows are never overwritten'); END;
CREATE TRIGGER record_is_final BEFORE UPDATE ON record
  BEGIN SELECT RAISE(ABORT, 'journal rows are never overwritten'); END;
)sql";

constexpr std::array<std::string_view, 1> kMigrations = {kVersion1};

int64_t Version(Connection& connection) {
  const int64_t version = connection.QueryInteger("PRAGMA user_version");
  if (version >= 0) return version;
  const std::string name(connection.kind().name);
  throw Error(Code::kDataLoss, connection.file().string(), "the " + name + " is damaged: its version is negative",
              "restore a copy, or move the file away and a new " + name + " is made");
}

void CheckKind(Connection& connection) {
  const bool empty = connection.QueryInteger("SELECT count(*) FROM sqlite_master") == 0;
  const auto [name, application_id] = connection.kind();
  if (empty || connection.QueryInteger("PRAGMA application_id") == application_id) return;
  throw Error(Code::kDataLoss, connection.file().string(),
              "not a " + std::string(name) + ": a database of another program",
              "name another file, or move this one away and a new " + std::string(name) + " is made");
}

void CheckNotNewer(const Connection& connection, int64_t version, int64_t known) {
  if (version <= known) return;
  throw Error(
      Code::kFailedPrecondition, connection.file().string(),
      "made by a newer hot (version " + std::to_string(version) + ", this one knows " + std::to_string(known) + ")",
      "update hot, or name another " + std::string(connection.kind().name));
}

}  // namespace

std::span<const std::string_view> JournalMigrations() { return kMigrations; }

void Migrate(Connection& connection, std::span<const std::string_view> migrations) {
  const auto known = static_cast<int64_t>(migrations.size());
  for (bool done = false; !done;) {
    CheckKind(connection);
    CheckNotNewer(connection, Version(connection), known);
    if (Version(connection) == known) return;
    Transaction transaction(connection);  // from here on nobody else migrates: look again
    const int64_t version = Version(connection);
    CheckNotNewer(connection, version, known);
    if (version < known) {
      connection.Execute(std::string(migrations[static_cast<size_t>(version)]));
      connection.Execute("PRAGMA application_id = " + std::to_string(connection.kind().application_id));
      connection.Execute("PRAGMA user_version = " + std::to_string(version + 1));
    }
    transaction.Commit();
    done = version + 1 >= known;
  }
}

}  // namespace hot::sqlite
