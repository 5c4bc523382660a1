#include "server/job_queue_schema.h"

#include <algorithm>
#include <array>

namespace hot::server {
namespace {

constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE job (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  client TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('compile', 'profile', 'run')),
  priority INTEGER NOT NULL CHECK (priority IN (0, 1, 2)),
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
  attempt INTEGER NOT NULL DEFAULT 0,
  started INTEGER NOT NULL DEFAULT 0,
  ending INTEGER NOT NULL DEFAULT 0 CHECK (ending IN (0, 1)),
  lease TEXT NOT NULL,
  code INTEGER NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '',
  submitted_unix_s INTEGER NOT NULL,
  ended_unix_s INTEGER NOT NULL DEFAULT 0,
  waited_ns INTEGER NOT NULL DEFAULT 0,
  ran_ns INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX job_started ON job (client, kind, started);
CREATE TABLE request (sequence INTEGER PRIMARY KEY REFERENCES job, body BLOB NOT NULL) STRICT;
CREATE TABLE result (sequence INTEGER PRIMARY KEY REFERENCES job, body BLOB NOT NULL) STRICT;
CREATE TRIGGER ended_is_final BEFORE UPDATE OF state ON job WHEN old.state IN ('done', 'failed', 'cancelled')
  BEGIN SELECT RAISE(ABORT, 'a job that has ended stays as it is'); END;
CREATE TRIGGER result_is_final BEFORE UPDATE ON result
  BEGIN SELECT RAISE(ABORT, 'a job has one result'); END;
)sql";

constexpr std::array<std::string_view, 1> kMigrations = {kVersion1};

// In the order of their enumerators; those of states begin at 1.
constexpr std::array<std::string_view, 3> kKinds = {"compile", "profile", "run"};
constexpr std::array<std::string_view, 5> kStates = {"queued", "running", "done", "failed", "cancelled"};

}  // namespace

std::span<const std::string_view> JobQueueMigrations() { return kMigrations; }

const std::string_view kLiveJobs = R"sql(
PRAGMA temp_store = MEMORY;
CREATE TEMP TABLE live (
  sequence INTEGER PRIMARY KEY,
  since_ns INTEGER NOT NULL,
  lease_until_ns INTEGER NOT NULL
) STRICT;
)sql";

std::string_view KindName(JobKind kind) { return kKinds.at(static_cast<size_t>(kind)); }

JobKind ParseKind(std::string_view name) {
  return static_cast<JobKind>(std::ranges::find(kKinds, name) - kKinds.begin());
}

std::string_view StateName(v1::JobState state) { return kStates.at(static_cast<size_t>(state) - 1); }

v1::JobState ParseState(std::string_view name) {
  return static_cast<v1::JobState>(std::ranges::find(kStates, name) - kStates.begin() + 1);
}

const std::string_view kSelectJob = R"sql(
SELECT sequence, id, client, state, kind, attempt, ending, lease, max(0, coalesce(lease_until_ns - ?1, 0)), code, error,
  submitted_unix_s, ended_unix_s, waited_ns + iif(state = 'queued', ?1 - since_ns, 0),
  ran_ns + iif(state = 'running', ?1 - since_ns, 0)
FROM job LEFT JOIN live USING (sequence) )sql";

JobRow ReadJob(sqlite::Statement& statement) {
  JobRow row;
  row.id = statement.Text();
  row.client = statement.Text();
  row.state = ParseState(statement.Text());
  row.kind = ParseKind(statement.Text());
  row.attempt = static_cast<int>(statement.Integer());
  row.ending = statement.Integer() != 0;
  row.lease = statement.Text();
  row.lease_left_ns = statement.Integer();
  row.code = static_cast<Code>(statement.Integer());
  row.error = statement.Text();
  row.submitted_unix_s = statement.Integer();
  row.ended_unix_s = statement.Integer();
  row.waited_ns = statement.Integer();
  row.ran_ns = statement.Integer();
  return row;
}

}  // namespace hot::server
