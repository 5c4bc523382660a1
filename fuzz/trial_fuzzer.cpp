// trial.json: what hot-train is to train. What was read is written and read again: the same text.
#include "fuzz_target.h"
#include "tasks/trial.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hot::InputFolder folder;
  const hot::fs::path file = folder.Write("trial.json", hot::AsText(data, size));
  hot::MayThrowError([&] {
    const std::string text = hot::ToJson(hot::ReadTrial(file));
    HOT_ASSERT(hot::ToJson(hot::ReadTrial(folder.Write("again.json", text))) == text);
  });
  return 0;
}
