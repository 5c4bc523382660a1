// Pieces of Python source: identifiers, numbers, indentation. For the writer of PyTorch modules only. Pure functions.
#pragma once

#include <cctype>
#include <sstream>
#include <string>
#include <vector>

namespace hot {

constexpr const char* kIndent = "    ";

inline std::string Indented(int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += kIndent;
  return text;
}

inline std::string LastComponent(const std::string& path) { return path.substr(path.rfind('.') + 1); }

inline bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// A Python identifier: "head.cls0" -> "head_cls0", "0" -> "x0".
inline std::string Variable(const std::string& path) {
  std::string name;
  for (const char c : path) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return IsDigit(name[0]) ? "x" + name : name;
}

// "head.cls0" -> "HeadCls0", "slot1.0" -> "Slot1_0".
inline std::string ClassName(const std::string& path) {
  std::string name;
  bool begins = true;
  for (const char c : path) {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (letter && begins && !name.empty() && IsDigit(name.back()) && IsDigit(c)) name += '_';
    if (letter) name += begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    begins = !letter;
  }
  return name.empty() ? "Network" : name;
}

inline std::string Number(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

inline std::string Joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

}  // namespace hot
