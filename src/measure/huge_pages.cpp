#include "measure/huge_pages.h"

#include <sys/mman.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace hot {
namespace {

constexpr uintptr_t kHugePage = 2 << 20;
constexpr int kCollapse = 25;  // MADV_COLLAPSE, which older headers lack

struct Range {
  uintptr_t begin = 0, end = 0;
};

// Whole huge pages of writable memory without a file, the heap included.
std::vector<Range> AnonymousRanges() {
  std::vector<Range> ranges;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    Range range;
    char permissions[5] = "";
    uint64_t inode = 0;
    int name_at = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s %*x %*s %" SCNu64 " %n", &range.begin, &range.end,
                    permissions, &inode, &name_at) != 4)
      continue;
    const std::string name = line.substr(static_cast<size_t>(name_at));
    if (inode != 0 || std::string(permissions) != "rw-p" || !(name.empty() || name == "[heap]")) continue;
    range.begin = (range.begin + kHugePage - 1) / kHugePage * kHugePage;
    range.end = range.end / kHugePage * kHugePage;
    if (range.begin < range.end) ranges.push_back(range);
  }
  return ranges;
}

}  // namespace

void UseHugePages() {
  for (const Range& range : AnonymousRanges()) {
    void* begin = reinterpret_cast<void*>(range.begin);
    madvise(begin, range.end - range.begin, kCollapse);
  }
}

}  // namespace hot
