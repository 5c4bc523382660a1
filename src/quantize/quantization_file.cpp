#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/hash.h"
#include "core/read_json.h"
#include "graph/safetensors.h"
#include "quantize/quantize.h"
#include "quantize/quantized_network.h"

namespace hot {

namespace {

using Json = nlohmann::ordered_json;

const Scheme& KnownScheme(const std::string& name) {
  try {
    return SchemeOf(name);
  } catch (const Error& error) {
    throw Error(Code::kDataLoss, "", error.message(), "delete it and quantize again");
  }
}

float PositiveScale(const Json& json) {
  const auto scale = json.get<float>();
  if (!(scale > 0 && std::isfinite(scale)))
    throw Error(Code::kDataLoss, "", "a scale is no positive number", "delete it and quantize again");
  return scale;
}

Quantization FromJson(const Json& json) {
  if (json.at("version") != 1) {
    throw Error(Code::kFailedPrecondition, "", "was made by another version of hot", "delete it and quantize again");
  }
  Quantization quantization;
  quantization.scheme = json.at("scheme");
  const Scheme& scheme = KnownScheme(quantization.scheme);
  for (const auto& [name, pair] : json.at("activations").items()) {
    const int zero_point = WholeNumber<int>(pair.at(1));
    if (zero_point < scheme.lowest || zero_point > scheme.highest)
      throw Error(Code::kDataLoss, "", "zero point " + std::to_string(zero_point) + " is none of " + scheme.name);
    quantization.activations[name] = {.scale = PositiveScale(pair.at(0)), .zero_point = zero_point};
  }
  for (const auto& [name, scales] : json.at("weight_scales").items()) {
    for (const Json& scale : scales) quantization.weight_scales[name].push_back(PositiveScale(scale));
  }
  return quantization;
}

fs::path ScalesFile(const fs::path& stem) { return stem.string() + ".json"; }
fs::path WeightsFile(const fs::path& stem) { return stem.string() + ".safetensors"; }

}  // namespace

std::string ToJson(const Quantization& quantization) {
  Json activations = Json::object(), weights = Json::object();
  for (const auto& [name, scale] : quantization.activations) activations[name] = {scale.scale, scale.zero_point};
  for (const auto& [name, scales] : quantization.weight_scales) weights[name] = scales;
  return Json{{"version", 1}, {"scheme", quantization.scheme}, {"activations", activations}, {"weight_scales", weights}}
      .dump();
}

Quantization ReadQuantization(const fs::path& file) {
  try {
    return WithPlace(file.string(), [&] { return FromJson(Json::parse(ReadFile(file))); });
  } catch (const nlohmann::json::exception& error) {
    throw Error(Code::kDataLoss, file.string(), std::string("is broken: ") + error.what(),
                "delete it and quantize again");
  }
}

void WriteQuantized(const fs::path& stem, const Weights& weights, const Quantization& quantization) {
  WriteSafetensors(WeightsFile(stem), weights);
  WriteFileAtomic(ScalesFile(stem), ToJson(quantization) + "\n");
}

QuantizedNetwork ReadQuantized(const fs::path& stem, const Network& folded) {
  QuantizedNetwork quantized;
  quantized.exact = quantized.network = folded;
  quantized.network.weights = ReadSafetensors(WeightsFile(stem));
  CheckWeights(folded.graph, quantized.network.weights, WeightsFile(stem).string());
  quantized.quantization = ReadQuantization(ScalesFile(stem));
  return quantized;
}

std::string QuantizedKey(const fs::path& stem) {
  return Sha256Hex(Sha256File(ScalesFile(stem)) + Sha256File(WeightsFile(stem)));
}

}  // namespace hot
