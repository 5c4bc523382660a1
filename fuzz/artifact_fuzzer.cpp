// An artifact's manifest: JSON. Its hashes are set right before it is read, or the fuzzer would never get past them.
#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "deploy/artifact.h"
#include "fuzz_target.h"
#include "graph/safetensors.h"

namespace {

constexpr const char* kBlob = "ONNX";

// The manifest with its three hashes, or the bytes as they are when they are no JSON object.
std::string Signed(std::string_view text, const std::string& golden_sha256) {
  bool deep = false;
  const auto note_depth = [&deep](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    deep = deep || depth > 100;  // writing it would recurse
    return !deep;
  };
  nlohmann::json manifest = nlohmann::json::parse(text, note_depth, /*allow_exceptions=*/false);
  if (deep) return std::string(text);
  if (!manifest.is_object() || !manifest.contains("manifest_sha256")) return std::string(text);
  if (manifest.contains("blob_sha256")) manifest["blob_sha256"] = hot::Sha256Hex(kBlob);
  if (manifest.contains("golden_sha256")) manifest["golden_sha256"] = golden_sha256;
  manifest.erase("manifest_sha256");
  manifest["manifest_sha256"] = hot::Sha256Hex(manifest.dump());
  return manifest.dump();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hot::InputFolder folder;
  static const std::string golden_sha256 = [] {
    folder.Write("model.onnx", kBlob);
    hot::WriteSafetensors(folder.path() / "golden.safetensors",
                          {{"0.input", hot::Tensor({1, 3, 2, 2})}, {"0.output0", hot::Tensor({1, 4})}});
    return hot::Sha256File(folder.path() / "golden.safetensors");
  }();
  folder.Write("manifest.json", Signed(hot::AsText(data, size), golden_sha256));
  hot::MayThrowError([&] {
    const hot::Artifact artifact = hot::ReadArtifact(folder.path());
    hot::WriteArtifact(folder.path() / "again", artifact);
    HOT_ASSERT(hot::ReadArtifact(folder.path() / "again").classes == artifact.classes);
  });
  return 0;
}
