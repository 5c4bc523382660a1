// The study file: YAML text.
#include "config/study.h"
#include "fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hot::InputFolder folder;
  const hot::fs::path file = folder.Write("study.yaml", hot::AsText(data, size));
  hot::MayThrowError([&] {
    const hot::Study study = hot::ReadStudy(file, {"data.root=" + folder.path().string()});
    HOT_ASSERT(!hot::StudyJson(study).empty());
  });
  return 0;
}
