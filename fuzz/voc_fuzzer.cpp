// An annotation file of Pascal VOC: XML.
#include "data/image.h"
#include "dataset_checks.h"
#include "fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hot::InputFolder folder;
  static const hot::fs::path picture = folder.Write("JPEGImages/a.jpg", "");
  static const bool written = (hot::WriteJpeg(picture, hot::MakeImage(8, 8), 90), true);
  HOT_ASSERT(written);
  folder.Write("Annotations/a.xml", hot::AsText(data, size));
  for (const bool classes_known : {false, true}) {
    hot::DataSource source{.format = hot::DataFormat::kVoc, .root = folder.path(), .split = "", .classes = {}};
    if (classes_known) source.classes = {"cat", "dog"};
    hot::MayThrowError([&] { hot::CheckDataset(hot::ReadDataset(source)); });
  }
  return 0;
}
