#include "pipeline/samples.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "data/loader.h"
#include "pipeline/networks.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kPictures = 6;
constexpr int kLongestSide = 320;    // pixels: two fit side by side on a page
constexpr int kJpegQuality = 78;     // about 20 KB a picture
constexpr double kLeastScore = 0.3;  // of boxes: what an application would show; metrics read far lower ones
constexpr size_t kMostObjects = 40;  // of a network in a picture

double Rounded(double value) { return std::round(10 * value) / 10; }

Json KeypointsJson(const std::vector<Keypoint>& keypoints, double scale_x, double scale_y) {
  Json list = Json::array();
  for (const Keypoint& k : keypoints) {
    const bool is_known = std::isfinite(k.x) && std::isfinite(k.y);
    list.push_back(is_known ? Json{Rounded(scale_x * k.x), Rounded(scale_y * k.y), k.visibility} : Json());
  }
  return list;
}

// Of a label, or of a detection.
template <typename Thing>
Json ObjectJson(const Thing& thing, double scale_x, double scale_y) {
  const Box& b = thing.box;
  Json json{
      {"label", thing.label},
      {"box", {Rounded(scale_x * b.x0), Rounded(scale_y * b.y0), Rounded(scale_x * b.x1), Rounded(scale_y * b.y1)}}};
  if (!thing.keypoints.empty()) json["keypoints"] = KeypointsJson(thing.keypoints, scale_x, scale_y);
  return json;
}

Json DetectionsJson(std::vector<Detection> detections, double scale_x, double scale_y, double least_score) {
  std::ranges::stable_sort(detections, std::greater(), &Detection::score);
  Json list = Json::array();
  for (const Detection& detection : detections) {
    // The best is always told of classes; joints are looked for in boxes that are given.
    if (detection.keypoints.empty() && detection.score < least_score) continue;
    if (list.size() == kMostObjects) break;
    Json json = ObjectJson(detection, scale_x, scale_y);
    json["score"] = std::round(1000 * static_cast<double>(detection.score)) / 1000;
    list.push_back(json);
  }
  return list;
}

// The small copy of a picture, in the run folder; {"name", "file", "width", "height"}.
Json WriteSmall(const Workspace& workspace, const Sample& sample, size_t number) {
  const Image full = DecodeSample(sample);
  const double shrink = std::min(1.0, kLongestSide / static_cast<double>(std::max(full.width, full.height)));
  const auto side = [&](int pixels) { return std::max(1, static_cast<int>(std::lround(shrink * pixels))); };
  const Image small = shrink < 1 ? ResizeImage(full, side(full.width), side(full.height)) : full;
  const std::string file = "samples/" + std::to_string(number) + ".jpg";
  WriteJpeg(workspace.folder() / file, small, kJpegQuality);
  return {{"name", sample.name}, {"file", file}, {"width", small.width}, {"height", small.height}};
}

}  // namespace

std::vector<size_t> SampledPictures(size_t count) {
  std::vector<size_t> chosen;
  const size_t most = std::min(kPictures, count);
  for (size_t i = 0; i < most; ++i) chosen.push_back((2 * i + 1) * count / (2 * most));
  return chosen;
}

Json SampleJson(size_t picture, const std::vector<SampledNetwork>& networks, double scale_x, double scale_y,
                double least_score) {
  Json truth = Json::array(), predictions = Json::array();
  for (const Object& object : networks.at(0).test->at(picture).truth) {
    truth.push_back(ObjectJson(object, scale_x, scale_y));
  }
  for (const SampledNetwork& network : networks) {
    predictions.push_back(
        {{"id", network.id},
         {"objects", DetectionsJson(network.test->at(picture).detections, scale_x, scale_y, least_score)}});
  }
  return {{"truth", truth}, {"predictions", predictions}};
}

void WriteSamples(const Workspace& workspace, const Dataset& test, const std::vector<SampledNetwork>& networks) {
  std::error_code ignored;
  fs::remove_all(workspace.folder() / "samples", ignored);
  EnsureFolder(workspace.folder() / "samples");
  const Predicted predicted = workspace.task().predicted();
  const double least_score = predicted == Predicted::kBoxes ? kLeastScore : 0;
  Json pictures = Json::array();
  for (const size_t i : SampledPictures(test.samples.size())) {
    const Sample& sample = test.samples[i];
    Json picture = WriteSmall(workspace, sample, pictures.size() + 1);
    picture.update(SampleJson(i, networks, picture["width"].get<double>() / sample.width,
                              picture["height"].get<double>() / sample.height, least_score));
    pictures.push_back(picture);
  }
  WriteRunJson(workspace, "samples.json",
               {{"version", 1},
                {"predicted", PredictedName(predicted)},
                {"precision", PrecisionName(workspace.precision())},
                {"score_at_least", least_score},
                {"classes", workspace.task().options().classes},
                {"skeleton", workspace.skeleton()},
                {"pictures", pictures}});
}

}  // namespace hot
