// Memory of this process as the kernel counts it: what loading and running a network takes on the device, beside what
// its toolchain says (Artifact::planned_bytes). Used by devices and by the agent's jobs. One ResidentPeak at a time a
// process: they share the kernel's only mark.
#pragma once

#include <cstdint>
#include <string_view>

namespace hot {

// "VmRSS", "VmHWM" or "VmSize" of this process, bytes; 0 where the kernel does not say.
uint64_t ProcessMemoryBytes(std::string_view field);

// How much resident memory (pages in RAM, those of files and of the heap) has grown at most since the object was made.
// Memory that was freed before is given back to the kernel first, or what follows would seem to need none. Other
// threads' memory counts, too.
class ResidentPeak {
 public:
  ResidentPeak();
  // 0 where the kernel does not let the mark be set back (/proc/self/clear_refs).
  int64_t Bytes() const;

 private:
  int64_t begin_bytes_ = 0;
  bool marked_ = false;
};

}  // namespace hot
