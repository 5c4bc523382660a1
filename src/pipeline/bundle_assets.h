// Files of bundle/ that CMake compiles into the library (cmake/embed.cmake writes the definitions). Thread rule:
// immutable.
#pragma once

#include <string_view>

namespace hot {

extern const std::string_view kBundleExample, kBundleVerify, kBundleCMake, kBundleVerifyScript;
extern const std::string_view kBundleOpenVino, kBundleTvm;              // model.h
extern const std::string_view kBundleOpenVinoCMake, kBundleTvmCMake;    // runtime.cmake
extern const std::string_view kBundleSsd, kBundleCpn, kBundleClassify;  // outputs.h
extern const std::string_view kBundleWhole, kBundleCrop;                // picture.h

}  // namespace hot
