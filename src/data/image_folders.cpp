#include "data/image_folders.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "core/text.h"
#include "core/utf8.h"
#include "data/class_names.h"
#include "data/picture_finder.h"
#include "data/source_text.h"

namespace hot {
namespace {

std::vector<std::string> FolderNames(const fs::path& parent) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(parent)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && !name.starts_with('.')) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

fs::path SplitFolder(const DataSource& source) {
  const fs::path folder = source.root / source.split;
  if (fs::is_directory(folder)) return folder;
  throw Error(Code::kNotFound, folder.string(), "there is no such folder of pictures",
              NameHint(source.split, FolderNames(source.root)));
}

void CheckWanted(const fs::path& folder, const std::vector<std::string>& wanted,
                 const std::vector<std::string>& found) {
  for (const std::string& name : wanted) {
    if (std::ranges::binary_search(found, name)) continue;
    throw Error(Code::kInvalidArgument, folder.string(), "there is no folder of class \"" + name + "\"",
                NameHint(name, found));
  }
}

void CheckText(const fs::path& folder, const std::vector<std::string>& found) {
  for (const std::string& name : found) {
    if (Utf8Prefix(name) == name.size()) continue;
    throw Error(Code::kInvalidArgument, folder.string(),
                "the name of a class's folder is not UTF-8 text: \"" + name + "\"");
  }
}

// Sorted, also in folders below.
std::vector<fs::path> PicturesBelow(const fs::path& folder) {
  std::vector<fs::path> pictures;
  for (auto entry = fs::recursive_directory_iterator(folder); entry != fs::recursive_directory_iterator(); ++entry) {
    if (entry->is_directory()) {
      if (entry->path().filename().string().starts_with('.')) entry.disable_recursion_pending();
    } else if (IsPictureName(entry->path())) {
      pictures.push_back(entry->path());
    }
  }
  std::ranges::sort(pictures);
  return pictures;
}

// Whether at least two folders in it have pictures of their own.
bool HasClasses(const fs::path& folder) {
  return std::ranges::count_if(FolderNames(folder), [&](const std::string& name) {
           return std::ranges::any_of(ListFiles(folder / name), IsPictureName);
         }) >= 2;
}

Sample MakeSample(const fs::path& split, const fs::path& picture, int label) {
  Sample sample;
  sample.name = picture.lexically_relative(split).string();
  sample.id = static_cast<int64_t>(MixSeed(0, std::string_view(sample.name)) >> 1);
  sample.image = picture;
  sample.width = sample.height = 1;
  sample.objects = {{.box = BoxOfSize(1, 1), .label = label, .area = 1, .keypoints = {}}};
  return sample;
}

class Reader {
 public:
  explicit Reader(const DataSource& source) : source_(source), folder_(SplitFolder(source)) {}

  Dataset Read() {
    const std::vector<std::string> found = FolderNames(folder_);
    dataset_.classes = source_.classes.empty() ? found : source_.classes;
    CheckText(folder_, dataset_.classes);
    if (!source_.shared) CheckWanted(folder_, dataset_.classes, found);
    WarnOfStrays();
    AddClasses(found);
    if (dataset_.samples.empty() && !source_.shared) {
      throw Error(Code::kInvalidArgument, folder_.string(), "no class's folder has a picture",
                  "expected " + (folder_ / "CLASS" / "*.jpg").string());
    }
    return std::move(dataset_);
  }

 private:
  void WarnOfStrays() {
    const auto strays = std::ranges::count_if(ListFiles(folder_), IsPictureName);
    if (strays > 0) Warn(std::to_string(strays) + " pictures beside the classes' folders are left out");
  }

  void AddClasses(const std::vector<std::string>& found) {
    std::vector<std::string> others;
    for (const std::string& name : found) {
      const int label = FindClass(name, dataset_.classes, source_);
      label < 0 ? others.push_back(name) : AddClass(folder_ / name, label);
    }
    if (!others.empty() && !source_.shared) {
      Warn("folders that are left out, since they are no class: " + JoinNames(others));
    }
  }

  void AddClass(const fs::path& folder, int label) {
    const std::vector<fs::path> pictures = PicturesBelow(folder);
    for (const fs::path& picture : pictures) dataset_.samples.push_back(MakeSample(folder_, picture, label));
    if (!pictures.empty() || source_.shared) return;
    if (source_.classes.empty()) {
      throw Error(Code::kInvalidArgument, folder.string(), "there is no picture of this class",
                  "remove the folder, or say with data.classes which ones are classes");
    }
    dataset_.warnings.push_back(folder.string() + ": there is no picture of this class");
  }

  void Warn(const std::string& message) { dataset_.warnings.push_back(folder_.string() + ": " + message); }

  const DataSource& source_;
  const fs::path folder_;
  Dataset dataset_;
};

}  // namespace

std::vector<std::string> ImageFolderSplits(const fs::path& root) {
  if (HasClasses(root)) return {""};
  std::vector<std::string> names = FolderNames(root);
  std::erase_if(names, [&](const std::string& name) { return !HasClasses(root / name); });
  return names;
}

Dataset ReadImageFolders(const DataSource& source, std::vector<std::string>*) { return Reader(source).Read(); }

}  // namespace hot
