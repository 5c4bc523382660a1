// The queue and the blob store used by many threads at once, as an agent does. What ThreadSanitizer is for (preset
// tsan).
#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "core/hash.h"
#include "core/rng.h"
#include "gmock/gmock.h"
#include "server/blob_store.h"
#include "server/job_queue.h"
#include "server/testing/server_test.h"

namespace hot::server {
namespace {

constexpr int kClients = 5, kJobsPerClient = 12;

v1::JobResult ResultOf(const std::string& id, int attempt) {
  v1::JobResult result;
  result.mutable_artifact()->add_files()->set_sha256(id + "/" + std::to_string(attempt));
  return result;
}

// A queue with clients, one dispatcher and runners.
class Agency {
 public:
  explicit Agency(const fs::path& file) : queue_(file, {.lease_s = 3600}, SystemClock()) {}

  void Run() {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kClients; ++i) threads.emplace_back([this, i] { Client(i); });
    for (int i = 0; i < 3; ++i) threads.emplace_back([this, i] { Runner(i); });
    Dispatch();
  }

  JobQueue& queue() { return queue_; }

 private:
  struct Started {
    std::string id;
    int attempt;
    JobKind kind;
  };

  void Client(int number) {
    Rng rng(static_cast<uint64_t>(number));
    const std::string name = "client" + std::to_string(number);
    for (int i = 0; i < kJobsPerClient; ++i) {
      const std::string id = name + "-" + std::to_string(i);
      const auto request =
          rng.Chance(0.6) ? CompileRequest(id, static_cast<v1::Priority>(rng.Below(3))) : ProfileRequest(id);
      const JobRow row = queue_.Submit(name, request);
      EXPECT_EQ(queue_.Submit(name, request).lease, row.lease);
      EXPECT_EQ(FailureCode([&] { queue_.Submit("thief", request); }), Code::kAlreadyExists);
      if (rng.Chance(0.2)) queue_.Cancel(id, row.lease);
      queue_.Renew(id, row.lease);
      EXPECT_EQ(queue_.List(name, 100).size(), static_cast<size_t>(i) + 1);
    }
  }

  void Dispatch() {
    const Capacity capacity;
    while (Ended() < size_t{kClients} * kJobsPerClient) {
      queue_.Tick();
      const QueueState state = queue_.State();
      JobsBefore(state, capacity);
      for (const std::string& id : JobsToStart(state, capacity)) {
        const auto attempt = queue_.Start(id);
        if (!attempt) continue;  // cancelled in between
        const std::scoped_lock lock(mutex_);
        started_.push_back({id, *attempt, queue_.Get(id).kind});
      }
      std::this_thread::yield();
    }
    done_ = true;
  }

  void Runner(int number) {
    Rng rng(100 + static_cast<uint64_t>(number));
    while (!done_) {
      std::optional<Started> job = Next();
      if (!job) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      (NeedsDeviceAlone(job->kind) ? alone_ : compile_)++;
      EXPECT_LE(alone_, 1);
      EXPECT_TRUE(alone_ == 0 || compile_ == 0);
      EXPECT_EQ(FailureCode([&] { queue_.Finish(job->id, job->attempt + 1, {}); }), Code::kAborted);
      (NeedsDeviceAlone(job->kind) ? alone_ : compile_)--;
      if (rng.Chance(0.2)) {
        queue_.Fail(job->id, job->attempt, Code::kInternal, "crashed");
      } else {
        queue_.Finish(job->id, job->attempt, ResultOf(job->id, job->attempt));
      }
    }
  }

  std::optional<Started> Next() {
    const std::scoped_lock lock(mutex_);
    if (started_.empty()) return std::nullopt;
    Started job = started_.front();
    started_.pop_front();
    return job;
  }

  size_t Ended() const {
    size_t ended = 0;
    for (int i = 0; i < kClients; ++i) {
      for (const JobRow& row : queue_.List("client" + std::to_string(i), 100)) ended += row.ended_unix_s > 0;
    }
    return ended;
  }

  JobQueue queue_;
  std::mutex mutex_;
  std::deque<Started> started_;
  std::atomic<int> alone_ = 0, compile_ = 0;
  std::atomic<bool> done_ = false;
};

TEST(Threads, EveryJobEndsOnce) {
  TempFolder folder;
  Agency agency(folder.path() / "queue.sqlite");
  agency.Run();
  int done = 0, failed = 0, cancelled = 0;
  for (const std::string& id : agency.queue().Ids()) {
    const JobRow row = agency.queue().Get(id);
    EXPECT_LE(row.attempt, 1);
    failed += row.state == v1::JOB_STATE_FAILED;
    cancelled += row.state == v1::JOB_STATE_CANCELLED;
    if (row.state != v1::JOB_STATE_DONE) continue;
    ++done;
    EXPECT_EQ(agency.queue().Result(id).artifact().files(0).sha256(), id + "/1");
  }
  EXPECT_EQ(done + failed + cancelled, kClients * kJobsPerClient);
  EXPECT_GT(done, 0);
  EXPECT_GT(failed, 0);
  EXPECT_GT(cancelled, 0);
  EXPECT_TRUE(agency.queue().State().running.empty());
}

// Uploads, outputs, pins and removals of a dozen blobs, of which eight fit, by several threads.
class Uploader {
 public:
  Uploader(BlobStore& store, const fs::path& folder, uint64_t seed)
      : store_(store), output_(folder / std::to_string(seed)), owner_(std::to_string(seed)), rng_(seed) {}

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      const std::string bytes = Bytes(rng_.Below(12));
      try {
        if (rng_.Chance(0.3)) {
          WriteFileAtomic(output_, bytes);
          EXPECT_EQ(store_.Adopt(output_), Sha256Hex(bytes));
        } else {
          Upload(bytes);
        }
        Read(bytes);
      } catch (const Error& error) {  // others have used up or removed what this thread was at
        EXPECT_THAT(error.code(), testing::AnyOf(Code::kResourceExhausted, Code::kOutOfRange, Code::kNotFound))
            << error.what();
      }
      EXPECT_LE(store_.UsedBytes(), kTotal);
    }
  }

  int read() const { return read_; }
  static constexpr uint64_t kBytes = 20'000, kTotal = 8 * kBytes;

 private:
  static std::string Bytes(int64_t content) {
    return std::string(kBytes - static_cast<uint64_t>(content), static_cast<char>('a' + content));
  }

  void Upload(const std::string& bytes) {
    const std::string sha256 = Sha256Hex(bytes);
    BlobInfo info = store_.Find(sha256);
    while (!info.whole) info = store_.Append(sha256, bytes.size(), info.received, bytes.substr(info.received, 7000));
  }

  void Read(const std::string& bytes) {
    const std::string sha256 = Sha256Hex(bytes);
    store_.Pin(owner_, std::span(&sha256, 1));
    std::this_thread::yield();
    EXPECT_EQ(Sha256File(store_.Path(sha256)), sha256);
    store_.Unpin(owner_);
    ++read_;
  }

  BlobStore& store_;
  fs::path output_;
  std::string owner_;
  Rng rng_;
  int read_ = 0;
};

TEST(Threads, BlobsAreWholeOrNotThere) {
  TempFolder folder;
  const BlobOptions options = {.max_blob_bytes = 1 << 20, .max_total_bytes = Uploader::kTotal, .grace_s = 0};
  BlobStore store(folder.path() / "blobs", options, SystemClock());
  std::vector<Uploader> uploaders;
  for (uint64_t seed = 1; seed <= 6; ++seed) uploaders.emplace_back(store, folder.path(), seed);
  {
    std::vector<std::jthread> threads;
    for (Uploader& uploader : uploaders) threads.emplace_back([&uploader] { uploader.Run(25); });
  }
  for (const Uploader& uploader : uploaders) EXPECT_GT(uploader.read(), 0);
  uint64_t bytes = 0;
  for (const fs::path& file : ListFiles(folder.path() / "blobs/whole")) {
    EXPECT_EQ(Sha256File(file), file.filename().string());
    bytes += fs::file_size(file);
  }
  EXPECT_LE(bytes, Uploader::kTotal);
}

TEST(Threads, ClientsThatUploadTheSameBlobAllSucceed) {
  TempFolder folder;
  BlobStore store(folder.path() / "blobs", {}, SystemClock());
  const std::string bytes(300'000, 'x'), sha256 = Sha256Hex(bytes);
  std::atomic<int> succeeded = 0;
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back([&] {
        BlobInfo info;
        for (size_t offset = 0; offset < bytes.size(); offset += 4096) {  // each sends all of it
          info = store.Append(sha256, bytes.size(), offset, std::string_view(bytes).substr(offset, 4096));
        }
        succeeded += info.whole;
      });
    }
  }
  EXPECT_EQ(succeeded, 4);
  EXPECT_EQ(Sha256File(store.Path(sha256)), sha256);
}

}  // namespace
}  // namespace hot::server
