#include "server/job_queue.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>

#include "core/hash.h"
#include "deploy/devices/remote/job_state.h"
#include "server/job_queue_schema.h"
#include "store/sqlite/schema.h"

namespace hot::server {
namespace {

using sqlite::Connection;
using sqlite::Statement;
using sqlite::Transaction;

constexpr int kBusyTimeoutMs = 2000;  // for an agent that is just dying
constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kSettleNs = 30 * kSecondNs;

JobKind KindOf(const v1::SubmitRequest& request) {
  switch (request.job_case()) {
    case v1::SubmitRequest::kCompile:
      return JobKind::kCompile;
    case v1::SubmitRequest::kProfile:
      return JobKind::kProfile;
    default:
      HOT_ASSERT(request.has_run());
      return JobKind::kRun;
  }
}

Priority PriorityOf(v1::Priority priority) {
  if (priority == v1::PRIORITY_LOW) return Priority::kLow;
  return priority == v1::PRIORITY_HIGH ? Priority::kHigh : Priority::kNormal;
}

// Runs a statement that returns no rows.
template <typename... Values>
void Run(const Connection& connection, std::string_view sql, const Values&... values) {
  Statement statement(connection, sql);
  (statement.Bind(values), ...);
  statement.Step();
}

// The first column of each row.
template <typename... Values>
std::vector<std::string> Texts(const Connection& connection, std::string_view sql, const Values&... values) {
  Statement statement(connection, sql);
  (statement.Bind(values), ...);
  std::vector<std::string> texts;
  while (statement.Step()) texts.push_back(statement.Text());
  return texts;
}

template <typename Message>
Message ReadBody(const Connection& connection, const char* table, int64_t sequence) {
  Statement statement(connection, "SELECT body FROM " + std::string(table) + " WHERE sequence = ?");
  Message message;
  if (!statement.Bind(sequence).Step() || !message.ParseFromString(statement.Blob())) {
    throw Error(Code::kDataLoss, connection.file().string(),
                "the job queue is damaged: a " + std::string(table) + " can't be read",
                "move the file away and a new job queue is made");
  }
  return message;
}

}  // namespace

struct JobQueue::Found {
  int64_t sequence = 0;
  JobRow row;
};

JobQueue::JobQueue(const fs::path& file, const QueueOptions& options, const Clock& clock)
    : options_(options), clock_(clock), connection_(file, kBusyTimeoutMs, kJobQueue) {
  connection_.Execute("PRAGMA locking_mode = EXCLUSIVE");  // held from the first access to the end of the process
  connection_.UseWal();
  connection_.Execute("PRAGMA synchronous = FULL");
  sqlite::Migrate(connection_, JobQueueMigrations());
  connection_.Execute(std::string(kLiveJobs));
  Recover();
}

void JobQueue::Recover() {
  const int64_t now_s = clock_.WallSeconds(), now_ns = clock_.NowNs();
  Transaction transaction(connection_);
  Run(connection_,
      "UPDATE job SET waited_ns = max(waited_ns, (?1 - submitted_unix_s) * 1000000000 - ran_ns) "
      "WHERE state IN ('queued', 'running')",
      now_s);
  Run(connection_,
      "UPDATE job SET state = 'cancelled', ending = 0, ended_unix_s = ?1 WHERE state = 'running' AND ending", now_s);
  Run(connection_,
      "UPDATE job SET state = 'failed', code = ?1, error = 'the agent ended each of the ' || attempt || ' times that "
      "the "
      "job ran', ended_unix_s = ?2 WHERE state = 'running' AND attempt >= ?3",
      static_cast<int64_t>(Code::kAborted), now_s, int64_t{options_.max_attempts});
  Run(connection_, "UPDATE job SET state = 'queued' WHERE state = 'running'");
  Run(connection_, "INSERT INTO live SELECT sequence, ?1, ?2 FROM job WHERE state = 'queued'", now_ns,
      now_ns + options_.lease_s * kSecondNs);
  transaction.Commit();
}

std::optional<JobQueue::Found> JobQueue::Find(const std::string& id) const {
  Statement statement(connection_, std::string(kSelectJob) + "WHERE id = ?2");
  if (!statement.Bind(clock_.NowNs()).Bind(std::string_view(id)).Step()) return std::nullopt;
  Found found;
  found.sequence = statement.Integer();
  found.row = ReadJob(statement);
  return found;
}

JobQueue::Found JobQueue::FindOrThrow(const std::string& id) const {
  if (auto found = Find(id)) return *std::move(found);
  throw Error(Code::kNotFound, "job " + id, "there is no such job",
              "ended jobs are forgotten after " + std::to_string(options_.keep_s / 3600) + " hours");
}

JobQueue::Found JobQueue::FindWithLease(const std::string& id, const std::string& lease) const {
  Found found = FindOrThrow(id);
  if (found.row.lease == lease) return found;
  throw Error(Code::kAborted, "job " + id, "this is not the job's lease",
              "only who submitted a job may keep or cancel it");
}

JobQueue::Found JobQueue::FindAttempt(const std::string& id, int attempt) const {
  auto found = Find(id);
  if (found && found->row.state == v1::JOB_STATE_RUNNING && found->row.attempt == attempt) return *std::move(found);
  throw Error(Code::kAborted, "job " + id, "attempt " + std::to_string(attempt) + " is not the one that runs");
}

void JobQueue::Insert(const std::string& client, const v1::SubmitRequest& request) {
  Run(connection_,
      "INSERT INTO job (id, client, kind, priority, state, lease, submitted_unix_s) VALUES (?, ?, ?, ?, 'queued', ?, "
      "?)",
      request.job_id(), client, KindName(KindOf(request)), static_cast<int64_t>(PriorityOf(request.priority())),
      RandomHex(16), clock_.WallSeconds());
  const int64_t sequence = connection_.QueryInteger("SELECT last_insert_rowid()");
  Statement body(connection_, "INSERT INTO request VALUES (?, ?)");
  body.Bind(sequence).BindBlob(request.SerializeAsString()).Step();
  const int64_t now_ns = clock_.NowNs();
  Run(connection_, "INSERT INTO live VALUES (?, ?, ?)", sequence, now_ns, now_ns + options_.lease_s * kSecondNs);
}

void JobQueue::CheckRoom(const std::string& client, const std::string& id) const {
  if (connection_.QueryInteger("SELECT count(*) FROM live") >= options_.max_jobs) {
    throw Error(Code::kResourceExhausted, "job " + id,
                "the queue is full: " + std::to_string(options_.max_jobs) + " jobs wait or run", "try again later");
  }
  Statement own(connection_, "SELECT count(*) FROM live JOIN job USING (sequence) WHERE client = ?");
  own.Bind(std::string_view(client)).Step();
  if (own.Integer() < options_.max_client_jobs) return;
  throw Error(Code::kResourceExhausted, "job " + id,
              std::to_string(options_.max_client_jobs) + " jobs of this client wait or run already",
              "submit it again when one of them has ended or was cancelled, or raise hot serve --client-jobs");
}

JobRow JobQueue::Submit(const std::string& client, const v1::SubmitRequest& request) {
  const std::string& id = request.job_id();
  const std::scoped_lock lock(mutex_);
  if (const auto found = Find(id)) {
    const auto before = ReadBody<v1::SubmitRequest>(connection_, "request", found->sequence);
    if (found->row.client != client || !google::protobuf::util::MessageDifferencer::Equals(before, request)) {
      throw Error(Code::kAlreadyExists, "job " + id, "another request has this id", "choose an id that is used once");
    }
    Renew(found->sequence);
    return Find(id)->row;
  }
  CheckRoom(client, id);
  Transaction transaction(connection_);
  Insert(client, request);
  transaction.Commit();
  return Find(id)->row;
}

QueueState JobQueue::State() const {
  const std::scoped_lock lock(mutex_);
  QueueState state;
  Statement jobs(connection_, "SELECT id, client, kind, state, priority, sequence FROM live JOIN job USING (sequence)");
  while (jobs.Step()) {
    const std::string id = jobs.Text(), client = jobs.Text();
    const JobKind kind = ParseKind(jobs.Text());
    if (ParseState(jobs.Text()) == v1::JOB_STATE_RUNNING) {
      state.running.push_back({id, client, kind});
    } else {
      const auto priority = static_cast<Priority>(jobs.Integer());
      state.waiting.push_back({id, client, priority, kind, jobs.Integer()});
    }
  }
  Statement starts(connection_,
                   "SELECT client, kind, max(started) FROM job WHERE client IN (SELECT client FROM live JOIN job USING "
                   "(sequence)) GROUP BY client, kind");
  while (starts.Step()) {
    LastStarts& last = state.last_starts[starts.Text()];
    int64_t& number = NeedsDeviceAlone(ParseKind(starts.Text())) ? last.alone : last.compile;
    number = std::max(number, starts.Integer());
  }
  return state;
}

// Adds the time since the last change to what these jobs waited or ran.
void JobQueue::Settle(const std::string& which) {
  const int64_t now_ns = clock_.NowNs();
  Run(connection_,
      "UPDATE job SET waited_ns = waited_ns + iif(state = 'queued', ?1 - since_ns, 0), "
      "ran_ns = ran_ns + iif(state = 'running', ?1 - since_ns, 0) FROM live WHERE live.sequence = job.sequence AND "
      "job." +
          which,
      now_ns);
  Run(connection_,
      "UPDATE live SET since_ns = ?1 WHERE sequence IN (SELECT sequence FROM live JOIN job USING (sequence) "
      "WHERE job." +
          which + ")",
      now_ns);
}

std::optional<int> JobQueue::Start(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  const auto found = Find(id);
  if (!found || found->row.state != v1::JOB_STATE_QUEUED) return std::nullopt;
  Transaction transaction(connection_);
  Settle("sequence = " + std::to_string(found->sequence));
  Run(connection_,
      "UPDATE job SET state = 'running', attempt = attempt + 1, started = (SELECT max(started) + 1 FROM job) "
      "WHERE sequence = ?",
      found->sequence);
  transaction.Commit();
  return found->row.attempt + 1;
}

void JobQueue::End(int64_t sequence, v1::JobState state, Code code, const std::string& error) {
  Settle("sequence = " + std::to_string(sequence));
  Run(connection_, "UPDATE job SET state = ?, ending = 0, code = ?, error = ?, ended_unix_s = ? WHERE sequence = ?",
      StateName(state), static_cast<int64_t>(code), error, clock_.WallSeconds(), sequence);
  Run(connection_, "DELETE FROM live WHERE sequence = ?", sequence);
}

void JobQueue::Finish(const std::string& id, int attempt, const v1::JobResult& result) {
  const std::scoped_lock lock(mutex_);
  const Found found = FindAttempt(id, attempt);
  Transaction transaction(connection_);
  Statement body(connection_, "INSERT INTO result VALUES (?, ?)");
  body.Bind(found.sequence).BindBlob(result.SerializeAsString()).Step();
  End(found.sequence, v1::JOB_STATE_DONE, Code::kOk, "");
  transaction.Commit();
}

void JobQueue::Fail(const std::string& id, int attempt, Code code, const std::string& error) {
  HOT_ASSERT(code != Code::kOk);
  const std::scoped_lock lock(mutex_);
  const auto [sequence, row] = FindAttempt(id, attempt);
  Transaction transaction(connection_);
  if (row.ending) {
    End(sequence, v1::JOB_STATE_CANCELLED, row.code, row.error);
  } else {
    End(sequence, v1::JOB_STATE_FAILED, code, error);
  }
  transaction.Commit();
}

void JobQueue::Cancel(const Found& job, Code code, const std::string& reason) {
  if (job.row.state == v1::JOB_STATE_QUEUED) {
    End(job.sequence, v1::JOB_STATE_CANCELLED, code, reason);
  } else if (!job.row.ending) {
    Run(connection_, "UPDATE job SET ending = 1, code = ?, error = ? WHERE sequence = ?", static_cast<int64_t>(code),
        reason, job.sequence);
  }
}

JobRow JobQueue::Cancel(const std::string& id, const std::string& lease) {
  const std::scoped_lock lock(mutex_);
  const Found found = FindWithLease(id, lease);
  if (!HasEnded(found.row.state)) {
    Transaction transaction(connection_);
    Cancel(found, Code::kCancelled, "cancelled by its client");
    transaction.Commit();
  }
  return Find(id)->row;
}

void JobQueue::Renew(int64_t sequence) {
  Run(connection_, "UPDATE live SET lease_until_ns = ? WHERE sequence = ?",
      clock_.NowNs() + options_.lease_s * kSecondNs, sequence);
}

JobRow JobQueue::Renew(const std::string& id, const std::string& lease) {
  const std::scoped_lock lock(mutex_);
  const auto [sequence, row] = FindWithLease(id, lease);
  if ((row.state == v1::JOB_STATE_CANCELLED || row.ending) && row.code == Code::kAborted) {
    throw Error(row.code, "job " + id, row.error, "submit it again under another id");
  }
  Renew(sequence);
  return Find(id)->row;
}

bool JobQueue::Tick() {
  const std::scoped_lock lock(mutex_);
  const int64_t now_ns = clock_.NowNs();
  Transaction transaction(connection_);
  const auto expired = Texts(
      connection_, "SELECT id FROM live JOIN job USING (sequence) WHERE lease_until_ns <= ? AND NOT ending", now_ns);
  for (const std::string& id : expired) {
    Cancel(FindOrThrow(id), Code::kAborted,
           "its lease was not renewed for " + FormatDuration(static_cast<double>(options_.lease_s)));
  }
  if (now_ns - settled_ns_ >= kSettleNs) {
    Settle("state = 'running'");
    settled_ns_ = now_ns;
  }
  transaction.Commit();
  return !expired.empty();
}

std::vector<std::string> JobQueue::Ending() const {
  const std::scoped_lock lock(mutex_);
  return Texts(connection_, "SELECT id FROM live JOIN job USING (sequence) WHERE ending ORDER BY sequence");
}

JobRow JobQueue::Get(const std::string& id) const {
  const std::scoped_lock lock(mutex_);
  return FindOrThrow(id).row;
}

v1::SubmitRequest JobQueue::Request(const std::string& id) const {
  const std::scoped_lock lock(mutex_);
  return ReadBody<v1::SubmitRequest>(connection_, "request", FindOrThrow(id).sequence);
}

v1::JobResult JobQueue::Result(const std::string& id) const {
  const std::scoped_lock lock(mutex_);
  const auto [sequence, row] = FindOrThrow(id);
  if (!HasEnded(row.state)) {
    throw Error(Code::kFailedPrecondition, "job " + id, "has not ended", "watch it, then ask for its result");
  }
  if (row.state != v1::JOB_STATE_DONE) throw Error(row.code, "job " + id, row.error);
  return ReadBody<v1::JobResult>(connection_, "result", sequence);
}

std::vector<JobRow> JobQueue::List(const std::string& client, int limit) const {
  const std::scoped_lock lock(mutex_);
  Statement statement(connection_, std::string(kSelectJob) + "WHERE client = ?2 ORDER BY sequence DESC LIMIT ?3");
  statement.Bind(clock_.NowNs()).Bind(std::string_view(client)).Bind(int64_t{limit});
  std::vector<JobRow> rows;
  while (statement.Step()) {
    statement.Integer();  // sequence
    rows.push_back(ReadJob(statement));
  }
  return rows;
}

std::vector<std::string> JobQueue::Ids() const {
  const std::scoped_lock lock(mutex_);
  return Texts(connection_, "SELECT id FROM job ORDER BY sequence");
}

std::vector<std::string> JobQueue::Prune() {
  const std::scoped_lock lock(mutex_);
  Transaction transaction(connection_);
  const auto ids = Texts(connection_,
                         "DELETE FROM job WHERE ended_unix_s > 0 AND (ended_unix_s < ? OR sequence NOT IN (SELECT "
                         "sequence FROM job WHERE ended_unix_s > 0 ORDER BY ended_unix_s DESC, sequence DESC LIMIT ?)) "
                         "RETURNING id",
                         clock_.WallSeconds() - options_.keep_s, int64_t{options_.keep_jobs});
  for (const char* table : {"request", "result"}) {
    connection_.Execute("DELETE FROM " + std::string(table) + " WHERE sequence NOT IN (SELECT sequence FROM job)");
  }
  transaction.Commit();
  return ids;
}

}  // namespace hot::server
