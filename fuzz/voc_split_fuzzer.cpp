// A list of pictures of Pascal VOC: ImageSets/Main/train.txt.
#include "dataset_input.h"

namespace {

constexpr const char* kAnnotation =
    "<annotation><size><width>8</width><height>8</height></size><object><name>cat</name>"
    "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>4</ymax></bndbox></object></annotation>";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hot::InputFolder folder;
  static const bool written = [] {
    for (const std::string name : {"a", "b c", "d.v2"}) {
      folder.Write("Annotations/" + name + ".xml", kAnnotation);
      hot::WriteSmallPicture(folder, "JPEGImages/" + name + ".jpg");
    }
    return true;
  }();
  HOT_ASSERT(written);
  folder.Write("ImageSets/Main/train.txt", hot::AsText(data, size));
  const hot::DataSource source{.format = hot::DataFormat::kVoc, .root = folder.path(), .split = "train", .classes = {}};
  hot::MayThrowError([&] { hot::CheckDataset(hot::ReadDataset(source)); });
  return 0;
}
