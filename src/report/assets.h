// Files that CMake compiles into the library (cmake/embed.cmake writes the definitions). Thread rule: immutable.
#pragma once

#include <string_view>

namespace hot {

extern const std::string_view kTemplateHtml, kReportCss, kChartJs, kReportJs, kLiveJs;

}  // namespace hot
