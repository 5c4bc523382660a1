// The report as a reader uses it, in headless Chromium: charts, mouse, keyboard, saved tables, accessibility.
#include "report/testing/browser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "report/report.h"
#include "report/testing/fixture.h"

namespace hot {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Json = nlohmann::json;

class BrowserTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto program = FindProgram("chromium");
    if (!program) return;
    browser_ = std::make_unique<Browser>(*program);
    const std::unique_ptr<Progress> progress = MakeSilentProgress();
    const std::atomic<bool> cancelled{false};
    const Context context{SystemClock(), *progress, cancelled};
    folder_ = std::make_unique<TempFolder>();
    WriteFixtureRun(folder_->path() / "run");
    WriteReport(folder_->path() / "run", context);
    WriteFixtureRun(folder_->path() / "large", {.ranks = 16, .trained = 16});
    WriteReport(folder_->path() / "large", context);
  }
  static void TearDownTestSuite() {
    browser_.reset();
    folder_.reset();
  }

  void SetUp() override {
    if (!browser_) GTEST_SKIP() << "skipped: needs Chromium (scripts/setup --with-browser)";
    browser_->SetColourScheme("light");
    browser_->Open(folder_->path() / "run" / "report.html");
  }

  void TearDown() override {
    if (browser_) EXPECT_THAT(browser_->complaints(), IsEmpty());
  }

  static std::string Text(const std::string& selector) {
    return browser_->Evaluate("document.querySelector('" + selector + "').textContent").get<std::string>();
  }

  // Brings an element into the window, and waits until charts there are drawn.
  static void Show(const std::string& selector) {
    browser_->Evaluate("document.querySelector('" + selector +
                       "').scrollIntoView({behavior: 'instant', block: 'center'})");
    Settle();
  }
  static void Settle() {
    browser_->Evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))");
  }

  // {x, y} in the window of a network's mark in the chart of accuracy against latency.
  static Json Mark(const std::string& label) {
    return browser_->Evaluate(R"((() => {
      const chart = Chart.getChart(document.querySelector('#tradeoff canvas'));
      const box = chart.canvas.getBoundingClientRect();
      for (const [i, set] of chart.data.datasets.entries()) {
        const k = set.data.findIndex((point) => point.label === ')" +
                              label + R"(');
        if (k >= 0) { const {x, y} = chart.getDatasetMeta(i).data[k]; return {x: box.left + x, y: box.top + y}; }
      }
    })())");
  }

  // {x, y} in the window of the budget's line at `ms`.
  static Json BudgetAt(const std::string& ms) {
    return browser_->Evaluate(R"((() => {
      const chart = Chart.getChart(document.querySelector('#tradeoff canvas'));
      const box = chart.canvas.getBoundingClientRect();
      return {x: box.left + chart.scales.x.getPixelForValue()" +
                              ms + R"(), y: box.top + chart.chartArea.top + 14};
    })())");
  }

  static Json File(const std::string& name) { return Json::parse(ReadFile(folder_->path() / "run" / name)); }

  static std::unique_ptr<Browser> browser_;
  static std::unique_ptr<TempFolder> folder_;
};

std::unique_ptr<Browser> BrowserTest::browser_;
std::unique_ptr<TempFolder> BrowserTest::folder_;

TEST_F(BrowserTest, EverySectionAndEveryChartIsDrawn) {
  EXPECT_EQ(browser_->Evaluate("[...document.querySelectorAll('.missing')].map((node) => node.textContent)"),
            Json::array());
  browser_->Evaluate("document.querySelectorAll('details').forEach((node) => node.open = true)");
  const Json charts = browser_->Evaluate(R"((async () => {
    const counts = {};
    for (const canvas of document.querySelectorAll('canvas')) {
      canvas.scrollIntoView({behavior: 'instant'});
      await new Promise((done) => setTimeout(done, 60));
      const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      counts[canvas.getAttribute('aria-label')] = new Set(new Uint32Array(data.buffer)).size;
    }
    return counts;
  })())");
  EXPECT_EQ(charts.size(), 8u) << charts.dump(1);
  for (const auto& [name, colours] : charts.items()) EXPECT_GT(colours.get<int>(), 20) << name;
}

TEST_F(BrowserTest, SaysTheVerdictInOneSentence) {
  EXPECT_THAT(Text("#verdict .lead"), HasSubstr("instead of"));
  EXPECT_THAT(Text("#verdict .note"), HasSubstr(File("evaluation.json").at("verdict").get<std::string>()));
}

TEST_F(BrowserTest, PricesAreInScoresWhereTheStudyHasThem) {
  EXPECT_THAT(Text("#search"), HasSubstr("what the best network gains from a looser budget"));
  EXPECT_THAT(Text("#search"), HasSubstr("0.8730"));
  EXPECT_THAT(Text("#search"), HasSubstr("+0.0041"));
  EXPECT_THAT(Text("#search"), HasSubstr("no network is so fast"));
}

TEST_F(BrowserTest, HoveringShowsTheChoicesOfANetwork) {
  Show("#tradeoff");
  const Json mark = Mark("baseline");
  browser_->Mouse("mouseMoved", mark.at("x"), mark.at("y"));
  Settle();
  const Json tooltip = browser_->Evaluate(
      "(() => { const {opacity, body} = Chart.getChart(document.querySelector('#tradeoff canvas')).tooltip;"
      " return {opacity, text: body.flatMap((part) => part.lines).join()}; })()");
  EXPECT_EQ(tooltip.at("opacity"), 1);
  EXPECT_THAT(tooltip.at("text").get<std::string>(), HasSubstr("2: irb k3 e6"));
}

TEST_F(BrowserTest, TwoPressedMarksAreCompared) {
  Show("#tradeoff canvas");
  for (const char* label : {"A1 ×0.35", "L2 ×0.35"}) {
    const Json mark = Mark(label);
    browser_->Click(mark.at("x"), mark.at("y"));
    Settle();  // Chart.js hears of a click with the next frame
  }
  EXPECT_THAT(Text("#compare table"), HasSubstr("A: A1 ×0.35B: L2 ×0.35"));
  EXPECT_EQ(
      browser_->Evaluate("[...document.querySelectorAll('#compare select')].map((s) => s.selectedOptions[0].text)"),
      Json({"A1 ×0.35 (winner)", "L2 ×0.35"}));
}

// The rule of the stage evaluate, on the run folder's own numbers.
std::string ChosenWithin(const Json& evaluation, double budget_ms) {
  std::string chosen;
  double best = -1;
  for (const Json& network : evaluation.at("networks")) {
    const Json& artifact = network.at("artifacts").at(0);
    const double val = artifact.at("val").at("ap50");
    if (artifact.at("latency").at("median_ns") > 1e6 * budget_ms || val <= best) continue;
    best = val;
    chosen = network.at("id");
  }
  return chosen;
}

TEST_F(BrowserTest, DraggingTheBudgetChoosesByTheRuleOfTheStudy) {
  Show("#budget");
  const Json evaluation = File("evaluation.json");
  EXPECT_EQ(ChosenWithin(evaluation, 1.95), evaluation.at("winners").at("accuracy"));
  std::vector<std::string> answers;
  std::string from = "1.95";
  for (const char* to : {"1.95", "2.4", "1.6", "1.3"}) {
    const Json start = BudgetAt(from), end = BudgetAt(to);
    browser_->Mouse("mouseMoved", start.at("x"), start.at("y"));
    browser_->Mouse("mousePressed", start.at("x"), start.at("y"));
    browser_->Mouse("mouseMoved", (start.at("x").get<double>() + end.at("x").get<double>()) / 2, end.at("y"));
    browser_->Mouse("mouseMoved", end.at("x"), end.at("y"));
    browser_->Mouse("mouseReleased", end.at("x"), end.at("y"));
    const double budget =
        browser_->Evaluate("Chart.getChart(document.querySelector('#tradeoff canvas')).options.plugins.budget.value");
    EXPECT_NEAR(budget, std::stod(to), 0.02);
    const std::string id = ChosenWithin(evaluation, budget);
    const Json label = browser_->Evaluate(
        "labelOf(buildModel(JSON.parse(document.querySelector('#run-data').textContent)).byId.get('" + id +
        "'), true)");
    if (!id.empty()) EXPECT_THAT(Text("#budget .answer"), HasSubstr(label.get<std::string>())) << to;
    answers.push_back(Text("#budget .answer"));
    from = to;
  }
  EXPECT_THAT(answers, Contains(HasSubstr("would be chosen")));
  EXPECT_NE(answers[1], answers[2]);
}

TEST_F(BrowserTest, WorksWithTheKeyboard) {
  Show("#tradeoff");
  const std::string before = Text("#budget output");
  browser_->Evaluate("document.querySelector('#budget input').focus()");
  for (int i = 0; i < 5; ++i) browser_->Press("ArrowLeft");
  EXPECT_NE(Text("#budget output"), before);
  browser_->Evaluate("document.querySelector('#tradeoff canvas').focus()");
  for (int i = 0; i < 3; ++i) browser_->Press("ArrowRight");
  EXPECT_THAT(Text("#tradeoff .status"), HasSubstr("accuracy"));
  const std::string compared = Text("#compare table");
  browser_->Press("Enter");
  EXPECT_NE(Text("#compare table"), compared);
  browser_->Press("Tab");
  EXPECT_NE(browser_->Evaluate("document.activeElement.tagName"), "BODY");
}

TEST_F(BrowserTest, APressedChoiceShowsItsRivals) {
  Show("#waterfall");
  browser_->Evaluate("document.querySelector('#waterfall tbody tr:nth-child(4) button').click()");
  EXPECT_THAT(Text("#why caption"), HasSubstr("All choices of slot 3"));
  EXPECT_EQ(browser_->Evaluate("document.querySelectorAll('#why tbody tr').length"), 18);
  EXPECT_EQ(browser_->Evaluate("document.querySelectorAll('#why tr.winner-row').length"), 1);
}

TEST_F(BrowserTest, PicturesAreThereWithWhatEveryNetworkFinds) {
  Show("#samples");
  EXPECT_EQ(browser_->Evaluate("Promise.all([...document.images].map((i) => i.decode().then(() => i.naturalWidth)))"),
            Json::array({240, 240, 240, 240, 240, 240, 240, 240, 240, 240, 240, 240}));
  EXPECT_GT(browser_->Evaluate("document.querySelectorAll('#samples rect.found').length"), 50);
  EXPECT_THAT(browser_->Evaluate("document.images[0].alt").get<std::string>(), HasSubstr("of 9 found"));
}

TEST_F(BrowserTest, SavesEveryTableAsCsvAndJson) {
  EXPECT_EQ(browser_->Evaluate("[...document.querySelectorAll('table')].filter((t) => "
                               "!t.closest('.table')?.querySelector('.tools')).length"),
            0);
  const fs::path saved = folder_->path() / "saved";
  EnsureFolder(saved);
  browser_->SaveTo(saved);
  for (const char* kind : {"CSV", "JSON"})
    browser_->Evaluate("document.querySelector('#compare [aria-label$=\"as " + std::string(kind) + "\"]').click()");
  for (int i = 0; i < 200 && ListFiles(saved).size() < 2; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  Settle();
  ASSERT_TRUE(fs::exists(saved / "bccd-figures-int8.csv"));
  EXPECT_THAT(ReadFile(saved / "bccd-figures-int8.csv"), HasSubstr("figure,A: baseline,"));
  const Json rows = Json::parse(ReadFile(saved / "bccd-figures-int8.json"));
  const Json latency = File("evaluation.json").at("networks").at(0).at("artifacts").at(0).at("latency").at("median_ns");
  EXPECT_EQ(rows.at(0).at("figure"), "latency, ms");
  EXPECT_DOUBLE_EQ(rows.at(0).at("A: baseline"), latency.get<double>() / 1e6);
}

TEST_F(BrowserTest, PrintsOnPaper) { EXPECT_GT(browser_->Print().size(), 100000u); }

TEST_F(BrowserTest, AxeFindsNoSeriousFault) {
  if (!fs::exists(HOT_AXE_JS)) GTEST_SKIP() << "skipped: needs axe-core (scripts/setup --with-browser)";
  // Of tables, which have thousands of equal rows, the first are enough.
  const std::string trim = "document.querySelectorAll('tbody tr:nth-child(n + 9)').forEach((row) => row.remove())";
  browser_->Evaluate("document.querySelectorAll('details').forEach((node) => node.open = true)");
  Settle();
  browser_->Evaluate(trim);
  EXPECT_EQ(browser_->SeriousFaults(HOT_AXE_JS), Json::array());
  browser_->SetColourScheme("dark");
  browser_->Open(folder_->path() / "run" / "report.html");
  browser_->Evaluate(trim);
  EXPECT_EQ(browser_->SeriousFaults(HOT_AXE_JS, {"color-contrast"}), Json::array());
}

TEST_F(BrowserTest, HoldsSixtyFourCandidatesInLessThanThreeMegabytes) {
  const fs::path page = folder_->path() / "large" / "report.html";
  EXPECT_LT(fs::file_size(page), 3u << 20);
  browser_->Open(page);
  EXPECT_EQ(browser_->Evaluate("document.querySelectorAll('#networks > .body > .table tbody tr').length"), 65);
  EXPECT_EQ(browser_->Evaluate("document.querySelectorAll('.missing').length"), 0);
  const double seconds =
      browser_->Evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd").get<double>() / 1000;
  std::printf("64 candidates: %.2f MB, loaded after %.2f s\n", static_cast<double>(fs::file_size(page)) / 1e6, seconds);
}

}  // namespace
}  // namespace hot
