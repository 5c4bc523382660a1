// What weights expect of the network and of its input: the habits of the framework that made them. Values.
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>

#include "graph/graph.h"

namespace hot {

struct Convention {
  std::array<double, 3> mean{0.5, 0.5, 0.5}, stddev{0.5, 0.5, 0.5};  // value = (rgb / 255 - mean) / stddev
  GraphStyle style;
  bool operator==(const Convention&) const = default;
};

// {"mean", "stddev", "padding", "bn_eps"}
nlohmann::ordered_json ToJson(const Convention& convention);
// What `json` lacks stays as it is in `fallback`. Throws nlohmann's exceptions, and Error(kInvalidArgument) for an
// unknown padding.
Convention ConventionFromJson(const nlohmann::ordered_json& json, Convention fallback = {});

}  // namespace hot
