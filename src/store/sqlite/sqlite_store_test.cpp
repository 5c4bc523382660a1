// What only the SQLite journal has: versions, damaged and foreign files, permissions, a full disk.
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>

#include "core/error.h"
#include "core/files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/schema.h"
#include "store/store.h"

namespace hot {
namespace {

using sqlite::Connection;
using testing::HasSubstr;

MeasurementRow Row(const std::string& graph_key, size_t samples = 3) {
  MeasurementRow row;
  row.key = {graph_key, "device", "openvino", "1", "", "fp32", "", 1, 1};
  for (size_t i = 0; i < samples; ++i) row.samples_ns.push_back(static_cast<int64_t>(i) * 1'000'003);
  row.canary_ns = row.samples_ns;
  return row;
}

// Not "g" + to_string(): g++ 12 warns about it for no reason (-Wrestrict).
std::string Numbered(int number) { return std::to_string(number).insert(0, 1, 'g'); }

Error Failure(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(Code::kOk, "", "");
}

// Runs `prepare` and `work` in a child, which may give up rights for good; returns the code of the Error it threw.
Code CodeInChild(const std::function<void()>& prepare, const std::function<void()>& work) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    prepare();
    try {
      work();
    } catch (const Error& error) {
      std::fprintf(stderr, "in the child: %s\n", error.what());
      ::_exit(static_cast<int>(error.code()));
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? static_cast<Code>(WEXITSTATUS(status)) : Code::kUnknown;
}

// Root may write everywhere.
void BecomeNobody() {
  if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(99);
}

class SqliteStoreTest : public testing::Test {
 protected:
  TempFolder folder_;
  fs::path file_ = folder_.path() / "journal.sqlite";
};

TEST_F(SqliteStoreTest, MakesMissingFoldersAndUsesWal) {
  const fs::path deep = folder_.path() / "a/b/journal.sqlite";
  OpenStore(deep)->AddMeasurement(Row("g"));
  Connection connection(deep, 1000);
  EXPECT_EQ(connection.QueryText("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(connection.QueryInteger("PRAGMA user_version"), static_cast<int64_t>(sqlite::JournalMigrations().size()));
}

TEST_F(SqliteStoreTest, SamplesAreLittleEndianInt64) {
  MeasurementRow row = Row("g", 0);
  row.samples_ns = {0x0102030405060708, -2};
  row.canary_ns = {1, 2};
  OpenStore(file_)->AddMeasurement(row);
  Connection connection(file_, 1000);
  EXPECT_EQ(connection.QueryText("SELECT hex(samples_ns) FROM measurement"), "0807060504030201FEFFFFFFFFFFFFFF");
}

TEST_F(SqliteStoreTest, RowsAreNeverOverwritten) {
  OpenStore(file_)->AddMeasurement(Row("g"));
  Connection connection(file_, 1000);
  const Error error = Failure([&] { connection.Execute("UPDATE measurement SET median_ns = 1"); });
  EXPECT_THAT(error.what(), HasSubstr("never overwritten"));
}

TEST_F(SqliteStoreTest, NewerJournalIsRefusedAndLeftAlone) {
  OpenStore(file_)->AddMeasurement(Row("g"));
  Connection(file_, 1000).Execute("PRAGMA user_version = 99");
  const Error error = Failure([&] { OpenStore(file_); });
  EXPECT_EQ(error.code(), Code::kFailedPrecondition);
  const std::string known = std::to_string(sqlite::JournalMigrations().size());
  EXPECT_EQ(error.where(), file_.string());
  EXPECT_EQ(error.message(), "made by a newer hot (version 99, this one knows " + known + ")");
  Connection connection(file_, 1000);
  EXPECT_EQ(connection.QueryInteger("PRAGMA user_version"), 99);
  EXPECT_EQ(connection.QueryInteger("SELECT count(*) FROM measurement"), 1);
}

TEST_F(SqliteStoreTest, NegativeVersionIsDamage) {
  Connection(file_, 1000).Execute("PRAGMA user_version = -5");
  const Error error = Failure([&] { OpenStore(file_); });
  EXPECT_EQ(error.code(), Code::kDataLoss);
  EXPECT_THAT(error.what(), HasSubstr("negative"));
}

TEST_F(SqliteStoreTest, OtherFilesAreRefused) {
  WriteFileAtomic(file_, "name: my study\n" + std::string(2000, 'x'));
  Error error = Failure([&] { OpenStore(file_); });
  EXPECT_EQ(error.code(), Code::kDataLoss);
  EXPECT_THAT(error.what(), HasSubstr("not a journal"));

  const fs::path foreign = folder_.path() / "browser.sqlite";
  Connection(foreign, 1000).Execute("CREATE TABLE bookmark (url TEXT)");
  error = Failure([&] { OpenStore(foreign); });
  EXPECT_EQ(error.code(), Code::kDataLoss);
  EXPECT_THAT(error.what(), HasSubstr("another program"));

  error = Failure([&] { OpenStore(folder_.path()); });
  EXPECT_EQ(error.code(), Code::kFailedPrecondition);
  EXPECT_THAT(error.what(), HasSubstr("is a folder"));
}

TEST_F(SqliteStoreTest, DamagedJournalIsReported) {
  {
    const auto store = OpenStore(file_);
    for (int i = 0; i < 50; ++i) store->AddMeasurement(Row(Numbered(i), 500));
  }
  std::string bytes = ReadFile(file_);
  for (size_t i = 8192; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
  WriteFileAtomic(file_, bytes);
  EXPECT_EQ(Failure([&] { OpenStore(file_)->Measurements("device"); }).code(), Code::kDataLoss);
}

TEST_F(SqliteStoreTest, SamplesCutShortAreReported) {
  { OpenStore(file_); }
  Connection(file_, 1000)
      .Execute(
          "INSERT INTO measurement VALUES "
          "(1,'g','device','openvino','1','','fp32','',1,1,0,x'0102',x'0102',0,0,0,0,0,0,1,'',0)");
  EXPECT_EQ(Failure([&] { OpenStore(file_)->FindMeasurement(Row("g").key); }).code(), Code::kDataLoss);
}

TEST_F(SqliteStoreTest, EmptyFileBecomesAJournal) {
  WriteFileAtomic(file_, "");
  OpenStore(file_)->AddMeasurement(Row("g"));
  EXPECT_TRUE(OpenStore(file_)->FindMeasurement(Row("g").key).has_value());
}

TEST_F(SqliteStoreTest, ReadOnlyPlacesAreRefused) {
  fs::permissions(folder_.path(), fs::perms(0555));
  EXPECT_EQ(CodeInChild(BecomeNobody, [&] { OpenStore(file_); }), Code::kPermissionDenied);
  EXPECT_EQ(CodeInChild(BecomeNobody, [&] { OpenStore(folder_.path() / "new/journal.sqlite"); }),
            Code::kPermissionDenied);
  fs::permissions(folder_.path(), fs::perms(0755));
  OpenStore(file_)->AddMeasurement(Row("g"));
  fs::permissions(file_, fs::perms(0444));
  fs::permissions(folder_.path(), fs::perms(0555));
  EXPECT_EQ(CodeInChild(BecomeNobody, [&] { OpenStore(file_); }), Code::kPermissionDenied);
  fs::permissions(folder_.path(), fs::perms(0755));
}

TEST_F(SqliteStoreTest, FullDiskKeepsEarlierRows) {
  const auto limit_file_size = [] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {.rlim_cur = 512 * 1024, .rlim_max = 512 * 1024};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  };
  const auto fill = [&] {
    const auto store = OpenStore(file_);
    for (int i = 0; i < 100; ++i) store->AddMeasurement(Row(Numbered(i), 5000));
  };
  EXPECT_EQ(CodeInChild(limit_file_size, fill), Code::kResourceExhausted);
  const auto rows = OpenStore(file_)->Measurements("device");
  EXPECT_GE(rows.size(), 1u);
  EXPECT_LT(rows.size(), 100u);
  for (const MeasurementRow& row : rows) EXPECT_EQ(row.samples_ns, Row("", 5000).samples_ns);
}

TEST_F(SqliteStoreTest, HeldJournalIsUnavailable) {
  { OpenStore(file_); }
  Connection holder(file_, 10);
  const sqlite::Transaction transaction(holder);
  Connection late(file_, 10);
  EXPECT_EQ(Failure([&] { late.Execute("BEGIN IMMEDIATE"); }).code(), Code::kUnavailable);
}

TEST_F(SqliteStoreTest, MigratesForwardStepByStep) {
  const std::string_view steps[] = {"CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (41);", "UPDATE a SET x = x + 1;",
                                    "ALTER TABLE a RENAME TO b;"};
  Connection connection(file_, 1000);
  sqlite::Migrate(connection, std::span(steps).first(1));
  EXPECT_EQ(connection.QueryInteger("PRAGMA user_version"), 1);
  sqlite::Migrate(connection, steps);
  EXPECT_EQ(connection.QueryInteger("PRAGMA user_version"), 3);
  EXPECT_EQ(connection.QueryInteger("SELECT x FROM b"), 42);
  sqlite::Migrate(connection, steps);
  EXPECT_EQ(connection.QueryInteger("SELECT x FROM b"), 42);
}

TEST_F(SqliteStoreTest, FailedMigrationLeavesTheOlderVersion) {
  const std::string_view steps[] = {"CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);",
                                    "UPDATE a SET x = 2; INSERT INTO missing VALUES (1);"};
  Connection connection(file_, 1000);
  Failure([&] { sqlite::Migrate(connection, steps); });
  EXPECT_EQ(connection.QueryInteger("PRAGMA user_version"), 1);
  EXPECT_EQ(connection.QueryInteger("SELECT x FROM a"), 1);
}

// testdata/journal_v1.sql was dumped from a journal of the first version; it must stay readable for ever.
TEST_F(SqliteStoreTest, ReadsTheOldestVersion) {
  Connection(file_, 1000).Execute(ReadFile(fs::path(HOT_SOURCE_DIR) / "src/store/testdata/journal_v1.sql"));
  const auto store = OpenStore(file_);
  const auto rows = store->Measurements("9f1c0d2e");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].id, 2);
  EXPECT_EQ(rows[0].key,
            (MeasurementKey{"3b7a", "9f1c0d2e", "openvino", "2026.4.1", "threads=1", "int8", "per-channel", 1, 1}));
  EXPECT_EQ(rows[0].samples_ns, (std::vector<int64_t>{120500, 119000, 121000}));
  EXPECT_EQ(rows[0].canary_ns, (std::vector<int64_t>{1000, 1001, 999}));
  EXPECT_EQ(rows[0].median_ns, 120500.5);
  EXPECT_FALSE(rows[0].steady);
  EXPECT_EQ(rows[0].note, "cap reached");
  EXPECT_EQ(rows[0].created, 1795484820);
  EXPECT_TRUE(rows[1].estimate);
  EXPECT_TRUE(rows[1].samples_ns.empty());
  EXPECT_EQ(store->FindRecord("trial", "77aa")->body, R"({"val_score": 0.5})");
}

}  // namespace
}  // namespace hot
