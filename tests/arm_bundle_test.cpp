// A bundle's example that reads pictures, for 64-bit Arm: cross-built against the same packages as the folder for
// boards and run with that folder's libraries under qemu, it finds what `hot` finds on this machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arm_folder.h"
#include "bundle_example.h"
#include "core/error.h"
#include "data/test_data.h"

namespace hot {
namespace {

class ArmBundleTest : public BundleTest {
 protected:
  void SetUp() override {
    if (!ArmIsHere()) GTEST_SKIP() << kArmIsNotHere;
    configuration_ = "-DCMAKE_TOOLCHAIN_FILE=" HOT_SOURCE_DIR "/cmake/aarch64.cmake -DOpenVINO_DIR=" HOT_AARCH64_DIR
                     "/openvino/cmake";
    for (const std::string& word : Emulated()) emulator_ += word + " ";
    emulator_ += std::string("-E LD_LIBRARY_PATH=") + kArmFolder + "/lib ";
  }

  // A made picture, and a photograph where there is one.
  void ExpectTheBoxesOfPictures() {
    const ProcessResult built = Build();
    ASSERT_TRUE(built.status.ok()) << built.output;
    EXPECT_GT(ExpectTheBoxesThatHotFinds(Picture(120, 90)), 3u);
    if (const auto bccd = RealData("bccd")) {
      EXPECT_GT(ExpectTheBoxesThatHotFinds(*bccd / "BCCD/JPEGImages/BloodImage_00000.jpg"), 3u);
    }
  }
};

// Floats are added in another order. Half the photograph's size: when OpenCV averages more pixels, on Arm it rounds one
// value in a thousand to the other side, which a network in fp32 sees.
TEST_F(ArmBundleTest, TheOpenVinoExampleFindsTheBoxesThatHotFindsHere) {
  TaskOptions options = OptionsOf("ssd");
  options.input = {3, 240, 320};
  MakeRun(options, Precision::kFp32);
  Export();
  ExpectTheBoxesOfPictures();
}

TEST_F(ArmBundleTest, TheTvmExampleFindsTheBoxesThatHotFindsHere) {
  toolchain_ = "tvm";
  try {
    MakeRun(OptionsOf("ssd"), Precision::kInt8);
  } catch (const Error& error) {
    if (error.code() != Code::kUnavailable) throw;
    GTEST_SKIP() << "skipped: " << error.what();
  }
  KeepWeights(Precision::kInt8);
  Export("aarch64-dotprod");
  ExpectTheBoxesOfPictures();
}

}  // namespace
}  // namespace hot
