#include "data/voc.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <pugixml.hpp>

#include "core/error.h"
#include "core/hash.h"
#include "core/utf8.h"
#include "data/class_names.h"
#include "data/image.h"
#include "data/picture_finder.h"
#include "data/source_text.h"

namespace hot {
namespace {

struct VocObject {
  Object object;
  std::string name;
  size_t offset = 0;
};

// One annotation file.
class VocFile {
 public:
  explicit VocFile(const VocEntry& entry) : entry_(entry), text_(ReadFile(entry.xml)), lines_(entry.xml, text_) {
    const pugi::xml_parse_result result = document_.load_buffer(text_.data(), text_.size());
    if (!result) {
      throw Error(Code::kInvalidArgument, lines_.At(static_cast<size_t>(std::max<ptrdiff_t>(result.offset, 0))),
                  "broken XML: " + std::string(result.description()));
    }
    root_ = document_.child("annotation");
    if (!root_) Fail(document_.document_element(), "expected <annotation> as the outermost element");
  }

  Sample ReadSample(PictureFinder* finder) const {
    Sample sample;
    sample.name = entry_.name;
    sample.id = static_cast<int64_t>(MixSeed(0, std::string_view(entry_.name)) >> 1);
    sample.image = FindPicture(finder);
    sample.width = SizeOf("width");
    sample.height = SizeOf("height");
    if (sample.width <= 0 || sample.height <= 0) {  // labelling tools leave it out or write 0
      const auto [width, height] = ReadImageSize(sample.image);
      sample.width = width;
      sample.height = height;
    }
    return sample;
  }

  std::vector<VocObject> ReadObjects(const Sample& sample, std::vector<std::string>* warnings) const {
    std::vector<VocObject> objects;
    for (const pugi::xml_node node : root_.children("object")) {
      VocObject voc;
      voc.offset = OffsetOf(node.child("name"));
      voc.name = TrimmedText(Child(node, "name"));
      if (voc.name.empty()) Fail(node.child("name"), "the object has no class name");
      if (Utf8Prefix(voc.name) < voc.name.size()) Fail(node.child("name"), "the class name is not UTF-8 text");
      voc.object.difficult = TrimmedText(node.child("difficult")) == "1";
      const pugi::xml_node bounds = Child(node, "bndbox");
      const Box written{Coordinate(bounds, "xmin"), Coordinate(bounds, "ymin"), Coordinate(bounds, "xmax"),
                        Coordinate(bounds, "ymax")};
      voc.object.box = {written.x0 - 1, written.y0 - 1, written.x1, written.y1};
      const char* why = BoxFault(written);
      if (why == nullptr) why = ClipBox(sample.width, sample.height, &voc.object.box);
      if (why != nullptr) {
        warnings->push_back(Where(bounds) + ": box skipped: " + why + ": " + Describe(written));
        continue;
      }
      voc.object.area = voc.object.box.area();
      objects.push_back(std::move(voc));
    }
    return objects;
  }

  std::string At(size_t offset) const { return lines_.At(offset); }

 private:
  static size_t OffsetOf(const pugi::xml_node& node) {
    const ptrdiff_t offset = node.offset_debug();  // of the name, one behind '<'
    return offset > 0 ? static_cast<size_t>(offset - 1) : 0;
  }

  static std::string TrimmedText(const pugi::xml_node& node) {
    const std::string text = node.text().get();
    const size_t first = text.find_first_not_of(" \t\r\n");
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
  }

  static std::string Describe(const Box& box) {
    const auto number = [](double value) {
      std::string text = std::to_string(value);
      text.erase(text.find_last_not_of('0') + 1);
      if (text.back() == '.') text.pop_back();
      return text;
    };
    return std::string("(") + number(box.x0) + ", " + number(box.y0) + ") to (" + number(box.x1) + ", " +
           number(box.y1) + ")";
  }

  std::string Where(const pugi::xml_node& node) const { return lines_.At(OffsetOf(node)); }

  [[noreturn]] void Fail(const pugi::xml_node& node, const std::string& message) const {
    throw Error(Code::kInvalidArgument, Where(node), message);
  }

  pugi::xml_node Child(const pugi::xml_node& node, const char* name) const {
    const pugi::xml_node child = node.child(name);
    if (!child) Fail(node, std::string("<") + node.name() + "> has no <" + name + ">");
    return child;
  }

  double Coordinate(const pugi::xml_node& bounds, const char* name) const {
    const pugi::xml_node node = Child(bounds, name);
    const std::string text = TrimmedText(node);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
      Fail(node, std::string("<") + name + ">: expected a number, got \"" + text + "\"");
    }
    return value;
  }

  int SizeOf(const char* name) const {
    const pugi::xml_node node = root_.child("size").child(name);
    const std::string text = TrimmedText(node);
    if (text.empty()) return 0;
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0) {
      Fail(node, std::string("<") + name + ">: expected a number of pixels, got \"" + text + "\"");
    }
    return value;
  }

  fs::path FindPicture(PictureFinder* finder) const {
    const pugi::xml_node node = root_.child("filename");
    std::string name = TrimmedText(node);
    name.erase(0, name.find_last_of("/\\") + 1);  // npos + 1 is 0; some tools write whole paths of another machine
    if (!name.empty()) {
      if (const auto found = finder->Find(entry_.picture_folders, name)) return *found;
    }
    if (const auto found = finder->Find(entry_.picture_folders, entry_.xml.stem().string() + ".jpg")) return *found;
    throw Error(Code::kNotFound, Where(node ? node : root_),
                "picture \"" + (name.empty() ? entry_.xml.stem().string() + ".*" : name) + "\" is missing",
                "looked in " + entry_.picture_folders.front().string() + " and " + entry_.picture_folders[1].string());
  }

  const VocEntry& entry_;
  std::string text_;
  LineMap lines_;
  pugi::xml_document document_;
  pugi::xml_node root_;
};

// -1: to be left out.
int LabelOf(const VocObject& voc, const std::vector<std::string>& classes, const DataSource& source,
            const VocFile& file) {
  const int label = FindClass(voc.name, classes, source);
  if (label < 0 && !source.shared) {
    throw Error(Code::kInvalidArgument, file.At(voc.offset), "unknown class \"" + voc.name + "\"",
                NameHint(voc.name, classes));
  }
  return label;
}

// Without given classes: labels are indices into `seen` in order of appearance; sorts them by name.
void SortClasses(const std::vector<std::string>& seen, Dataset* dataset) {
  dataset->classes = seen;
  std::sort(dataset->classes.begin(), dataset->classes.end());
  std::vector<int> label_of(seen.size());
  for (size_t i = 0; i < seen.size(); ++i) {
    const auto at = std::lower_bound(dataset->classes.begin(), dataset->classes.end(), seen[i]);
    label_of[i] = static_cast<int>(at - dataset->classes.begin());
  }
  for (Sample& sample : dataset->samples) {
    for (Object& object : sample.objects) object.label = label_of[static_cast<size_t>(object.label)];
  }
}

// Adds the sample of one annotation file; `classes` grows where none are given.
void AddEntry(const VocEntry& entry, const DataSource& source, PictureFinder* finder, std::vector<std::string>* classes,
              Dataset* dataset) {
  const VocFile file(entry);
  Sample sample = file.ReadSample(finder);
  for (VocObject& voc : file.ReadObjects(sample, &dataset->warnings)) {
    if (source.classes.empty() && std::find(classes->begin(), classes->end(), voc.name) == classes->end()) {
      classes->push_back(voc.name);
    }
    voc.object.label = LabelOf(voc, *classes, source, file);
    if (voc.object.label >= 0) sample.objects.push_back(std::move(voc.object));
  }
  dataset->samples.push_back(std::move(sample));
}

}  // namespace

Dataset ReadVoc(const DataSource& source, std::vector<std::string>* faults) {
  Dataset dataset;
  const std::vector<VocEntry> entries = FindVocSplit(source, &dataset.warnings);
  PictureFinder finder;
  std::vector<std::string> classes = source.classes;
  for (const VocEntry& entry : entries) {
    try {
      AddEntry(entry, source, &finder, &classes, &dataset);
    } catch (const Error& error) {
      if (faults == nullptr) throw;
      faults->push_back(error.what());
    }
  }
  if (source.classes.empty()) {
    SortClasses(classes, &dataset);
  } else {
    dataset.classes = source.classes;
  }
  return dataset;
}

}  // namespace hot
