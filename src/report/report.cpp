#include "report/report.h"

#include "core/version.h"
#include "report/assets.h"
#include "report/page.h"
#include "report/run_data.h"

namespace hot {
void WriteReport(const fs::path& run_folder, const Context& context) {
  const RunData data = ReadRunData(run_folder);
  const std::string verdict = data.verdict.empty() ? "No verdict yet: the stage evaluate has not run." : data.verdict;
  const std::string page = FillTemplate(kTemplateHtml, {{"title", EscapeHtml(data.name)},
                                                        {"verdict", EscapeHtml(verdict)},
                                                        {"written", FormatUtc(context.clock.WallSeconds())},
                                                        {"hot_version", kHotVersion},
                                                        {"css", std::string(kReportCss)},
                                                        {"data", EscapeJsonForScript(data.json)},
                                                        {"chart_js", std::string(kChartJs)},
                                                        {"report_js", std::string(kReportJs)}});
  WriteFileAtomic(run_folder / "report.html", page);
}

}  // namespace hot
