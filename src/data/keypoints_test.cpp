#include "data/keypoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/test_data.h"

namespace hot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TEST(MirrorPairs, ComeFromNames) {
  EXPECT_THAT(MirrorPairs({"nose", "left_eye", "right_eye", "right_hip", "left_hip", "left_ear"}),
              ElementsAre(Pair(1, 2), Pair(4, 3)));
  EXPECT_THAT(MirrorPairs({"EyeLeft", "eyeright", "Mouth"}), ElementsAre(Pair(0, 1)));
  EXPECT_THAT(MirrorPairs({"l_knee", "r_knee", "hip.L", "hip.R", "toe-r", "toe-l"}),
              ElementsAre(Pair(0, 1), Pair(2, 3), Pair(5, 4)));
  EXPECT_THAT(MirrorPairs({"p0", "p1", "l", "r", "lip", "rip"}), IsEmpty());
  EXPECT_THAT(MirrorPairs({}), IsEmpty());
}

TEST(MirrorPairs, AreReadFromText) {
  const std::vector<std::string> names{"p0", "p1", "p2", "p3"};
  EXPECT_THAT(ParseMirrorPairs({"p0/p3", "p2/p1"}, names, "here"), ElementsAre(Pair(0, 3), Pair(2, 1)));
  EXPECT_THAT(ParseMirrorPairs({}, names, "here"), IsEmpty());
  struct Case {
    std::vector<std::string> texts;
    const char* message;
  };
  for (const Case& c : {Case{{"p0-p3"}, "here: \"p0-p3\" is no pair"},
                        {{"p0/p9"}, "no keypoint \"p9\""},
                        {{"/p1"}, "\"/p1\" is no pair (write it like left_eye/right_eye)"},
                        {{"p1/"}, "\"p1/\" is no pair"},
                        {{"p0/p1", "p1/p2"}, "\"p1/p2\": a keypoint can be in one pair only"},
                        {{"p1/p1"}, "one pair only"}}) {
    const Error error = ThrownBy([&] { ParseMirrorPairs(c.texts, names, "here"); });
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_THAT(error.what(), HasSubstr(c.message));
  }
}

}  // namespace
}  // namespace hot
