#include "tune/samplers/optuna.h"

#include <nlohmann/json.hpp>

#include "core/bridge.h"
#include "core/error.h"
#include "tune/space_json.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kAttempts = 8;  // at a point that was not tried yet; then a random one

Json RequestJson(const std::string& kind, const SampleRequest& request, uint64_t seed) {
  Json finished = Json::array(), running = Json::array();
  for (const Observation& observation : request.finished) {
    finished.push_back({{"point", ToJson(observation.point)}, {"value", observation.value}});
  }
  for (const HyperPoint& point : request.running) running.push_back(ToJson(point));
  return {{"sampler", kind},
          {"seed", seed & 0xffffffff},
          {"space", ToJson(request.space)},
          {"finished", finished},
          {"running", running}};
}

HyperPoint Rounded(std::span<const HyperParameter> space, HyperPoint point) {
  for (const HyperParameter& parameter : space) {
    if (parameter.choices.empty()) {
      point.at(parameter.name) = RoundedTo(parameter, std::get<double>(point.at(parameter.name)));
    }
  }
  return point;
}

}  // namespace

OptunaSampler::OptunaSampler(std::string kind) : kind_(std::move(kind)), bridge_(std::make_unique<Bridge>()) {
  bridge_->Call("optuna.check", Json{{"sampler", kind_}}.dump());
}

OptunaSampler::~OptunaSampler() = default;

HyperPoint OptunaSampler::Suggest(const SampleRequest& request) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const uint64_t seed = MixSeed(request.seed, static_cast<uint64_t>(attempt));
    const Json answer = Json::parse(bridge_->Call("optuna.ask", RequestJson(kind_, request, seed).dump()));
    HyperPoint point = Rounded(request.space, PointFromJson(answer.at("point")));
    if (!IsTried(request, point)) return point;
  }
  return UntriedRandomPoint(request);
}

}  // namespace hot
