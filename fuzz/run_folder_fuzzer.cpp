// What the report reads of a run folder: the same bytes as every result of a stage, as a learning curve and as an
// artifact's manifest.
#include "fuzz_target.h"
#include "report/run_data.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hot::InputFolder folder;
  static const hot::fs::path study = folder.Write("study.json", R"({"version": 1, "name": "fuzz"})");
  const std::string_view text = hot::AsText(data, size);
  for (const char* name : {"table.json", "search.json", "train.json", "evaluation.json", "stages/train.json",
                           "trials/t/epochs.jsonl", "artifacts/a/manifest.json"}) {
    folder.Write(name, text);
  }
  hot::MayThrowError([&] { HOT_ASSERT(!hot::ReadRunData(folder.path()).json.empty()); });
  return 0;
}
