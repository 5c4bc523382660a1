#include "report/report.h"

#include "report/page.h"
#include "report/run_data.h"

namespace hot {

void WriteReport(const fs::path& run_folder, const Context& context) {
  const RunData run = ReadRunData(run_folder);
  const std::string written = "Written " + FormatUtc(context.clock.WallSeconds());
  WriteFileAtomic(run_folder / "report.html", PageHtml({.name = run.name,
                                                        .kind = "report",
                                                        .verdict = run.verdict,
                                                        .data = run.json,
                                                        .nonce = "",
                                                        .origin = written}));
}

}  // namespace hot
