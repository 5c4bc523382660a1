// The version of this build, as `hot --version`, reports and artifacts say it.
#pragma once

namespace hot {

extern const char* const kHotVersion;

}  // namespace hot
