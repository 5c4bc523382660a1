#include "deploy/devices/remote/remote_device.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "deploy/devices/remote/agent_client.h"
#include "deploy/devices/remote/job_files.h"
#include "deploy/devices/remote/wire.h"

namespace hot {
namespace {

constexpr std::string_view kScheme = "grpc://";
constexpr double kPatienceBesideOthers = 10;  // seconds, with an agent whose job another board can take
constexpr size_t kPicturesPerJob = 64, kFewestPerJob = 4;

class RemoteSession : public Session {
 public:
  // Runs no picture: whether the device takes it, and what it executes.
  RemoteSession(std::shared_ptr<const AgentClient> client, const Artifact& artifact)
      : client_(std::move(client)), artifact_(artifact) {
    CheckBlobHash(artifact_);
    RunJob({});
  }

  std::vector<Tensor> Run(std::span<const Tensor> inputs) override {
    const std::vector<Tensor> picture(inputs.begin(), inputs.end());
    return RunJob({&picture, 1}).at(0);
  }

  std::vector<std::vector<Tensor>> RunAll(std::span<const std::vector<Tensor>> pictures) override {
    std::vector<std::vector<Tensor>> outputs;
    for (size_t begin = 0; begin < pictures.size(); begin += kPicturesPerJob) {
      const auto some = RunJob(pictures.subspan(begin, std::min(kPicturesPerJob, pictures.size() - begin)));
      outputs.insert(outputs.end(), some.begin(), some.end());
    }
    return outputs;
  }

  std::map<std::string, std::string> LayerPrecisions() const override { return layers_; }

 private:
  std::vector<std::vector<Tensor>> RunJob(std::span<const std::vector<Tensor>> pictures) {
    const TempFolder folder;
    v1::SubmitRequest request = WriteRunJob(folder.path(), artifact_, pictures);
    request.set_threads(artifact_.threads);
    const v1::JobResult result = client_->Run(folder.path(), request);
    layers_ = {result.run().layer_precisions().begin(), result.run().layer_precisions().end()};
    auto outputs = ReadOutputs(folder.path());
    if (outputs.size() != pictures.size())
      throw Error(Code::kDataLoss, client_->url(), "gave outputs of another number of pictures");
    return outputs;
  }

  std::shared_ptr<const AgentClient> client_;
  Artifact artifact_;
  std::map<std::string, std::string> layers_;
};

// Sums up what is done on several boards.
class SharedProgress {
 public:
  SharedProgress(Progress& inner, size_t boards) : inner_(inner), done_(boards, 0.0) {}

  void Set(size_t board, double done, std::string_view note) {
    const std::lock_guard lock(mutex_);
    done_[board] = done;
    double sum = finished_;
    for (const double one : done_) sum += one;
    inner_.Update(sum, note);
  }
  void Finish(size_t board, double units) {
    const std::lock_guard lock(mutex_);
    done_[board] = 0;
    finished_ += units;
    inner_.Update(finished_, "");
  }
  void Note(std::string_view line) {
    const std::lock_guard lock(mutex_);
    inner_.Note(line);
  }

 private:
  std::mutex mutex_;
  Progress& inner_;
  std::vector<double> done_;
  double finished_ = 0;
};

class BoardProgress : public Progress {
 public:
  BoardProgress(SharedProgress& shared, size_t board) : shared_(shared), board_(board) {}
  void Begin(std::string_view, double) override {}
  void Update(double done, std::string_view note) override { shared_.Set(board_, done, note); }
  void End(std::string_view) override {}
  void Note(std::string_view line) override { shared_.Note(line); }

 private:
  SharedProgress& shared_;
  size_t board_;
};

using Part = std::vector<size_t>;  // indices of artifacts

// Parts of a profile call that boards take one after the other.
class Parts {
 public:
  explicit Parts(std::deque<Part> parts) : waiting_(std::move(parts)), open_(waiting_.size()) {}

  // Blocks while others might give one back; none: all are done, or a board failed for good.
  std::optional<Part> Take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !waiting_.empty() || open_ == 0 || failure_; });
    if (failure_ || open_ == 0) return std::nullopt;
    const Part part = waiting_.front();
    waiting_.pop_front();
    return part;
  }
  void Done() {
    const std::lock_guard lock(mutex_);
    --open_;
    changed_.notify_all();
  }
  void GiveBack(const Part& part) {
    const std::lock_guard lock(mutex_);
    waiting_.push_front(part);
    changed_.notify_all();
  }
  void Fail(std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
    changed_.notify_all();
  }
  void Leave(std::exception_ptr why, size_t boards) {
    const std::lock_guard lock(mutex_);
    if (++left_ == boards && !failure_) failure_ = std::move(why);
    changed_.notify_all();
  }
  void Rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Part> waiting_;
  size_t open_, left_ = 0;
  std::exception_ptr failure_;
};

class RemoteDevice : public Device {
 public:
  RemoteDevice(std::string_view name, int threads, const AgentAccess& access) : name_(name), threads_(threads) {
    std::exception_ptr failure;
    for (const std::string& address : AgentAddresses(name)) {
      try {
        Add(address, access);
      } catch (const Error& error) {
        if (error.code() != Code::kUnavailable) throw;
        failure = std::current_exception();
      }
    }
    if (boards_.empty()) std::rethrow_exception(failure);
  }

  DeviceInfo Describe() const override { return info_; }
  int boards() const override { return static_cast<int>(boards_.size()); }

  std::unique_ptr<Session> Load(const Artifact& artifact) const override {
    return std::make_unique<RemoteSession>(boards_.front(), artifact);
  }

  std::vector<Measurement> Profile(std::span<const Artifact* const> artifacts, const MeasureOptions& options,
                                   double reference_canary_ns, const Context& context) const override {
    CheckProfileCount(artifacts.size(), name_);
    for (const Artifact* artifact : artifacts) CheckBlobHash(*artifact);
    if (boards_.size() == 1) {
      return ProfileOn(*boards_[0], artifacts, options, reference_canary_ns, AgentClient::kPatienceSeconds, context);
    }
    return ProfileOnAll(artifacts, options, reference_canary_ns, context);
  }

 private:
  void Add(const std::string& address, const AgentAccess& access) {
    auto client = std::make_shared<AgentClient>(address, access);
    DeviceInfo info = FromProto(client->Describe(threads_).device());
    info.name = name_;
    if (boards_.empty()) {
      info_ = info;
    } else if (info.fingerprint != info_.fingerprint) {
      throw Error(Code::kFailedPrecondition, client->url(),
                  "is another kind of board (" + info.fingerprint + ") than " + boards_[0]->url() + " (" +
                      info_.fingerprint + ")",
                  "list equal boards only: their latencies become one table");
    }
    boards_.push_back(std::move(client));
  }

  std::vector<Measurement> ProfileOn(const AgentClient& board, std::span<const Artifact* const> artifacts,
                                     const MeasureOptions& options, double reference_canary_ns, double patience,
                                     const Context& context) const {
    const TempFolder folder;
    v1::SubmitRequest request = WriteProfileJob(folder.path(), artifacts, options, reference_canary_ns);
    request.set_threads(threads_);
    const v1::JobResult result = board.Run(folder.path(), request, patience, context);
    std::vector<Measurement> measured;
    for (const v1::Measurement& row : result.profile().measurements()) measured.push_back(FromProto(row));
    if (measured.size() != artifacts.size())
      throw Error(Code::kDataLoss, board.url(), "measured another number of artifacts");
    return measured;
  }

  // A part for each board, every n-th artifact, for neighbours in a table take about as long; what a board that stopped
  // answering had goes to another.
  std::vector<Measurement> ProfileOnAll(std::span<const Artifact* const> artifacts, const MeasureOptions& options,
                                        double reference_canary_ns, const Context& context) const {
    const size_t count = std::clamp(artifacts.size() / kFewestPerJob, size_t{1}, boards_.size());
    std::deque<Part> queue(count);
    for (size_t i = 0; i < artifacts.size(); ++i) queue[i % count].push_back(i);
    Parts parts(std::move(queue));
    std::vector<Measurement> measured(artifacts.size());
    SharedProgress shared(context.progress, boards_.size());
    const auto work = [&](size_t board) {
      BoardProgress progress(shared, board);
      const Context inner{context.clock, progress, context.cancelled};
      while (const std::optional<Part> part = parts.Take()) {
        try {
          std::vector<const Artifact*> own;
          for (const size_t index : *part) own.push_back(artifacts[index]);
          auto rows = ProfileOn(*boards_[board], own, options, reference_canary_ns, kPatienceBesideOthers, inner);
          for (size_t i = 0; i < rows.size(); ++i) measured[(*part)[i]] = std::move(rows[i]);
          shared.Finish(board, static_cast<double>(own.size()));
          parts.Done();
        } catch (const Error& error) {
          if (error.code() != Code::kUnavailable) return parts.Fail(std::current_exception());
          shared.Note(std::string(error.what()) + "; its measurements move to another board");
          parts.GiveBack(*part);
          return parts.Leave(std::current_exception(), boards_.size());
        } catch (...) {
          return parts.Fail(std::current_exception());
        }
      }
    };
    std::vector<std::jthread> threads;
    for (size_t board = 0; board < boards_.size(); ++board) threads.emplace_back(work, board);
    threads.clear();  // joins
    parts.Rethrow();
    if (reference_canary_ns <= 0) NormaliseToFirst(measured);
    return measured;
  }

  // Without a reference each part was normalised with the canary of its own call: now all with the first one's.
  static void NormaliseToFirst(std::vector<Measurement>& measured) {
    const double reference = CanaryReference(measured.front());
    for (Measurement& row : measured) ScaleLatency(row, reference / CanaryReference(row));
  }

  std::string name_;
  int threads_;
  DeviceInfo info_;
  std::vector<std::shared_ptr<const AgentClient>> boards_;
};

}  // namespace

bool IsRemote(std::string_view name) { return name.starts_with(kScheme); }

std::vector<std::string> AgentAddresses(std::string_view name) {
  std::vector<std::string> addresses;
  while (!name.empty()) {
    const size_t comma = std::min(name.find(','), name.size());
    std::string_view one = name.substr(0, comma);
    name.remove_prefix(std::min(comma + 1, name.size()));
    const size_t colon = one.rfind(':');
    if (!one.starts_with(kScheme) || colon < kScheme.size() || colon + 1 == one.size()) {
      throw Error(Code::kInvalidArgument, "device", "expected grpc://HOST:PORT, got \"" + std::string(one) + "\"",
                  "several boards: with commas between");
    }
    addresses.emplace_back(one.substr(kScheme.size()));
  }
  return addresses;
}

std::unique_ptr<Device> MakeRemoteDevice(std::string_view name, int threads, const AgentAccess& access) {
  return std::make_unique<RemoteDevice>(name, threads, access);
}

}  // namespace hot
