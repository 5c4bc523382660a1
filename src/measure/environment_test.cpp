#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "measure/measure.h"

namespace hot {
namespace {

TEST(Environment, IsStableAndNamesTheMachine) {
  const Environment first = DescribeEnvironment();
  EXPECT_EQ(first.json, DescribeEnvironment().json);
  EXPECT_EQ(first.fingerprint.size(), 16u);
  const auto json = nlohmann::json::parse(first.json);
  for (const char* key : {"board", "cpu", "machine", "kernel", "governor", "smt", "logical_cpus", "cores", "memory_gib",
                          "measuring_method"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_FALSE(json["cpu"].get<std::string>().empty());
  EXPECT_GT(json["memory_gib"].get<double>(), 0);
}

TEST(Environment, APinnedThreadDoesNotChangeIt) {
  const std::string before = DescribeEnvironment().fingerprint;
  std::thread([&] {
    const ScopedPin pin(1);
    EXPECT_EQ(DescribeEnvironment().fingerprint, before);
  }).join();
}

TEST(PinThread, TakesTheLastCpusAndGivesThemBack) {
  std::thread([] {
    cpu_set_t before, during, after;
    sched_getaffinity(0, sizeof before, &before);
    {
      const ScopedPin pin(1);
      if (pin.cpus().empty()) GTEST_SKIP() << "skipped: no permission to pin threads";
      ASSERT_EQ(pin.cpus().size(), 1u);
      sched_getaffinity(0, sizeof during, &during);
      EXPECT_EQ(CPU_COUNT(&during), 1);
      EXPECT_TRUE(CPU_ISSET(pin.cpus()[0], &during));
      for (int cpu = pin.cpus()[0] + 1; cpu < CPU_SETSIZE; ++cpu) EXPECT_FALSE(CPU_ISSET(cpu, &before));
    }
    sched_getaffinity(0, sizeof after, &after);
    EXPECT_TRUE(CPU_EQUAL(&before, &after));
    EXPECT_TRUE(PinThread(0).empty());
  }).join();
}

}  // namespace
}  // namespace hot
