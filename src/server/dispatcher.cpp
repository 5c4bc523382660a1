#include "server/dispatcher.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "deploy/devices/remote/job_layout.h"
#include "server/job_folder.h"

namespace hot::server {
namespace {

constexpr int kWatchMs = 100;  // between looks at running processes
constexpr int kIdleMs = 1000;  // leases expire
constexpr int64_t kTickNs = 1'000'000'000, kPruneNs = 60'000'000'000;

const WaitingJob* Find(const QueueState& state, const std::string& id) {
  const auto found = std::ranges::find(state.waiting, id, &WaitingJob::id);
  return found == state.waiting.end() ? nullptr : &*found;
}

}  // namespace

Dispatcher::Dispatcher(JobQueue& queue, BlobStore& blobs, DispatcherOptions options, const Context& context,
                       std::function<void(const std::string& id)> changed)
    : queue_(queue),
      blobs_(blobs),
      options_(std::move(options)),
      context_(context),
      changed_(std::move(changed)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wake_ < 0) throw Error(Code::kResourceExhausted, "agent", "the system has no more files to open");
  std::error_code ignored;
  fs::remove_all(options_.folder, ignored);  // of an agent before
  EnsureFolder(options_.folder);
  PinWaiting();
  thread_ = std::jthread([this](const std::stop_token& stop) { Loop(stop); });
}

Dispatcher::~Dispatcher() {
  thread_.request_stop();
  Wake();
  thread_.join();
  ::close(wake_);
}

void Dispatcher::PinWaiting() {
  for (const WaitingJob& job : queue_.State().waiting) {
    try {
      blobs_.Pin(job.id, HashesOf(queue_.Request(job.id)));
    } catch (const Error& error) {  // a file is gone: the job will fail, and say so
      if (error.code() != Code::kNotFound) throw;
    }
  }
}

void Dispatcher::Wake() const {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);  // full: it is awake
}

std::optional<JobProgress> Dispatcher::Progress(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = progress_.find(id);
  return found == progress_.end() ? std::nullopt : std::optional(found->second);
}

void Dispatcher::Loop(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      Step();
    } catch (const Error& error) {  // of the queue: a full disk; the next step tries again
      context_.progress.Note(std::string("agent: ") + error.what());
    }
    if (!stop.stop_requested()) Sleep();
  }
  jobs_.clear();  // here, because a process may die with the thread that started it
  spare_.reset();
}

void Dispatcher::Step() {
  Collect();
  KeepTime();
  EndCancelled();
  StartJobs();
  KeepSpare();
}

void Dispatcher::Sleep() const {
  std::vector<pollfd> fds = {{.fd = wake_, .events = POLLIN, .revents = 0}};
  for (const Job& job : jobs_) {
    if (!job.outcome) fds.push_back({.fd = job.process->channel(), .events = POLLIN, .revents = 0});
  }
  if (spare_) fds.push_back({.fd = spare_->channel(), .events = POLLIN, .revents = 0});
  ::poll(fds.data(), fds.size(), jobs_.empty() ? kIdleMs : kWatchMs);
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t read = ::read(wake_, &count, sizeof count);
}

void Dispatcher::Collect() {
  if (spare_ && spare_->Poll()) {
    spare_.reset();
    spare_failed_ = true;  // the next job will say why
  }
  for (Job& job : jobs_) {
    if (!job.outcome) Look(job);
  }
  for (auto job = jobs_.begin(); job != jobs_.end();) {
    if (!job->outcome) {
      ++job;
      continue;
    }
    Record(*job);
    job = jobs_.erase(job);
  }
}

void Dispatcher::Look(Job& job) {
  const bool ended = job.process->Poll();
  if (ended) {
    try {
      job.outcome = Adopt(job.process->folder(), job.process->Result());
    } catch (const Error& error) {
      job.outcome = error;
    }
  } else if (job.lines != job.process->lines()) {
    job.lines = job.process->lines();
    {
      const std::lock_guard lock(mutex_);
      progress_[job.id] = job.process->progress();
    }
    changed_(job.id);
  }
}

// What the job computed moves into the blob store.
v1::JobResult Dispatcher::Adopt(const fs::path& folder, v1::JobResult result) const {
  for (const JobFile& file : ResultFiles(folder, result)) {
    if (blobs_.Adopt(file.path) != file.sha256)
      throw Error(Code::kDataLoss, "job", "its " + file.path.filename().string() + " is not what it said");
  }
  return result;
}

// Throws when the queue can't write now.
void Dispatcher::Record(const Job& job) {
  try {
    if (const auto* error = std::get_if<Error>(&*job.outcome)) {
      queue_.Fail(job.id, job.attempt, error->code(), error->what());
    } else {
      queue_.Finish(job.id, job.attempt, std::get<v1::JobResult>(*job.outcome));
    }
  } catch (const Error& error) {
    if (error.code() != Code::kAborted) throw;
    context_.progress.Note("agent: job " + job.id + ": " + error.what());  // another attempt has the job
  }
  blobs_.Unpin(job.id);
  std::error_code ignored;
  if (job.process) fs::remove_all(job.process->folder(), ignored);
  {
    const std::lock_guard lock(mutex_);
    progress_.erase(job.id);
  }
  changed_(job.id);
}

void Dispatcher::KeepTime() {
  const int64_t now = context_.clock.NowNs();
  if (now - tick_ns_ >= kTickNs) {
    tick_ns_ = now;
    ExpireLeases();
  }
  if (now - prune_ns_ >= kPruneNs) {
    prune_ns_ = now;
    queue_.Prune();
  }
}

// Running jobs of those are ended in the next step.
void Dispatcher::ExpireLeases() {
  const QueueState before = queue_.State();
  if (!queue_.Tick()) return;
  const QueueState after = queue_.State();
  for (const WaitingJob& job : before.waiting) {
    if (Find(after, job.id) != nullptr) continue;
    blobs_.Unpin(job.id);
    changed_(job.id);
  }
}

void Dispatcher::EndCancelled() {
  for (const std::string& id : queue_.Ending()) {
    const auto job = std::ranges::find(jobs_, id, &Job::id);
    if (job != jobs_.end() && !job->outcome) job->process->End(Error(Code::kCancelled, "job", "cancelled"));
  }
}

void Dispatcher::StartJobs() {
  const QueueState state = queue_.State();
  for (const std::string& id : JobsToStart(state, options_.capacity)) Start(*Find(state, id));
}

void Dispatcher::Start(const WaitingJob& waiting) {
  const std::optional<int> attempt = queue_.Start(waiting.id);
  if (!attempt) return;  // cancelled a moment ago
  Job job{.id = waiting.id, .kind = waiting.kind, .attempt = *attempt};
  try {
    job.process = TakeProcess();
    LayOutJob(job.process->folder(), queue_.Request(job.id),
              [this](const std::string& sha256) { return blobs_.Path(sha256); });
    job.process->Begin();
  } catch (const Error& error) {
    job.outcome = error;
  }
  jobs_.push_back(std::move(job));
  changed_(waiting.id);
}

std::unique_ptr<JobProcess> Dispatcher::TakeProcess() {
  spare_failed_ = false;
  if (spare_) return std::exchange(spare_, nullptr);
  return std::make_unique<JobProcess>(options_.job_program, options_.folder / std::to_string(folders_++),
                                      options_.limits, context_.clock);
}

// A process that has its libraries loaded already spares the next job that time. None is started beside a job that
// measures on the same cores.
void Dispatcher::KeepSpare() {
  const bool alone = std::ranges::any_of(jobs_, [](const Job& job) { return NeedsDeviceAlone(job.kind); });
  if (spare_ || spare_failed_ || (alone && !options_.capacity.compile_beside_measuring)) return;
  try {
    spare_ = TakeProcess();
  } catch (const Error&) {
    spare_failed_ = true;
  }
}

}  // namespace hot::server
