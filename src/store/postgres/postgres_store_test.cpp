// What only the PostgreSQL journal has: a server that goes away, rights, passwords, foreign schemas, migrations.
#include <functional>
#include <thread>

#include "core/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/postgres/connection.h"
#include "store/postgres/schema.h"
#include "store/store.h"
#include "store/testing/postgres_server.h"

namespace hot {
namespace {

using testing::HasSubstr;
using testing::Not;

MeasurementRow Row(const std::string& graph_key) {
  MeasurementRow row;
  row.key = {graph_key, "device", "openvino", "1", "", "fp32", "", 1, 1};
  row.samples_ns = row.canary_ns = {1, 2, 3};
  return row;
}

Error Failure(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(Code::kOk, "", "");
}

class PostgresStoreTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (PostgresServer::WhyNot().empty()) server_ = new PostgresServer;
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }

  void SetUp() override {
    if (server_ == nullptr) GTEST_SKIP() << PostgresServer::WhyNot();
    static int number = 0;
    database_ = std::to_string(++number).insert(0, 1, 'd');
    url_ = server_->MakeDatabase(database_);
  }

  std::string Psql(const std::string& sql) const { return server_->Psql(database_, sql); }

  // What ends all connections but psql's, as an administrator or a firewall does.
  void EndConnections() const {
    Psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = '" +
         database_ + "'");
  }

  static PostgresServer* server_;
  std::string database_, url_;
};
PostgresServer* PostgresStoreTest::server_ = nullptr;

TEST_F(PostgresStoreTest, SamplesAreLittleEndianInt64) {
  MeasurementRow row = Row("g");
  row.samples_ns = {0x0102030405060708, -2};
  row.canary_ns = {1, 2};
  OpenStore(url_)->AddMeasurement(row);
  EXPECT_EQ(Psql("SELECT encode(samples_ns, 'hex') FROM hot_journal.measurement"),
            "0807060504030201feffffffffffffff\n");
}

TEST_F(PostgresStoreTest, RowsAreNeverOverwritten) {
  OpenStore(url_)->AddMeasurement(Row("g"));
  const Error error = Failure([&] { Psql("UPDATE hot_journal.measurement SET median_ns = 1"); });
  EXPECT_THAT(error.what(), HasSubstr("never overwritten"));
}

TEST_F(PostgresStoreTest, NewerJournalIsRefusedAndLeftAlone) {
  OpenStore(url_)->AddMeasurement(Row("g"));
  Psql("UPDATE hot_journal.version SET version = 99");
  const Error error = Failure([&] { OpenStore(url_); });
  EXPECT_EQ(error.code(), Code::kFailedPrecondition);
  EXPECT_EQ(error.where(), url_);
  EXPECT_THAT(error.message(), HasSubstr("made by a newer hot (version 99, this one knows "));
  EXPECT_EQ(Psql("SELECT version, (SELECT count(*) FROM hot_journal.measurement) FROM hot_journal.version"), "99|1\n");
}

TEST_F(PostgresStoreTest, AnotherProgramsSchemaIsRefused) {
  Psql("CREATE SCHEMA hot_journal; CREATE TABLE hot_journal.bookmark (url TEXT)");
  const Error error = Failure([&] { OpenStore(url_); });
  EXPECT_EQ(error.code(), Code::kDataLoss);
  EXPECT_THAT(error.what(), HasSubstr("another program"));
  Psql("CREATE TABLE hot_journal.version (version BIGINT)");
  EXPECT_THAT(Failure([&] { OpenStore(url_); }).what(), HasSubstr("the journal is damaged: it has no version"));
}

// An administrator may make the schema and keep the right to make others.
TEST_F(PostgresStoreTest, AnEmptySchemaBecomesAJournal) {
  Psql("CREATE ROLE maker LOGIN; CREATE SCHEMA hot_journal AUTHORIZATION maker");
  OpenStore(server_->Url(database_, "maker"))->AddMeasurement(Row("g"));
  EXPECT_EQ(Psql("SELECT count(*) FROM hot_journal.measurement"), "1\n");
}

TEST_F(PostgresStoreTest, WhoMayOnlyReadReads) {
  OpenStore(url_)->AddMeasurement(Row("g"));
  Psql(
      "CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA hot_journal TO reader; "
      "GRANT SELECT ON ALL TABLES IN SCHEMA hot_journal TO reader");
  const auto store = OpenStore(server_->Url(database_, "reader"));
  EXPECT_EQ(store->Measurements("device").size(), 1u);
  const Error error = Failure([&] { store->AddMeasurement(Row("h")); });
  EXPECT_EQ(error.code(), Code::kPermissionDenied) << error.what();
  EXPECT_EQ(store->Measurements("device").size(), 1u);
  Psql("CREATE ROLE nobody LOGIN");
  EXPECT_EQ(Failure([&] { OpenStore(server_->Url(database_, "nobody")); }).code(), Code::kPermissionDenied);
}

TEST_F(PostgresStoreTest, ALostConnectionIsMadeAgainOnce) {
  const auto store = OpenStore(url_);
  store->AddMeasurement(Row("g"));
  EndConnections();
  store->AddMeasurement(Row("h"));
  EndConnections();
  EXPECT_EQ(store->Measurements("device").size(), 2u);
  EndConnections();
  EXPECT_EQ(store->CountMeasurements(Row("h").key), 1);
  EndConnections();
  store->AddRecord({.kind = "trial", .key = "k", .study = "s", .body = "{}"});
  EXPECT_EQ(store->Records("s").size(), 1u);
}

TEST_F(PostgresStoreTest, AServerThatIsGoneIsOneClearLine) {
  const auto store = OpenStore(url_);
  store->AddMeasurement(Row("g"));
  server_->Kill();
  for (const auto& work : std::vector<std::function<void()>>{
           [&] { store->AddMeasurement(Row("h")); }, [&] { store->FindMeasurement(Row("g").key); },
           [&] { store->Import([] { return std::nullopt; }); }, [&] { OpenStore(url_); }}) {
    const Error error = Failure(work);
    EXPECT_EQ(error.code(), Code::kUnavailable) << error.what();
    EXPECT_EQ(error.where(), url_);
    EXPECT_THAT(error.message(), Not(HasSubstr("\n")));
  }
  server_->Start();
  store->AddMeasurement(Row("h"));  // the same object, once the server is back
  EXPECT_EQ(store->Measurements("device").size(), 2u);
}

TEST_F(PostgresStoreTest, AConnectionLostInAnImportImportsNothing) {
  const auto store = OpenStore(url_);
  int given = 0;
  const JournalRows rows = [&]() -> std::optional<JournalRow> {
    if (given == 3) EndConnections();
    if (++given > 5) return std::nullopt;
    return Row(std::to_string(given));
  };
  const Error error = Failure([&] { store->Import(rows); });
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_THAT(error.what(), HasSubstr("lost the connection"));
  EXPECT_EQ(store->Measurements("device").size(), 0u);
  given = 10;
  EXPECT_EQ(store->Import(rows).measurements, 0);
}

TEST_F(PostgresStoreTest, TwoImportsOfTheSameRowsAtOnceAddThemOnce) {
  { OpenStore(url_); }
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([this] {
      int given = 0;
      OpenStore(url_)->Import([&]() -> std::optional<JournalRow> {
        if (++given > 20) return std::nullopt;
        return Row(std::to_string(given));
      });
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Psql("SELECT count(*) FROM hot_journal.measurement"), "20\n");
}

TEST_F(PostgresStoreTest, PasswordsAreInNoMessage) {
  Psql("CREATE ROLE secretive LOGIN PASSWORD 'open%sesame'; GRANT ALL ON DATABASE " + database_ + " TO secretive");
  const std::string good = server_->Url(database_, "secretive:open%25sesame");
  EXPECT_NO_THROW(OpenStore(good)->AddMeasurement(Row("g")));
  Psql("UPDATE hot_journal.version SET version = 99");
  EXPECT_THAT(Failure([&] { OpenStore(good); }).what(), Not(HasSubstr("sesame")));
  const std::string host = good.substr(good.find("?host="));
  for (const std::string& url :
       {server_->Url(database_, "secretive:wrongsesame"), server_->Url("nowhere", "secretive:open%25sesame"),
        server_->Url(database_, "secretive:open%sesame"), server_->Url(database_, "secretive:open@sesame"),
        server_->Url(database_, "secretive:open/sesame"), server_->Url(database_, "secretive:open?sesame"),
        "postgresql:///x" + host + "&password=sesame&user=secretive", "postgresql:///x" + host + "&password=se%same",
        std::string("postgresql://secretive:sesame/x"), std::string("mysql://ann:sesame@host/x"),
        std::string("postgresql://ann:sesame@host.invalid/x")}) {
    const Error error = Failure([&] { OpenStore(url); });
    EXPECT_THAT(error.what(), Not(HasSubstr("same"))) << url;
    EXPECT_NE(error.code(), Code::kInternal) << error.what();
  }
}

TEST_F(PostgresStoreTest, MigratesForwardStepByStep) {
  const std::string_view steps[] = {"CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (41);", "UPDATE a SET x = x + 1;",
                                    "ALTER TABLE a RENAME TO b;"};
  postgres::Connection connection(url_);
  EXPECT_EQ(postgres::JournalVersion(connection), 0);
  postgres::Migrate(connection, std::span(steps).first(1));
  EXPECT_EQ(postgres::JournalVersion(connection), 1);
  postgres::Migrate(connection, steps);
  postgres::Migrate(connection, steps);
  EXPECT_EQ(postgres::JournalVersion(connection), 3);
  EXPECT_EQ(connection.QueryInteger("SELECT x FROM b", 0), 42);
  const std::string_view worse[] = {"", "", "", "UPDATE b SET x = 0; INSERT INTO missing VALUES (1);"};
  Failure([&] { postgres::Migrate(connection, worse); });
  EXPECT_EQ(postgres::JournalVersion(connection), 3);
  EXPECT_EQ(connection.QueryInteger("SELECT x FROM b", 0), 42);
}

}  // namespace
}  // namespace hot
