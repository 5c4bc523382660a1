// A headless Chromium that is driven by a test: pages are opened, mouse and keyboard are used as a person would use
// them, and what the page complains about is kept. Speaks the DevTools protocol over a pipe, so that it needs nothing
// but the program. Thread rule: one owner.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/subprocess.h"

namespace hot {

class Browser {
 public:
  // `program`: Chromium. Throws Error(kUnavailable) when it doesn't answer.
  explicit Browser(const fs::path& program);
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  // Returns when the page is loaded. Forgets complaints about the page before. `site`: what it may ask for besides
  // itself begins so.
  void Open(const fs::path& page);
  void OpenAddress(const std::string& address, const std::string& site);
  // The value of a JavaScript expression, of a promise what it becomes. Throws Error(kInternal) with what it throws.
  nlohmann::json Evaluate(const std::string& expression);
  // `type`: mousePressed, mouseReleased, mouseMoved; in pixels of the window.
  void Mouse(const std::string& type, double x, double y);
  void Click(double x, double y);
  // A key goes down and up: "ArrowRight", "Enter", "Tab".
  void Press(const std::string& key);
  // "light" or "dark".
  void SetColourScheme(const std::string& scheme);
  // Where files go that the page saves.
  void SaveTo(const fs::path& folder);
  // Bytes of the page as PDF, base64.
  std::string Print();
  // What axe-core (its script) finds serious or critical, as a list of texts. `rules`: only these, none: all.
  nlohmann::json SeriousFaults(const fs::path& axe_js, const std::vector<std::string>& rules = {});
  // Errors and warnings of the console, exceptions, and every address outside the page that it asked for.
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  nlohmann::json Call(const std::string& method, nlohmann::json parameters);
  nlohmann::json Receive();
  void Note(const nlohmann::json& event);

  TempFolder folder_;
  int socket_ = -1;
  std::unique_ptr<Process> process_;
  std::string received_, session_, site_;
  int last_id_ = 0;
  bool loaded_ = false;
  std::vector<std::string> complaints_;
};

}  // namespace hot
