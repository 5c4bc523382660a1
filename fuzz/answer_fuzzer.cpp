// What an agent answers, as its client reads it: a description (the first byte is even) or a result. Files of a result
// lie in the job's folder; what was measured are times.
#include <algorithm>
#include <cmath>

#include "core/hash.h"
#include "deploy/devices/remote/job_layout.h"
#include "deploy/devices/remote/wire.h"
#include "fuzz_target.h"

namespace {

using namespace hot;

void ReadResult(const v1::JobResult& result) {
  for (const JobFile& file : FilesOf(result)) {
    HOT_ASSERT(IsSha256(file.sha256));
    HOT_ASSERT(file.path.is_relative() && std::ranges::find(file.path, "..") == file.path.end());
  }
  for (const v1::Measurement& row : result.profile().measurements()) {
    const Measurement measured = FromProto(row);
    HOT_ASSERT(measured.samples_ns.size() == measured.canary_ns.size());
    HOT_ASSERT(std::isfinite(measured.median_ns) && measured.median_ns >= 0 && measured.resident_bytes >= 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto* const log = google::protobuf::SetLogHandler(nullptr);  // a line for every string that is not UTF-8
  static_cast<void>(log);
  if (size == 0) return 0;
  const int bytes = static_cast<int>(size) - 1;
  if (data[0] % 2 == 0) {
    v1::DescribeResponse described;
    if (!described.ParseFromArray(data + 1, bytes)) return 0;
    MayThrowError([&] { HOT_ASSERT(!FromProto(described.device()).fingerprint.empty()); });
  } else {
    v1::JobResult result;
    if (result.ParseFromArray(data + 1, bytes)) MayThrowError([&] { ReadResult(result); });
  }
  return 0;
}
