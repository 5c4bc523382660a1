// Fills the page's template. Called by WriteReport. Thread rule: stateless.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace hot {

// Text as HTML content or attribute value.
std::string EscapeHtml(std::string_view text);

// JSON text that can stand inside <script>: "<" is written as \u003c, so neither "</script>" nor "<!--" can appear.
std::string EscapeJsonForScript(std::string_view json);

// Replaces every {{name}} in one pass: values are not searched again, so data can't smuggle in a placeholder.
std::string FillTemplate(std::string_view text, const std::map<std::string, std::string, std::less<>>& values);

}  // namespace hot
