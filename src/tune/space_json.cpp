#include "tune/space_json.h"

#include <nlohmann/json.hpp>

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

Json ValueJson(const HyperValue& value) {
  return std::visit([](const auto& v) { return Json(v); }, value);
}

HyperValue ValueFrom(const Json& json) {
  return json.is_string() ? HyperValue(json.get<std::string>()) : HyperValue(json.get<double>());
}

}  // namespace

Json ToJson(const HyperPoint& point) {
  Json json = Json::object();
  for (const auto& [name, value] : point) json[name] = ValueJson(value);
  return json;
}

HyperPoint PointFromJson(const Json& json) {
  HyperPoint point;
  for (const auto& [name, value] : json.items()) point[name] = ValueFrom(value);
  return point;
}

HyperSpace SpaceFromJson(const Json& json) {
  HyperSpace space;
  for (const Json& item : json) {
    HyperParameter parameter{.name = item.at("name")};
    for (const Json& choice : item.value("choices", Json::array())) parameter.choices.push_back(ValueFrom(choice));
    parameter.low = item.value("low", 0.0);
    parameter.high = item.value("high", 0.0);
    parameter.log = item.value("log", false);
    parameter.integer = item.value("integer", false);
    space.push_back(std::move(parameter));
  }
  return space;
}

Json ToJson(std::span<const HyperParameter> space) {
  Json list = Json::array();
  for (const HyperParameter& parameter : space) {
    Json json{{"name", parameter.name}};
    if (parameter.choices.empty()) {
      json.update({{"low", parameter.low}, {"high", parameter.high}});
      json.update({{"log", parameter.log}, {"integer", parameter.integer}});
    }
    for (const HyperValue& choice : parameter.choices) json["choices"].push_back(ValueJson(choice));
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace hot
