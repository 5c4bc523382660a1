#include "measure/resident_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstddef>

namespace hot {
namespace {

// Pages that are touched and given back, without the heap's bookkeeping (or a sanitizer's).
void Touch(size_t bytes) {
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  for (size_t i = 0; i < bytes; i += 4096) static_cast<volatile char*>(pages)[i] = 1;
  munmap(pages, bytes);
}

TEST(ResidentPeak, IsTheMostSinceItBegan) {
  Touch(64 << 20);  // before: not counted
  const ResidentPeak small;
  if (small.Bytes() == 0) {
    Touch(1 << 20);
    if (small.Bytes() == 0) GTEST_SKIP() << "skipped: the kernel does not let the mark be set back";
  }
  Touch(8 << 20);
  EXPECT_GE(small.Bytes(), 7 << 20);
  EXPECT_LT(small.Bytes(), 48 << 20);
  const ResidentPeak next;
  Touch(32 << 20);
  EXPECT_GE(next.Bytes(), 31 << 20);
}

TEST(ProcessMemoryBytes, OfThisProcess) {
  EXPECT_GT(ProcessMemoryBytes("VmRSS"), 1u << 20);
  EXPECT_GE(ProcessMemoryBytes("VmSize"), ProcessMemoryBytes("VmRSS"));
  EXPECT_EQ(ProcessMemoryBytes("VmNothing"), 0u);
}

}  // namespace
}  // namespace hot
