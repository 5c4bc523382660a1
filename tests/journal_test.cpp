// One team, several machines: what was measured beside a board goes, as a file or through a server, to people who do
// not have it, and their `hot` finds the same networks. The "board" is this machine; pinned to one core it is another
// one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "hot_program.h"
#include "store/store.h"
#include "store/testing/postgres_server.h"

namespace hot {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kElsewhere = "taskset -c 0";  // another affinity, another fingerprint

class JournalTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    board_ = new TempFolder;
    fs::copy(MeasuredStudy(), board_->path(), fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    ASSERT_EQ(RunHot(board_->path(), "verify study.yaml --quiet").code, 0);
    ASSERT_EQ(RunHot(board_->path(), "journal export runs/journal.sqlite --out board.hotj").code, 0);
  }
  static void TearDownTestSuite() {
    delete board_;
    board_ = nullptr;
  }

  // A colleague's folder: data, study and the file, and no journal.
  void SetUp() override {
    fs::copy(board_->path() / "data", here_.path() / "data", fs::copy_options::recursive);
    for (const char* file : {"study.yaml", "board.hotj"}) fs::copy(board_->path() / file, here_.path() / file);
  }

  HotResult Hot(const std::string& arguments, const std::string& prefix = kElsewhere) const {
    const std::string program = HOT_BINARY_DIR "/bin/hot";
    const ProcessResult result = RunProcess(
        {"bash", "-c", "cd '" + here_.path().string() + "' && exec " + prefix + " '" + program + "' " + arguments});
    return {.code = result.status.code, .output = result.output};
  }

  static Json BoardTable() { return Json::parse(ReadFile(board_->path() / "runs/tiny/table.json")); }
  static std::string Fingerprint() { return BoardTable().at("device").at("fingerprint"); }
  std::string OnBoard() const { return " --set target.device=journal:" + Fingerprint().substr(0, 6); }

  // A file of the run, without how long the solver took.
  static std::string Result(const fs::path& folder, const std::string& file) {
    return std::regex_replace(ReadFile(folder / "runs/tiny" / file), std::regex("\"solve_ns\": [0-9]+"), "");
  }

  void ExpectOneLine(const std::string& arguments, const std::string& text, int code) const {
    const HotResult result = Hot(arguments);
    EXPECT_EQ(result.code, code) << result.output;
    const std::string error = result.output.substr(std::min(result.output.size(), result.output.find("error: ")));
    EXPECT_THAT(error, HasSubstr(text));
    EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 1) << result.output;
  }

  // Whether a file below runs/ has this text in it.
  bool IsWritten(const std::string& text) const {
    for (const auto& entry : fs::recursive_directory_iterator(here_.path() / "runs")) {
      if (entry.is_regular_file() && ReadFile(entry.path()).find(text) != std::string::npos) return true;
    }
    return false;
  }

  static TempFolder* board_;
  TempFolder here_;
};
TempFolder* JournalTest::board_ = nullptr;

TEST_F(JournalTest, ResultsAreUsableWithoutTheBoard) {
  ASSERT_THAT(Hot("journal import runs/journal.sqlite board.hotj").output, HasSubstr(", 0 rows were there already"));
  const HotResult again = Hot("journal import runs/journal.sqlite board.hotj --json");
  const Json counts = Json::parse(again.output).at("files")[0];
  EXPECT_EQ(counts.at("measurements"), 0);
  EXPECT_EQ(counts.at("records"), 0);
  EXPECT_GT(counts.at("known"), 20);

  const HotResult verify = Hot("verify study.yaml" + OnBoard());
  ASSERT_EQ(verify.code, 0) << verify.output;
  EXPECT_THAT(verify.output, HasSubstr(" rows, 0 measured, "));
  for (const char* file : {"table.json", "search.json", "verify.json"}) {
    EXPECT_EQ(Result(here_.path(), file), Result(board_->path(), file)) << file;
  }
  // Only what would have to be measured fails; what was found before stays.
  ExpectOneLine("profile study.yaml --set model.width=0.5" + OnBoard(), "are not in the journal, and the device", 1);
  const HotResult search = Hot("search study.yaml --set search.latency_ratio=1.2 --quiet" + OnBoard());
  EXPECT_EQ(search.code, 0) << search.output;
}

// Two journals of one device have each a canary of their first visit as reference; brought together their rows must be
// comparable.
TEST_F(JournalTest, RowsOfAnotherReferenceComeToTheSameScale) {
  ASSERT_EQ(Hot("journal import runs/journal.sqlite board.hotj").code, 0);
  {
    const auto store = OpenStore(here_.path() / "runs/journal.sqlite");
    std::vector<MeasurementRow> rows = store->Measurements(Fingerprint());
    ASSERT_GT(rows.size(), 20u);
    for (size_t i = 1; i < rows.size(); i += 2) {
      for (double* value : {&rows[i].median_ns, &rows[i].low_ns, &rows[i].high_ns}) *value *= 1.5;
      ++rows[i].created;
      store->AddMeasurement(rows[i]);
    }
  }
  ASSERT_EQ(Hot("profile study.yaml --quiet" + OnBoard()).code, 0);
  const Json ours = Json::parse(ReadFile(here_.path() / "runs/tiny/table.json")).at("tables")[0].at("rows");
  const Json theirs = BoardTable().at("tables")[0].at("rows");
  ASSERT_EQ(ours.size(), theirs.size());
  for (size_t i = 0; i < ours.size(); ++i) {
    EXPECT_NEAR(ours[i].at("latency_ns").get<double>() / theirs[i].at("latency_ns").get<double>(), 1, 1e-6);
  }
}

TEST_F(JournalTest, DevicesAreFoundByTheirFirstLettersOrNamed) {
  ASSERT_EQ(Hot("journal import runs/journal.sqlite board.hotj").code, 0);
  ExpectOneLine("search study.yaml --set target.device=journal:nobody", "known: " + Fingerprint(), 2);
  EXPECT_EQ(Hot("search study.yaml --quiet --set target.device=journal:").code, 0) << "there is but one";
  ExpectOneLine("search study.yaml --set target.toolchain=tvm" + OnBoard(), "with toolchain tvm", 2);
  ExpectOneLine("search study.yaml --set target.precision=int16x8" + OnBoard(), "can't execute int16x8", 2);
  ExpectOneLine("search study.yaml --set run.journal=new.sqlite" + OnBoard(), "the journal knows of no device", 2);
}

TEST_F(JournalTest, ShowTellsWhatWasMeasured) {
  const fs::path journal = here_.path() / "j.sqlite";
  ASSERT_EQ(Hot("journal import j.sqlite board.hotj").code, 0);
  MeasurementRow row{.key = {"g", "npu", "vela", "5.1", "", "int8", "", 1, 1}, .estimate = true, .created = 1795484820};
  OpenStore(journal)->AddMeasurement(row);
  const HotResult show = Hot("journal show j.sqlite");
  EXPECT_EQ(show.code, 0);
  EXPECT_THAT(show.output, HasSubstr(Fingerprint() + "  host, "));
  EXPECT_THAT(show.output, HasSubstr("1 (estimates)"));
  EXPECT_THAT(show.output, HasSubstr("2026-11-24T"));
  const Json json = Json::parse(Hot("journal show j.sqlite --json --precision int8 --device " + Fingerprint()).output);
  ASSERT_EQ(json.at("measured").size(), 1u);
  EXPECT_EQ(json.at("measured")[0].at("device"), Fingerprint());
  EXPECT_GT(json.at("measured")[0].at("rows"), 20);
  EXPECT_TRUE(Json::parse(Hot("journal show j.sqlite --json --toolchain tvm").output).at("measured").empty());
  ExpectOneLine("journal show j.sqlite --device x", "known: ", 2);
  ExpectOneLine("journal show none.sqlite", "there is no journal here", 2);
  EXPECT_FALSE(fs::exists(here_.path() / "none.sqlite"));
  ExpectOneLine("journal show data", "is no run folder", 2);
}

TEST_F(JournalTest, BadFilesAndCommandLines) {
  const std::string good = ReadFile(here_.path() / "board.hotj");
  WriteFileAtomic(here_.path() / "half.hotj", good.substr(0, good.size() / 2));
  ExpectOneLine("journal import j.sqlite half.hotj", "half.hotj:", 2);
  ExpectOneLine("journal import j.sqlite study.yaml", "is no exported journal", 2);
  ExpectOneLine("journal import j.sqlite none.hotj", "can't be opened", 2);
  EXPECT_THAT(Hot("journal show j.sqlite").output, HasSubstr("nothing was measured"));
  ASSERT_EQ(Hot("journal import j.sqlite board.hotj").code, 0);
  ExpectOneLine("journal export j.sqlite --out board.hotj", "--overwrite", 2);
  ExpectOneLine("journal export j.sqlite", "--optuna", 2);
  ExpectOneLine("journal export j.sqlite --out a --optuna b", "--optuna", 2);
  ExpectOneLine("journal export j.sqlite --optuna b", "is no run folder", 2);
  ASSERT_EQ(Hot("journal export j.sqlite --out again.hotj --device " + Fingerprint()).code, 0);
  EXPECT_EQ(ReadFile(here_.path() / "again.hotj"), good);
}

TEST_F(JournalTest, ATeamSharesAServer) {
  if (const std::string why = PostgresServer::WhyNot(); !why.empty()) GTEST_SKIP() << why;
  PostgresServer server;
  server.MakeDatabase("team");
  server.Psql("team", "CREATE ROLE secretive LOGIN PASSWORD 'sesame'; GRANT CREATE ON DATABASE team TO secretive");
  const std::string url = "'" + server.Url("team", "secretive:sesame") + "'";
  ASSERT_EQ(Hot("journal import " + url + " board.hotj").code, 0);
  const HotResult verify = Hot("verify study.yaml --set run.journal=" + url + OnBoard());
  ASSERT_EQ(verify.code, 0) << verify.output;
  EXPECT_THAT(verify.output, HasSubstr(" rows, 0 measured, "));
  EXPECT_EQ(Result(here_.path(), "verify.json"), Result(board_->path(), "verify.json"));
  EXPECT_FALSE(IsWritten("sesame"));
  EXPECT_TRUE(IsWritten("postgresql://secretive@/team"));
  // The run folder knows its journal; the password comes from where libpq looks.
  const HotResult show = Hot("journal show runs/tiny", "env PGPASSWORD=sesame");
  EXPECT_THAT(show.output, HasSubstr(Fingerprint()));
  EXPECT_THAT(Hot("journal show " + url).output, Not(HasSubstr("sesame")));
  ASSERT_EQ(Hot("journal export " + url + " --out again.hotj").code, 0);
  EXPECT_EQ(ReadFile(here_.path() / "again.hotj"), ReadFile(here_.path() / "board.hotj"));
  server.Kill();
  const HotResult gone = Hot("search study.yaml --quiet --set run.journal=" + url + OnBoard());
  EXPECT_EQ(gone.code, 1);
  EXPECT_EQ(std::count(gone.output.begin(), gone.output.end(), '\n'), 1) << gone.output;
  EXPECT_THAT(gone.output, HasSubstr("postgresql://secretive@/team"));
}

}  // namespace
}  // namespace hot
