#include "search/lookup_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"
#include "core/read_json.h"

namespace hot {
namespace {

using nlohmann::ordered_json;

[[noreturn]] void Refuse(const std::string& where, const std::string& what) {
  throw Error(Code::kDataLoss, where, what, "delete the file: it is made again from the journal");
}

template <typename T>
T Get(const ordered_json& object, const char* key, const std::string& where, const std::string& path) {
  const auto found = object.find(key);
  if (found == object.end()) Refuse(where, path + key + ": is missing");
  try {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) return WholeNumber<T>(*found);
    return found->template get<T>();
  } catch (const Error& error) {
    Refuse(where, path + key + ": " + error.message());
  } catch (const nlohmann::json::exception&) {
    Refuse(where, path + key + ": has the wrong type");
  }
}

ordered_json RowJson(const TableRow& row, bool slot) {
  ordered_json json{{"part", row.part},
                    {"choice", slot ? row.choice.Name() : ""},
                    {"graph_key", row.graph_key},
                    {"macs", row.macs},
                    {"weight_bytes", row.weight_bytes},
                    {"peak_bytes", row.peak_bytes},
                    {"carried_bytes", row.carried_bytes},
                    {"latency_ns", row.latency_ns},
                    {"low_ns", row.low_ns},
                    {"high_ns", row.high_ns},
                    {"raw_median_ns", row.raw_median_ns},
                    {"samples", row.samples},
                    {"steady", row.steady}};
  if (!row.searched) json["searched"] = false;
  if (row.quality) json["quality"] = *row.quality;
  return json;
}

TableRow ParseRow(const ordered_json& json, const std::string& where, const std::string& path) {
  TableRow row;
  row.part = Get<std::string>(json, "part", where, path);
  const auto choice = Get<std::string>(json, "choice", where, path);
  if (!choice.empty()) {
    try {
      row.choice = Choice::Parse(choice);
    } catch (const Error& error) {
      Refuse(where, path + "choice: " + error.message());
    }
  }
  row.graph_key = Get<std::string>(json, "graph_key", where, path);
  row.macs = Get<int64_t>(json, "macs", where, path);
  row.weight_bytes = Get<int64_t>(json, "weight_bytes", where, path);
  row.peak_bytes = Get<int64_t>(json, "peak_bytes", where, path);
  row.carried_bytes = Get<int64_t>(json, "carried_bytes", where, path);
  row.latency_ns = Get<double>(json, "latency_ns", where, path);
  row.low_ns = Get<double>(json, "low_ns", where, path);
  row.high_ns = Get<double>(json, "high_ns", where, path);
  row.raw_median_ns = Get<double>(json, "raw_median_ns", where, path);
  row.samples = Get<int>(json, "samples", where, path);
  row.steady = Get<bool>(json, "steady", where, path);
  if (json.contains("searched")) row.searched = Get<bool>(json, "searched", where, path);
  if (json.contains("quality")) row.quality = Get<double>(json, "quality", where, path);
  return row;
}

// The last three are of latency_scope end_to_end.
constexpr std::array<std::string_view, 6> kFixedParts{"stem", "tail", "head", "decode", "resize", "output"};

// "slot3" -> 3; 0 for other parts.
size_t SlotNumber(const std::string& part) {
  const std::string prefix = "slot";
  if (!part.starts_with(prefix) || part.size() == prefix.size() || part.size() > prefix.size() + 3) return 0;
  size_t number = 0;
  for (const char digit : part.substr(prefix.size())) {
    if (digit < '0' || digit > '9') return 0;
    number = number * 10 + static_cast<size_t>(digit - '0');
  }
  return number;
}

void AddRow(TableRow row, const std::string& where, const std::string& path, LookupTable& table) {
  const size_t slot = SlotNumber(row.part);
  if (slot > 0) {
    if (row.choice.block.empty()) Refuse(where, path + "choice: a slot's row needs one");
    if (table.slots.size() < slot) table.slots.resize(slot);
    table.slots[slot - 1].push_back(std::move(row));
  } else if (std::ranges::count(kFixedParts, row.part) > 0) {
    table.fixed.push_back(std::move(row));
  } else {
    Refuse(where, path + "part: expected slotN, stem, tail, head, decode, resize or output, got \"" + row.part + "\"");
  }
}

// 1 in files of before there were any.
void ReadRatios(const ordered_json& root, const std::string& where, LookupTable& table) {
  for (const auto& [key, ratio] :
       {std::pair{"mean_over_median", &table.mean_over_median}, {"p90_over_median", &table.p90_over_median}}) {
    if (root.contains(key)) *ratio = Get<double>(root, key, where, "");
    if (!(*ratio > 0) || !std::isfinite(*ratio)) Refuse(where, std::string(key) + ": must be positive");
  }
}

Precision GetPrecision(const ordered_json& object, const char* key, const std::string& where, const std::string& path) {
  const auto name = Get<std::string>(object, key, where, path);
  try {
    return ParsePrecision(name);
  } catch (const Error& error) {
    Refuse(where, path + key + ": " + error.message());
  }
}

void ReadBorders(const ordered_json& root, const std::string& where, LookupTable& table) {
  const auto borders = root.find("borders");
  if (borders == root.end()) return;
  if (!borders->is_array()) Refuse(where, "borders: has the wrong type");
  for (size_t i = 0; i < borders->size(); ++i) {
    const std::string path = "borders[" + std::to_string(i) + "].";
    const ordered_json& border = (*borders)[i];
    table.borders.push_back({.slot = Get<int>(border, "slot", where, path),
                             .before = GetPrecision(border, "before", where, path),
                             .after = GetPrecision(border, "after", where, path),
                             .latency_ns = Get<double>(border, "latency_ns", where, path)});
  }
}

ordered_json ParseText(std::string_view json, const std::string& where) {
  try {
    return ordered_json::parse(json);
  } catch (const nlohmann::json::exception&) {
    Refuse(where, "the look-up table is no valid JSON");
  }
}

}  // namespace

bool HasQuality(const LookupTable& table) {
  return std::ranges::any_of(table.slots, [](const std::vector<TableRow>& rows) {
    return std::ranges::any_of(rows, [](const TableRow& row) { return row.quality.has_value(); });
  });
}

int64_t BorderNs(const LookupTable& table, int slot, Precision before, Precision after) {
  for (const FormatBorder& border : table.borders) {
    if (border.slot == slot && border.before == before && border.after == after) return std::llround(border.latency_ns);
  }
  return 0;
}

std::string ToJson(const LookupTable& table) {
  ordered_json rows = ordered_json::array();
  for (const auto& slot : table.slots) {
    for (const TableRow& row : slot) rows.push_back(RowJson(row, true));
  }
  for (const TableRow& row : table.fixed) rows.push_back(RowJson(row, false));
  ordered_json json = {{"width", table.width},
                       {"precision", PrecisionName(table.precision)},
                       {"mean_over_median", table.mean_over_median},
                       {"p90_over_median", table.p90_over_median},
                       {"rows", rows}};
  for (const FormatBorder& border : table.borders) {
    json["borders"].push_back({{"slot", border.slot},
                               {"before", PrecisionName(border.before)},
                               {"after", PrecisionName(border.after)},
                               {"latency_ns", border.latency_ns}});
  }
  return json.dump();
}

LookupTable LookupTableFromJson(const std::string& text, const std::string& where) {
  const ordered_json root = ParseText(text, where);
  LookupTable table;
  table.width = Get<double>(root, "width", where, "");
  table.precision = GetPrecision(root, "precision", where, "");
  ReadRatios(root, where, table);
  ReadBorders(root, where, table);
  const auto rows = root.find("rows");
  if (rows == root.end()) Refuse(where, "rows: is missing");
  if (!rows->is_array()) Refuse(where, "rows: has the wrong type");
  for (size_t i = 0; i < rows->size(); ++i) {
    const std::string path = "rows[" + std::to_string(i) + "].";
    AddRow(ParseRow((*rows)[i], where, path), where, path, table);
  }
  for (size_t slot = 0; slot < table.slots.size(); ++slot) {
    const auto& rows_of_slot = table.slots[slot];
    if (std::ranges::none_of(rows_of_slot, &TableRow::searched)) {
      Refuse(where, "rows: slot" + std::to_string(slot + 1) + " has none");
    }
  }
  return table;
}

}  // namespace hot
