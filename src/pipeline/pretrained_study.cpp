#include "pipeline/pretrained_study.h"

#include <algorithm>

#include "core/error.h"
#include "graph/fold.h"

namespace hot {
namespace {

std::string Text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

std::string Text(const std::vector<double>& values) {
  std::string text;
  for (double value : values) text += (text.empty() ? "" : ", ") + Text(value);
  return text;
}

std::string Text(const std::string& text) { return text; }

template <typename T>
void Resolve(const char* key, bool open, T& value, const T& needed, bool pretrained,
             std::vector<std::string>& warnings) {
  if (open) {
    value = needed;
  } else if (pretrained && value != needed) {
    warnings.push_back(std::string(key) + ": the weights of model.pretrained were made with " + Text(needed) +
                       "; with " + Text(value) + " the network does not compute what they were trained for");
  }
}

}  // namespace

std::optional<Pretrained> StudyPretrained(const Study& study, const Backbone& backbone) {
  if (study.model.pretrained.empty()) return std::nullopt;
  return ReadPretrained(study.model.pretrained, backbone);
}

std::vector<std::string> ResolveConvention(Study& study, const std::optional<Pretrained>& pretrained) {
  const Convention needed = pretrained ? pretrained->convention : Convention{};
  const bool given = pretrained && pretrained->states_convention;
  Study::Model& model = study.model;
  std::vector<std::string> warnings;
  const bool open = model.padding == "auto" || !model.bn_eps || model.mean.empty() || model.stddev.empty();
  if (pretrained && !pretrained->states_convention && open) {
    warnings.push_back(pretrained->file +
                       " does not say what its weights expect; model.padding, model.bn_eps, model.mean " +
                       "and model.stddev are guessed unless the study sets them");
  }
  Resolve("model.padding", model.padding == "auto", model.padding, PaddingName(needed.style.padding), given, warnings);
  double eps = model.bn_eps.value_or(0);
  Resolve("model.bn_eps", !model.bn_eps, eps, needed.style.bn_eps, given, warnings);
  model.bn_eps = eps;
  const std::vector<double> mean(needed.mean.begin(), needed.mean.end());
  const std::vector<double> stddev(needed.stddev.begin(), needed.stddev.end());
  Resolve("model.mean", model.mean.empty(), model.mean, mean, given, warnings);
  Resolve("model.stddev", model.stddev.empty(), model.stddev, stddev, given, warnings);
  return warnings;
}

Convention StudyConvention(const Study& study) {
  const Study::Model& model = study.model;
  HOT_ASSERT(model.bn_eps && model.mean.size() == 3 && model.stddev.size() == 3);
  Convention convention;
  std::copy_n(model.mean.begin(), 3, convention.mean.begin());
  std::copy_n(model.stddev.begin(), 3, convention.stddev.begin());
  convention.style = {.padding = ParsePadding(model.padding), .bn_eps = *model.bn_eps};
  return convention;
}

std::vector<std::string> CheckInheritance(const Pretrained& pretrained, const Study& study, const Backbone& backbone,
                                          const Task& task) {
  std::vector<std::string> lines;
  for (double width : study.model.width) {
    const std::string at_width = study.model.width.size() > 1 ? "width " + Text(width) + ": " : "";
    const Graph graph = BuildNetwork(backbone, width, BaselineChoices(backbone, width, Precision::kFp32), task);
    Weights weights = RandomWeights(graph, 0);
    try {
      lines.push_back(at_width + Inherit(graph, pretrained, weights).Summary());
    } catch (const Error& error) {
      throw Error(error.code(), "model.width " + Text(width), error.where() + ": " + error.message(), error.hint());
    }
  }
  return lines;
}

}  // namespace hot
