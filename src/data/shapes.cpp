#include "data/shapes.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "data/image_ops.h"
#include "data/shapes_draw.h"
#include "data/warp.h"

namespace hot {
namespace {

using nlohmann::ordered_json;

constexpr int kMinSide = 32;
constexpr double kMargin = 0.1;  // of a cut-out

// VOC: whole pixels from 1, both ends included.
std::string VocXml(const std::string& file_name, const ShapesPicture& picture) {
  std::ostringstream xml;
  xml << "<annotation>\n\t<folder>JPEGImages</folder>\n\t<filename>" << file_name
      << "</filename>\n\t<size>\n\t\t<width>" << picture.image.width << "</width>\n\t\t<height>" << picture.image.height
      << "</height>\n\t\t<depth>3</depth>\n\t</size>\n\t<segmented>0</segmented>\n";
  for (const Object& object : picture.objects) {
    const Box& box = object.box;
    xml << "\t<object>\n\t\t<name>" << kShapeNames[static_cast<size_t>(object.label)]
        << "</name>\n\t\t<pose>Unspecified</pose>\n\t\t<truncated>0</truncated>\n\t\t<difficult>0</difficult>\n"
        << "\t\t<bndbox>\n\t\t\t<xmin>" << std::lround(box.x0) + 1 << "</xmin>\n\t\t\t<ymin>" << std::lround(box.y0) + 1
        << "</ymin>\n\t\t\t<xmax>" << std::lround(box.x1) << "</xmax>\n\t\t\t<ymax>" << std::lround(box.y1)
        << "</ymax>\n\t\t</bndbox>\n\t</object>\n";
  }
  xml << "</annotation>\n";
  return xml.str();
}

// An object with a tenth of its size around it, as far as the picture goes.
Image CutOut(const Image& image, const Box& box) {
  const double x = kMargin * box.width(), y = kMargin * box.height();
  const cv::Rect part = PixelsAround({box.x0 - x, box.y0 - y, box.x1 + x, box.y1 + y}, image.width, image.height);
  Image cut = MakeImage(part.width, part.height);
  cv::Mat pixels = MatOf(cut);
  MatOf(image)(part).copyTo(pixels);
  return cut;
}

double Rounded(double value) { return std::round(value * 100) / 100; }

ordered_json CocoAnnotation(int64_t id, int64_t image_id, const Object& object) {
  const Box& box = object.box;
  ordered_json keypoints = ordered_json::array();
  int labelled = 0;
  for (const Keypoint& point : object.keypoints) {
    keypoints.insert(keypoints.end(), {Rounded(point.x), Rounded(point.y), point.visibility});
    labelled += point.is_labelled() ? 1 : 0;
  }
  return {{"id", id},
          {"image_id", image_id},
          {"category_id", object.label + 1},
          {"bbox", {box.x0, box.y0, box.width(), box.height()}},
          {"area", Rounded(object.area)},
          {"iscrowd", 0},
          {"num_keypoints", labelled},
          {"keypoints", std::move(keypoints)}};
}

ordered_json EmptyCoco() {
  ordered_json coco{{"info", {{"description", "synthetic shapes"}}},
                    {"images", ordered_json::array()},
                    {"annotations", ordered_json::array()},
                    {"categories", ordered_json::array()}};
  for (size_t i = 0; i < kShapeNames.size(); ++i) {
    coco["categories"].push_back({{"id", i + 1},
                                  {"name", kShapeNames[i]},
                                  {"keypoints", {"p0", "p1", "p2", "p3"}},
                                  {"skeleton", ordered_json::array()}});
  }
  return coco;
}

class ShapesWriter {
 public:
  ShapesWriter(const fs::path& root, const ShapesOptions& options, const Context& context)
      : root_(root), options_(options), context_(context) {}

  void WriteSplit(const std::string& split, int pictures) {
    for (const char* name : kShapeNames) EnsureFolder(CutOuts(split, name));
    ordered_json coco = EmptyCoco();
    std::string list;
    for (int i = 0; i < pictures; ++i) {
      context_.ThrowIfCancelled();
      char stem[64];
      std::snprintf(stem, sizeof(stem), "%s_%05d", split.c_str(), i);
      WritePicture(split, stem, &coco);
      list += std::string(stem) + "\n";
      context_.progress.Update(done_, split);
    }
    WriteFileAtomic(root_ / "annotations" / (split + ".json"), coco.dump() + "\n");
    WriteFileAtomic(root_ / "ImageSets" / "Main" / (split + ".txt"), list);
  }

 private:
  fs::path CutOuts(const std::string& split, const char* name) const { return root_ / "cutouts" / split / name; }

  void WritePicture(const std::string& split, const std::string& stem, ordered_json* coco) {
    Rng rng(MixSeed(options_.seed, stem));
    const ShapesPicture picture = DrawShapes(options_.width, options_.height, rng);
    const std::string file_name = stem + ".jpg";
    WriteJpeg(root_ / "JPEGImages" / file_name, picture.image);
    WriteFileAtomic(root_ / "Annotations" / (stem + ".xml"), VocXml(file_name, picture));
    const int64_t image_id = ++done_;
    (*coco)["images"].push_back(
        {{"id", image_id}, {"file_name", file_name}, {"width", options_.width}, {"height", options_.height}});
    for (const Object& object : picture.objects) {
      (*coco)["annotations"].push_back(CocoAnnotation(++annotations_, image_id, object));
      const fs::path folder = CutOuts(split, kShapeNames[static_cast<size_t>(object.label)]);
      WriteJpeg(folder / (stem + "_" + std::to_string(annotations_) + ".jpg"), CutOut(picture.image, object.box));
    }
  }

  const fs::path& root_;
  const ShapesOptions& options_;
  const Context& context_;
  int done_ = 0;  // pictures of both splits
  int64_t annotations_ = 0;
};

}  // namespace

void WriteShapes(const fs::path& root, const ShapesOptions& options, const Context& context) {
  if (options.width < kMinSide || options.height < kMinSide) {
    throw Error(Code::kInvalidArgument, "shapes", "pictures must be at least 32 pixels wide and high");
  }
  if (options.train_pictures < 1 || options.test_pictures < 1) {
    throw Error(Code::kInvalidArgument, "shapes", "at least one picture is needed for training and one for testing");
  }
  for (const char* folder : {"Annotations", "JPEGImages", "ImageSets/Main", "annotations"}) EnsureFolder(root / folder);
  context.progress.Begin("drawing shapes", options.train_pictures + options.test_pictures);
  ShapesWriter writer(root, options, context);
  writer.WriteSplit("trainval", options.train_pictures);
  writer.WriteSplit("test", options.test_pictures);
  context.progress.End("drew " + std::to_string(options.train_pictures + options.test_pictures) + " pictures into " +
                       root.string());
}

}  // namespace hot
