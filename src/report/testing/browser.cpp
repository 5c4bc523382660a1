#include "report/testing/browser.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "core/error.h"

namespace hot {
namespace {

using Json = nlohmann::json;

constexpr int kPatienceMs = 60000;

Error Unavailable(const std::string& why) { return {Code::kUnavailable, "chromium", why, "run it by hand"}; }

// Chromium reads commands from descriptor 3 and answers on 4; our socket is its stdin and stdout.
std::vector<std::string> CommandLine(const fs::path& program, const fs::path& profile) {
  return {"sh",
          "-c",
          "exec \"$0\" \"$@\" 3<&0 4>&1 >/dev/null",
          program.string(),
          "--headless=new",
          "--no-sandbox",
          "--disable-gpu",
          "--disable-dev-shm-usage",
          "--no-first-run",
          "--disable-extensions",
          "--disable-background-networking",
          "--disable-component-update",
          "--window-size=1280,1000",
          "--user-data-dir=" + profile.string(),
          "--remote-debugging-pipe",
          "about:blank"};
}

bool IsOfPage(const std::string& address, const std::string& site) {
  return address.starts_with(site) || address.starts_with("data:") || address.starts_with("blob:") ||
         address.starts_with("about:");
}

}  // namespace

Browser::Browser(const fs::path& program) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) throw Unavailable("no socket pair");
  socket_ = ends[0];
  ProcessOptions options{.argv = CommandLine(program, folder_.path() / "profile"),
                         .stderr_file = folder_.path() / "log.txt",
                         .channel = ends[1],
                         .own_group = true};
  options.env["HOME"] = folder_.path().string();
  process_ = std::make_unique<Process>(options);
  close(ends[1]);
  Json targets = Call("Target.getTargets", Json::object()).at("targetInfos");
  for (const Json& target : targets) {
    if (target.at("type") != "page") continue;
    session_ = Call("Target.attachToTarget", {{"targetId", target.at("targetId")}, {"flatten", true}}).at("sessionId");
  }
  for (const char* domain : {"Page", "Runtime", "Log", "Network"})
    Call(std::string(domain) + ".enable", Json::object());
}

Browser::~Browser() {
  process_.reset();
  if (socket_ >= 0) close(socket_);
}

Json Browser::Receive() {
  size_t end = received_.find('\0');
  while (end == std::string::npos) {
    pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, kPatienceMs) <= 0) throw Unavailable("does not answer");
    std::array<char, 65536> bytes{};
    const ssize_t count = read(socket_, bytes.data(), bytes.size());
    if (count <= 0) throw Unavailable("has ended: " + LastLine(folder_.path() / "log.txt"));
    received_.append(bytes.data(), static_cast<size_t>(count));
    end = received_.find('\0');
  }
  Json message = Json::parse(received_.substr(0, end));
  received_.erase(0, end + 1);
  return message;
}

void Browser::Note(const Json& event) {
  const std::string method = event.value("method", "");
  const Json& what = event.value("params", Json::object());
  if (method == "Page.loadEventFired") loaded_ = true;
  if (method == "Runtime.exceptionThrown") complaints_.push_back(what.at("exceptionDetails").dump());
  if (method == "Runtime.consoleAPICalled" && (what.at("type") == "error" || what.at("type") == "warning"))
    complaints_.push_back(what.at("args").dump());
  if (method == "Log.entryAdded" && what.at("entry").at("level") == "error")
    complaints_.push_back(what.at("entry").dump());
  if (method == "Network.requestWillBeSent" && !IsOfPage(what.at("request").at("url"), site_))
    complaints_.push_back("asked for " + what.at("request").at("url").get<std::string>());
}

Json Browser::Call(const std::string& method, Json parameters) {
  Json message{{"id", ++last_id_}, {"method", method}, {"params", std::move(parameters)}};
  if (!session_.empty()) message["sessionId"] = session_;
  const std::string text = message.dump() + '\0';
  for (size_t sent = 0; sent < text.size();) {
    const ssize_t count = send(socket_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) throw Unavailable("has ended: " + LastLine(folder_.path() / "log.txt"));
    sent += static_cast<size_t>(count);
  }
  while (true) {
    Json answer = Receive();
    if (answer.value("id", 0) != last_id_) {
      Note(answer);
    } else if (answer.contains("error")) {
      throw Error(Code::kInternal, method, answer["error"].dump());
    } else {
      return answer.at("result");
    }
  }
}

void Browser::Open(const fs::path& page) { OpenAddress("file://" + page.string(), "file://"); }

void Browser::OpenAddress(const std::string& address, const std::string& site) {
  complaints_.clear();
  loaded_ = false;
  site_ = site;
  Call("Page.navigate", {{"url", address}});
  while (!loaded_) Note(Receive());
}

Json Browser::Evaluate(const std::string& expression) {
  const Json result =
      Call("Runtime.evaluate", {{"expression", expression}, {"returnByValue", true}, {"awaitPromise", true}});
  if (result.contains("exceptionDetails")) throw Error(Code::kInternal, expression, result["exceptionDetails"].dump());
  return result.at("result").value("value", Json());
}

void Browser::Mouse(const std::string& type, double x, double y) {
  const bool presses = type != "mouseMoved";
  Call("Input.dispatchMouseEvent",
       {{"type", type}, {"x", x}, {"y", y}, {"button", presses ? "left" : "none"}, {"clickCount", presses ? 1 : 0}});
}

void Browser::Click(double x, double y) {
  for (const char* type : {"mouseMoved", "mousePressed", "mouseReleased"}) Mouse(type, x, y);
}

void Browser::Press(const std::string& key) {
  static const std::map<std::string, int> kCodes{{"Tab", 9},      {"Enter", 13},      {"ArrowLeft", 37},
                                                 {"ArrowUp", 38}, {"ArrowRight", 39}, {"ArrowDown", 40},
                                                 {"Home", 36},    {"End", 35}};
  for (const char* type : {"rawKeyDown", "keyUp"}) {
    Call("Input.dispatchKeyEvent",
         {{"type", type}, {"key", key}, {"code", key}, {"windowsVirtualKeyCode", kCodes.at(key)}});
  }
}

void Browser::SetColourScheme(const std::string& scheme) {
  const Json feature{{"name", "prefers-color-scheme"}, {"value", scheme}};
  Call("Emulation.setEmulatedMedia", {{"features", Json::array({feature})}});
}

void Browser::SaveTo(const fs::path& folder) {
  Call("Page.setDownloadBehavior", {{"behavior", "allow"}, {"downloadPath", folder.string()}});
}

std::string Browser::Print() { return Call("Page.printToPDF", {{"printBackground", true}}).at("data"); }

Json Browser::SeriousFaults(const fs::path& axe_js, const std::vector<std::string>& rules) {
  Json options{{"resultTypes", {"violations"}}};
  if (!rules.empty()) options["runOnly"] = rules;
  Call("Runtime.evaluate",
       {{"expression", ReadFile(axe_js)}});  // not by the page's own scripts, whose policy forbids it
  return Evaluate("axe.run(" + options.dump() + R"().then(({violations}) => violations
      .filter(({impact}) => impact === 'serious' || impact === 'critical')
      .map(({id, nodes}) => id + ': ' + nodes.slice(0, 3).map(({html}) => html.slice(0, 200)).join(' | '))))");
}

}  // namespace hot
