#include "models/convention.h"

#include <nlohmann/json.hpp>

namespace hot {

nlohmann::ordered_json ToJson(const Convention& convention) {
  return {{"mean", convention.mean},
          {"stddev", convention.stddev},
          {"padding", PaddingName(convention.style.padding)},
          {"bn_eps", convention.style.bn_eps}};
}

Convention ConventionFromJson(const nlohmann::ordered_json& json, Convention fallback) {
  fallback.mean = json.value("mean", fallback.mean);
  fallback.stddev = json.value("stddev", fallback.stddev);
  fallback.style.padding = ParsePadding(json.value("padding", PaddingName(fallback.style.padding)));
  fallback.style.bn_eps = json.value("bn_eps", fallback.style.bn_eps);
  return fallback;
}

}  // namespace hot
