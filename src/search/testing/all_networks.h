// The oracle of AutoSearch: every network of a small table. For tests.
#pragma once

#include <vector>

#include "search/auto_search.h"

namespace hot {

// Predict() of every pick, the last slot changing fastest.
inline std::vector<Candidate> AllNetworks(const LookupTable& table, const CostCorrection& correction) {
  std::vector<Candidate> all;
  std::vector<size_t> at(table.slots.size());
  while (true) {
    std::vector<Choice> choices;
    for (size_t s = 0; s < at.size(); ++s) choices.push_back(table.slots[s][at[s]].choice);
    all.push_back(Predict(table, choices, correction));
    size_t slot = at.size();
    while (slot > 0 && ++at[slot - 1] == table.slots[slot - 1].size()) at[--slot] = 0;
    if (slot == 0) return all;
  }
}

}  // namespace hot
