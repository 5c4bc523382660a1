#include "config/study_reader.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <functional>

#include "config/value.h"
#include "core/error.h"
#include "core/utf8.h"

namespace hot {
namespace {

bool IsSection(const std::string& name) {
  return std::ranges::any_of(AllOptions(), [&](const Option& option) { return option.name.starts_with(name + "."); });
}

std::string UnknownKeyHint(const std::string& name) {
  if (const std::optional<std::string> nearest = NearestOption(name)) return "did you mean " + *nearest + "?";
  return "docs/formats/study.md lists all keys";
}

std::string FirstLine(std::string text) {
  const size_t end = text.find('\n');
  return end == std::string::npos ? text : text.substr(0, end);
}

std::string LineColumn(const YAML::Mark& mark) {
  return std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
}

// Comma-separated, brackets optional; items are trimmed.
std::vector<RawScalar> SplitList(std::string_view text, const std::string& place) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  std::vector<RawScalar> items;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    items.push_back({std::string(item), place});
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

bool IsHyper(const Option& option) { return std::holds_alternative<HyperRange& (*)(Study&)>(option.field); }

// `place` says where a value stands.
template <typename Place>
void ReadMap(const YAML::Node& map, RawValue& raw, const Place& place) {
  raw.kind = RawValue::Kind::kMap;
  for (const auto& entry : map) {
    if (!entry.first.IsScalar() || !entry.second.IsScalar()) {
      throw Error(Code::kInvalidArgument, raw.place, raw.prefix + "expected one value a key");
    }
    raw.keys.push_back({entry.first.Scalar(), place(entry.first)});
    raw.items.push_back({entry.second.Scalar(), place(entry.second)});
  }
}

bool IsSpace(const Option& option) { return std::holds_alternative<Space& (*)(Study&)>(option.field); }

// What ReadTree() needs to know on its way down; `place` says where a node stands.
struct TreePlaces {
  std::string prefix;
  std::function<std::string(const YAML::Node&)> place;
};

RawScalar ReadKey(const YAML::Node& key, const TreePlaces& places) {
  if (key.IsScalar()) return {key.Scalar(), places.place(key)};
  throw Error(Code::kInvalidArgument, places.place(key), places.prefix + "expected a key, got a list or a map");
}

// A value with lists and maps in it, as deep as model.space goes: slots, items, keys of a combination, their values.
RawValue ReadTree(const YAML::Node& node, const TreePlaces& places, int depth = 0) {
  constexpr int kDeepest = 4;
  RawValue raw{.kind = RawValue::Kind::kNothing, .items = {}, .place = places.place(node), .prefix = places.prefix};
  if (node.IsScalar()) {
    raw.kind = RawValue::Kind::kScalar;
    raw.items.push_back({node.Scalar(), raw.place});
  }
  if (depth == kDeepest || !(node.IsMap() || node.IsSequence())) return raw;
  raw.kind = node.IsMap() ? RawValue::Kind::kMap : RawValue::Kind::kList;
  for (const auto& entry : node) {
    if (node.IsMap()) raw.keys.push_back(ReadKey(entry.first, places));
    raw.nested.push_back(ReadTree(node.IsMap() ? entry.second : entry, places, depth + 1));
  }
  return raw;
}

RawValue SpaceOverride(const std::string& text, const std::string& place) {
  try {
    return ReadTree(YAML::Load(text), {.prefix = "", .place = [&](const YAML::Node&) { return place; }});
  } catch (const YAML::Exception&) {
    throw Error(Code::kInvalidArgument, place, "expected slots such as {slot2: [irb-k3-e6]}, got " + Quoted(text));
  }
}

RawValue RangeOverride(const std::string& text, const std::string& place) {
  RawValue raw{.kind = RawValue::Kind::kMap, .items = {}, .place = place, .prefix = ""};
  try {
    ReadMap(YAML::Load(text), raw, [&](const YAML::Node&) { return place; });
  } catch (const YAML::Exception&) {
    throw Error(Code::kInvalidArgument, place, "expected a range such as {low: 1e-4, high: 1e-2}, got \"" + text + '"');
  }
  return raw;
}

RawValue RawOverride(const Option& option, std::string_view text, const std::string& place) {
  RawValue raw{.kind = RawValue::Kind::kScalar, .items = {}, .place = place, .prefix = ""};
  if (IsSpace(option)) return SpaceOverride(std::string(text), place);
  if (IsHyper(option) && text.starts_with('{')) return RangeOverride(std::string(text), place);
  if (IsListOption(option) || IsHyper(option)) {
    raw.kind = RawValue::Kind::kList;
    raw.items = SplitList(text, place);
  } else if (text.empty() && !std::holds_alternative<std::string& (*)(Study&)>(option.field)) {
    raw.kind = RawValue::Kind::kNothing;
  } else {
    raw.items.push_back({std::string(text), place});
  }
  return raw;
}

}  // namespace

std::string StudyReader::Place(const YAML::Node& node) const {
  const YAML::Mark mark = node.Mark();
  return mark.is_null() ? file_ : file_ + ":" + LineColumn(mark);
}

// yaml-cpp takes broken UTF-8 as it is, and guesses other encodings.
void StudyReader::CheckEncoding(std::string_view text) const {
  const size_t bad = std::min(Utf8Prefix(text), text.find('\0'));
  if (bad >= text.size()) return;
  const std::string_view before = text.substr(0, bad);
  const auto line = std::ranges::count(before, '\n') + 1;
  const size_t column = bad - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0: the first line
  throw Error(Code::kInvalidArgument, file_ + ":" + std::to_string(line) + ":" + std::to_string(column),
              "not UTF-8 text", "save the file as UTF-8");
}

YAML::Node StudyReader::ParseDocument(const std::string& text) const {
  std::vector<YAML::Node> documents;
  try {
    documents = YAML::LoadAll(text);
  } catch (const YAML::Exception& error) {
    const std::string place = error.mark.is_null() ? file_ : file_ + ":" + LineColumn(error.mark);
    throw Error(Code::kInvalidArgument, place, "not valid YAML: " + FirstLine(error.msg));
  }
  if (documents.empty() || documents[0].IsNull()) {
    throw Error(Code::kInvalidArgument, file_, "the file is empty", "`hot init` writes a study file to start from");
  }
  if (documents.size() > 1) {
    throw Error(Code::kInvalidArgument, Place(documents[1]), "a second YAML document", "one study a file");
  }
  if (!documents[0].IsMap()) {
    throw Error(Code::kInvalidArgument, Place(documents[0]), "expected keys and values, such as 'name: my-study'");
  }
  return documents[0];
}

// Looked at before anything else: a newer file has keys that this program can't know.
void StudyReader::CheckVersion(const YAML::Node& root) const {
  const YAML::Node node = root["version"];
  int version = 0;
  if (!node || !node.IsScalar() || !YAML::convert<int>::decode(node, version) || version <= kStudyVersion) return;
  throw Error(Code::kInvalidArgument, Place(node),
              "version: " + std::to_string(version) + " is newer than this program understands (" +
                  std::to_string(kStudyVersion) + ")",
              "update HOT");
}

void StudyReader::ReadYaml(const std::string& text) {
  CheckEncoding(text);
  const YAML::Node root = ParseDocument(text);
  CheckVersion(root);
  ReadSection(root, "");
}

void StudyReader::ReadSection(const YAML::Node& map, const std::string& prefix) {
  std::map<std::string, std::string> seen;
  for (const auto& entry : map) {
    if (!entry.first.IsScalar()) {
      throw Error(Code::kInvalidArgument, Place(entry.first), "expected a key, got a list or a map");
    }
    const std::string name = prefix + entry.first.Scalar();
    const auto [first, fresh] = seen.emplace(name, Place(entry.first));
    if (!fresh) {
      throw Error(Code::kInvalidArgument, Place(entry.first), name + ": given twice", "first at " + first->second);
    }
    ReadEntry(entry.first, entry.second, name);
  }
}

void StudyReader::ReadEntry(const YAML::Node& key, const YAML::Node& value, const std::string& name) {
  const Option* option = FindOption(name);
  if (option == nullptr && !IsSection(name)) {
    throw Error(Code::kInvalidArgument, Place(key), name + ": unknown key", UnknownKeyHint(name));
  }
  const std::string place = value.IsNull() ? Place(key) : Place(value);
  if (option == nullptr) {
    if (value.IsNull()) return;  // a section whose keys are all commented out
    if (!value.IsMap()) {
      throw Error(Code::kInvalidArgument, place, name + ": expected a section with keys below it");
    }
    ReadSection(value, name + ".");
    return;
  }
  Keep(*option, RawNode(*option, value, place));
}

void StudyReader::Keep(const Option& option, const RawValue& raw) {
  StoreOption(option, raw, study_);
  places_[option.name] = raw.place;
  for (const RawScalar& key : raw.keys) places_[option.name + "." + key.text] = key.place;
}

RawValue StudyReader::RawNode(const Option& option, const YAML::Node& value, const std::string& place) const {
  const auto place_of = [this](const YAML::Node& node) { return Place(node); };
  if (IsSpace(option)) return ReadTree(value, {.prefix = option.name + ": ", .place = place_of});
  RawValue raw{.kind = RawValue::Kind::kNothing, .items = {}, .place = place, .prefix = option.name + ": "};
  if (value.IsMap()) ReadMap(value, raw, place_of);
  if (value.IsScalar()) {
    raw.kind = RawValue::Kind::kScalar;
    raw.items.push_back({value.Scalar(), place});
  }
  if (!value.IsSequence()) return raw;
  raw.kind = RawValue::Kind::kList;
  for (const YAML::Node& item : value) {
    if (!item.IsScalar()) {
      throw Error(Code::kInvalidArgument, item.IsNull() ? place : Place(item),
                  raw.prefix + "expected " + ExpectedText(option) + " in each place of the list");
    }
    raw.items.push_back({item.Scalar(), Place(item)});
  }
  return raw;
}

void StudyReader::Override(std::string_view assignment) {
  const size_t equals = assignment.find('=');
  const std::string name(assignment.substr(0, equals));
  const std::string place = "--set " + name.substr(0, Utf8Prefix(name));
  if (Utf8Prefix(assignment) < assignment.size()) throw Error(Code::kInvalidArgument, place, "not UTF-8 text");
  if (equals == std::string_view::npos || name.empty()) {
    throw Error(Code::kInvalidArgument, place, "expected KEY=VALUE", "for example --set data.root=DIR");
  }
  const Option* option = FindOption(name);
  if (option == nullptr && IsSection(name)) {
    throw Error(Code::kInvalidArgument, place, "is a section", "set one of its keys, such as " + name + ".KEY=VALUE");
  }
  if (option == nullptr) throw Error(Code::kInvalidArgument, place, "unknown key", UnknownKeyHint(name));
  Keep(*option, RawOverride(*option, assignment.substr(equals + 1), place));
}

}  // namespace hot
