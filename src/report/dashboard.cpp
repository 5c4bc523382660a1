#include "report/dashboard.h"

#include <httplib.h>

#include <thread>

#include "core/error.h"
#include "core/hash.h"
#include "report/live_run.h"
#include "report/page.h"

namespace hot {
namespace {

using httplib::Request;
using httplib::Response;
using Handled = httplib::Server::HandlerResponse;

constexpr const char* kAddress = "127.0.0.1";
constexpr size_t kThreads = 4;

// Whole and uncompressed: the library would spend seconds of CPU time on what goes through memory only.
void Send(Response& response, std::string body, const char* type) {
  const auto text = std::make_shared<const std::string>(std::move(body));  // shared: std::function copies what owns it
  response.set_content_provider(text->size(), type, [text](size_t offset, size_t length, httplib::DataSink& sink) {
    return sink.write(text->data() + offset, length);
  });
}

void Refuse(Response& response, int status, const char* why) {
  response.status = status;
  response.set_content(std::string(why) + "\n", "text/plain");
}

// The page's scripts are its own, and it talks to nobody else. Styles: charts and tables set some on elements.
std::string ContentPolicy(const std::string& nonce) {
  return "default-src 'none'; script-src 'nonce-" + nonce +
         "'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
         "frame-ancestors 'none'";
}

}  // namespace

class Dashboard::Impl {
 public:
  Impl(const fs::path& run_folder, int port) : run_(run_folder) {
    server_.new_task_queue = [] { return std::make_unique<httplib::ThreadPool>(kThreads).release(); };  // it deletes it
    server_.set_keep_alive_max_count(1);  // or every open page would keep one of the threads
    server_.set_payload_max_length(1024);
    // The library's default lets another process listen at the same port and take every other request.
    server_.set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    server_.set_default_headers({{"Cache-Control", "no-store"},
                                 {"X-Content-Type-Options", "nosniff"},
                                 {"Referrer-Policy", "no-referrer"},
                                 {"Cross-Origin-Resource-Policy", "same-origin"}});
    AddAnswers();
    port_ = port == 0 ? server_.bind_to_any_port(kAddress) : server_.bind_to_port(kAddress, port) ? port : -1;
    if (port_ <= 0) {
      throw Error(Code::kUnavailable, "--port", "can't listen at port " + std::to_string(port) + ": is it taken?",
                  "--port 0 takes any free one");
    }
    thread_ = std::jthread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();  // stop() before that would be forgotten
  }

  ~Impl() { server_.stop(); }

  int port() const { return port_; }

 private:
  void AddAnswers() {
    server_.set_pre_routing_handler([this](const Request& request, Response& response) {
      return IsAllowed(request, response) ? Handled::Unhandled : Handled::Handled;
    });
    // The library takes them for regular expressions.
    server_.Get("/", [this](const Request&, Response& response) { SendPage(response); });
    server_.Get(R"(/status\.json)",
                [this](const Request&, Response& response) { Send(response, run_.StatusJson(), kJson); });
    server_.Get(R"(/data\.json)",
                [this](const Request&, Response& response) { Send(response, run_.DataJson(), kJson); });
    server_.Get(R"(/curves\.json)",
                [this](const Request&, Response& response) { Send(response, run_.CurvesJson(), kJson); });
    server_.set_exception_handler([](const Request&, Response& response, const std::exception_ptr&) {
      Refuse(response, 500, "The run folder can't be read just now.");
    });
    server_.set_error_handler([](const Request&, Response& response) {
      if (response.body.empty()) Refuse(response, response.status, "There is nothing here.");
    });
  }

  // A page of somebody else's can have a name of its own lead to 127.0.0.1 and read what is here (DNS rebinding); its
  // requests then carry that name.
  bool IsAllowed(const Request& request, Response& response) const {
    const std::string host = request.get_header_value("Host"), port = port_ == 80 ? "" : ":" + std::to_string(port_);
    if (request.get_header_value_count("Host") != 1 || (host != kAddress + port && host != "localhost" + port)) {
      Refuse(response, 403, "This is for 127.0.0.1 and localhost only.");
    } else if (request.method != "GET") {
      response.set_header("Allow", "GET");
      Refuse(response, 405, "Nothing can be changed here: GET only.");
    } else {
      return true;
    }
    return false;
  }

  void SendPage(Response& response) const {
    const std::string nonce = RandomHex(16);
    response.set_header("Content-Security-Policy", ContentPolicy(nonce));
    Send(response,
         PageHtml(
             {.name = run_.name(), .kind = "dashboard", .verdict = "", .data = "", .nonce = nonce, .origin = "Shown"}),
         "text/html; charset=utf-8");
  }

  static constexpr const char* kJson = "application/json";

  LiveRun run_;
  httplib::Server server_;
  int port_ = -1;
  std::jthread thread_;  // last: it uses all of the above
};

Dashboard::Dashboard(const fs::path& run_folder, int port) : impl_(std::make_unique<Impl>(run_folder, port)) {}
Dashboard::~Dashboard() = default;
int Dashboard::port() const { return impl_->port(); }

}  // namespace hot
