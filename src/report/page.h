// The page of report and dashboard: one template, with a run's data in it or with a script that fetches them. Called by
// WriteReport and Dashboard. Thread rule: stateless.
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

struct Page {
  std::string name;     // the study's
  std::string kind;     // "report", "dashboard"
  std::string verdict;  // empty: not yet
  std::string data;     // JSON text of a run; empty: the page asks the dashboard for it
  std::string nonce;    // that its scripts carry for a Content-Security-Policy; empty: none
  std::string origin;   // who made it, for the footer: "Written 2026-11-24T01:47:00Z"
};

// One HTML file that loads nothing but, without data, what the dashboard offers.
std::string PageHtml(const Page& page);

}  // namespace hot
