#include "report/testing/fixture_extras.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/rng.h"
#include "data/image.h"
#include "report/testing/fixture_networks.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSide = 240;

struct Cell {
  double x, y, radius;
  int label;
  Json Box(double off) const { return {x - radius + off, y - radius, x + radius + off, y + radius - off}; }
};

void Paint(Image& image, const Cell& cell) {
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      const double depth = std::hypot(x - cell.x, y - cell.y) / cell.radius;
      if (depth > 1) continue;
      uint8_t* pixel = &image.rgb[3 * static_cast<size_t>(y * kSide + x)];
      pixel[0] = static_cast<uint8_t>(cell.label == 0 ? 196 + 20 * depth : 120);
      pixel[1] = static_cast<uint8_t>(cell.label == 0 ? 120 + 40 * (1 - depth) : 90 + 30 * depth);
      pixel[2] = static_cast<uint8_t>(cell.label == 0 ? 120 : 170);
    }
  }
}

std::vector<Cell> MakeCells(Rng& rng) {
  std::vector<Cell> cells;
  for (int i = 0; i < 9; ++i) {
    cells.push_back({.x = 40.0 + 80 * (i % 3) + rng.Uniform(-12, 12),
                     .y = 40.0 + 80 * (i / 3) + rng.Uniform(-12, 12),
                     .radius = rng.Uniform(18, 28),
                     .label = rng.Chance(0.2) ? 1 : 0});
  }
  return cells;
}

// The later a network stands, the more it finds.
Json Found(const std::vector<Cell>& cells, const std::string& id, size_t place, Rng& rng) {
  Json objects = Json::array();
  for (const Cell& cell : cells) {
    if (!rng.Chance(0.7 + 0.12 * static_cast<double>(place))) continue;
    const double off = rng.Chance(0.1) ? 22 : rng.Uniform(-3, 3);
    objects.push_back(
        {{"label", cell.label}, {"box", cell.Box(off)}, {"score", 0.9 - 0.02 * static_cast<double>(objects.size())}});
  }
  return {{"id", id}, {"objects", objects}};
}

}  // namespace

Json FixtureSearchSpace() {
  Json fronts = Json::array(), prices = Json::array();
  for (const double width : {0.5, 0.35}) {
    Json points = Json::array();
    for (int i = 0; i < 16; ++i) {
      const double ms = width * (2.4 + 0.14 * i);
      points.push_back({{"id", ""},
                        {"width", width},
                        {"slots", Json::array()},
                        {"latency_ns", 1e6 * ms},
                        {"macs", std::round(2.4e7 * width * std::log1p(i + 1.0))},
                        {"quality", 0.7 + 0.08 * std::log1p(i + 1.0)}});
    }
    fronts.push_back({{"width", width}, {"points", points}});
  }
  prices.push_back({{"width", 0.5},
                    {"latency_ms", 1.95},
                    {"step_ms", 0.0195},
                    {"quality", 0.873},
                    {"more_quality", 0.0041},
                    {"less_quality", nullptr},
                    {"optimal", true}});
  const Json stem{{"part", "stem"}, {"choice", ""}, {"share", 0.12}};
  const Json slot{{"part", "slot2"}, {"choice", "fused-k5-e9@int8"}, {"share", 0.31}};
  const Json relaxations{
      {{"width", 0.35},
       {"factor", 1.07},
       {"most_macs", nullptr},
       {"optimal", true},
       {"budgets",
        {{{"budget", "latency_ms"}, {"limit", 1.95}, {"alone", 2.09}, {"used", 2.08}, {"largest", slot}},
         {{"budget", "ram_kib"}, {"limit", 96}, {"alone", nullptr}, {"used", 88}, {"largest", stem}}}}}};
  return {{"infeasible", ""}, {"relaxations", relaxations}, {"prices", prices}, {"fronts", fronts}};
}

void WriteFixtureScores(const fs::path& folder, const std::vector<double>& widths) {
  Rng rng(23);
  Json list = Json::array();
  for (const double width : widths) {
    Json slots = Json::array();
    for (int slot = 1; slot <= kFixtureSlots; ++slot) {
      Json choices = Json::array();
      for (int block = 0; block < 3; ++block) {
        for (const int kernel : {3, 5}) {
          for (const int expansion : slot == 1 ? std::vector<int>{1} : std::vector<int>{3, 6, 9}) {
            const double quality = 0.95 - 0.03 * block + 0.01 * kernel - 0.2 / expansion + 0.01 * rng.Normal();
            choices.push_back({{"choice", ChoiceName(block, kernel, expansion) + "@fp32"}, {"quality", quality}});
          }
        }
      }
      choices.back()["quality"] = nullptr;  // one whose loss was not finite
      slots.push_back({{"slot", "slot" + std::to_string(slot)}, {"choices", choices}});
    }
    list.push_back({{"width", width},
                    {"folder", "distill/x"},
                    {"teacher", {{"trial", "t"}, {"val_score", 0.53}}},
                    {"slots", slots}});
  }
  std::ofstream(folder / "distill.json") << Json{{"version", 1}, {"widths", list}}.dump(1);
}

void WriteFixtureSamples(const fs::path& folder, const std::vector<std::string>& networks) {
  Rng rng(29);
  EnsureFolder(folder / "samples");
  Json pictures = Json::array();
  for (int i = 1; i <= 4; ++i) {
    const std::vector<Cell> cells = MakeCells(rng);
    Image image{kSide, kSide, std::vector<uint8_t>(3 * kSide * kSide, 226)};
    for (const Cell& cell : cells) Paint(image, cell);
    const std::string file = "samples/" + std::to_string(i) + ".jpg";
    WriteJpeg(folder / file, image, 78);
    Json truth = Json::array(), predictions = Json::array();
    for (const Cell& cell : cells) truth.push_back({{"label", cell.label}, {"box", cell.Box(0)}});
    for (size_t n = 0; n < networks.size(); ++n) predictions.push_back(Found(cells, networks[n], n, rng));
    pictures.push_back({{"name", "BloodImage_" + std::to_string(i)},
                        {"file", file},
                        {"width", kSide},
                        {"height", kSide},
                        {"truth", truth},
                        {"predictions", predictions}});
  }
  std::ofstream(folder / "samples.json") << Json{
      {"version", 1},          {"predicted", "boxes"},      {"precision", "int8"},
      {"score_at_least", 0.3}, {"classes", {"RBC", "WBC"}}, {"skeleton", Json::array()},
      {"pictures", pictures}}.dump(1);
}

}  // namespace hot
