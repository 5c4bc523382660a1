#include "data/coco.h"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>

#include "core/error.h"
#include "core/text.h"
#include "data/class_names.h"
#include "data/coco_json.h"
#include "data/coco_keypoints.h"
#include "data/image.h"
#include "data/picture_finder.h"
#include "data/source_text.h"

namespace hot {
namespace {

using nlohmann::json;

constexpr size_t kMaxWarnings = 50;
constexpr int64_t kMaxSide = 1 << 20;

// What a message says about a value of the wrong type: lists and objects may be of any size and depth.
std::string KindOf(const json& value) {
  if (value.is_array()) return "a list";
  if (value.is_object()) return "an object";
  const std::string text = value.dump();
  return text.size() > 60 ? text.substr(0, 60) + "..." : text;
}

// Typed access to the members of one element; every error has its place.
class Members {
 public:
  Members(std::string_view list, const CocoElement& element, const LineMap& lines)
      : list_(list), element_(element), lines_(lines) {}

  [[noreturn]] void Fail(const std::string& message) const {
    throw Error(Code::kInvalidArgument, lines_.At(element_.offset), std::string(list_) + ": " + message);
  }

  const json* Find(const char* name) const {
    const auto found = element_.value.find(name);
    return found == element_.value.end() || found->is_null() ? nullptr : &*found;
  }

  int64_t Integer(const char* name) const {
    const json* value = Find(name);
    if (value == nullptr) Fail("\"" + std::string(name) + "\" is missing");
    if (!value->is_number_integer()) Fail("\"" + std::string(name) + "\": expected an integer, got " + KindOf(*value));
    return value->get<int64_t>();
  }

  // A picture's width or height; 0 when it is missing.
  int Pixels(const char* name) const {
    const int64_t pixels = Find(name) == nullptr ? 0 : Integer(name);
    if (pixels < 0 || pixels > kMaxSide)
      Fail("\"" + std::string(name) + "\": no size of a picture: " + std::to_string(pixels));
    return static_cast<int>(pixels);
  }

  std::string Text(const char* name) const {
    const json* value = Find(name);
    if (value == nullptr) Fail("\"" + std::string(name) + "\" is missing");
    if (!value->is_string()) Fail("\"" + std::string(name) + "\": expected a string, got " + KindOf(*value));
    return value->get<std::string>();
  }

  std::vector<double> Numbers(const char* name) const {
    std::vector<double> numbers;
    const json* value = Find(name);
    if (value == nullptr) return numbers;
    if (!value->is_array()) Fail("\"" + std::string(name) + "\": expected a list of numbers");
    for (const json& number : *value) {
      if (!number.is_number()) Fail("\"" + std::string(name) + "\": expected numbers, got " + KindOf(number));
      numbers.push_back(number.get<double>());
    }
    return numbers;
  }

  std::vector<std::string> Names(const char* name) const {
    std::vector<std::string> names;
    const json* value = Find(name);
    if (value == nullptr) return names;
    if (!value->is_array()) Fail("\"" + std::string(name) + "\": expected a list of names");
    for (const json& one : *value) {
      if (!one.is_string()) Fail("\"" + std::string(name) + "\": expected names");
      names.push_back(one.get<std::string>());
    }
    return names;
  }

  // Of a category.
  CategoryKeypoints Keypoints() const {
    CategoryKeypoints keypoints{.names = Names("keypoints"), .skeleton = {}};
    for (const std::string& name : keypoints.names) {
      if (std::count(keypoints.names.begin(), keypoints.names.end(), name) > 1) {
        Fail("keypoint \"" + name + "\" is named twice");
      }
    }
    if (!keypoints.names.empty()) keypoints.skeleton = Bones(keypoints.names.size());
    return keypoints;
  }

 private:
  // Pairs of keypoints, in the file counted from 1.
  std::vector<std::pair<int, int>> Bones(size_t keypoints) const {
    std::vector<std::pair<int, int>> bones;
    const json* skeleton = Find("skeleton");
    if (skeleton == nullptr || !skeleton->is_array()) return bones;
    const auto is_end = [&](const json& end) { return end.is_number_integer() && end >= 1 && end <= keypoints; };
    for (const json& bone : *skeleton) {
      if (!bone.is_array() || bone.size() != 2 || !is_end(bone[0]) || !is_end(bone[1])) {
        Fail("\"skeleton\": expected pairs of numbers from 1 to " + std::to_string(keypoints));
      }
      bones.emplace_back(bone[0].get<int>() - 1, bone[1].get<int>() - 1);
    }
    return bones;
  }

  std::string_view list_;
  const CocoElement& element_;
  const LineMap& lines_;
};

// Collects the three lists, whatever their order in the file, then joins them.
class CocoReader {
 public:
  CocoReader(const DataSource& source, const CocoFile& file)
      : source_(source),
        text_(ReadFile(file.json)),
        lines_(file.json, text_),
        folders_(PictureFolders(file, source.root)) {}

  Dataset Read() {
    WalkCocoJson(text_, lines_, [this](std::string_view list, CocoElement element) { Visit(list, element); });
    if (dataset_.samples.empty()) throw Error(Code::kInvalidArgument, lines_.At(0), "\"images\" is missing or empty");
    if (categories_.empty()) {
      throw Error(Code::kInvalidArgument, lines_.At(0), "\"categories\" is missing or empty",
                  "use an instances or keypoints file");
    }
    ChooseClasses();
    ChooseCategoryKeypoints();
    for (const Pending& pending : pending_) Join(pending);
    SummarizeWarnings();
    return std::move(dataset_);
  }

 private:
  struct Category {
    std::string name;
    CategoryKeypoints keypoints;
    int label = -1;  // -1: not asked for
  };
  struct Pending {
    Object object;
    int64_t image_id = 0, category_id = 0;
    size_t offset = 0;
  };

  void Visit(std::string_view list, const CocoElement& element) {
    const Members members(list, element, lines_);
    if (list == "images") {
      AddImage(members, element.offset);
    } else if (list == "categories") {
      AddCategory(members);
    } else {
      AddAnnotation(members, element.offset);
    }
  }

  void AddImage(const Members& members, size_t offset) {
    Sample sample;
    sample.id = members.Integer("id");
    sample.name = members.Text("file_name");
    const std::optional<fs::path> picture = finder_.Find(folders_, sample.name);
    if (!picture) {
      throw Error(Code::kNotFound, lines_.At(offset), "picture \"" + sample.name + "\" is missing",
                  "looked below " + source_.root.string());
    }
    sample.image = *picture;
    sample.width = members.Pixels("width");
    sample.height = members.Pixels("height");
    if (sample.width <= 0 || sample.height <= 0) std::tie(sample.width, sample.height) = ReadImageSize(*picture);
    if (!sample_of_.try_emplace(sample.id, dataset_.samples.size()).second) {
      members.Fail("id " + std::to_string(sample.id) + " is used twice");
    }
    dataset_.samples.push_back(std::move(sample));
  }

  void AddCategory(const Members& members) {
    const int64_t id = members.Integer("id");
    const std::string name = members.Text("name");
    for (const auto& [other_id, other] : categories_) {
      if (other_id == id) members.Fail("id " + std::to_string(id) + " is used twice");
      if (other.name == name) members.Fail("name \"" + name + "\" is used twice");
    }
    categories_[id] = {.name = name, .keypoints = members.Keypoints()};
  }

  void AddAnnotation(const Members& members, size_t offset) {
    Pending pending;
    pending.offset = offset;
    pending.image_id = members.Integer("image_id");
    pending.category_id = members.Integer("category_id");
    const std::vector<double> box = members.Numbers("bbox");
    if (box.size() != 4)
      members.Fail("\"bbox\": expected [x, y, width, height], got " + std::to_string(box.size()) + " numbers");
    Object& object = pending.object;
    object.box = {box[0], box[1], box[0] + box[2], box[1] + box[3]};
    const json* crowd = members.Find("iscrowd");
    object.crowd = crowd != nullptr && (crowd->is_boolean() ? crowd->get<bool>() : members.Integer("iscrowd") != 0);
    const json* area = members.Find("area");
    if (area != nullptr && !area->is_number()) members.Fail("\"area\": expected a number, got " + KindOf(*area));
    object.area = area != nullptr ? area->get<double>() : box[2] * box[3];
    const std::vector<double> points = members.Numbers("keypoints");
    if (points.size() % 3 != 0) members.Fail("\"keypoints\": expected x, y, visibility triples");
    for (size_t i = 0; i < points.size(); i += 3) {
      object.keypoints.push_back({static_cast<float>(points[i]), static_cast<float>(points[i + 1]),
                                  static_cast<int>(std::clamp(points[i + 2], 0.0, 2.0))});
    }
    pending_.push_back(std::move(pending));
  }

  void ChooseClasses() {
    std::vector<std::string> names;  // std::map: by category id
    for (const auto& [id, category] : categories_) names.push_back(category.name);
    dataset_.classes = source_.classes.empty() ? names : source_.classes;
    for (const std::string& wanted : dataset_.classes) {
      if (!source_.shared && std::find(names.begin(), names.end(), wanted) == names.end()) {
        throw Error(Code::kInvalidArgument, lines_.At(0), "no category \"" + wanted + "\" in this file",
                    NameHint(wanted, names));
      }
    }
    for (auto& [id, category] : categories_) category.label = FindClass(category.name, dataset_.classes, source_);
  }

  // Keypoints of a category that names none: as many as its first annotation has, by the names that are wanted, or by
  // their numbers.
  void NameKeypoints(Category& category, size_t count) const {
    if (!category.keypoints.names.empty() || count == 0) return;
    category.keypoints.names = source_.keypoints;
    for (size_t i = 1; source_.keypoints.empty() && i <= count; ++i) {
      category.keypoints.names.push_back(std::to_string(i));
    }
  }

  // Classes whose keypoints differ have none in common: then the data set as a whole has none.
  void ChooseCategoryKeypoints() {
    for (const Pending& pending : pending_) {
      const auto category = categories_.find(pending.category_id);
      if (category != categories_.end()) NameKeypoints(category->second, pending.object.keypoints.size());
    }
    bool is_first = true;
    for (auto& [id, category] : categories_) {
      if (category.label < 0) continue;
      ChooseKeypoints(source_.keypoints, category.name, lines_.At(0), &category.keypoints);
      if (category.keypoints.names.empty()) continue;
      std::vector<std::string> names;
      for (const size_t index : category.keypoints.order) names.push_back(category.keypoints.names[index]);
      if (is_first) {
        dataset_.keypoints = names;
        dataset_.skeleton = ChosenSkeleton(category.keypoints);
      } else if (dataset_.keypoints != names) {
        dataset_.keypoints.clear();
        dataset_.skeleton.clear();
      }
      is_first = false;
    }
  }

  void Join(const Pending& pending) {
    const auto category = categories_.find(pending.category_id);
    if (category == categories_.end()) {
      throw Error(Code::kInvalidArgument, lines_.At(pending.offset),
                  "unknown category_id " + std::to_string(pending.category_id));
    }
    const auto sample = sample_of_.find(pending.image_id);
    if (sample == sample_of_.end()) {
      Warn(pending.offset, "object skipped: image_id " + std::to_string(pending.image_id) + " is not among the images");
      return;
    }
    if (category->second.label < 0) return;
    Sample& picture = dataset_.samples[sample->second];
    Object object = pending.object;
    object.label = category->second.label;
    object.keypoints = ChosenKeypoints(object.keypoints, category->second.keypoints, lines_.At(pending.offset));
    if (const char* why = ClipBox(picture.width, picture.height, &object.box)) {
      Warn(pending.offset, std::string("box skipped: ") + why);
      return;
    }
    picture.objects.push_back(std::move(object));
  }

  void Warn(size_t offset, const std::string& message) {
    if (++warning_count_ <= kMaxWarnings) dataset_.warnings.push_back(lines_.At(offset) + ": " + message);
  }

  void SummarizeWarnings() {
    if (warning_count_ <= kMaxWarnings) return;
    dataset_.warnings.push_back(source_.root.string() + ": " + std::to_string(warning_count_ - kMaxWarnings) +
                                " more objects skipped");
  }

  const DataSource& source_;
  std::string text_;
  LineMap lines_;
  std::vector<fs::path> folders_;
  PictureFinder finder_;
  Dataset dataset_;
  std::unordered_map<int64_t, size_t> sample_of_;
  std::map<int64_t, Category> categories_;
  std::vector<Pending> pending_;
  size_t warning_count_ = 0;
};

}  // namespace

Dataset ReadCoco(const DataSource& source, std::vector<std::string>*) {
  return CocoReader(source, FindCocoFile(source)).Read();
}

}  // namespace hot
