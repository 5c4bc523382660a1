#include "metric_sets.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/rng.h"

namespace hot {
namespace {

using Json = nlohmann::json;

constexpr double kWidth = 640, kHeight = 480;
constexpr int kClasses = 80;
constexpr size_t kKeypoints = 17;

double Quarter(double value) { return std::round(value * 4) / 4; }

float RandomScore(double low, double high, Rng& rng) {
  return static_cast<float>(std::round(rng.Uniform(low, high) * 0x1p20) * 0x1p-20);
}

// Sides from 8 pixels to half a picture, small ones most often.
Box RandomBox(Rng& rng) {
  const double side = 8 * std::pow(30.0, rng.Uniform()), aspect = rng.Uniform(0.5, 2.0);
  const double w = Quarter(side * std::sqrt(aspect)) + 1, h = Quarter(side / std::sqrt(aspect)) + 1;
  const double x = Quarter(rng.Uniform(0, std::max(1.0, kWidth - w)));
  const double y = Quarter(rng.Uniform(0, std::max(1.0, kHeight - h)));
  return {x, y, x + w, y + h};
}

// Each side off by a normal share `noise` of the box's own.
Box Moved(const Box& box, double noise, Rng& rng) {
  const auto off = [&](double side) { return Quarter(side * noise * rng.Normal()); };
  const double x0 = box.x0 + off(box.width()), y0 = box.y0 + off(box.height());
  const double x1 = box.x1 + off(box.width()), y1 = box.y1 + off(box.height());
  return {x0, y0, std::max(x0 + 1, x1), std::max(y0 + 1, y1)};
}

int RandomClass(Rng& rng) { return static_cast<int>(kClasses * std::pow(rng.Uniform(), 3)); }

// `mean` on average, geometric.
int64_t RandomCount(double mean, Rng& rng) {
  return static_cast<int64_t>(std::log(1 - rng.Uniform()) / std::log(mean / (1 + mean)));
}

std::vector<Keypoint> RandomPose(const Box& box, bool labelled, Rng& rng) {
  std::vector<Keypoint> pose(kKeypoints);
  for (Keypoint& point : pose) {
    if (!labelled || rng.Chance(0.3)) continue;
    point = {static_cast<float>(Quarter(rng.Uniform(box.x0, box.x1))),
             static_cast<float>(Quarter(rng.Uniform(box.y0, box.y1))), rng.Chance(0.2) ? 1 : 2};
  }
  return pose;
}

Detection NearPose(const Object& person, Rng& rng) {
  const double noise = 0.01 * std::pow(10.0, rng.Uniform()) * std::sqrt(person.area);
  Detection detection{.box = Moved(person.box, 0.05, rng), .label = 0, .score = RandomScore(0.2, 1, rng)};
  detection.keypoints = RandomPose(person.box, true, rng);
  for (size_t k = 0; k < kKeypoints; ++k) {
    Keypoint& ours = detection.keypoints[k];
    const Keypoint& truth = person.keypoints[k];
    if (truth.is_labelled()) ours = truth;
    ours.x = static_cast<float>(Quarter(ours.x + noise * rng.Normal()));
    ours.y = static_cast<float>(Quarter(ours.y + noise * rng.Normal()));
  }
  return detection;
}

Json FlatKeypoints(const std::vector<Keypoint>& keypoints) {
  Json flat = Json::array();
  for (const Keypoint& point : keypoints) {
    flat.push_back(point.x);
    flat.push_back(point.y);
    flat.push_back(point.visibility);
  }
  return flat;
}

Json CornerAndSize(const Box& box) { return {box.x0, box.y0, box.width(), box.height()}; }

Json AnnotationJson(const Object& object, int64_t picture, size_t id) {
  Json json{{"id", id},
            {"image_id", picture},
            {"category_id", object.label + 1},
            {"bbox", CornerAndSize(object.box)},
            {"area", object.area},
            {"iscrowd", object.crowd ? 1 : 0}};
  if (object.keypoints.empty()) return json;
  json["keypoints"] = FlatKeypoints(object.keypoints);
  json["num_keypoints"] = std::ranges::count_if(object.keypoints, &Keypoint::is_labelled);
  return json;
}

// As COCO's server takes them: poses without boxes.
Json DetectionJson(const Detection& detection, int64_t picture) {
  Json json{{"image_id", picture}, {"category_id", detection.label + 1}, {"score", detection.score}};
  if (detection.keypoints.empty()) {
    json["bbox"] = CornerAndSize(detection.box);
  } else {
    json["keypoints"] = FlatKeypoints(detection.keypoints);
  }
  return json;
}

}  // namespace

std::vector<ScoredPicture> MakeBoxSet(int pictures, uint64_t seed) {
  Rng rng(seed);
  std::vector<ScoredPicture> set(static_cast<size_t>(pictures));
  for (size_t i = 0; i < set.size(); ++i) {
    ScoredPicture& picture = set[i];
    picture.id = static_cast<int64_t>(i) + 1;
    for (int64_t n = RandomCount(7.2, rng); n > 0; --n) {
      Object object{.box = RandomBox(rng), .label = RandomClass(rng), .crowd = rng.Chance(0.01)};
      object.area = Quarter(object.box.area() * rng.Uniform(0.4, 0.9));
      for (int64_t near = RandomCount(3.5, rng); near > 0; --near) {
        picture.detections.push_back({.box = Moved(object.box, 0.02 * std::pow(10.0, rng.Uniform()), rng),
                                      .label = rng.Chance(0.9) ? object.label : RandomClass(rng),
                                      .score = RandomScore(0.05, 1, rng)});
      }
      picture.truth.push_back(std::move(object));
    }
    for (int n = 0; n < 25; ++n) {
      picture.detections.push_back(
          {.box = RandomBox(rng), .label = RandomClass(rng), .score = RandomScore(0.01, 0.6, rng)});
    }
  }
  return set;
}

std::vector<ScoredPicture> MakePoseSet(int pictures, uint64_t seed) {
  Rng rng(seed);
  std::vector<ScoredPicture> set(static_cast<size_t>(pictures));
  for (size_t i = 0; i < set.size(); ++i) {
    ScoredPicture& picture = set[i];
    picture.id = static_cast<int64_t>(i) + 1;
    for (int64_t n = RandomCount(2.2, rng); n > 0; --n) {
      Object person{.box = RandomBox(rng), .label = 0, .crowd = rng.Chance(0.01)};
      person.area = Quarter(person.box.area() * rng.Uniform(0.4, 0.9));
      person.keypoints = RandomPose(person.box, rng.Chance(0.9), rng);
      picture.truth.push_back(std::move(person));
    }
    for (size_t n = 0; n < 20; ++n) {
      if (n < 10 && !picture.truth.empty()) {
        picture.detections.push_back(NearPose(picture.truth[n % picture.truth.size()], rng));
        continue;
      }
      Detection detection{.box = RandomBox(rng), .label = 0, .score = RandomScore(0.01, 0.6, rng)};
      detection.keypoints = RandomPose(detection.box, true, rng);
      picture.detections.push_back(std::move(detection));
    }
  }
  return set;
}

void WriteCocoFiles(const std::vector<ScoredPicture>& pictures, const fs::path& truth, const fs::path& detections) {
  Json ground{{"images", Json::array()}, {"annotations", Json::array()}, {"categories", Json::array()}};
  Json found = Json::array();
  for (const ScoredPicture& picture : pictures) {
    ground["images"].push_back({{"id", picture.id}, {"width", kWidth}, {"height", kHeight}});
    for (const Object& object : picture.truth)
      ground["annotations"].push_back(AnnotationJson(object, picture.id, ground["annotations"].size() + 1));
    for (const Detection& detection : picture.detections) found.push_back(DetectionJson(detection, picture.id));
  }
  const bool poses =
      !pictures.empty() && !pictures[0].detections.empty() && !pictures[0].detections[0].keypoints.empty();
  for (int c = 1; c <= (poses ? 1 : kClasses); ++c)
    ground["categories"].push_back({{"id", c}, {"name", std::to_string(c)}});
  WriteFileAtomic(truth, ground.dump());
  WriteFileAtomic(detections, found.dump());
}

}  // namespace hot
