#include "measure/huge_pages.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstdint>
#include <numeric>
#include <vector>

namespace hot {
namespace {

TEST(UseHugePages, MemoryKeepsWhatItHolds) {
  std::vector<uint32_t> numbers(8 << 20);  // 32 MiB: whole huge pages are among them
  std::iota(numbers.begin(), numbers.end(), 0u);
  UseHugePages();
  for (size_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(numbers[i], i);
}

TEST(UseHugePages, LeavesOtherMappingsAlone) {
  constexpr size_t kBytes = 8 << 20;
  void* shared = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  void* guarded = mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  ASSERT_NE(guarded, MAP_FAILED);
  static_cast<char*>(shared)[kBytes - 1] = 42;
  UseHugePages();
  EXPECT_EQ(static_cast<char*>(shared)[kBytes - 1], 42);
  munmap(shared, kBytes);
  munmap(guarded, kBytes);
}

}  // namespace
}  // namespace hot
