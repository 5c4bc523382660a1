// A device runs and measures artifacts. To add one: a folder in devices/, its row in MakeDevice(), and
// device_contract_test runs it. Thread rule: one call at a time an object.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "deploy/artifact.h"
#include "measure/measure.h"

namespace hot {

struct DeviceInfo {
  std::string name;         // "host"
  std::string fingerprint;  // part of every measurement's key
  std::string json;         // CPU, kernel, governor, memory: for the report
  // "Vela": latencies are this tool's estimates, no number is measured and none has samples or a canary. Empty:
  // measured.
  std::string estimator = "";
  std::string accuracy_from = "device";  // or what stands in for it: "LiteRT (reference)"
  bool present = true;  // false: not here, but what the journal has of it (pipeline/target.h); it can't run anything

  bool estimates() const { return !estimator.empty(); }
  // "measured" or "estimate (Vela)": stands beside every latency that people read.
  std::string latency_is() const { return estimates() ? "estimate (" + estimator + ")" : "measured"; }
};

// A loaded artifact.
class Session {
 public:
  virtual ~Session() = default;
  // Inputs in the artifact's order, batch 1; returns the outputs in its order.
  virtual std::vector<Tensor> Run(std::span<const Tensor> inputs) = 0;
  // Run() for each picture's inputs; far away devices take many at once.
  virtual std::vector<std::vector<Tensor>> RunAll(std::span<const std::vector<Tensor>> pictures);
  // Executed precision of each layer that computes ("Convolution" etc.), from the runtime: layer -> "i8", "f32".
  virtual std::map<std::string, std::string> LayerPrecisions() const = 0;
};

// What is done for one picture on the processor that this program runs on, around an inference or without one.
struct Work {
  const Artifact* artifact = nullptr;
  std::function<void(Session*)> run;  // the artifact's session; null where there is no artifact
};

class Device {
 public:
  virtual ~Device() = default;
  virtual DeviceInfo Describe() const = 0;
  // Throws Error(kDataLoss) for a broken blob, kFailedPrecondition for another toolchain's artifact.
  virtual std::unique_ptr<Session> Load(const Artifact& artifact) const = 0;
  // Boards that measure at the same time.
  virtual int boards() const { return 1; }
  // Measures 1-64 artifacts side by side, interleaved, with this device's canary. A device that estimates gives
  // Estimated() of what came with each artifact, and heeds neither options nor canary.
  virtual std::vector<Measurement> Profile(std::span<const Artifact* const> artifacts, const MeasureOptions& options,
                                           double reference_canary_ns, const Context& context) const = 0;
  // Whether it is the processor that this program runs on, so that it can measure what an application does around an
  // inference.
  virtual bool runs_work() const { return false; }
  // The same as Profile() for such work. Throws Error(kUnimplemented) where runs_work() is false.
  virtual std::vector<Measurement> ProfileWork(std::span<const Work> work, const MeasureOptions& options,
                                               double reference_canary_ns, const Context& context) const;
};

// How to reach the agents of remote devices.
struct AgentAccess {
  fs::path token_file;  // empty: the agent asks for none
  fs::path ca_file;     // certificate of the authority that signed the agent's (`hot serve --init-tls`); empty: no TLS
  std::string client = "";  // agents are fair between clients; empty: this user on this host
};

// "host", "ethos-u55-128", "ethos-u65-256", "ethos-u85-256", or where agents listen: "grpc://board:7070", or several of
// equal boards with commas between, which are used side by side. Throws Error(kInvalidArgument) with the known names,
// kUnavailable when no agent answers, kFailedPrecondition when the boards are not equal.
std::unique_ptr<Device> MakeDevice(std::string_view name, int threads, const AgentAccess& access = {});

inline constexpr size_t kMostProfiled = 64;  // artifacts in one call of Profile()
// For implementations. Throws Error(kInvalidArgument) when Profile() is given none or too many.
void CheckProfileCount(size_t artifacts, std::string_view device);
// Throws Error(kDataLoss) when the model is not the one that the manifest was made for.
void CheckBlobHash(const Artifact& artifact);
// "artifact 0123456789ab": names it in errors.
std::string ArtifactName(const Artifact& artifact);

}  // namespace hot
