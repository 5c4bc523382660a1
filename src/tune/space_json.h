// Points and spaces as JSON: in the journal, in train.json and on the way to the Python worker
// (docs/formats/bridge.md).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>

#include "tune/space.h"

namespace hot {

// {"gamma": 0.5, "optimizer": "adam"}
nlohmann::ordered_json ToJson(const HyperPoint& point);
HyperPoint PointFromJson(const nlohmann::ordered_json& json);

// [{"name": "lr", "low": 1e-4, "high": 1e-2, "log": true, "integer": false}, {"name": "optimizer", "choices": [...]}]
nlohmann::ordered_json ToJson(std::span<const HyperParameter> space);
HyperSpace SpaceFromJson(const nlohmann::ordered_json& json);

}  // namespace hot
