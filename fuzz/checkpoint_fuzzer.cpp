// The state of a training. The input is what stands behind the digest, which is set right, or the fuzzer would never
// get past it.
#include "core/hash.h"
#include "fuzz_target.h"
#include "train/checkpoint.h"
#include "train/epoch_log.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hot::InputFolder folder;
  const std::string_view body = hot::AsText(data, size);
  const hot::fs::path file =
      folder.Write("checkpoint.pt", "hot-checkpoint 1 " + hot::Sha256Hex(body) + "\n" + std::string(body));
  hot::MayThrowError([&] {
    const hot::Checkpoint checkpoint = hot::ReadCheckpoint(file);
    hot::WriteCheckpoint(folder.path() / "again.pt", checkpoint);
    const hot::Checkpoint again = hot::ReadCheckpoint(folder.path() / "again.pt");
    HOT_ASSERT(again.values.size() == checkpoint.values.size() && again.epochs == checkpoint.epochs);
  });
  const hot::fs::path log = folder.Write("epochs.jsonl", body);
  hot::MayThrowError([&] { hot::KeepEpochs(log, 10); });
  return 0;
}
