#include "server/job_runner.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <memory>
#include <mutex>
#include <new>
#include <thread>

#include "deploy/devices/remote/job_files.h"
#include "deploy/devices/remote/measure_options.h"
#include "deploy/devices/remote/wire.h"
#include "measure/resident_memory.h"
#include "server/job_folder.h"

namespace hot::server {
namespace {

constexpr int kMinSamples = 64;  // for a p90
constexpr int64_t kProgressGapNs = 500'000'000;
constexpr rlim_t kOpenFiles = 1024;
constexpr size_t kMaxNameBytes = 1000;

#ifdef HOT_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

void Limit(__rlimit_resource resource, rlim_t most) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0) return;
  limit.rlim_max = std::min(limit.rlim_max, most);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(resource, &limit);
}

class LineProgress : public Progress {
 public:
  explicit LineProgress(const Clock& clock) : clock_(clock) {}

  void Begin(std::string_view stage, double total) override {
    const std::lock_guard lock(mutex_);
    total_ = total;
    Write(0, stage);
  }
  void Update(double done, std::string_view note) override {
    const std::lock_guard lock(mutex_);
    if (clock_.NowNs() - last_ns_ >= kProgressGapNs) Write(done, note);
  }
  void End(std::string_view) override {}
  void Note(std::string_view) override {}

 private:
  void Write(double done, std::string_view note) {
    last_ns_ = clock_.NowNs();
    char head[80];
    std::snprintf(head, sizeof head, "progress %.6g %.6g ", done, total_);
    const std::string line = head + CleanLine(note, 200) + "\n";
    // A socket that nobody reads must not hold up a measurement.
    if (::send(STDOUT_FILENO, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno != ENOTSOCK) return;
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fflush(stdout);
  }

  const Clock& clock_;
  std::mutex mutex_;
  double total_ = 0;
  int64_t last_ns_ = 0;
};

int Threads(const v1::SubmitRequest& request) {
  const int threads = std::max(1, request.threads()), cores = static_cast<int>(std::thread::hardware_concurrency());
  if (threads > std::max(1, cores))
    throw Error(Code::kInvalidArgument, "threads",
                std::to_string(threads) + " were asked for, this device has " + std::to_string(cores) + " cores");
  return threads;
}

v1::JobResult Compile(const fs::path& folder, const v1::CompileJob& job, int threads, const Context& context) {
  context.progress.Begin("compile " + job.toolchain(), 0);
  const auto toolchain = MakeToolchain(job.toolchain(), "host");
  const NetworkToCompile read = ReadNetwork(folder, job);
  const Artifact artifact = toolchain->Compile({.network = read.network,
                                                .precision = ParsePrecision(job.precision()),
                                                .quantization = read.quantization ? &*read.quantization : nullptr,
                                                .threads = threads,
                                                .int8_borders = job.int8_borders(),
                                                .timing_only = job.timing_only(),
                                                .graph_key = job.graph_key(),
                                                .golden_inputs = read.golden_inputs});
  v1::JobResult result;
  *result.mutable_artifact() = WriteCompiled(folder, artifact);
  return result;
}

v1::JobResult Profile(const fs::path& folder, const v1::ProfileJob& job, int threads, const Context& context) {
  std::vector<Artifact> artifacts;
  for (int i = 0; i < job.artifacts_size(); ++i) artifacts.push_back(ReadJobArtifact(folder, i));
  std::vector<const Artifact*> pointers;
  for (const Artifact& artifact : artifacts) pointers.push_back(&artifact);
  MeasureOptions options = job.has_options() ? FromProto(job.options()) : MeasureOptions{};
  options.min_samples = std::max(options.min_samples, kMinSamples);
  options.max_samples = std::max(options.max_samples, options.min_samples);
  context.progress.Begin("profile", job.artifacts_size());
  v1::JobResult result;
  for (const Measurement& measurement :
       MakeDevice("host", threads)->Profile(pointers, options, job.reference_canary_ns(), context))
    *result.mutable_profile()->add_measurements() = ToProto(measurement);
  return result;
}

v1::JobResult Run(const fs::path& folder, int threads, const Context& context) {
  const auto device = MakeDevice("host", threads);
  const auto session = device->Load(ReadJobArtifact(folder, 0));
  const std::vector<std::vector<Tensor>> pictures = ReadPictures(folder);
  context.progress.Begin("run", static_cast<double>(pictures.size()));
  std::vector<std::vector<Tensor>> outputs;
  for (const std::vector<Tensor>& inputs : pictures) {
    context.ThrowIfCancelled();
    outputs.push_back(session->Run(inputs));
    context.progress.Update(static_cast<double>(outputs.size()), "");
  }
  v1::JobResult result;
  *result.mutable_run()->mutable_outputs() = WriteOutputs(folder, outputs);
  for (const auto& [layer, precision] : session->LayerPrecisions())
    (*result.mutable_run()->mutable_layer_precisions())[CleanLine(layer, kMaxNameBytes)] = precision;
  return result;
}

v1::JobResult Compute(const fs::path& folder, const Context& context) {
  const v1::SubmitRequest request = ReadJobRequest(folder);
  const int threads = Threads(request);
  if (request.has_compile()) return Compile(folder, request.compile(), threads, context);
  if (request.has_profile()) return Profile(folder, request.profile(), threads, context);
  return Run(folder, threads, context);
}

int Fail(const fs::path& folder, const Error& error) {
  WriteJobError(folder, error);
  return ExitCode(error.code());
}

}  // namespace

void LimitProcess(const ProcessLimits& limits) {
  Limit(RLIMIT_CORE, 0);
  Limit(RLIMIT_NOFILE, kOpenFiles);
  if (limits.file_bytes > 0) Limit(RLIMIT_FSIZE, limits.file_bytes);
  if (limits.memory_bytes > 0 && !kSanitized) Limit(RLIMIT_AS, ProcessMemoryBytes("VmSize") + limits.memory_bytes);
  std::ofstream("/proc/self/oom_score_adj") << "1000";
}

std::unique_ptr<Progress> MakeLineProgress(const Clock& clock) { return std::make_unique<LineProgress>(clock); }

void WarmUpRuntimes() {
  try {
    MakeToolchain("openvino")->precisions();
  } catch (const std::exception&) {
    return;  // a job that needs it will say so
  }
}

int RunJob(const fs::path& folder, const Context& context) {
  try {
    WriteJobResult(folder, Compute(folder, context));
    return 0;
  } catch (const Error& error) {
    return Fail(folder, error);
  } catch (const std::bad_alloc&) {
    return Fail(folder, Error(Code::kResourceExhausted, "job", "needs more memory than a job may have",
                              "choose a smaller network or fewer pictures, or raise the agent's limit"));
  } catch (const std::exception& error) {  // our own mistake, or a library's
    return Fail(folder, Error(Code::kInternal, "job", error.what()));
  }
}

}  // namespace hot::server
