// A request to a device agent as it comes from the network: what CheckRequest() lets pass names a folder, files of that
// folder and blobs, and nothing else. What it refuses is the client's fault, in a line that can be sent back.
#include <algorithm>
#include <string>
#include <vector>

#include "core/hash.h"
#include "core/utf8.h"
#include "deploy/devices/remote/job_layout.h"
#include "fuzz_target.h"
#include "server/request_check.h"

namespace {

using namespace hot;

std::vector<v1::Toolchain> Toolchains() {
  std::vector<v1::Toolchain> toolchains(2);
  toolchains[0].set_name("openvino");
  toolchains[1].set_name("tvm");
  for (v1::Toolchain& toolchain : toolchains) {
    for (const char* precision : {"fp32", "int8"}) toolchain.add_precisions(precision);
  }
  return toolchains;
}

void CheckAccepted(const v1::SubmitRequest& request) {
  const std::string& id = request.job_id();
  HOT_ASSERT(!id.empty() && id.size() <= 64 && id.find_first_of("./\\ \n") == id.npos);
  HOT_ASSERT(request.threads() >= 0 && request.threads() <= 64);
  HOT_ASSERT(request.profile().artifacts_size() <= 64);
  if (request.has_compile()) {
    HOT_ASSERT(request.compile().toolchain() == "openvino" || request.compile().toolchain() == "tvm");
    HOT_ASSERT(request.compile().precision() == "fp32" || request.compile().precision() == "int8");
  }
  const auto files = FilesOf(request);
  HOT_ASSERT(!files.empty());
  std::vector<fs::path> paths;
  for (const JobFile& file : files) {
    HOT_ASSERT(IsSha256(file.sha256));
    HOT_ASSERT(file.path.is_relative() && std::ranges::find(file.path, "..") == file.path.end());
    paths.push_back(file.path);
  }
  std::ranges::sort(paths);
  HOT_ASSERT(std::ranges::adjacent_find(paths) == paths.end());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<v1::Toolchain> toolchains = Toolchains();
  static auto* const log = google::protobuf::SetLogHandler(nullptr);  // a line for every string that is not UTF-8
  static_cast<void>(log);
  v1::SubmitRequest request;
  if (!request.ParseFromArray(data, static_cast<int>(size))) return 0;
  MayThrowError([&] {
    try {
      server::CheckRequest(request, toolchains, {});
    } catch (const Error& error) {
      HOT_ASSERT(error.code() == Code::kInvalidArgument);
      HOT_ASSERT(Utf8Prefix(error.what()) == std::string_view(error.what()).size());
      throw;
    }
    CheckAccepted(request);
  });
  return 0;
}
