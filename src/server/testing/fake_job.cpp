// A job's process for tests: does what the name of the toolchain in the request says, well or badly. A profile job
// measures 7 ns, a run job gives its inputs back. Where HOT_FAKE_JOB_TRACE names a file it notes when a job begins and
// ends, and of which kind.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "core/hash.h"
#include "core/subprocess.h"
#include "server/job_folder.h"

namespace hot::server {
namespace {

constexpr size_t kMiB = 1 << 20;

void SleepMs(int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

[[noreturn]] void Hang() {
  for (;;) SleepMs(1000);
}

v1::File Put(const fs::path& path, v1::FileRole role, const std::string& bytes) {
  EnsureFolder(path.parent_path());
  WriteFileAtomic(path, bytes);
  v1::File file;
  file.set_role(role);
  file.set_sha256(Sha256Hex(bytes));
  return file;
}

void Finish(const fs::path& folder, const v1::SubmitRequest& request, const std::string& blob = "compiled") {
  v1::JobResult result;
  if (request.has_profile()) {
    for (int i = 0; i < request.profile().artifacts_size(); ++i)
      result.mutable_profile()->add_measurements()->set_median_ns(7);
  } else if (request.has_run()) {
    *result.mutable_run()->mutable_outputs() =
        Put(folder / "result" / "outputs.safetensors", v1::FILE_ROLE_OUTPUTS, ReadFile(folder / "inputs.safetensors"));
  } else {
    v1::Artifact& artifact = *result.mutable_artifact();
    *artifact.add_files() = Put(folder / "result" / "manifest.json", v1::FILE_ROLE_MANIFEST, request.job_id());
    *artifact.add_files() = Put(folder / "result" / "model", v1::FILE_ROLE_MODEL, blob);
    *artifact.add_files() = Put(folder / "result" / "golden.safetensors", v1::FILE_ROLE_GOLDEN, "golden");
  }
  WriteJobResult(folder, result);
}

void EatMemory() {
  std::vector<char*> blocks;
  for (;;) {
    blocks.push_back(static_cast<char*>(std::malloc(4 * kMiB)));
    std::memset(blocks.back(), 1, 4 * kMiB);
    SleepMs(2);
  }
}

void LetAChildEatMemory() {
  Process child({.argv = {"/proc/self/exe", "eat"}, .env = {}, .stdout_file = {}, .stderr_file = {}});
  std::printf("progress %d 1 is the child\n", child.pid());
  std::fflush(stdout);
  child.Wait();
}

void Crash() {
  ::signal(SIGSEGV, SIG_DFL);  // not a sanitizer's
  std::fprintf(stderr, "multiplying\nwhat is this pointer?\n");
  ::raise(SIGSEGV);
}

void WriteLargeFile(const fs::path& folder) {
  const std::string block(kMiB, 'x');
  std::FILE* file = std::fopen((folder / "large").c_str(), "w");
  for (int i = 0; i < 64; ++i) std::fwrite(block.data(), 1, block.size(), file);
  std::fclose(file);
}

void WriteManyFiles(const fs::path& folder) {
  for (int i = 0;; ++i) {
    WriteFileAtomic(folder / ("file" + std::to_string(i)), std::string(kMiB, 'x'));
    SleepMs(2);
  }
}

void PrintGarbage() {
  std::string garbage = "\xff\xfe progress progress 1 2 \n progress nan inf\nprogress 1e999 2 x\n";
  for (int i = 0; i < 200'000; ++i) garbage += static_cast<char>(i * 7919 % 256);
  garbage +=
      "\nprogress 3 4 half\xff"
      "way\n";
  std::fwrite(garbage.data(), 1, garbage.size(), stdout);
  std::fflush(stdout);
  SleepMs(300);
}

void PrintForEver() {
  for (const std::string block(kMiB, 'y');;) std::fwrite(block.data(), 1, block.size(), stdout);
}

void ProgressFor(int64_t ms) {
  for (int64_t i = 0; i < ms; i += 10) {
    std::printf("progress %d %d working\n", static_cast<int>(i), static_cast<int>(ms));
    std::fflush(stdout);
    SleepMs(10);
  }
}

// The largest file: an argument of the agent's.
void LimitFiles(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::string(argv[i]) != "--file-bytes") continue;
    const rlim_t most = std::strtoull(argv[i + 1], nullptr, 10);
    const rlimit limit{.rlim_cur = most, .rlim_max = most};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
}

void Compile(const fs::path& folder, const v1::SubmitRequest& request) {
  const auto finish = [&] { Finish(folder, request); };
  const std::map<std::string, std::function<void()>> ways = {
      {"good", finish},
      {"slow", [&] { ProgressFor(std::atoi(request.compile().graph_key().c_str())), finish(); }},
      {"crash", Crash},
      {"exit", [] { std::fprintf(stderr, "giving up\n"), ::_exit(3); }},
      {"hang", Hang},
      {"memory", EatMemory},
      {"child-memory", LetAChildEatMemory},
      {"large-file", [&] { WriteLargeFile(folder), finish(); }},
      {"many-files", [&] { WriteManyFiles(folder); }},
      {"garbage", [&] { PrintGarbage(), finish(); }},
      {"flood", PrintForEver},
      {"nothing", [] {}},
      {"error", [&] { WriteJobError(folder, Error(Code::kDataLoss, "graph.json", "is no graph")), ::_exit(2); }},
      {"liar", [&] { finish(), WriteFileAtomic(folder / "result" / "model", "another"); }},
      {"link",
       [&] {
         finish(), fs::remove(folder / "result" / "model"),
             fs::create_symlink("/etc/hostname", folder / "result" / "model");
       }},
      {"killed", [] { ::raise(SIGKILL); }}};
  ways.at(request.compile().toolchain())();
}

void Trace(const v1::SubmitRequest& request, const char* what) {
  if (const char* file = std::getenv("HOT_FAKE_JOB_TRACE"))
    AppendLine(file, std::string(what) + (request.has_compile() ? " compile " : " alone ") + request.job_id());
}

int Run(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "eat") EatMemory();
  DieWithParent();
  LimitFiles(argc, argv);
  if (std::getchar() == EOF) return 0;
  const fs::path folder = argv[argc - 1];
  const v1::SubmitRequest request = ReadJobRequest(folder);
  Trace(request, "begin");
  if (request.has_compile()) {
    Compile(folder, request);
  } else {
    SleepMs(20);
    Finish(folder, request);
  }
  Trace(request, "end");
  return 0;
}

}  // namespace
}  // namespace hot::server

int main(int argc, char** argv) { return hot::server::Run(argc, argv); }
