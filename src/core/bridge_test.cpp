#include "core/bridge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "core/error.h"

namespace hot {
namespace {

using testing::HasSubstr;

// A stand-in for python/hot_bridge.
class BridgeTest : public testing::Test {
 protected:
  BridgeOptions Worker(const std::string& body) {
    EnsureFolder(folder_.path() / "hot_bridge");
    WriteFileAtomic(folder_.path() / "hot_bridge" / "__main__.py",
                    "import json, os, sys\n"
                    "def say(x): print(json.dumps(x), flush=True)\n" +
                        body);
    return {.python = HOT_DEFAULT_PYTHON, .folder = folder_.path()};
  }
  static Error Failure(const std::function<void()>& act) {
    try {
      act();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing thrown";
    return Error(Code::kOk, "", "");
  }
  TempFolder folder_;
};

constexpr const char* kEcho =
    "say({'protocol': 1})\n"
    "for line in sys.stdin: say({'id': json.loads(line)['id'], 'result': json.loads(line)})\n";

TEST_F(BridgeTest, CarriesRequestsOfAnySizeAndText) {
  Bridge bridge(Worker(kEcho));
  const std::string text(300'000, 'x');
  EXPECT_EQ(bridge.Call("a.b", R"({"n":1.5,"t":"ä\n)" + text + "\"}"),
            R"({"id":1,"operation":"a.b","arguments":{"n":1.5,"t":"ä\n)" + text + "\"}}");
  EXPECT_THAT(bridge.Call("c", "{}"), HasSubstr("\"id\":2"));
}

TEST_F(BridgeTest, ErrorsOfTheWorkerKeepTheirCode) {
  Bridge bridge(
      Worker("say({'protocol': 1})\nfor line in sys.stdin:\n"
             "  say({'id': 1, 'error': {'code': 'UNAVAILABLE', 'message': 'no optuna', 'hint': 'install it'}})\n"));
  const Error error = Failure([&] { bridge.Call("optuna.ask", "{}"); });
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_STREQ(error.what(), "optuna.ask: no optuna (install it)");
}

TEST_F(BridgeTest, AWorkerThatDiesIsStartedAgainOnce) {
  Bridge bridge(Worker(kEcho));
  ::kill(bridge.pid(), SIGKILL);
  EXPECT_THAT(bridge.Call("a", "{}"), HasSubstr("\"operation\":\"a\""));
  Bridge hopeless(
      Worker("say({'protocol': 1})\nfor line in sys.stdin:\n  print('out of luck', file=sys.stderr)\n  os._exit(7)\n"));
  const Error error = Failure([&] { hopeless.Call("a", "{}"); });
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_THAT(error.what(), HasSubstr("exit code 7"));
  EXPECT_THAT(error.what(), HasSubstr("out of luck"));
}

TEST_F(BridgeTest, WorkersThatCannotStartAreUnavailable) {
  EXPECT_EQ(Failure([&] { Bridge(Worker("sys.exit('broken')\n")); }).code(), Code::kUnavailable);
  EXPECT_EQ(Failure([&] { Bridge(Worker("say({'protocol': 99})\n")); }).code(), Code::kFailedPrecondition);
  EXPECT_EQ(Failure([&] { Bridge({.python = "/nowhere/python", .folder = folder_.path()}); }).code(),
            Code::kUnavailable);
}

}  // namespace
}  // namespace hot
