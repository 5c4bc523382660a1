#include "pipeline/search_text.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "pipeline/distilled.h"
#include "pipeline/networks.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

double Millions(const Json& macs) { return macs.get<double>() * 1e-6; }

std::string Text(const char* format, double a, double b = 0) {
  char text[96];
  std::snprintf(text, sizeof text, format, a, b);
  return text;
}

std::string PointLine(const Json& point, int passes) {
  char text[120];
  std::snprintf(text, sizeof text, "%6g %11.3f %9.1f %10.1f %10.1f ", point.at("width").get<double>(),
                point.at("latency_ns").get<double>() * 1e-6 * passes, Millions(point.at("macs")),
                point.at("flash_kib").get<double>(), point.at("ram_kib").get<double>());
  std::string line = text;
  if (point.contains("quality")) line += Text("%7.4f ", point.at("quality").get<double>());
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
    const bool scored = price.contains("quality");  // by distillation: percent, as search.quality_min
    const std::string unit = scored ? "quality" : "macs", less = "less_" + unit;
    const auto amount = [&](const std::string& key) { return (scored ? 100 : 1e-6) * price.at(key).get<double>(); };
    const double more = amount("more_" + unit);
    std::string line = Text("width %g: +%g ms buys ", price.at("width").get<double>(), step_ms);
    line += scored ? Text("%.2f points of quality (%.1f %% now)", more, amount(unit))
                   : Text("%.1f M MACs (+%.1f %%)", more, 100 * more / amount(unit));
    if (!price.at(less).is_null())
      line += Text(scored ? ", -%g ms costs %.2f" : ", -%g ms costs %.1f M", step_ms, amount(less));
    lines.push_back(line);
  }
  return lines;
}

std::string FrontTable(const Workspace& workspace) {
  const int passes = workspace.task().options().passes();
  const Json found = ReadRunJson(workspace, "search.json");
  std::string table = " width  latency ms    M MACs  flash KiB    RAM KiB ";
  table += Distills(workspace.study()) ? "quality  slots\n" : " slots\n";
  for (const Json& front : found.at("fronts")) {
    for (const Json& point : front.at("points")) table += PointLine(point, passes);
  }
  return table;
}

}  // namespace hot
