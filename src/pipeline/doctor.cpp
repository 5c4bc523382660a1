#include "pipeline/doctor.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/bridge.h"
#include "core/installation.h"
#include "core/text.h"
#include "core/url.h"
#include "core/version.h"
#include "deploy/device.h"
#include "deploy/toolchain.h"
#include "measure/emulation.h"
#include "measure/measure.h"
#include "measure/system_file.h"
#include "pipeline/executors/local.h"
#include "pipeline/target.h"
#include "pipeline/trial_search.h"
#include "store/store.h"

namespace hot {
namespace {

using Json = nlohmann::json;

constexpr double kGib = 1 << 30;
constexpr double kLeastMemory = 2 * kGib;  // one training at 320 x 320 with a batch of 32, and hot itself
constexpr double kLeastDisk = 2 * kGib;    // weights and artifacts of a dozen networks, and a decoded data set

std::string Gib(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GiB", bytes / kGib);
  return text;
}

// What `look` returns, or the error that it ended with and the hint of that.
Finding Look(std::string name, Health without, const std::function<std::string()>& look) {
  try {
    std::string detail = look();
    return {.name = std::move(name), .health = Health::kOk, .detail = std::move(detail), .fix = ""};
  } catch (const Error& error) {
    return {.name = std::move(name), .health = without, .detail = error.message(), .fix = error.hint()};
  }
}

Finding Warn(std::string name, bool fine, std::string detail, std::string fix) {
  return {.name = std::move(name),
          .health = fine ? Health::kOk : Health::kWarning,
          .detail = std::move(detail),
          .fix = fine ? "" : std::move(fix)};
}

// ---- the machine ----

Finding Processor() {
  const Json environment = Json::parse(DescribeEnvironment().json);
  const unsigned cores = std::thread::hardware_concurrency();
  std::string cpu = environment.value("cpu", "");
  cpu = cpu.substr(0, cpu.find(','));
  return Warn("cores", cores >= 2, std::to_string(cores) + (cpu.empty() ? "" : " of " + cpu),
              "with one core trainings and measurements take turns: expect long studies");
}

double AvailableMemory() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  for (double kib = 0; file >> key >> kib; file.ignore(256, '\n')) {
    if (key == "MemAvailable:") return kib * 1024;
  }
  return 0;
}

Finding Memory() {
  const double available = AvailableMemory();
  return Warn("memory", available >= kLeastMemory, Gib(available) + " available",
              "close other programs, or choose a smaller train.batch and model.input, and run.workers: 1");
}

Finding Disk(const fs::path& folder) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  if (error) return Warn("disk", false, folder.string() + ": " + error.message(), "call hot in a folder that exists");
  const double available = static_cast<double>(space.available);
  return Warn("disk", available >= kLeastDisk, Gib(available) + " free in " + fs::absolute(folder).string(),
              "make room, or put the run folder elsewhere: --set run.folder=DIR");
}

Finding Governor() {
  const std::string governor = FirstLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  if (governor.empty()) return Warn("CPU governor", true, "the kernel does not tell (a virtual machine?)", "");
  return Warn(
      "CPU governor", governor == "performance", governor,
      "for steadier latencies: echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor");
}

Finding Priority() {
  const ScopedPin pin(1);
  if (pin.cpus().empty()) {
    return Warn("measuring", false, "a measurement can't be pinned to a core", "allow sched_setaffinity to this user");
  }
  return Warn("measuring", pin.raised(), pin.raised() ? "pinned, real-time priority" : "pinned, normal priority",
              "for steadier latencies: sudo setcap cap_sys_nice+ep $(command -v hot), or keep the machine idle");
}

Finding Emulation() {
  const fs::path emulator = Emulator();
  return Warn("emulator", emulator.empty(), emulator.empty() ? "none" : emulator.string() + " runs this program",
              "measure on the device itself: an emulator's times are no device's");
}

// ---- what is installed ----

std::string HotTrain() {
  const fs::path program = FindHotTrain();
  const ProcessResult answer = RunProcess({program.string(), "--gpus"});
  if (answer.status.ok()) return program.string();
  throw Error(Code::kUnavailable, program.string(), "does not start: " + answer.output, SetupCommand());
}

std::string Gpus() {
  const int count = UsableGpus("cuda", FindHotTrain());
  return std::to_string(count) + " for trainings";
}

std::string ToolchainText(std::string_view name, std::string_view device) {
  const auto toolchain = MakeToolchain(name, device);
  std::vector<std::string> precisions;
  for (const Precision precision : toolchain->precisions()) precisions.push_back(PrecisionName(precision));
  return toolchain->version() + ", " + JoinNames(precisions);
}

// "optuna.check" -> its version.
std::string Asked(const std::string& operation, const Json& arguments, const std::string& key) {
  const Json answer = Json::parse(Bridge().Call(operation, arguments.dump()));
  return answer.at(key).is_string() ? answer.at(key).get<std::string>() : answer.at(key).dump();
}

std::string Glpsol() {
  const auto program = FindProgram("glpsol");
  if (program) return program->string();
  throw Error(Code::kUnavailable, "glpsol", "is not installed", "sudo apt-get install glpk-utils");
}

// Whether journals may be in PostgreSQL; a server that is not there is another matter.
Finding PostgresClient() {
  try {
    OpenStore("postgresql://127.0.0.1:1/hot", IfMissing::kThrow);
  } catch (const Error& error) {
    if (error.code() == Code::kUnimplemented) {
      return {.name = "PostgreSQL", .health = Health::kAbsent, .detail = error.message(), .fix = error.hint()};
    }
  }
  return {.name = "PostgreSQL", .detail = "client is built in; run.journal: postgresql://USER@HOST/NAME", .fix = ""};
}

struct Part {
  const char* name;
  Health without;
  std::string (*look)();
};

constexpr Part kParts[] = {
    {"hot-train", Health::kFault, HotTrain},
    {"GPU", Health::kAbsent, Gpus},
    {"toolchain openvino", Health::kFault, [] { return ToolchainText("openvino", "host"); }},
    {"Python worker", Health::kAbsent, [] { return "Python " + Bridge().python_version(); }},
    {"toolchain tvm", Health::kAbsent, [] { return ToolchainText("tvm", "host"); }},
    {"toolchain vela", Health::kAbsent, [] { return ToolchainText("vela", "ethos-u55-128"); }},
    {"Optuna", Health::kAbsent,
     [] {
       return Asked("optuna.check", {{"sampler", "tpe"}}, "optuna");
     }},
    {"Ray", Health::kAbsent, [] { return Asked("ray.version", Json::object(), "ray"); }},
    {"GLPK", Health::kAbsent, Glpsol},
};

}  // namespace

std::string_view HealthName(Health health) {
  constexpr std::array<std::string_view, 4> kNames{"ok", "absent", "warning", "fault"};
  return kNames[static_cast<size_t>(health)];
}

std::vector<Finding> ExamineMachine(const fs::path& folder, Progress& progress) {
  std::vector<Finding> found{{.name = "hot", .detail = kHotVersion, .fix = ""}};
  for (Finding& one : std::vector{Processor(), Memory(), Disk(folder), Governor(), Priority(), Emulation()}) {
    found.push_back(std::move(one));
  }
  progress.Begin("doctor", static_cast<double>(std::size(kParts)));
  for (const Part& part : kParts) {
    progress.Update(static_cast<double>(&part - kParts), part.name);
    found.push_back(Look(part.name, part.without, part.look));
  }
  found.push_back(PostgresClient());
  return found;
}

std::vector<Finding> ExamineStudy(const Study& study) {
  std::unique_ptr<Store> store;
  std::vector<Finding> found;
  found.push_back(Look("run.journal", Health::kFault, [&] {
    if (IsMissingFile(study.run.journal)) return study.run.journal + ": will be made";
    store = OpenStore(study.run.journal, IfMissing::kThrow);
    return WithoutPassword(study.run.journal);
  }));
  found.push_back(Look("target.device", Health::kFault, [&] {
    TempFolder folder;
    if (!store) store = OpenStore((folder.path() / "journal.sqlite").string());
    const Target target = MakeTarget(study.target, *store);
    CheckPrecisions(study.target, *target.toolchain);
    return DeviceLabel(target.device->Describe()) + ", " + study.target.toolchain + " " + target.toolchain->version();
  }));
  found.push_back(Look("run.executor", Health::kFault, [&] {
    return study.run.executor + ", " + std::to_string(StudyExecutor(study)->capacity()) + " trainings at a time";
  }));
  found.push_back(Look("train.hpo.method", Health::kFault, [&] {
    StudySampler(study);
    return study.train.hpo.method;
  }));
  return found;
}

}  // namespace hot
