// Labelled pictures: what readers (VOC, COCO, image folders) give and what training, calibration and scoring read.
// Boxes are in pixels of the picture as stored, half-open: [x0, x1) x [y0, y1). Values; share const references.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/files.h"

namespace hot {

struct Box {
  // double: COCO's overlaps are computed in double, and equal ones decide matches.
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  double width() const { return x1 - x0; }
  double height() const { return y1 - y0; }
  double area() const { return width() > 0 && height() > 0 ? width() * height() : 0.0; }
};

// That of a whole picture.
inline Box BoxOfSize(double width, double height) { return {0, 0, width, height}; }

struct Keypoint {
  float x = 0, y = 0;
  int visibility = 0;  // COCO: 0 not labelled, 1 labelled but hidden, 2 visible
  bool is_labelled() const { return visibility > 0; }
};

struct Object {
  Box box;
  int label = 0;  // index into Dataset::classes (background is not a class)
  bool difficult = false;
  bool crowd = false;
  double area = 0;  // COCO's annotation area; box area where the format has none
  std::vector<Keypoint> keypoints;
  bool has_labelled_keypoint() const { return std::ranges::any_of(keypoints, &Keypoint::is_labelled); }
};

// The part of a picture that a top-down task looks at: see crops.h.
struct Crop {
  Box box;              // in pixels of the picture; may reach outside
  int64_t picture = 0;  // Sample::id of the picture
};

struct Sample {
  int64_t id = 0;    // stable: COCO image id, else a hash of the name
  std::string name;  // for messages
  fs::path image;
  int width = 0, height = 0;
  std::vector<Object> objects;
  std::optional<Crop> crop = std::nullopt;  // none: the whole picture is seen
};

struct Dataset {
  std::vector<std::string> classes;
  std::vector<std::string> keypoints;         // names, in the order of Object::keypoints; empty: there are none
  std::vector<std::pair<int, int>> skeleton;  // keypoints that are joined by a bone, for drawings
  std::vector<Sample> samples;
  std::vector<std::string> warnings;  // "file:line:col: degenerate box skipped", for the user to see once
};

enum class DataFormat { kVoc, kCoco, kImageFolders };
DataFormat ParseDataFormat(const std::string& name);  // "voc", "coco", "folders"; throws Error(kInvalidArgument)
std::string DataFormatName(DataFormat format);

// Two names of one class, each in a data set of its own: {"aeroplane", "airplane"}.
using ClassNames = std::pair<std::string, std::string>;

// A part of a split, by a seeded shuffle of its pictures: `fraction` of them, or (`rest`) all others.
struct Share {
  double fraction = 0.5;
  uint64_t seed = 0;
  bool rest = false;
};

// Where one split lies. VOC: `root` is a folder with Annotations/, JPEGImages/, ImageSets/Main/ (searched one level
// below too), or a folder with pictures and XML side by side; `split` is a name in ImageSets/Main, a folder below root,
// a .txt file, YEAR/NAME, or A+B. COCO: `split` is a JSON file below root/annotations (with or without .json), pictures
// are searched for in root/images, root/<split>, root and their subfolders. Image folders: root/<split>/<class>/*.jpg.
struct DataSource {
  DataFormat format = DataFormat::kVoc;
  fs::path root;
  std::string split;
  std::vector<std::string> classes;  // empty: all in the data, sorted by name, or (COCO) by category id
  // COCO: keypoints by name, in the order they shall have; empty: all of the category. Files that name none get these
  // names, and must have as many.
  std::vector<std::string> keypoints;
  // Set where `classes` are those of another data set. Then what only one of both has is left out: objects of other
  // classes are skipped, and a warning names the classes without an object. In what is set: names that differ.
  std::optional<std::vector<ClassNames>> shared = std::nullopt;
  std::optional<Share> share = std::nullopt;  // only this part of the split; classes are those of all
};

// Reads annotations only, no pixels. Throws hot::Error with file:line:column for broken XML or JSON, a missing
// picture, an unknown class (when `classes` is given), an empty split, or with `shared` no object at all. A box that is
// degenerate (no area), inverted or wholly outside is skipped with a warning; one that is partly outside is clipped.
// With `faults`, an annotation file of VOC that is broken or has no picture is left out and its error goes there.
Dataset ReadDataset(const DataSource& source, std::vector<std::string>* faults = nullptr);

// Looks at every picture's first bytes: throws Error(kDataLoss) for one that is empty or no picture.
void CheckPictures(const Dataset& dataset);

// Scores on pictures that were learned from mean nothing. `a_name` and `b_name` are for the message ("data.train").
// Files are compared, however their paths are written. Throws Error(kInvalidArgument) when all pictures of one are in
// the other; returns a warning when some are, else "".
std::string CheckDisjoint(const std::string& a_name, const Dataset& a, const std::string& b_name, const Dataset& b);

// Deterministic split: a seeded shuffle by sample id, `fraction` (at least one sample) goes to the second.
std::pair<Dataset, Dataset> SplitDataset(const Dataset& dataset, double fraction, uint64_t seed);

}  // namespace hot
