#include "pipeline/search_text.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "pipeline/networks.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

double Millions(const Json& macs) { return macs.get<double>() * 1e-6; }

std::string PointLine(const Json& point, int passes) {
  char text[120];
  std::snprintf(text, sizeof text, "%6g %11.3f %9.1f %10.1f %10.1f ", point.at("width").get<double>(),
                point.at("latency_ns").get<double>() * 1e-6 * passes, Millions(point.at("macs")),
                point.at("flash_kib").get<double>(), point.at("ram_kib").get<double>());
  std::string line = text;
  for (const Json& slot : point.at("slots")) line += ' ' + slot.get<std::string>();
  return line + '\n';
}

}  // namespace

std::vector<std::string> PriceLines(const Workspace& workspace) {
  const int passes = workspace.task().options().passes();
  const Json found = ReadRunJson(workspace, "search.json");
  std::vector<std::string> lines;
  for (const Json& price : found.at("prices")) {
    const double step_ms = price.at("step_ms").get<double>() * passes;
    const double macs = Millions(price.at("macs")), more = Millions(price.at("more_macs"));
    char text[160];
    std::snprintf(text, sizeof text, "width %g: +%g ms buys %.1f M MACs (+%.1f %%)", price.at("width").get<double>(),
                  step_ms, more, 100 * more / macs);
    std::string line = text;
    if (!price.at("less_macs").is_null()) {
      std::snprintf(text, sizeof text, ", -%g ms costs %.1f M", step_ms, Millions(price.at("less_macs")));
      line += text;
    }
    lines.push_back(line);
  }
  return lines;
}

std::string FrontTable(const Workspace& workspace) {
  const int passes = workspace.task().options().passes();
  std::string table = " width  latency ms    M MACs  flash KiB    RAM KiB  slots\n";
  const Json found = ReadRunJson(workspace, "search.json");
  for (const Json& front : found.at("fronts")) {
    for (const Json& point : front.at("points")) table += PointLine(point, passes);
  }
  return table;
}

}  // namespace hot
