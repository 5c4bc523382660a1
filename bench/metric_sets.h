// Made detections and poses of the size of COCO val2017, for hot_bench_metric. Values; the same on every machine.
#pragma once

#include <vector>

#include "tasks/metric.h"

namespace hot {

// Coordinates are whole quarters of a pixel and scores multiples of 2^-20: the same numbers in float, double and JSON.
// Boxes: 80 classes that fall off in frequency, 7.2 objects a picture, detections about 50 a picture, half of them near
// objects; 1 % crowds.
std::vector<ScoredPicture> MakeBoxSet(int pictures, uint64_t seed);
// Poses: 2.2 persons a picture, a tenth without labelled keypoints; 20 predictions a picture, half near persons.
std::vector<ScoredPicture> MakePoseSet(int pictures, uint64_t seed);

// COCO's files of a set.
void WriteCocoFiles(const std::vector<ScoredPicture>& pictures, const fs::path& truth, const fs::path& detections);

}  // namespace hot
