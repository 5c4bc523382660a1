#include "server/request_check.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "core/utf8.h"
#include "deploy/devices/remote/job_layout.h"
#include "deploy/devices/remote/measure_options.h"

namespace hot::server {
namespace {

[[noreturn]] void Bad(const char* field, const std::string& what, const std::string& hint = "") {
  throw Error(Code::kInvalidArgument, field, what, hint);
}

// A name in a message: a client may send megabytes.
std::string Quoted(const std::string& text) {
  constexpr size_t kMost = 40;
  if (text.size() <= kMost) return "'" + text + "'";
  return "'" + text.substr(0, Utf8Prefix(std::string_view(text).substr(0, kMost))) + "...'";
}

void CheckJobId(const std::string& id) {
  constexpr size_t kMost = 64;
  if (!id.empty() && id.size() <= kMost && id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == id.npos) {
    return;
  }
  Bad("job_id", "expected 1 to 64 of a-z, 0-9 and '-', got " + Quoted(id));
}

void CheckCompile(const v1::CompileJob& job, std::span<const v1::Toolchain> toolchains) {
  const auto found = std::ranges::find(toolchains, job.toolchain(), &v1::Toolchain::name);
  if (found == toolchains.end()) {
    std::vector<std::string> names;
    for (const v1::Toolchain& toolchain : toolchains) names.push_back(toolchain.name());
    Bad("toolchain", "this agent has no " + Quoted(job.toolchain()), "it has: " + JoinNames(names));
  }
  const auto& precisions = found->precisions();
  if (std::ranges::find(precisions, job.precision()) == precisions.end()) {
    Bad("precision", found->name() + " has no " + Quoted(job.precision()),
        "it has: " + JoinNames({precisions.begin(), precisions.end()}));
  }
}

void CheckProfile(const v1::ProfileJob& job, const RequestLimits& limits) {
  if (job.artifacts_size() < 1 || job.artifacts_size() > limits.artifacts) {
    Bad("artifacts",
        "expected 1 to " + std::to_string(limits.artifacts) + ", got " + std::to_string(job.artifacts_size()));
  }
  if (!(job.reference_canary_ns() >= 0) || std::isinf(job.reference_canary_ns())) {
    Bad("reference_canary_ns", "expected a time that is not negative");
  }
  if (job.has_options()) FromProto(job.options());
}

}  // namespace

void CheckRequest(const v1::SubmitRequest& request, std::span<const v1::Toolchain> toolchains,
                  const RequestLimits& limits) {
  CheckJobId(request.job_id());
  if (!v1::Priority_IsValid(request.priority())) {
    Bad("priority", "there is no priority " + std::to_string(request.priority()));
  }
  if (request.threads() < 0 || request.threads() > limits.threads) {
    Bad("threads", "expected 1 to " + std::to_string(limits.threads) + ", got " + std::to_string(request.threads()));
  }
  if (request.has_compile()) CheckCompile(request.compile(), toolchains);
  if (request.has_profile()) CheckProfile(request.profile(), limits);
  FilesOf(request);
}

}  // namespace hot::server
