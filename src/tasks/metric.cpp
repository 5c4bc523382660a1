#include "tasks/metric.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include "core/error.h"
#include "core/rng.h"
#include "tasks/coco_ranking.h"
#include "tasks/pck.h"

namespace hot {
namespace {

constexpr std::array<std::pair<Metric, std::string_view>, 5> kNames{{{Metric::kCocoAp, "coco_ap"},
                                                                     {Metric::kAp50, "ap50"},
                                                                     {Metric::kVoc07, "voc07"},
                                                                     {Metric::kPck, "pck"},
                                                                     {Metric::kTop1, "top1"}}};

// What predictions of a kind are scored by.
constexpr std::array kBoxMetrics{Metric::kCocoAp, Metric::kAp50, Metric::kVoc07};
constexpr std::array kKeypointMetrics{Metric::kCocoAp, Metric::kAp50, Metric::kPck};
constexpr std::array kClassMetrics{Metric::kTop1};
struct Subject {
  Predicted predicted;
  std::string_view name;
  std::span<const Metric> metrics;
};
constexpr std::array<Subject, 3> kSubjects{{{Predicted::kBoxes, "boxes", kBoxMetrics},
                                            {Predicted::kKeypoints, "keypoints", kKeypointMetrics},
                                            {Predicted::kClasses, "classes", kClassMetrics}}};

const Subject& SubjectOf(Predicted predicted) { return *std::ranges::find(kSubjects, predicted, &Subject::predicted); }

// Correct and labelled keypoints of each picture, or pictures (one each) that are classified right.
struct Counts {
  std::vector<int64_t> correct, labelled;
};

Counts CountKeypoints(const std::vector<ScoredPicture>& pictures, double threshold) {
  Counts counts{.correct = std::vector<int64_t>(pictures.size(), 0),
                .labelled = std::vector<int64_t>(pictures.size(), 0)};
  VisitKeypointErrors(pictures, [&](size_t picture, size_t /*keypoint*/, double error) {
    ++counts.labelled[picture];
    if (error <= threshold) ++counts.correct[picture];
  });
  return counts;
}

Counts CountTop1(const std::vector<ScoredPicture>& pictures) {
  Counts counts;
  for (const ScoredPicture& picture : pictures) {
    const auto best = std::ranges::max_element(picture.detections, {}, &Detection::score);
    counts.labelled.push_back(picture.truth.empty() ? 0 : 1);
    const bool right =
        !picture.truth.empty() && best != picture.detections.end() && best->label == picture.truth[0].label;
    counts.correct.push_back(right ? 1 : 0);
  }
  return counts;
}

void CheckSubject(const ScoreOptions& options) {
  const Subject& subject = SubjectOf(options.predicted);
  if (std::ranges::count(subject.metrics, options.metric) > 0) return;
  std::string known;
  for (const Metric metric : subject.metrics) known += (known.empty() ? "" : ", ") + MetricName(metric);
  throw Error(Code::kInvalidArgument, "metric",
              MetricName(options.metric) + " does not score " + std::string(subject.name), "known: " + known);
}

std::vector<RankedClass> RankFor(const std::vector<ScoredPicture>& pictures, const ScoreOptions& options) {
  if (options.metric == Metric::kVoc07) return RankVoc(pictures, {});
  const auto overlap =
      options.predicted == Predicted::kKeypoints ? MakeKeypointOverlap(pictures, options.oks) : MakeBoxOverlap();
  return RankCoco(pictures, *overlap);
}

// One system's predictions, matched once; any resampling of the pictures is scored from here.
class Scorer {
 public:
  Scorer(const std::vector<ScoredPicture>& pictures, const ScoreOptions& options) : metric_(options.metric) {
    CheckSubject(options);
    if (metric_ == Metric::kPck) {
      counts_ = CountKeypoints(pictures, options.pck_threshold);
    } else if (metric_ == Metric::kTop1) {
      counts_ = CountTop1(pictures);
    } else {
      classes_ = RankFor(pictures, options);
    }
  }

  double Score(const PictureWeights& weights) const {
    return counts_.labelled.empty() ? MeanPrecision(weights) : CorrectShare(weights);
  }

 private:
  // 0 where nothing is labelled.
  double CorrectShare(const PictureWeights& weights) const {
    int64_t correct = 0, labelled = 0;
    for (size_t i = 0; i < weights.size(); ++i) {
      correct += weights[i] * counts_.correct[i];
      labelled += weights[i] * counts_.labelled[i];
    }
    return labelled > 0 ? static_cast<double>(correct) / static_cast<double>(labelled) : 0;
  }

  // Mean over classes with a positive (and over thresholds); 0 without any.
  double MeanPrecision(const PictureWeights& weights) const {
    const int thresholds = metric_ == Metric::kCocoAp ? kCocoThresholds : 1;
    const Recall recall = metric_ == Metric::kVoc07 ? Recall::kVoc11 : Recall::kCoco101;
    double sum = 0;
    int count = 0;
    for (const RankedClass& ranked : classes_) {
      const WeightedClass weighted(ranked, weights);
      for (int t = 0; t < thresholds; ++t) {
        const double ap = weighted.AveragePrecision(t, recall).ap;
        if (ap < 0) continue;
        sum += ap;
        ++count;
      }
    }
    return count > 0 ? sum / count : 0;
  }

  Metric metric_;
  std::vector<RankedClass> classes_;  // average precision
  Counts counts_;                     // pck, top1
};

PictureWeights Resample(size_t pictures, Rng& rng) {
  PictureWeights weights(pictures, 0);
  for (size_t i = 0; i < pictures; ++i) ++weights[static_cast<size_t>(rng.Below(static_cast<int64_t>(pictures)))];
  return weights;
}

// 2.5 % and 97.5 % of `values`; zeros when there are none.
std::pair<double, double> Interval(std::vector<double> values) {
  if (values.empty()) return {0, 0};
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
  };
  return {at(0.025), at(0.975)};
}

}  // namespace

Metric ParseMetric(const std::string& name) {
  for (const auto& [metric, text] : kNames) {
    if (text == name) return metric;
  }
  throw Error(Code::kInvalidArgument, "metric", "unknown metric \"" + name + "\"",
              "known: coco_ap, ap50, voc07, pck, top1");
}

std::string MetricName(Metric metric) {
  for (const auto& [value, name] : kNames) {
    if (value == metric) return std::string(name);
  }
  return "unknown";
}

std::string PredictedName(Predicted predicted) { return std::string(SubjectOf(predicted).name); }

Predicted ParsePredicted(const std::string& name) {
  const auto* const subject = std::ranges::find(kSubjects, name, &Subject::name);
  if (subject != kSubjects.end()) return subject->predicted;
  throw Error(Code::kInvalidArgument, "predicted", "unknown prediction \"" + name + "\"",
              "known: boxes, keypoints, classes");
}

std::string ScoreName(const ScoreOptions& options) {
  if (options.metric != Metric::kPck) return MetricName(options.metric);
  char threshold[32];
  std::snprintf(threshold, sizeof threshold, "@%g", options.pck_threshold);
  return MetricName(options.metric) + threshold;
}

double Score(const std::vector<ScoredPicture>& pictures, const ScoreOptions& options) {
  return Scorer(pictures, options).Score(PictureWeights(pictures.size(), 1));
}

PairedDifference PairedBootstrap(const std::vector<ScoredPicture>& a, const std::vector<ScoredPicture>& b,
                                 const ScoreOptions& options, int rounds, uint64_t seed) {
  return PairedBootstrap({{.a = &a, .b = &b}}, options, rounds, seed);
}

PairedDifference PairedBootstrap(const std::vector<PairedSystems>& trainings, const ScoreOptions& options, int rounds,
                                 uint64_t seed) {
  const auto same_picture = [](const ScoredPicture& x, const ScoredPicture& y) { return x.id == y.id; };
  HOT_ASSERT(!trainings.empty());
  const std::vector<ScoredPicture>& pictures = *trainings.front().a;
  std::vector<std::pair<Scorer, Scorer>> scorers;
  for (const auto& [a, b] : trainings) {
    HOT_ASSERT(std::ranges::equal(*a, pictures, same_picture) && std::ranges::equal(*b, pictures, same_picture));
    scorers.emplace_back(Scorer(*a, options), Scorer(*b, options));
  }
  const auto difference = [&](const PictureWeights& weights) {
    double sum = 0;
    for (const auto& [first, second] : scorers) sum += second.Score(weights) - first.Score(weights);
    return sum / static_cast<double>(scorers.size());
  };
  PairedDifference result{.difference = difference(PictureWeights(pictures.size(), 1))};
  Rng rng(MixSeed(seed, "bootstrap"));
  std::vector<double> differences;
  for (int round = 0; round < rounds && !pictures.empty(); ++round)
    differences.push_back(difference(Resample(pictures.size(), rng)));
  std::tie(result.low, result.high) = Interval(std::move(differences));
  return result;
}

std::pair<double, double> BootstrapInterval(const std::vector<ScoredPicture>& pictures, const ScoreOptions& options,
                                            int rounds, uint64_t seed) {
  const Scorer scorer(pictures, options);
  Rng rng(MixSeed(seed, "bootstrap"));
  std::vector<double> scores;
  for (int round = 0; round < rounds && !pictures.empty(); ++round)
    scores.push_back(scorer.Score(Resample(pictures.size(), rng)));
  return Interval(std::move(scores));
}

}  // namespace hot
