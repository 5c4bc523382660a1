#include "core/version.h"

namespace hot {

const char* const kHotVersion = HOT_VERSION;

}  // namespace hot
