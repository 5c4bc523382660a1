// The two files of a bundle that are read as text: bundle.json (what begins with a brace, with a right checksum) and
// SHA256SUMS (everything else).
#include "core/hash.h"
#include "fuzz_target.h"
#include "pipeline/bundle.h"

namespace {

void WriteRest(const hot::fs::path& folder) {
  hot::Artifact artifact;
  artifact.toolchain = "openvino";
  artifact.toolchain_version = "1";
  artifact.blob = "ONNX";
  hot::WriteArtifact(folder / "artifact", artifact);
  hot::WriteFileAtomic(folder / "trial.json", hot::ToJson(hot::TrialSpec()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hot::InputFolder folder;
  static const bool ready = [] {
    WriteRest(folder.path());
    return true;
  }();
  HOT_ASSERT(ready);
  const std::string text(hot::AsText(data, size));
  const bool json = text.starts_with("{");
  folder.Write("bundle.json", json ? text : "{}");
  folder.Write("SHA256SUMS", json ? hot::Sha256Hex(text) + "  bundle.json\n" : text);
  hot::MayThrowError([&] { hot::ReadBundle(folder.path()); });
  return 0;
}
