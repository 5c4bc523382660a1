#include "data/layout.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "core/error.h"
#include "core/text.h"
#include "data/coco.h"
#include "data/image_folders.h"
#include "data/picture_finder.h"
#include "data/voc.h"

namespace hot {
namespace {

constexpr size_t kFilesToLookAt = 20'000;  // for the message of a folder without labels

struct Content {
  size_t files = 0, pictures = 0, yolo_labels = 0;
};

Content ContentOf(const fs::path& root) {
  Content content;
  std::error_code error;
  const auto options = fs::directory_options::skip_permission_denied;
  for (auto it = fs::recursive_directory_iterator(root, options, error);
       !error && it != fs::recursive_directory_iterator() && content.files < kFilesToLookAt; it.increment(error)) {
    std::error_code no_file;
    if (!it->is_regular_file(no_file)) continue;
    ++content.files;
    if (IsPictureName(it->path())) ++content.pictures;
    const bool label =
        it->path().extension() == ".txt" && it->path().parent_path().string().find("labels") != std::string::npos;
    if (label) ++content.yolo_labels;
  }
  return content;
}

[[noreturn]] void ThrowNoLayout(const fs::path& root) {
  const Content content = ContentOf(root);
  const std::string where = root.string();
  const std::string wanted =
      "expected pictures with XML beside them or in Annotations/ (VOC), annotations/*.json (COCO), or a folder of "
      "pictures for each class";
  if (content.files == 0) throw Error(Code::kNotFound, where, "there is no file in this folder", wanted);
  const std::string pictures = std::to_string(content.pictures) + " pictures";
  if (content.yolo_labels > 0) {
    throw Error(Code::kInvalidArgument, where, pictures + " with labels in YOLO's text files, which hot does not read",
                "convert them to COCO's JSON or VOC's XML, which every labelling tool exports");
  }
  if (content.pictures == 0) throw Error(Code::kInvalidArgument, where, "there is no picture in this folder", wanted);
  throw Error(Code::kInvalidArgument, where, pictures + ", but no labels", wanted);
}

std::string LowerName(const std::string& split) {
  std::string name = split;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

enum class Role { kNone, kTrain, kVal, kTest };

Role RoleOf(const std::string& text) {
  const auto has = [&](const char* word) { return text.find(word) != std::string::npos; };
  if (has("train")) return Role::kTrain;
  if (has("test")) return Role::kTest;
  if (has("val") || has("dev")) return Role::kVal;
  return Role::kNone;
}

// Of its last component, else of all: "train/_annotations.coco.json".
Role RoleOfSplit(const std::string& split) {
  const std::string name = LowerName(split);
  const Role last = RoleOf(fs::path(name).filename().string());
  return last != Role::kNone ? last : RoleOf(name);
}

bool IsTrainVal(const std::string& split) { return LowerName(split).find("trainval") != std::string::npos; }

// The shortest name of a role (lists of VOC's single classes have longer ones); "trainval" before all others.
std::optional<std::string> Find(const std::vector<std::string>& splits, Role role) {
  std::optional<std::string> best;
  const auto rank = [](const std::string& name) { return std::pair(!IsTrainVal(name), name.size()); };
  for (const std::string& split : splits) {
    if (RoleOfSplit(split) != role) continue;
    if (!best || rank(split) < rank(*best)) best = split;
  }
  return best;
}

}  // namespace

std::vector<DataLayout> FindLayouts(const fs::path& root) {
  std::error_code error;
  if (!fs::is_directory(root, error)) {
    throw Error(Code::kNotFound, root.string(), fs::exists(root, error) ? "is not a folder" : "does not exist",
                "name the folder of the labelled pictures");
  }
  try {
    std::vector<DataLayout> layouts{{DataFormat::kVoc, VocSplits(root)},
                                    {DataFormat::kCoco, CocoSplits(root)},
                                    {DataFormat::kImageFolders, ImageFolderSplits(root)}};
    std::erase_if(layouts, [](const DataLayout& layout) { return layout.splits.empty(); });
    if (layouts.empty()) ThrowNoLayout(root);
    return layouts;
  } catch (const fs::filesystem_error& failure) {
    throw Error(Code::kPermissionDenied, failure.path1().string(), failure.code().message(),
                "give this user the right to read it");
  }
}

SplitRoles AssignRoles(const std::vector<std::string>& splits) {
  const auto train = Find(splits, Role::kTrain), val = Find(splits, Role::kVal), test = Find(splits, Role::kTest);
  if (train) {
    const std::string other = IsTrainVal(*train) ? "" : val.value_or("");
    return test ? SplitRoles{*train, other, *test} : SplitRoles{*train, "", other};
  }
  const bool has_all = std::ranges::count(splits, std::string()) > 0;
  if (has_all || splits.size() == 1) return {has_all ? "" : splits.front(), "", ""};
  throw Error(Code::kInvalidArgument, "data.train", "no split's name says that it is for training",
              "say so: --train NAME --test NAME; splits here: " + JoinNames(splits));
}

}  // namespace hot
