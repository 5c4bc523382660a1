#include "deploy/toolchains/remote/remote_toolchain.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "core/version.h"
#include "deploy/devices/remote/agent_client.h"
#include "deploy/devices/remote/job_files.h"
#include "deploy/devices/remote/remote_device.h"
#include "deploy/toolchains/openvino/openvino_toolchain.h"

namespace hot {
namespace {

class RemoteToolchain : public Toolchain {
 public:
  RemoteToolchain(std::unique_ptr<AgentClient> client, const v1::Toolchain& described, bool same_hot)
      : client_(std::move(client)), name_(described.name()), version_(described.version()), flags_(described.flags()) {
    for (const std::string& precision : described.precisions()) precisions_.push_back(ParsePrecision(precision));
    if (name_ != "openvino" || !same_hot) return;
    writer_ = MakeOpenVinoToolchain();
    if (writer_->flags() != flags_) writer_.reset();
  }

  std::string_view name() const override { return name_; }
  std::string version() const override { return version_; }
  std::string flags() const override { return flags_; }
  std::vector<Precision> precisions() const override { return precisions_; }

  Artifact Compile(const CompileRequest& request) const override {
    CheckPrecision(*this, request, "the toolchain beside the device can't execute " + PrecisionName(request.precision));
    if (request.timing_only && writer_ && std::ranges::count(writer_->precisions(), request.precision) > 0) {
      Artifact artifact = writer_->Compile(request);
      artifact.toolchain_version = version_;
      return artifact;
    }
    const TempFolder folder;
    client_->Run(folder.path(), WriteCompileJob(folder.path(), name_, request));
    return ReadCompiled(folder.path());
  }

 private:
  std::unique_ptr<AgentClient> client_;
  std::string name_, version_, flags_;
  std::vector<Precision> precisions_;
  // OpenVINO's artifact for timing is the ONNX file, which is written here as it would be there: a table of a hundred
  // blocks then needs no hundred jobs. Null: not the same there.
  std::unique_ptr<Toolchain> writer_;
};

}  // namespace

std::unique_ptr<Toolchain> MakeRemoteToolchain(std::string_view name, std::string_view device,
                                               const AgentAccess& access) {
  std::exception_ptr failure;
  for (const std::string& address : AgentAddresses(device)) {
    try {
      auto client = std::make_unique<AgentClient>(address, access);
      const v1::DescribeResponse described = client->Describe(1);
      std::vector<std::string> known;
      for (const v1::Toolchain& one : described.toolchains()) {
        if (one.name() == name)
          return std::make_unique<RemoteToolchain>(std::move(client), one, described.hot_version() == kHotVersion);
        known.push_back(one.name());
      }
      throw Error(Code::kInvalidArgument, "toolchain",
                  client->url() + " has no \"" + std::string(name) + "\" installed", "it has: " + JoinNames(known));
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      failure = std::current_exception();
    }
  }
  std::rethrow_exception(failure);
}

}  // namespace hot
