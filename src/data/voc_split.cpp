// Where the annotation files of a VOC split lie.
#include <algorithm>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "core/error.h"
#include "core/text.h"
#include "data/picture_finder.h"
#include "data/source_text.h"
#include "data/voc.h"

namespace hot {
namespace {

bool IsFolder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool IsFile(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

std::vector<fs::path> Subfolders(const fs::path& folder) {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(folder, fs::directory_options::skip_permission_denied)) {
    if (entry.is_directory() && entry.path().filename().string().front() != '.') folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

// The root and the folders one level below it: archives often unpack into one folder more than expected.
std::vector<fs::path> Bases(const fs::path& root) {
  std::vector<fs::path> bases = Subfolders(root);
  bases.insert(bases.begin(), root);
  return bases;
}

std::vector<fs::path> XmlFiles(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const fs::path& file : ListFiles(folder)) {
    const std::string extension = file.extension().string();
    if (extension == ".xml" || extension == ".XML") files.push_back(file);
  }
  return files;
}

std::vector<VocEntry> EntriesOfFolder(const fs::path& folder) {
  const bool has_annotations = IsFolder(folder / "Annotations");
  std::vector<VocEntry> entries;
  for (const fs::path& xml : XmlFiles(has_annotations ? folder / "Annotations" : folder)) {
    entries.push_back({xml, xml.stem().string(), {folder / "JPEGImages", xml.parent_path(), folder / "images"}});
  }
  return entries;
}

// What can be given as split by name.
std::vector<std::string> KnownSplits(const fs::path& root) {
  std::vector<std::string> names;
  const auto add_folder = [&](const fs::path& folder) {
    if (folder.filename() != "Annotations" && !XmlFiles(folder).empty()) {
      names.push_back(folder.lexically_relative(root).string());
    }
  };
  for (const fs::path& base : Bases(root)) {
    const fs::path lists = base / "ImageSets" / "Main";
    for (const fs::path& list : IsFolder(lists) ? ListFiles(lists) : std::vector<fs::path>{}) {
      if (list.extension() == ".txt") names.push_back(list.stem().string());
    }
    if (base == root) continue;
    add_folder(base);
    for (const fs::path& folder : Subfolders(base)) add_folder(folder);
  }
  return names;
}

struct SplitList {
  fs::path file;
  fs::path base;  // the folder with Annotations, or with pictures and XML side by side
};

std::optional<SplitList> FindList(const DataSource& source) {
  const std::vector<fs::path> bases = Bases(source.root);
  const bool is_txt = fs::path(source.split).extension() == ".txt";
  const std::string name = is_txt ? source.split : source.split + ".txt";
  for (const fs::path& base : bases) {
    const fs::path list = base / "ImageSets" / "Main" / name;
    if (IsFile(list)) return SplitList{list, base};
  }
  if (!is_txt) return std::nullopt;
  const auto base =
      std::find_if(bases.begin(), bases.end(), [](const fs::path& p) { return IsFolder(p / "Annotations"); });
  for (const fs::path& list : {source.root / name, fs::path(name)}) {
    if (IsFile(list)) return SplitList{list, base == bases.end() ? source.root : *base};
  }
  return std::nullopt;
}

// Lists hold a name a line, maybe with a picture's extension, maybe with VOC's 1/-1 behind; names may have spaces.
std::optional<VocEntry> EntryOfLine(const std::string& line, const fs::path& base) {
  const fs::path folder = IsFolder(base / "Annotations") ? base / "Annotations" : base;
  std::vector<std::string> names{line};
  names.push_back(line.substr(0, line.find_first_of(" \t")));
  for (size_t i = 0; i < 2; ++i) {
    if (IsPictureName(names[i])) names.push_back(fs::path(names[i]).replace_extension().string());
  }
  for (const std::string& name : names) {
    const fs::path xml = folder / (name + ".xml");
    if (IsFile(xml)) return VocEntry{xml, name, {base / "JPEGImages", xml.parent_path(), base / "images"}};
  }
  return std::nullopt;
}

std::vector<VocEntry> EntriesOfList(const SplitList& list, std::vector<std::string>* warnings) {
  std::vector<VocEntry> entries;
  std::unordered_set<std::string> seen;
  std::istringstream text(ReadFile(list.file));
  int number = 0;
  for (std::string line; std::getline(text, line);) {
    const std::string where = list.file.string() + ":" + std::to_string(++number) + ":1";
    const size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos) continue;
    line = line.substr(first, line.find_last_not_of(" \t\r") + 1 - first);
    std::optional<VocEntry> entry = EntryOfLine(line, list.base);
    if (!entry)
      throw Error(Code::kNotFound, where, "\"" + line + "\" has no annotation file",
                  "looked below " + list.base.string());
    if (seen.insert(entry->name).second) {
      entries.push_back(std::move(*entry));
    } else {
      warnings->push_back(where + ": \"" + line + "\" is listed twice, the second one is skipped");
    }
  }
  return entries;
}

std::optional<std::vector<VocEntry>> Locate(const DataSource& source, std::vector<std::string>* warnings) {
  if (source.split.empty()) {
    for (const fs::path& base : Bases(source.root)) {
      if (IsFolder(base / "Annotations") || !XmlFiles(base).empty()) return EntriesOfFolder(base);
    }
    return std::nullopt;
  }
  if (const std::optional<SplitList> list = FindList(source)) return EntriesOfList(*list, warnings);
  for (const fs::path& base : Bases(source.root)) {
    const fs::path folder = base / source.split;
    if (IsFolder(folder) && (IsFolder(folder / "Annotations") || !XmlFiles(folder).empty()))
      return EntriesOfFolder(folder);
  }
  return std::nullopt;
}

// "VOC2007/trainval+VOC2012/trainval" -> its two parts. Throws Error(kInvalidArgument) for an empty or repeated one.
std::vector<std::string> Parts(const std::string& split) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= split.size();) {
    const size_t end = std::min(split.find('+', begin), split.size());
    std::string part = split.substr(begin, end - begin);
    part.erase(0, part.find_first_not_of(' '));
    part.erase(part.find_last_not_of(' ') + 1);
    const bool twice = std::find(parts.begin(), parts.end(), part) != parts.end();
    if (twice || (part.empty() && split.find('+') != std::string::npos)) {
      throw Error(Code::kInvalidArgument, "split \"" + split + "\"",
                  twice ? "\"" + part + "\" is named twice" : "a part is empty",
                  "expected parts like VOC2007/trainval+VOC2012/trainval");
    }
    parts.push_back(std::move(part));
    begin = end + 1;
  }
  return parts;
}

// FOLDER/SPLIT below the root is SPLIT of the data set in FOLDER, when that has lists of its own.
DataSource PartSource(DataSource source, const std::string& part) {
  source.split = part;
  const fs::path folder = fs::path(part).parent_path();
  for (const fs::path& base : Bases(source.root)) {
    if (folder.empty() || !IsFolder(base / folder / "ImageSets" / "Main")) continue;
    source.root = base / folder;
    source.split = fs::path(part).filename().string();
    break;
  }
  return source;
}

// The entries of one part of a split. Throws when there are none.
std::vector<VocEntry> FindPart(const DataSource& source, std::vector<std::string>* warnings) {
  const std::string what = source.split.empty() ? "no VOC annotations" : "no split \"" + source.split + "\"";
  std::optional<std::vector<VocEntry>> entries = Locate(source, warnings);
  if (!entries) {
    const std::vector<std::string> known = KnownSplits(source.root);
    const std::string hint = known.empty()
                                 ? "expected Annotations/ and ImageSets/Main/, or pictures with XML beside them"
                                 : "splits here: " + JoinNames(known);
    throw Error(Code::kNotFound, source.root.string(), what + " here", hint);
  }
  if (entries->empty()) {
    throw Error(Code::kInvalidArgument, source.root.string(), "split \"" + source.split + "\" has no pictures");
  }
  return std::move(*entries);
}

}  // namespace

std::vector<std::string> VocSplits(const fs::path& root) {
  std::vector<std::string> names = KnownSplits(root), warnings;
  if (Locate({.root = root, .split = ""}, &warnings)) names.emplace_back();
  return names;
}

std::vector<VocEntry> FindVocSplit(const DataSource& source, std::vector<std::string>* warnings) {
  const bool whole = FindList(source) || IsFolder(source.root / source.split);  // a name may have a '+'
  const std::vector<std::string> parts = whole ? std::vector{source.split} : Parts(source.split);
  if (parts.size() == 1) return FindPart(PartSource(source, parts[0]), warnings);
  std::vector<VocEntry> entries;
  std::unordered_map<std::string, std::string> part_of;  // annotation file -> the part that had it first
  for (const std::string& part : parts) {
    for (VocEntry& entry : FindPart(PartSource(source, part), warnings)) {
      const auto [first, is_new] = part_of.emplace(entry.xml.lexically_normal().string(), part);
      if (is_new) {
        entry.name = part + ": " + entry.name;  // years number their pictures alike
        entries.push_back(std::move(entry));
      } else {
        warnings->push_back(entry.xml.string() + ": is in " + first->second + " and in " + part +
                            ", the second one is skipped");
      }
    }
  }
  return entries;
}

}  // namespace hot
