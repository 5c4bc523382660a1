#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "core/clock.h"
#include "core/context.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/installation.h"
#include "core/rng.h"
#include "core/subprocess.h"
#include "core/utf8.h"

namespace hot {
namespace {

TEST(Error, IsOneLineWhateverAFileHolds) {
  const Error error(Code::kInvalidArgument, "a.xml:3:5", "unknown class \"a\nb\x1b[31m\t\x7f\"", "known:\r\nc");
  EXPECT_STREQ(error.what(), "a.xml:3:5: unknown class \"a b [31m  \" (known:  c)");
}

TEST(Error, ReadsAsOneLine) {
  const Error error(Code::kInvalidArgument, "study.yaml:3:5", "model.width: must be positive", "try 1.0");
  EXPECT_STREQ(error.what(), "study.yaml:3:5: model.width: must be positive (try 1.0)");
  EXPECT_EQ(CodeName(Code::kDataLoss), "data loss");
}

TEST(Error, ExitCodesTellWhoseFaultItIs) {
  EXPECT_EQ(ExitCode(Code::kOk), 0);
  for (Code code : {Code::kInvalidArgument, Code::kNotFound, Code::kPermissionDenied, Code::kResourceExhausted,
                    Code::kFailedPrecondition, Code::kDataLoss}) {
    EXPECT_EQ(ExitCode(code), 2) << CodeName(code);
  }
  EXPECT_EQ(ExitCode(Code::kOutOfRange), 3);
  EXPECT_EQ(ExitCode(Code::kCancelled), 130);
  for (Code code : {Code::kUnknown, Code::kDeadlineExceeded, Code::kAlreadyExists, Code::kAborted, Code::kUnimplemented,
                    Code::kInternal, Code::kUnavailable}) {
    EXPECT_EQ(ExitCode(code), 1) << CodeName(code);
  }
}

TEST(Hash, KnownDigests) {  // FIPS 180-2, appendix B
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  TempFolder folder;
  WriteFileAtomic(folder.path() / "f", "abc");
  EXPECT_EQ(Sha256File(folder.path() / "f"), Sha256Hex("abc"));
}

TEST(Hash, DigestsFromOutsideAreChecked) {
  const std::string good = Sha256Hex("abc");
  EXPECT_TRUE(IsSha256(good));
  for (const std::string& bad : {std::string(), good.substr(1), good + "0", "../" + good.substr(3),
                                 "B" + good.substr(1), std::string(63, 'a') + '\n', std::string(63, 'a') + '\0'}) {
    EXPECT_FALSE(IsSha256(bad)) << bad;
  }
}

TEST(Hash, TokensAreOfTheirLengthAndDiffer) {
  EXPECT_EQ(RandomHex(0), "");
  EXPECT_EQ(RandomHex(16).size(), 32u);
  EXPECT_NE(RandomHex(16), RandomHex(16));
}

TEST(Rng, IsUniformAndRepeats) {
  Rng a(7), b(7);
  double sum = 0, squares = 0;
  for (int i = 0; i < 20000; ++i) {
    const double x = a.Normal();
    EXPECT_EQ(x, b.Normal());
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / 20000, 0, 0.03);
  EXPECT_NEAR(squares / 20000, 1, 0.05);
}

TEST(Utf8, PrefixEndsAtTheFirstByteThatIsNone) {
  const std::pair<std::string, size_t> cases[] = {
      {"", 0},
      {"plain", 5},
      {"caf\xc3\xa9", 5},
      {"\xe2\x82\xac\xf0\x9f\x94\xa5", 7},
      {"\xf4\x8f\xbf\xbf", 4},   // the last code point
      {"a\xf4\x90\x80\x80", 1},  // behind it
      {"caf\xe9", 3},            // Latin-1
      {"a\xc3", 1},              // cut off
      {"a\xe2\x82", 1},          // cut off
      {"a\xe2\x82zz", 1},        //
      {"\xc0\xaf", 0},           // overlong
      {"\xe0\x9f\xbf", 0},       // overlong
      {"\xed\xa0\x80", 0},       // surrogate
      {"\xff\xfe"
       "a",
       0},  // byte order mark of UTF-16
      {"\x80", 0},
  };
  for (const auto& [text, length] : cases) EXPECT_EQ(Utf8Prefix(text), length) << text;
}

TEST(Files, AtomicWriteAndErrors) {
  TempFolder folder;
  const fs::path file = folder.path() / "a";
  WriteFileAtomic(file, "one");
  WriteFileAtomic(file, "two");
  AppendLine(file, "!");
  EXPECT_EQ(ReadFile(file), "two!\n");
  EXPECT_EQ(ListFiles(folder.path()).size(), 1u);
  EXPECT_THROW(ReadFile(folder.path() / "none"), Error);
  EXPECT_THROW(EnsureFolder(file / "below"), Error);
}

TEST(Files, PiecesAndMoves) {
  TempFolder folder;
  const fs::path file = folder.path() / "a", other = folder.path() / "b";
  WriteAt(file, 3, "def");
  WriteAt(file, 0, "abc");
  WriteFileAtomic(other, "old");
  MoveSynced(file, other);
  EXPECT_EQ(ReadFile(other), "abcdef");
  EXPECT_FALSE(fs::exists(file));
  EXPECT_THROW(MoveSynced(file, other), Error);
  EXPECT_THROW(MoveSynced(other, folder.path() / "none/b"), Error);
  EXPECT_THROW(WriteAt(folder.path() / "none/b", 0, "x"), Error);
}

TEST(Files, FullDiskIsResourceExhausted) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "skipped: no /dev/full";
  for (const auto& write : {+[] { AppendLine("/dev/full", "x"); }, +[] { WriteAt("/dev/full", 0, "x"); }}) {
    try {
      write();
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kResourceExhausted);
    }
  }
}

TEST(Files, LockIsExclusive) {
  TempFolder folder;
  FileLock lock(folder.path() / "lock");
  EXPECT_THROW(FileLock(folder.path() / "lock"), Error);
}

TEST(Files, LockIsWaitedFor) {
  TempFolder folder;
  auto lock = std::make_unique<FileLock>(folder.path() / "lock");
  std::thread owner([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    lock.reset();
  });
  EXPECT_NO_THROW(FileLock(folder.path() / "lock", std::chrono::minutes(1)));
  owner.join();
}

// The parent may die before its child gets as far as asking the kernel.
TEST(SubprocessDeathTest, NoticesThatTheParentIsDeadAlready) {
  const auto [variable, here] = ParentVariable();
  ::setenv(variable.c_str(), "1", 1);
  EXPECT_EXIT(DieWithParent(), testing::KilledBySignal(SIGKILL), "");
  ::unsetenv(variable.c_str());
}

TEST(Subprocess, ReturnsOutputCodeAndSignal) {
  const ProcessResult result = RunProcess({"sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_EQ(result.status.code, 3);
  EXPECT_THAT(result.output, testing::AllOf(testing::HasSubstr("out"), testing::HasSubstr("err")));
  Process sleeper({.argv = {"sleep", "60"}, .env = {}, .stdout_file = {}, .stderr_file = {}});
  EXPECT_FALSE(sleeper.Poll().has_value());
  sleeper.Signal(SIGKILL);
  EXPECT_EQ(sleeper.Wait().signal, SIGKILL);
  EXPECT_THROW(RunProcess({"/no/such/program"}), Error);
}

TEST(Installation, TheLauncherSaysWhatInstallsTheRest) {
  EXPECT_TRUE(fs::is_directory(InstallationFolder()));
  ASSERT_EQ(::unsetenv("HOT_SETUP"), 0);
  EXPECT_EQ(SetupCommand(), "scripts/setup");
  ASSERT_EQ(::setenv("HOT_SETUP", "sudo hot-runtimes", 1), 0);
  EXPECT_EQ(SetupCommand("--with-tvm"), "sudo hot-runtimes --with-tvm");
  ASSERT_EQ(::unsetenv("HOT_SETUP"), 0);
}

TEST(Clock, Formats) {
  EXPECT_EQ(FormatUtc(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatDuration(200), "3 min 20 s");
  EXPECT_EQ(FormatDuration(7500), "2 h 5 min");
}

TEST(Context, CancelThrows) {
  std::atomic<bool> cancelled{true};
  auto progress = MakeSilentProgress();
  EXPECT_THROW((Context{SystemClock(), *progress, cancelled}.ThrowIfCancelled()), Error);
}

}  // namespace
}  // namespace hot
