// A handful of test pictures with what the baseline and the winners find in them, for the report's reader: samples.json
// and samples/*.jpg in the run folder (docs/formats/run.md). Called by the evaluate stage. Stateless.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "pipeline/workspace.h"

namespace hot {

// What a network finds in the test pictures, in their order; its id.
struct SampledNetwork {
  std::string id;
  const std::vector<ScoredPicture>* test = nullptr;
};

// Which of `count` pictures are shown: at most 6, at equal steps, so that nobody has picked them.
std::vector<size_t> SampledPictures(size_t count);

// Objects and detections of one picture in pixels of its small copy: {"truth": [...], "predictions": [{"id",
// "objects"}]}. Boxes and classes with a score below `least_score` are left out.
nlohmann::ordered_json SampleJson(size_t picture, const std::vector<SampledNetwork>& networks, double scale_x,
                                  double scale_y, double least_score);

// Writes both, in place of what an earlier evaluation left. Throws as DecodeImage and WriteFileAtomic do.
void WriteSamples(const Workspace& workspace, const Dataset& test, const std::vector<SampledNetwork>& networks);

}  // namespace hot
