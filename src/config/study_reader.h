// Fills a study from YAML text and from --set overrides, through the option records. Private to this module;
// ReadStudy() puts it together with the checks that span several options. One object a study.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "config/study.h"
#include "config/value.h"

namespace YAML {
class Node;
}

namespace hot {

// Where each option that the user set stands, and each key of one that is a map; for messages of checks that span
// several options.
using Places = std::map<std::string, std::string, std::less<>>;

class StudyReader {
 public:
  explicit StudyReader(std::string file_name) : file_(std::move(file_name)) {}

  // Throws Error(kInvalidArgument) with file:line:column in front.
  void ReadYaml(const std::string& text);
  // "data.root=DIR". Throws Error(kInvalidArgument) with "--set data.root" in front.
  void Override(std::string_view assignment);

  Study& study() { return study_; }
  const Places& places() const { return places_; }
  const std::string& file() const { return file_; }

 private:
  std::string Place(const YAML::Node& node) const;
  void CheckEncoding(std::string_view text) const;
  YAML::Node ParseDocument(const std::string& text) const;
  void CheckVersion(const YAML::Node& root) const;
  void ReadSection(const YAML::Node& map, const std::string& prefix);
  void ReadEntry(const YAML::Node& key, const YAML::Node& value, const std::string& name);

  // Checks and stores a value, and where it and its keys stand.
  void Keep(const Option& option, const RawValue& raw);
  RawValue RawNode(const Option& option, const YAML::Node& value, const std::string& place) const;

  std::string file_;
  Study study_;
  Places places_;
};

}  // namespace hot
