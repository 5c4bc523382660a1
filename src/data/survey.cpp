#include "data/survey.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/hash.h"
#include "data/image.h"

namespace hot {
namespace {

struct Values {
  std::vector<double> width, height, side, ratio, shape;
};

void AddObject(const Sample& sample, const Object& object, DataSurvey& survey, Values& values) {
  ++survey.objects;
  ++survey.classes.at(static_cast<size_t>(object.label)).second;
  if (object.has_labelled_keypoint()) ++survey.with_keypoints;
  if (object.crowd) {
    ++survey.crowds;
    return;
  }
  const double width = object.box.width() / sample.width, height = object.box.height() / sample.height;
  if (width <= 0 || height <= 0) return;
  values.side.push_back(std::sqrt(width * height));
  values.ratio.push_back(std::max(width / height, height / width));
  values.shape.push_back(object.box.height() / object.box.width());
}

// Every picture's first bytes, and as many whole pictures as there is time for.
void LookAtPictures(const Dataset& dataset, double most_seconds, const Context& context, DataSurvey& survey,
                    Values& values) {
  std::vector<const Sample*> order;
  for (const Sample& sample : dataset.samples) order.push_back(&sample);
  std::ranges::sort(order, {}, [](const Sample* s) { return MixSeed(0, std::string_view(s->image.string())); });
  const int64_t start_ns = context.clock.NowNs();
  const auto has_time = [&] { return static_cast<double>(context.clock.NowNs() - start_ns) * 1e-9 < most_seconds; };
  context.progress.Begin("pictures", static_cast<double>(order.size()));
  for (size_t i = 0; i < order.size(); ++i) {
    context.ThrowIfCancelled();
    context.progress.Update(static_cast<double>(i), "");
    try {
      if (!has_time()) {
        CheckIsPicture(order[i]->image);
        continue;
      }
      const Image image = DecodeImage(order[i]->image);
      values.width.push_back(image.width);
      values.height.push_back(image.height);
      ++survey.decoded;
    } catch (const Error& error) {
      survey.broken.emplace_back(error.what());
    }
  }
  context.progress.End(std::to_string(survey.decoded) + " of " + std::to_string(order.size()) + " decoded, " +
                       std::to_string(survey.broken.size()) + " broken files");
}

}  // namespace

Spread SpreadOf(std::vector<double> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  const auto at = [&](double share) {
    return values[static_cast<size_t>(std::lround(share * static_cast<double>(values.size() - 1)))];
  };
  return {.low = at(0.1), .middle = at(0.5), .high = at(0.9)};
}

DataSurvey SurveyData(const DataSource& source, double most_seconds, const Context& context) {
  DataSurvey survey;
  const Dataset dataset = ReadDataset(source, &survey.broken);
  survey.pictures = dataset.samples.size();
  survey.keypoints = dataset.keypoints;
  for (const std::string& name : dataset.classes) survey.classes.emplace_back(name, 0);
  Values values;
  for (const Sample& sample : dataset.samples) {
    if (sample.objects.empty()) ++survey.without_object;
    for (const Object& object : sample.objects) AddObject(sample, object, survey, values);
  }
  LookAtPictures(dataset, most_seconds, context, survey, values);
  survey.width = SpreadOf(std::move(values.width));
  survey.height = SpreadOf(std::move(values.height));
  survey.side = SpreadOf(std::move(values.side));
  survey.ratio = SpreadOf(std::move(values.ratio));
  survey.shape = SpreadOf(std::move(values.shape));
  return survey;
}

}  // namespace hot
