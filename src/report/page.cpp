#include "report/page.h"

#include "core/error.h"
#include "core/version.h"
#include "report/assets.h"

namespace hot {

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string EscapeJsonForScript(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      out += "\\u003c";  // '<' occurs in JSON only inside strings
    } else {
      out += c;
    }
  }
  return out;
}

std::string FillTemplate(std::string_view text, const std::map<std::string, std::string, std::less<>>& values) {
  std::string out;
  for (size_t open = text.find("{{"); open != std::string_view::npos; open = text.find("{{")) {
    const size_t close = text.find("}}", open);
    HOT_ASSERT(close != std::string_view::npos);
    const auto value = values.find(text.substr(open + 2, close - open - 2));
    HOT_ASSERT(value != values.end());
    out.append(text.substr(0, open)).append(value->second);
    text.remove_prefix(close + 2);
  }
  return out.append(text);
}

std::string PageHtml(const Page& page) {
  const std::string verdict = page.verdict.empty() ? "No verdict yet: the stage evaluate has not run." : page.verdict;
  return FillTemplate(kTemplateHtml, {{"title", EscapeHtml(page.name)},
                                      {"kind", page.kind},
                                      {"verdict", EscapeHtml(verdict)},
                                      {"origin", EscapeHtml(page.origin)},
                                      {"hot_version", kHotVersion},
                                      {"css", std::string(kReportCss)},
                                      {"data", EscapeJsonForScript(page.data)},
                                      {"nonce", page.nonce.empty() ? "" : " nonce=\"" + page.nonce + "\""},
                                      {"chart_js", std::string(kChartJs)},
                                      {"report_js", std::string(kReportJs)},
                                      {"live_js", page.data.empty() ? std::string(kLiveJs) : ""}});
}

}  // namespace hot
