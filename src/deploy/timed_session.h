// A session that can be timed without copies: what a device measures. Implemented by each toolchain's runtime. Same
// thread rule as Session.
#pragma once

#include <cstdint>

#include "deploy/device.h"

namespace hot {

class TimedSession : public Session {
 public:
  // Random inputs, none of them zero or denormal, that every Infer() reads. Always the same tensors, as an application
  // has them in its caches after it has written them; several in turn would come from wherever other subjects have
  // pushed them.
  virtual void FillInputs(uint64_t seed) = 0;
  // One inference; of a part of a network, without the conversions that it would not need inside one.
  virtual void Infer() = 0;
};

}  // namespace hot
