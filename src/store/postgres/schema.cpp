#include "store/postgres/schema.h"

#include <array>
#include <string>

namespace hot::postgres {
namespace {

constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE measurement (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
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
  samples_ns BYTEA NOT NULL,
  canary_ns BYTEA NOT NULL,
  median_ns DOUBLE PRECISION NOT NULL,
  low_ns DOUBLE PRECISION NOT NULL,
  high_ns DOUBLE PRECISION NOT NULL,
  raw_median_ns DOUBLE PRECISION NOT NULL,
  p90_ns DOUBLE PRECISION NOT NULL,
  canary_median_ns DOUBLE PRECISION NOT NULL,
  steady INTEGER NOT NULL CHECK (steady IN (0, 1)),
  note TEXT NOT NULL,
  created_unix_s BIGINT NOT NULL
);
CREATE INDEX measurement_key ON measurement
  (device, graph_key, toolchain, toolchain_version, flags, precision, scheme, threads, batch);
CREATE TABLE record (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  study TEXT NOT NULL,
  body TEXT NOT NULL,
  created_unix_s BIGINT NOT NULL
);
CREATE INDEX record_key ON record (kind, key);
CREATE INDEX record_study ON record (study);
CREATE FUNCTION refuse_update() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'journal rows are never overwritten'; END $$;
CREATE TRIGGER measurement_is_final BEFORE UPDATE ON measurement FOR EACH ROW EXECUTE FUNCTION refuse_update();
CREATE TRIGGER record_is_final BEFORE UPDATE ON record FOR EACH ROW EXECUTE FUNCTION refuse_update();
)sql";

constexpr std::array<std::string_view, 1> kMigrations = {kVersion1};

// "HOTJ": all who migrate a journal in this database wait for each other.
constexpr std::string_view kLock = "SELECT pg_advisory_xact_lock(1213158474)";

void CheckNotNewer(const Connection& connection, int64_t version, int64_t known) {
  if (version <= known) return;
  throw Error(
      Code::kFailedPrecondition, connection.where(),
      "made by a newer hot (version " + std::to_string(version) + ", this one knows " + std::to_string(known) + ")",
      "update hot, or name another journal");
}

bool Exists(Connection& connection, const std::string& what) {
  return connection.QueryInteger("SELECT count(*) FROM " + what, 0) > 0;
}

}  // namespace

std::span<const std::string_view> JournalMigrations() { return kMigrations; }

int64_t JournalVersion(Connection& connection) {
  // In one statement: between two another process may have made the journal.
  const int64_t tables = connection.QueryInteger(
      "SELECT CASE WHEN count(*) FILTER (WHERE tablename='version') > 0 THEN -1 ELSE count(*) END "
      "FROM pg_catalog.pg_tables WHERE schemaname='hot_journal'",
      0);
  if (tables == 0) return 0;
  if (tables < 0) {
    const int64_t version = connection.QueryInteger("SELECT version FROM hot_journal.version", -1);
    if (version >= 1) return version;
    throw Error(Code::kDataLoss, connection.where(), "the journal is damaged: it has no version");
  }
  throw Error(Code::kDataLoss, connection.where(), "not a journal: its schema hot_journal is another program's",
              "name another database");
}

void Migrate(Connection& connection, std::span<const std::string_view> migrations) {
  const auto known = static_cast<int64_t>(migrations.size());
  CheckNotNewer(connection, JournalVersion(connection), known);
  if (JournalVersion(connection) == known) return;
  Transaction transaction(connection);
  connection.QueryInteger("SELECT count(*) FROM (" + std::string(kLock) + ") AS locked", 0);
  const int64_t version = JournalVersion(connection);  // from here on nobody else migrates: look again
  CheckNotNewer(connection, version, known);
  if (version == 0) {
    if (!Exists(connection, "pg_catalog.pg_namespace WHERE nspname='hot_journal'")) {
      connection.Execute("CREATE SCHEMA hot_journal");
    }
    connection.Execute("CREATE TABLE hot_journal.version (version BIGINT NOT NULL)");
    connection.Execute("INSERT INTO hot_journal.version VALUES (0)");
  }
  for (int64_t i = version; i < known; ++i) connection.Execute(std::string(migrations[static_cast<size_t>(i)]));
  connection.Execute("UPDATE hot_journal.version SET version = " + std::to_string(known));
  transaction.Commit();
}

}  // namespace hot::postgres
