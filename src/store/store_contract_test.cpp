// What every Store must do.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <set>
#include <thread>

#include "core/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/testing/store_case.h"

namespace hot {
namespace {

class StoreContract : public StoreTest {};

// Runs `work` in a child process; returns its pid. The child never returns into the test.
pid_t Fork(const std::function<void()>& work) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  try {
    work();
  } catch (const std::exception& error) {
    ::write(STDERR_FILENO, error.what(), std::char_traits<char>::length(error.what()));
    ::_exit(1);
  }
  ::_exit(0);
}

TEST_P(StoreContract, ReturnsWhatWasAdded) {
  const auto store = Open();
  MeasurementRow row = TestRow("g1");
  store->AddMeasurement(row);
  const auto found = store->FindMeasurement(row.key);
  ASSERT_TRUE(found.has_value());
  EXPECT_GT(found->id, 0);
  ExpectSame(*found, row);

  row.estimate = true;
  row.steady = false;
  row.samples_ns.clear();
  row.canary_ns.clear();
  store->AddMeasurement(row);
  ExpectSame(*store->FindMeasurement(row.key), row);
}

TEST_P(StoreContract, UnknownKeysAreNotFound) {
  const auto store = Open();
  EXPECT_FALSE(store->FindMeasurement(TestRow("g1").key).has_value());
  EXPECT_EQ(store->CountMeasurements(TestRow("g1").key), 0);
  EXPECT_FALSE(store->FindRecord("trial", "k").has_value());
  EXPECT_TRUE(store->Measurements("device-a").empty());
  EXPECT_TRUE(store->Records("study").empty());
}

TEST_P(StoreContract, EveryPartOfTheKeyCounts) {
  const auto store = Open();
  store->AddMeasurement(TestRow("g1"));
  const std::vector<std::function<void(MeasurementKey&)>> changes = {
      [](MeasurementKey& key) { key.graph_key = "g2"; },
      [](MeasurementKey& key) { key.device = "device-b"; },
      [](MeasurementKey& key) { key.toolchain = "tvm"; },
      [](MeasurementKey& key) { key.toolchain_version = "2026.4.2"; },
      [](MeasurementKey& key) { key.flags = ""; },
      [](MeasurementKey& key) { key.precision = "fp32"; },
      [](MeasurementKey& key) { key.scheme = "per-tensor"; },
      [](MeasurementKey& key) { key.threads = 2; },
      [](MeasurementKey& key) { key.batch = 8; },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    MeasurementRow other = TestRow("g1", 5000 + static_cast<int64_t>(i));
    changes[i](other.key);
    EXPECT_FALSE(store->FindMeasurement(other.key).has_value()) << "change " << i;
    store->AddMeasurement(other);
    EXPECT_EQ(store->FindMeasurement(other.key)->samples_ns[0], 5000 + static_cast<int64_t>(i));
  }
  EXPECT_EQ(store->FindMeasurement(TestRow("g1").key)->samples_ns[0], 1000);
}

TEST_P(StoreContract, NewerRowsSupersede) {
  const auto store = Open();
  store->AddMeasurement(TestRow("g1", 1));
  store->AddMeasurement(TestRow("g2", 2));
  const auto before = store->FindMeasurement(TestRow("g1").key);
  MeasurementRow newer = TestRow("g1", 3);
  newer.created = 5;  // the order of adding decides, not a clock that was put back
  store->AddMeasurement(newer);
  EXPECT_EQ(store->FindMeasurement(newer.key)->samples_ns[0], 3);
  EXPECT_EQ(store->CountMeasurements(newer.key), 2);
  EXPECT_EQ(store->CountMeasurements(TestRow("g2").key), 1);
  EXPECT_EQ(before->samples_ns[0], 1) << "a copy that later writes never change";
  const auto all = store->Measurements("device-a");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].key.graph_key, "g2");
  EXPECT_EQ(all[1].samples_ns[0], 3);
  EXPECT_LT(all[0].id, all[1].id);
}

TEST_P(StoreContract, MeasurementsOfOneDeviceOnly) {
  const auto store = Open();
  MeasurementRow other = TestRow("g1");
  other.key.device = "device-b";
  store->AddMeasurement(TestRow("g1"));
  store->AddMeasurement(other);
  ASSERT_EQ(store->Measurements("device-b").size(), 1u);
  EXPECT_EQ(store->Measurements("device-b")[0].key.device, "device-b");
}

TEST_P(StoreContract, Records) {
  const auto store = Open();
  store->AddRecord({.kind = "trial", .key = "k1", .study = "s1", .body = R"({"score": 1})", .created = 7});
  store->AddRecord({.kind = "trial", .key = "k1", .study = "s2", .body = R"({"score": 2})", .created = 8});
  store->AddRecord({.kind = "evaluation", .key = "k1", .study = "s1", .body = "{}", .created = 9});
  const auto newest = store->FindRecord("trial", "k1");
  ASSERT_TRUE(newest.has_value());
  EXPECT_EQ(newest->body, R"({"score": 2})");
  EXPECT_EQ(newest->study, "s2");
  EXPECT_EQ(newest->created, 8);
  const auto rows = store->Records("s1");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].kind, "trial");
  EXPECT_EQ(rows[1].kind, "evaluation");
  EXPECT_LT(rows[0].id, rows[1].id);
}

TEST_P(StoreContract, ARowIsNeverOlderThanWhatItSupersedes) {
  const auto store = Open();
  store->AddMeasurement(TestRow("g1", 1));
  MeasurementRow newer = TestRow("g1", 2);
  newer.created = 5;
  store->AddMeasurement(newer);
  EXPECT_EQ(store->FindMeasurement(newer.key)->created, TestRow("g1").created);
  newer.key.graph_key = "g2";
  store->AddMeasurement(newer);
  EXPECT_EQ(store->FindMeasurement(newer.key)->created, 5);
}

TEST_P(StoreContract, VisitsEveryRowById) {
  const auto store = Open();
  for (int64_t i = 0; i < 30; ++i) {
    MeasurementRow row = TestRow(std::to_string(i % 3), 100 + i);
    row.key.device = i < 20 ? "device-a" : "device-b";
    store->AddMeasurement(row);
    store->AddRecord({.kind = i % 2 == 0 ? "step" : "trial", .key = "k", .study = std::to_string(i % 3), .body = "{}"});
  }
  const auto samples = [&](const std::string& device) {
    std::vector<int64_t> firsts;
    store->VisitMeasurements(device, [&](const MeasurementRow& row) { firsts.push_back(row.samples_ns[0]); });
    EXPECT_TRUE(std::ranges::is_sorted(firsts));
    return firsts.size();
  };
  EXPECT_EQ(samples(""), 30u);
  EXPECT_EQ(samples("device-a"), 20u);
  EXPECT_EQ(samples("device-c"), 0u);
  const auto records = [&](const RecordFilter& filter) {
    std::vector<int64_t> ids;
    store->VisitRecords(filter, [&](const RecordRow& row) { ids.push_back(row.id); });
    EXPECT_TRUE(std::ranges::is_sorted(ids));
    return ids.size();
  };
  EXPECT_EQ(records({}), 30u);
  EXPECT_EQ(records({.kind = "step"}), 15u);
  EXPECT_EQ(records({.kind = "", .study = "1"}), 10u);
  EXPECT_EQ(records({.kind = "step", .study = "1"}), 5u);
}

TEST_P(StoreContract, AVisitorMayThrowAndTheStoreGoesOn) {
  const auto store = Open();
  for (int i = 0; i < 5; ++i) store->AddMeasurement(TestRow(std::to_string(i)));
  EXPECT_THROW(store->VisitMeasurements("", [](const MeasurementRow&) { throw Error(Code::kCancelled, "", "stop"); }),
               Error);
  EXPECT_EQ(store->Measurements("device-a").size(), 5u);
}

TEST_P(StoreContract, OpensOnlyWhatIsThere) {
  try {
    OpenStore(place_, IfMissing::kThrow);
    ADD_FAILURE() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound) << error.what();
  }
  Open()->AddMeasurement(TestRow("g1"));
  EXPECT_EQ(OpenStore(place_, IfMissing::kThrow)->CountMeasurements(TestRow("g1").key), 1);
}

TEST_P(StoreContract, RefusesRowsThatMakeNoSense) {
  const auto store = Open();
  MeasurementRow uneven = TestRow("g1");
  uneven.canary_ns.pop_back();
  MeasurementRow not_a_number = TestRow("g1");
  not_a_number.p90_ns = std::numeric_limits<double>::quiet_NaN();
  MeasurementRow not_utf8 = TestRow("g1"), with_nul = TestRow("g1");
  not_utf8.note = "caf\xe9";
  with_nul.key.flags = std::string("a\0b", 3);
  for (const MeasurementRow& row : {uneven, not_a_number, not_utf8, with_nul}) {
    try {
      store->AddMeasurement(row);
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument);
    }
  }
  EXPECT_TRUE(store->Measurements("device-a").empty());
}

TEST_P(StoreContract, ReopeningKeepsRows) {
  Open()->AddMeasurement(TestRow("g1"));
  Open()->AddRecord({.kind = "trial", .key = "k1", .study = "s1", .body = "{}"});
  const auto store = Open();
  ExpectSame(store->FindMeasurement(TestRow("g1").key).value(), TestRow("g1"));
  EXPECT_EQ(store->Records("s1").size(), 1u);
}

TEST_P(StoreContract, ThreadsShareOneStore) {
  const auto store = Open();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&store, t] {
      for (int i = 0; i < 25; ++i) {
        const std::string key = std::to_string(t) + "-" + std::to_string(i);
        store->AddMeasurement(TestRow(key));
        EXPECT_TRUE(store->FindMeasurement(TestRow(key).key).has_value());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store->Measurements("device-a").size(), 100u);
}

TEST_P(StoreContract, ProcessesShareOneJournal) {
  std::vector<pid_t> children;  // they also race to make the journal
  for (int child = 0; child < 4; ++child) {
    children.push_back(Fork([this, child] {
      const auto store = Open();
      for (int i = 0; i < 25; ++i) store->AddMeasurement(TestRow(std::to_string(child) + "-" + std::to_string(i)));
    }));
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  const auto rows = Open()->Measurements("device-a");
  std::set<int64_t> ids;
  for (const MeasurementRow& row : rows) ids.insert(row.id);
  EXPECT_EQ(ids.size(), 100u);
}

// The child adds big rows and reports each finished one; it is killed while it writes the next.
TEST_P(StoreContract, KillKeepsFinishedRows) {
  std::vector<int64_t> samples(40'000);
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<int64_t>(i);
  int64_t finished = 0;
  for (int round = 0; round < 5; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = Fork([&] {
      const auto store = Open();
      for (char i = 0; i < 100; ++i) {
        MeasurementRow row = TestRow(std::to_string(round) + "-" + std::to_string(i));
        row.samples_ns = row.canary_ns = samples;
        store->AddMeasurement(row);
        if (::write(pipe_ends[1], &i, 1) != 1) return;
      }
    });
    ::close(pipe_ends[1]);
    char byte = 0;
    for (int i = 0; i < 3 + round && ::read(pipe_ends[0], &byte, 1) == 1; ++i) ++finished;
    ::usleep(static_cast<useconds_t>(round * 700));
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    while (::read(pipe_ends[0], &byte, 1) == 1) ++finished;
    ::close(pipe_ends[0]);

    const auto store = Open();
    const auto rows = store->Measurements("device-a");
    EXPECT_GE(static_cast<int64_t>(rows.size()), finished);
    finished = static_cast<int64_t>(rows.size());  // a row may be finished and not yet reported
    for (const MeasurementRow& row : rows) EXPECT_EQ(row.samples_ns, samples);
    store->AddRecord({.kind = "trial", .key = std::to_string(round), .study = "s", .body = "{}"});
  }
  EXPECT_EQ(Open()->Records("s").size(), 5u);
}

#ifndef HOT_POSTGRES
TEST(Store, BuiltWithoutPostgresSaysSo) {
  try {
    OpenStore("postgresql://ann:secret@host/team");
    FAIL() << "it was opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnimplemented);
    EXPECT_THAT(error.what(), testing::HasSubstr("built without PostgreSQL"));
    EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("secret")));
  }
}
#endif

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract, testing::ValuesIn(StoreCases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hot
