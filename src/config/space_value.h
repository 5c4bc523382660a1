// model.space as written by the user: a map of slots, each with names of choices or combinations of block, kernel and
// expansion. Private to this module. Pure functions.
#pragma once

#include "config/value.h"

namespace hot {

// The choices' names, combinations multiplied out. Throws Error(kInvalidArgument) at the offending item. Whether the
// backbone has such slots is not known here.
Space CheckedSpace(const RawValue& raw);

}  // namespace hot
