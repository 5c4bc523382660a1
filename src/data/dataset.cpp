#include "data/dataset.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include "core/error.h"
#include "core/hash.h"
#include "data/class_names.h"
#include "data/coco.h"
#include "data/image.h"
#include "data/image_folders.h"
#include "data/voc.h"

namespace hot {
namespace {

void CheckClasses(const std::vector<std::string>& classes) {
  std::vector<std::string> sorted = classes;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) throw Error(Code::kInvalidArgument, "classes", "class \"" + *twice + "\" is named twice");
}

struct Format {
  DataFormat format;
  std::string_view name;
  Dataset (*read)(const DataSource&, std::vector<std::string>* faults);
};
constexpr std::array<Format, 3> kFormats{{{DataFormat::kVoc, "voc", ReadVoc},
                                          {DataFormat::kCoco, "coco", ReadCoco},
                                          {DataFormat::kImageFolders, "folders", ReadImageFolders}}};

const Format& FormatOf(DataFormat format) { return *std::ranges::find(kFormats, format, &Format::format); }

// Of a file, however its path is written; a path that leads nowhere stays what it is.
std::string CanonicalPath(const fs::path& path) {
  std::error_code error;
  const fs::path canonical = fs::weakly_canonical(path, error);
  return (error ? path : canonical).string();
}

}  // namespace

DataFormat ParseDataFormat(const std::string& name) {
  const auto* const found = std::ranges::find(kFormats, name, &Format::name);
  if (found != kFormats.end()) return found->format;
  throw Error(Code::kInvalidArgument, "data.format", "unknown format \"" + name + "\"", "known: voc, coco, folders");
}

std::string DataFormatName(DataFormat format) { return std::string(FormatOf(format).name); }

Dataset ReadDataset(const DataSource& source, std::vector<std::string>* faults) {
  std::error_code error;
  if (!fs::is_directory(source.root, error)) {
    throw Error(Code::kNotFound, source.root.string(), "the data folder does not exist", "check data.root");
  }
  CheckClasses(source.classes);
  try {
    Dataset dataset = FormatOf(source.format).read(source, faults);
    if (source.shared) CheckSharedClasses(source, &dataset);
    if (!source.share) return dataset;
    auto parts = SplitDataset(dataset, source.share->fraction, source.share->seed);
    return source.share->rest ? parts.first : parts.second;
  } catch (const fs::filesystem_error& failure) {
    throw Error(Code::kPermissionDenied, failure.path1().string(), failure.code().message());
  }
}

void CheckPictures(const Dataset& dataset) {
  for (const Sample& sample : dataset.samples) CheckIsPicture(sample.image);
}

std::string CheckDisjoint(const std::string& a_name, const Dataset& a, const std::string& b_name, const Dataset& b) {
  std::unordered_set<std::string> pictures;
  for (const Sample& sample : a.samples) pictures.insert(CanonicalPath(sample.image));
  size_t shared = 0;
  std::string example;
  for (const Sample& sample : b.samples) {
    if (!pictures.contains(CanonicalPath(sample.image))) continue;
    if (++shared == 1) example = sample.image.string();
  }
  if (shared == 0) return "";
  const std::string count = std::to_string(shared) + " of " + std::to_string(b.samples.size());
  const std::string text = count + " pictures are in " + a_name + " too";
  if (shared == pictures.size() || shared == b.samples.size()) {
    throw Error(Code::kInvalidArgument, b_name, text, "scores on pictures that were learned from mean nothing");
  }
  return b_name + ": " + text + ", such as " + example + ": scores will be too good";
}

std::pair<Dataset, Dataset> SplitDataset(const Dataset& dataset, double fraction, uint64_t seed) {
  const size_t count = dataset.samples.size();
  if (!(fraction > 0 && fraction < 1)) {
    throw Error(Code::kInvalidArgument, "data.val_fraction",
                "the split fraction must lie between 0 and 1, got " + std::to_string(fraction));
  }
  if (count < 2) throw Error(Code::kInvalidArgument, "data.train", "one picture can't be split into train and val");
  const auto wanted = static_cast<size_t>(std::llround(fraction * static_cast<double>(count)));
  const size_t second = std::clamp<size_t>(wanted, 1, count - 1);

  // Sorting by a hash of the id is a shuffle that does not depend on the order in which the pictures were read.
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  const auto rank = [&](size_t i) {
    const Sample& sample = dataset.samples[i];
    return std::make_pair(MixSeed(seed, static_cast<uint64_t>(sample.id)), std::string_view(sample.name));
  };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return rank(a) < rank(b); });
  std::vector<bool> is_second(count, false);
  for (size_t i = 0; i < second; ++i) is_second[order[i]] = true;

  std::pair<Dataset, Dataset> parts;
  for (Dataset* part : {&parts.first, &parts.second}) {
    part->classes = dataset.classes;
    part->keypoints = dataset.keypoints;
    part->skeleton = dataset.skeleton;
  }
  parts.first.warnings = dataset.warnings;
  for (size_t i = 0; i < count; ++i) {
    (is_second[i] ? parts.second : parts.first).samples.push_back(dataset.samples[i]);
  }
  return parts;
}

}  // namespace hot
