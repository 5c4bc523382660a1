// Keypoints of a data set by name: which of them a mirror exchanges. Values; pure functions.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace hot {

// Two keypoints (indices) that change places when a picture is mirrored, such as left and right eye. One that is in no
// pair is its own mirror image, such as the nose.
using KeypointPairs = std::vector<std::pair<int, int>>;

// Pairs of names that are equal but for left and right: "left_eye" and "right_eye", "eye.R" and "eye.L", "l_knee" and
// "r_knee". Letter case does not matter.
KeypointPairs MirrorPairs(const std::vector<std::string>& names);

// "NAME/NAME" each. Throws Error(kInvalidArgument) at `where` for another form, a name that is not among `names`, and a
// keypoint in two pairs or paired with itself.
KeypointPairs ParseMirrorPairs(const std::vector<std::string>& texts, const std::vector<std::string>& names,
                               const std::string& where);

}  // namespace hot
