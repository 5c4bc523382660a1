#include "data/image_folders.h"

#include <algorithm>
#include <tuple>

#include "core/error.h"
#include "core/hash.h"
#include "data/image.h"
#include "data/picture_finder.h"

namespace hot {
namespace {

std::vector<std::string> FolderNames(const fs::path& parent) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(parent, fs::directory_options::skip_permission_denied)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && name.front() != '.') names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

fs::path SplitFolder(const DataSource& source) {
  const fs::path folder = source.root / source.split;
  if (fs::is_directory(folder)) return folder;
  throw Error(Code::kNotFound, folder.string(), "no such folder of pictures",
              "there are: " + Joined(FolderNames(source.root)));
}

std::vector<std::string> ClassesOf(const DataSource& source, const fs::path& folder) {
  const std::vector<std::string> found = FolderNames(folder);
  if (source.classes.empty()) return found;
  for (const std::string& name : source.classes) {
    if (std::binary_search(found.begin(), found.end(), name)) continue;
    throw Error(Code::kInvalidArgument, folder.string(), "no folder for class \"" + name + "\"",
                "there are: " + Joined(found));
  }
  return source.classes;
}

std::vector<fs::path> Pictures(const fs::path& folder) {
  std::vector<fs::path> pictures = ListFiles(folder);
  std::erase_if(pictures, [](const fs::path& file) { return !IsPictureName(file); });
  std::sort(pictures.begin(), pictures.end());
  return pictures;
}

Sample MakeSample(const fs::path& picture, const std::string& class_name, int label) {
  Sample sample;
  sample.name = class_name + "/" + picture.filename().string();
  sample.id = static_cast<int64_t>(MixSeed(0, std::string_view(sample.name)) >> 1);
  sample.image = picture;
  std::tie(sample.width, sample.height) = ReadImageSize(picture);
  Object whole;
  whole.box = {0, 0, static_cast<double>(sample.width), static_cast<double>(sample.height)};
  whole.area = whole.box.area();
  whole.label = label;
  sample.objects = {whole};
  return sample;
}

}  // namespace

Dataset ReadImageFolders(const DataSource& source) {
  const fs::path folder = SplitFolder(source);
  Dataset dataset;
  dataset.classes = ClassesOf(source, folder);
  if (const size_t stray = Pictures(folder).size(); stray > 0) {
    dataset.warnings.push_back(folder.string() + ": " + std::to_string(stray) +
                               " pictures lie in no class's folder and are left out");
  }
  for (size_t label = 0; label < dataset.classes.size(); ++label) {
    const std::string& name = dataset.classes[label];
    for (const fs::path& picture : Pictures(folder / name))
      dataset.samples.push_back(MakeSample(picture, name, static_cast<int>(label)));
  }
  if (dataset.samples.empty()) {
    throw Error(Code::kInvalidArgument, folder.string(), "there is no picture in a class's folder",
                "expected " + (folder / "CLASS" / "*.jpg").string());
  }
  return dataset;
}

}  // namespace hot
