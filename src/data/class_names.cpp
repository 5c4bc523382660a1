#include "data/class_names.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "data/source_text.h"

namespace hot {
namespace {

int IndexOf(std::string_view name, const std::vector<std::string>& classes) {
  const auto found = std::find(classes.begin(), classes.end(), name);
  return found == classes.end() ? -1 : static_cast<int>(found - classes.begin());
}

}  // namespace

std::vector<ClassNames> ParseClassNames(const std::vector<std::string>& texts, const std::string& where) {
  std::vector<ClassNames> pairs;
  for (const std::string& text : texts) pairs.push_back(ParseNamePair(text, where, "aeroplane/airplane"));
  return pairs;
}

int FindClass(std::string_view name, const std::vector<std::string>& classes, const DataSource& source) {
  int label = IndexOf(name, classes);
  if (!source.shared) return label;
  for (const auto& [one, other] : *source.shared) {
    if (label < 0 && name == one) label = IndexOf(other, classes);
    if (label < 0 && name == other) label = IndexOf(one, classes);
  }
  return label;
}

void CheckSharedClasses(const DataSource& source, Dataset* dataset) {
  std::vector<bool> is_there(dataset->classes.size());
  for (const Sample& sample : dataset->samples) {
    for (const Object& object : sample.objects) is_there[static_cast<size_t>(object.label)] = true;
  }
  std::vector<std::string> missing;
  for (size_t i = 0; i < is_there.size(); ++i) {
    if (!is_there[i]) missing.push_back(dataset->classes[i]);
  }
  const std::string where = source.root.string() + ": " + source.split;
  if (missing.size() == is_there.size()) {
    throw Error(Code::kInvalidArgument, where, "no object of the classes " + JoinNames(missing),
                "data.same_classes says which names mean the same");
  }
  if (missing.empty()) return;
  dataset->warnings.push_back(where + ": no object of " + JoinNames(missing) + ": scored on the other " +
                              std::to_string(is_there.size() - missing.size()) + " classes");
}

}  // namespace hot
