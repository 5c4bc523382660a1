// An annotation file of Pascal VOC: XML.
#include "dataset_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hot::InputFolder folder;
  static const bool written = (hot::WriteSmallPicture(folder, "JPEGImages/a.jpg"), true);
  HOT_ASSERT(written);
  folder.Write("Annotations/a.xml", hot::AsText(data, size));
  for (const bool classes_known : {false, true}) {
    hot::DataSource source{.format = hot::DataFormat::kVoc, .root = folder.path(), .split = "", .classes = {}};
    if (classes_known) source.classes = {"cat", "dog"};
    hot::MayThrowError([&] { hot::CheckDataset(hot::ReadDataset(source)); });
  }
  return 0;
}
