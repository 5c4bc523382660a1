// Options of tasks that find keypoints.
#include "config/option_rows.h"

namespace hot {

void AddPoseModelOptions(std::vector<Option>& out) {
  out.push_back({.name = "model.pyramid_channels",
                 .field = HOT_FIELD(model.pyramid_channels),
                 .help = "Channels of CPN's feature pyramid, the same for the baseline and all candidates: 256 in the "
                         "paper on ResNet-50, 128 suits MobileNetV2 1.0, 64 its widths below 0.5.",
                 .fallback = "",
                 .range = Between(8, 1024)});
  out.push_back({.name = "model.box_margin",
                 .field = HOT_FIELD(model.box_margin),
                 .help =
                     "What CPN sees around an object's box: shares of its height (above and below) and of its width "
                     "(left and right). What then lacks to the shape of `model.input` is added on top.",
                 .fallback = "",
                 .range = Between(0, 2),
                 .min_count = 2,
                 .max_count = 2,
                 .repeat_single = true});
  out.push_back({.name = "model.flip_test",
                 .field = HOT_FIELD(model.flip_test),
                 .help = "CPN: every score is of the mean of two heat maps, those of the crop and those of its mirror "
                         "image: more accurate at twice the time. The artifact stays one pass; `search.latency_ms` and "
                         "the latencies of the evaluation count both. Needs mirror pairs (`data.mirror_pairs`).",
                 .fallback = ""});
}

void AddPoseDataOptions(std::vector<Option>& out) {
  out.push_back({.name = "data.keypoints",
                 .field = HOT_FIELD(data.keypoints),
                 .help = "Names of the keypoints in the order of the network's outputs; some of them will do. Files "
                         "that don't name theirs get these names.",
                 .fallback = "all in train",
                 .min_count = 0,
                 .max_count = 1000});
  out.push_back({.name = "data.mirror_pairs",
                 .field = HOT_FIELD(data.mirror_pairs),
                 .help = "Keypoints that change places in a mirror, such as left_eye/right_eye. Without any, pictures "
                         "are not mirrored.",
                 .fallback = "names that differ in left and right",
                 .min_count = 0,
                 .max_count = 500});
  out.push_back({.name = "data.oks_sigmas",
                 .field = HOT_FIELD(data.oks_sigmas),
                 .help = "Tolerance of each keypoint in COCO's similarity (OKS), for `coco_ap` and `ap50` of other "
                         "keypoints than COCO's 17.",
                 .fallback = "COCO's",
                 .range = UpTo(1),
                 .min_count = 0,
                 .max_count = 1000,
                 .may_repeat = true});
}

void AddPoseTrainOptions(std::vector<Option>& out) {
  out.push_back({.name = "train.zoom",
                 .field = HOT_FIELD(train.zoom),
                 .help = "CPN: smallest and largest side of a training crop, relative to the one that is scored.",
                 .fallback = "",
                 .range = Between(0.2, 5),
                 .min_count = 2,
                 .max_count = 2,
                 .may_repeat = true});
  out.push_back({.name = "train.rotate_degrees",
                 .field = HOT_FIELD(train.rotate_degrees),
                 .help = "CPN: largest rotation, either way; every second picture is rotated.",
                 .fallback = "",
                 .range = Between(0, 180)});
}

}  // namespace hot
