// Where the file of a COCO split and its pictures lie.
#include <algorithm>
#include <fstream>

#include "core/error.h"
#include "core/text.h"
#include "data/coco.h"

namespace hot {
namespace {

bool IsFile(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

std::vector<fs::path> WithSubfolders(const fs::path& folder) {
  std::vector<fs::path> folders;
  std::error_code error;
  if (!fs::is_directory(folder, error)) return folders;
  for (const auto& entry : fs::directory_iterator(folder, fs::directory_options::skip_permission_denied)) {
    if (entry.is_directory()) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  folders.insert(folders.begin(), folder);
  return folders;
}

// Of COCO's own files those without boxes.
bool HasNoBoxes(const std::string& stem) {
  constexpr std::string_view kPrefixes[] = {"captions_", "image_info_", "panoptic_", "stuff_"};
  return std::ranges::any_of(kPrefixes, [&](std::string_view prefix) { return stem.starts_with(prefix); });
}

// Other JSON may lie beside pictures; COCO's begins with one of its lists or with "info".
bool LooksLikeCoco(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string head(4096, '\0');
  stream.read(head.data(), static_cast<std::streamsize>(head.size()));
  constexpr std::string_view kKeys[] = {"\"images\"", "\"annotations\"", "\"categories\"", "\"info\""};
  return std::ranges::any_of(kKeys, [&](std::string_view key) { return head.find(key) != std::string::npos; });
}

std::vector<fs::path> JsonFiles(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) return {};
  std::vector<fs::path> files = ListFiles(folder);
  std::erase_if(files, [](const fs::path& file) {
    return file.extension() != ".json" || HasNoBoxes(file.stem().string()) || !LooksLikeCoco(file);
  });
  return files;
}

[[noreturn]] void ThrowUnknownSplit(const DataSource& source) {
  const std::vector<std::string> known = CocoSplits(source.root);
  throw Error(Code::kNotFound, source.root.string(), "no split \"" + source.split + "\" here",
              known.empty() ? "expected annotations/*.json" : "splits here: " + JoinNames(known));
}

}  // namespace

std::vector<std::string> CocoSplits(const fs::path& root) {
  std::vector<std::string> names;
  for (const fs::path& base : WithSubfolders(root)) {
    for (const fs::path& file : JsonFiles(base / "annotations")) names.push_back(file.stem().string());
    if (base.filename() == "annotations") continue;
    for (const fs::path& file : JsonFiles(base)) names.push_back(file.lexically_relative(root).string());
  }
  return names;
}

CocoFile FindCocoFile(const DataSource& source) {
  const std::string name = fs::path(source.split).extension() == ".json" ? source.split : source.split + ".json";
  for (const fs::path& base : WithSubfolders(source.root)) {
    for (const fs::path& file :
         {base / "annotations" / name, base / name, base / "annotations" / ("instances_" + name)}) {
      if (IsFile(file)) return {file, base};
    }
  }
  if (IsFile(name)) return {name, source.root};
  ThrowUnknownSplit(source);
}

std::vector<fs::path> PictureFolders(const CocoFile& file, const fs::path& root) {
  const std::string stem = file.json.stem().string();
  std::vector<std::string> names{stem};
  for (const std::string prefix : {"instances_", "person_keypoints_", "keypoints_"}) {
    if (stem.starts_with(prefix)) names.push_back(stem.substr(prefix.size()));
  }
  std::vector<fs::path> folders;
  const fs::path beside = file.json.parent_path();
  if (beside != file.base && beside != file.base / "annotations") folders.push_back(beside);
  for (const fs::path& base : {file.base, root}) {
    for (const std::string& name : names) folders.insert(folders.end(), {base / "images" / name, base / name});
  }
  for (const fs::path& base : {file.base, root}) {
    for (const fs::path& top : {base / "images", base}) {
      for (const fs::path& folder : WithSubfolders(top)) folders.push_back(folder);
    }
  }
  return folders;
}

}  // namespace hot
