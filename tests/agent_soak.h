// Many clients, mixed jobs, an agent that is killed: used by the agent's tests with few jobs and by `scripts/bench
// server` with many.
#pragma once

#include <cstdint>

namespace hot {

struct SoakOptions {
  int clients = 8;
  int jobs = 500;  // of all clients: profile, compile and run
  int kills = 5;   // SIGKILL at random moments, and a new start
  uint64_t seed = 1;
};

struct SoakResult {
  int jobs = 0;
  int lost = 0;        // that failed, gave a wrong result or none
  int duplicated = 0;  // results that are recorded more than once
  int repeated = 0;    // executions beyond the first of a job, which kills cause
  int kills = 0;
  double seconds = 0;
};

// Each client puts its jobs one after the other; every result is compared with what it must be.
SoakResult SoakAgent(const SoakOptions& options);

}  // namespace hot
