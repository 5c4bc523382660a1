// An agent that is killed (SIGKILL) at random moments while its threads submit, start, finish and upload. What it had
// acknowledged by then, by a line in a pipe, must be there afterwards. Each child is a process of this test.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "core/hash.h"
#include "core/rng.h"
#include "gmock/gmock.h"
#include "server/blob_store.h"
#include "server/job_queue.h"
#include "server/job_queue_schema.h"
#include "server/testing/server_test.h"

namespace hot::server {
namespace {

constexpr int kRounds = 6;

// One write of less than PIPE_BUF: whole or not at all.
void Say(int fd, const std::string& line) {
  const std::string text = line + "\n";
  if (::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) ::_exit(2);
}

// Runs `work` in a child, kills it a random time after its first line; all lines.
template <typename Work>
std::vector<std::string> LinesOfKilledChild(Rng& rng, const Work& work) {
  int ends[2];
  HOT_ASSERT(::pipe(ends) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    work(ends[1]);
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string text;
  bool killed = false;
  char block[4096];
  for (ssize_t size = 0; (size = ::read(ends[0], block, sizeof block)) > 0;) {
    text.append(block, static_cast<size_t>(size));
    if (killed) continue;
    std::this_thread::sleep_for(std::chrono::milliseconds(rng.Below(150)));
    ::kill(pid, SIGKILL);
    killed = true;
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

v1::JobResult ResultOf(const std::string& id, int attempt) {
  v1::JobResult result;
  result.mutable_artifact()->add_files()->set_sha256(id + "/" + std::to_string(attempt));
  return result;
}

// Starts and finishes what waits.
template <typename Started, typename Finished>
void Work(JobQueue& queue, const Started& started, const Finished& finished) {
  for (const std::string& id : JobsToStart(queue.State(), {})) {
    const auto attempt = queue.Start(id);
    if (!attempt) continue;
    started(id, *attempt);
    queue.Finish(id, *attempt, ResultOf(id, *attempt));
    finished(id, *attempt);
  }
}

[[noreturn]] void Agent(const fs::path& file, int round, int fd) {
  JobQueue queue(file, {}, SystemClock());
  const std::jthread client([&] {
    for (int i = 0;; ++i) {
      const std::string id = std::to_string(round) + "-" + std::to_string(i);
      queue.Submit("ann", i % 3 == 0 ? ProfileRequest(id) : CompileRequest(id));
      Say(fd, "submitted " + id);
    }
  });
  while (true) {
    Work(
        queue, [&](const std::string& id, int attempt) { Say(fd, "started " + id + " " + std::to_string(attempt)); },
        [&](const std::string& id, int attempt) { Say(fd, "finished " + id + " " + std::to_string(attempt)); });
  }
}

// What the agents have acknowledged, in all rounds.
class Ledger {
 public:
  void Add(const std::string& line) {
    std::istringstream words(line);
    std::string what, id;
    int attempt = 0;
    words >> what >> id >> attempt;
    if (what == "submitted") {
      submitted_.insert(id);
    } else if (what == "started") {
      EXPECT_FALSE(finished_.contains(id)) << line << ", but it was finished";
      EXPECT_GT(attempt, std::exchange(started_[id], attempt)) << line;
    } else {
      EXPECT_TRUE(finished_.emplace(id, attempt).second) << line << " a second time";
    }
  }
  void Check(const JobQueue& queue) const {
    for (const std::string& id : submitted_) EXPECT_NO_THROW(queue.Get(id)) << id << " is lost";
    for (const auto& [id, attempt] : finished_) {
      EXPECT_EQ(queue.Result(id).artifact().files(0).sha256(), id + "/" + std::to_string(attempt));
    }
  }
  size_t submitted() const { return submitted_.size(); }
  size_t finished() const { return finished_.size(); }

 private:
  std::set<std::string> submitted_;
  std::map<std::string, int> started_, finished_;
};

TEST(Crash, NoJobIsLostAndNoneHasTwoResults) {
  TempFolder folder;
  const fs::path file = folder.path() / "queue.sqlite";
  Rng rng(static_cast<uint64_t>(SystemClock().NowNs()));
  Ledger ledger;
  for (int round = 0; round < kRounds; ++round) {
    for (const std::string& line : LinesOfKilledChild(rng, [&](int fd) { Agent(file, round, fd); })) ledger.Add(line);
    ledger.Check(JobQueue(file, {}, SystemClock()));
  }
  EXPECT_GT(ledger.submitted(), size_t{kRounds});
  EXPECT_GT(ledger.finished(), 0u);
  size_t jobs = 0;
  {
    JobQueue queue(file, {}, SystemClock());
    while (!queue.State().waiting.empty()) {
      Work(
          queue, [](auto&...) {},
          [&](const std::string& id, int attempt) { ledger.Add("finished " + id + " " + std::to_string(attempt)); });
    }
    ledger.Check(queue);
    jobs = queue.Ids().size();
  }
  sqlite::Connection connection(file, 1000, kJobQueue);
  EXPECT_EQ(static_cast<size_t>(connection.QueryInteger("SELECT count(*) FROM result")), jobs);
  EXPECT_EQ(static_cast<size_t>(connection.QueryInteger("SELECT count(*) FROM job WHERE state = 'done'")), jobs);
  EXPECT_EQ(connection.QueryText("PRAGMA integrity_check"), "ok");
}

std::string BlobBytes(int number) {
  return std::string(100'000, static_cast<char>('a' + number % 26)) + std::to_string(number);
}

// Uploads blob after blob in pieces, each from where the store says.
void UploadFrom(BlobStore& store, int number, int fd) {
  const std::string bytes = BlobBytes(number), sha256 = Sha256Hex(bytes);
  BlobInfo info = store.Find(sha256);
  do {
    info = store.Append(sha256, bytes.size(), info.received, std::string_view(bytes).substr(info.received, 9000));
    if (fd >= 0) Say(fd, (info.whole ? "whole " : "part ") + sha256);
  } while (!info.whole);
}

TEST(Crash, BlobsAreWholeOrGoOn) {
  TempFolder folder;
  const fs::path blobs = folder.path() / "blobs";
  Rng rng(static_cast<uint64_t>(SystemClock().NowNs()));
  std::set<std::string> whole;
  for (int round = 0; round < kRounds; ++round) {
    const auto lines = LinesOfKilledChild(rng, [&](int fd) {
      BlobStore store(blobs, {}, SystemClock());
      for (int number = 0;; ++number) UploadFrom(store, number, fd);
    });
    for (const std::string& line : lines) {
      if (line.starts_with("whole ")) whole.insert(line.substr(6));
    }
    BlobStore store(blobs, {}, SystemClock());
    for (const std::string& sha256 : whole) EXPECT_EQ(Sha256File(store.Path(sha256)), sha256);
    for (const fs::path& file : ListFiles(blobs / "whole")) EXPECT_EQ(Sha256File(file), file.filename().string());
  }
  EXPECT_GT(whole.size(), 0u);
  BlobStore store(blobs, {}, SystemClock());
  for (size_t number = 0; number <= whole.size(); ++number) UploadFrom(store, static_cast<int>(number), -1);
  EXPECT_TRUE(ListFiles(blobs / "part").empty());
}

}  // namespace
}  // namespace hot::server
