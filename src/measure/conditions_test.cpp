// The kernel's files are made up here: this machine may have none of them.
#include "measure/conditions.h"

#include <gtest/gtest.h>

#include <fstream>

namespace hot {
namespace {

class ConditionsTest : public ::testing::Test {
 protected:
  void Write(const std::string& file, const std::string& text) const {
    fs::create_directories((folder_.path() / file).parent_path());
    std::ofstream(folder_.path() / file) << text << "\n";
  }
  std::string Read(const std::string& file) const {
    std::ifstream in(folder_.path() / file);
    std::string text;
    in >> text;
    return text;
  }
  Conditions Now() const { return ReadConditions(folder_.path()); }
  const TempFolder folder_;
};

TEST_F(ConditionsTest, NothingIsKnownWithoutFiles) {
  EXPECT_EQ(ToText(Now()), "");
  EXPECT_FALSE(Throttled(Now(), Now()));
  EXPECT_EQ(ScopedGovernor("performance", folder_.path()).cores(), 0);
}

TEST_F(ConditionsTest, WarmestSensorAndFastestCore) {
  Write("class/thermal/thermal_zone0/temp", "41000");
  Write("class/thermal/thermal_zone1/temp", "54250");
  Write("devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "600000");
  Write("devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "1800000");
  Write("devices/system/cpu/cpufreq/scaling_cur_freq", "9000000");  // no core
  EXPECT_EQ(ToText(Now()), "54.2 °C, 1800 MHz");
}

TEST_F(ConditionsTest, CountsAndCoolingStepsAreThrottling) {
  Write("devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "7");
  const Conditions before = Now();
  EXPECT_FALSE(Throttled(before, Now()));
  Write("devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "8");
  EXPECT_TRUE(Throttled(before, Now()));
  EXPECT_FALSE(Throttled(Now(), Now()));
  Write("class/thermal/cooling_device0/type", "fan");
  Write("class/thermal/cooling_device0/cur_state", "3");
  EXPECT_FALSE(Throttled(Now(), Now()));
  Write("class/thermal/cooling_device1/type", "thermal-cpufreq-0");
  Write("class/thermal/cooling_device1/cur_state", "1");
  EXPECT_TRUE(Throttled(Now(), Now()));
}

TEST_F(ConditionsTest, GovernorIsSetAndGivenBack) {
  const std::string zero = "devices/system/cpu/cpu0/cpufreq/scaling_governor",
                    one = "devices/system/cpu/cpu1/cpufreq/scaling_governor";
  Write(zero, "powersave");
  Write(one, "performance");
  {
    const ScopedGovernor governor("performance", folder_.path());
    EXPECT_EQ(governor.cores(), 2);
    EXPECT_EQ(Read(zero), "performance");
  }
  EXPECT_EQ(Read(zero), "powersave");
  EXPECT_EQ(Read(one), "performance");
}

}  // namespace
}  // namespace hot
