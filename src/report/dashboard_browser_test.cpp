// The dashboard as a reader sees it, in headless Chromium, while a study goes on whose files are written by the test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "report/dashboard.h"
#include "report/testing/browser.h"
#include "report/testing/live_study.h"

namespace hot {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Json = nlohmann::json;

class DashboardBrowserTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (const auto program = FindProgram("chromium")) browser_ = std::make_unique<Browser>(*program);
  }
  static void TearDownTestSuite() { browser_.reset(); }

  void SetUp() override {
    if (!browser_) GTEST_SKIP() << "skipped: needs Chromium (scripts/setup --with-browser)";
    browser_->SetColourScheme("light");
    dashboard_ = std::make_unique<Dashboard>(study_.folder(), 0);
    Open();
  }
  void TearDown() override {
    if (browser_) EXPECT_THAT(browser_->complaints(), IsEmpty());
  }

  void Open() {
    const std::string address = "http://127.0.0.1:" + std::to_string(dashboard_->port()) + "/";
    browser_->OpenAddress(address, address);
    WaitFor("#study-state strong", "");
  }
  static std::string Text(const std::string& selector) {
    return browser_->Evaluate("document.querySelector('" + selector + "')?.textContent ?? ''").get<std::string>();
  }
  // Until the page has asked again and shows it.
  static void WaitFor(const std::string& selector, const std::string& text) {
    for (int i = 0; i < 400; ++i) {
      const std::string now = Text(selector);
      if (text.empty() ? !now.empty() : now.find(text) != std::string::npos) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    FAIL() << selector << " does not come to \"" << text << "\": " << Text(selector);
  }
  void TrainFor(int epoch) {
    study_.Start();
    for (const char* stage : {"profile", "search", "verify"}) study_.Finish(stage);
    study_.Begin("train", 1, 0.4, "2 of 9 trainings begun");
    study_.Train(epoch);
  }

  static std::unique_ptr<Browser> browser_;
  TempFolder folder_;
  LiveStudy study_{folder_.path() / "run"};
  std::unique_ptr<Dashboard> dashboard_;
};

std::unique_ptr<Browser> DashboardBrowserTest::browser_;

TEST_F(DashboardBrowserTest, FollowsAStudyToItsEnd) {
  EXPECT_EQ(Text("#study-state strong"), "Not begun");
  study_.Start();
  study_.Begin("profile", 114, 57, "measuring 64 parts in turns");
  WaitFor("#study-state", "Running: the stage “profile”.");
  WaitFor("#study-stages tr.looked-at", "50 %");
  WaitFor("#study-device", "host: measuring 64 parts in turns.");
  EXPECT_THAT(Text("#table .missing"), HasSubstr("Comes with the stage “profile”"));
  study_.Finish("profile");
  WaitFor("#table caption", "");
  for (const char* stage : {"search", "verify", "train", "quantize", "compile", "evaluate"}) study_.Finish(stage);
  study_.Kill();
  WaitFor("#study-state", "Finished");
  WaitFor("#verdict .lead", "instead of");
  EXPECT_EQ(browser_->Evaluate("[...document.querySelectorAll('.missing')].map((node) => node.textContent)"),
            Json::array());
}

TEST_F(DashboardBrowserTest, CurvesGrowWhileTrainingsRun) {
  TrainFor(20);
  WaitFor("#study-trainings tr.looked-at", "20 of 150");
  EXPECT_THAT(Text("#study-trainings .note"), HasSubstr("2 of 9 trainings begun: 1 running, 1 finished."));
  browser_->Evaluate("document.querySelector('#study-curves').scrollIntoView({behavior: 'instant'})");
  const std::string epochs =
      "String(Chart.getChart(document.querySelector('#study-curves canvas'))?.data.datasets"
      ".map((set) => set.data.length))";
  const auto wait_for_epochs = [&](const std::string& expected) {
    for (int i = 0; i < 400 && browser_->Evaluate(epochs) != expected; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(browser_->Evaluate(epochs), expected);
  };
  wait_for_epochs("150,20");
  browser_->Evaluate("document.querySelector('#study-curves canvas').focus()");
  browser_->Press("ArrowRight");
  study_.Train(35);
  wait_for_epochs("150,35");
  EXPECT_THAT(Text("#study-curves .status"), HasSubstr("epoch 1"));
  EXPECT_EQ(browser_->Evaluate("document.activeElement.tagName"), "CANVAS");
}

TEST_F(DashboardBrowserTest, SurvivesTheEndOfTheStudyAndItsOwn) {
  TrainFor(5);
  WaitFor("#study-state strong", "Running");
  study_.Kill();
  WaitFor("#study-state", "Interrupted in the stage “train”");
  study_.Start();
  study_.Begin("train", 1, 0.4, "");
  study_.Train(6);
  WaitFor("#study-state strong", "Running");
  WaitFor("#study-trainings tr.looked-at", "6 of 150");
  const int port = dashboard_->port();
  dashboard_.reset();
  WaitFor("#study-problem", "does not answer");
  dashboard_ = std::make_unique<Dashboard>(study_.folder(), port);
  for (int i = 0; i < 400 && !Text("#study-problem").empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(Text("#study-problem"), "");
  for (const std::string& line : browser_->complaints()) EXPECT_THAT(line, HasSubstr("net::ERR_"));
  Open();  // forgets them
}

TEST_F(DashboardBrowserTest, LeavesTheReaderWhereHeIs) {
  TrainFor(5);
  WaitFor("#prediction canvas + *, #prediction figure", "");
  browser_->Evaluate(R"((() => {
    document.querySelector('#networks').scrollIntoView({behavior: 'instant'});
    document.querySelector('#table details').open = true;
    document.querySelector('#environment a, #environment button').focus({preventScroll: true});
    shown.model.selection.set({slot: 4});
  })())");
  const std::string place = "Math.round(document.querySelector('#networks').getBoundingClientRect().top)";
  const std::string focused = "document.activeElement.closest('section').id";
  const Json before = browser_->Evaluate(place);
  study_.Finish("train");
  WaitFor("#training h3", "Hyper-parameter trials");
  EXPECT_NEAR(browser_->Evaluate(place).get<double>(), before.get<double>(), 2);
  EXPECT_EQ(browser_->Evaluate("document.querySelector('#table details').open"), true);
  EXPECT_EQ(browser_->Evaluate("shown.model.selection.slot"), 4);
  EXPECT_EQ(browser_->Evaluate(focused), "environment");
}

TEST_F(DashboardBrowserTest, WaitsWhileTextIsSelected) {
  study_.Start();
  study_.Begin("profile", 100, 10, "");
  WaitFor("#study-stages tr.looked-at", "10 %");
  browser_->Evaluate("getSelection().selectAllChildren(document.querySelector('#study-stages tr.looked-at'))");
  study_.Begin("profile", 100, 90, "");
  study_.Finish("profile");
  study_.Begin("search", 0, 0, "");
  WaitFor("#study-state", "the stage “search”");
  EXPECT_THAT(browser_->Evaluate("String(getSelection())").get<std::string>(), HasSubstr("10 %"));
  browser_->Evaluate("getSelection().removeAllRanges()");
  WaitFor("#study-stages tr.looked-at", "search");
}

TEST_F(DashboardBrowserTest, AxeFindsNoSeriousFault) {
  if (!fs::exists(HOT_AXE_JS)) GTEST_SKIP() << "skipped: needs axe-core (scripts/setup --with-browser)";
  TrainFor(20);
  WaitFor("#study-trainings tr.looked-at", "20 of 150");
  const std::string trim =
      "document.querySelectorAll('section:not(#study) tbody tr:nth-child(n + 9)')"
      ".forEach((row) => row.remove())";
  browser_->Evaluate(trim);
  EXPECT_EQ(browser_->SeriousFaults(HOT_AXE_JS), Json::array());
  browser_->SetColourScheme("dark");
  EXPECT_EQ(browser_->SeriousFaults(HOT_AXE_JS, {"color-contrast"}), Json::array());
}

}  // namespace
}  // namespace hot
