// KEY=VALUE of --set, and that the value survives: the canonical JSON can be made of whatever was accepted.
#include "config/study.h"
#include "fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hot::InputFolder folder;
  static const hot::fs::path file = folder.Write("study.yaml", "name: fuzz\ndata: {root: /}\n");
  hot::MayThrowError([&] {
    const hot::Study study = hot::ReadStudy(file, {std::string(hot::AsText(data, size))});
    HOT_ASSERT(!hot::StudyJson(study).empty());
  });
  return 0;
}
