// Pieces of Python source: identifiers, submodules, numbers, indentation. For the writer of PyTorch modules only. Pure
// functions.
#pragma once

#include <cctype>
#include <sstream>
#include <string>
#include <vector>

#include "core/text.h"

namespace hot {

constexpr const char* kIndent = "    ";

inline std::string Indented(int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += kIndent;
  return text;
}

inline std::string LastPathComponent(const std::string& path) { return path.substr(path.rfind('.') + 1); }

inline bool IsAsciiDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// A Python identifier: "head.cls0" -> "head_cls0", "0" -> "x0".
inline std::string PythonVariable(const std::string& path) {
  std::string name;
  for (const char c : path) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return IsAsciiDigit(name[0]) ? "x" + name : name;
}

// "head.cls0" -> "HeadCls0", "slot1.0" -> "Slot1_0".
inline std::string PythonClassName(const std::string& path) {
  std::string name;
  bool begins = true;
  for (const char c : path) {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (letter && begins && !name.empty() && IsAsciiDigit(name.back()) && IsAsciiDigit(c)) name += '_';
    if (letter) name += begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    begins = !letter;
  }
  return name.empty() ? "Network" : name;
}

// The submodule of `self` at a path; parts of it may be numbers, which are no attributes in Python's grammar.
inline std::string PythonSubmodule(const std::string& path) {
  if (path.empty()) return "self";
  bool number = IsAsciiDigit(path[0]);
  for (size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', dot + 1))
    number = number || IsAsciiDigit(path[dot + 1]);
  return number ? "self.get_submodule(\"" + path + "\")" : "self." + path;
}

// The statement that makes `module`, an expression, the submodule at a path.
inline std::string PythonSetSubmodule(const std::string& path, const std::string& module) {
  const size_t dot = path.rfind('.');
  const std::string parent = PythonSubmodule(dot == std::string::npos ? "" : path.substr(0, dot));
  const std::string name = LastPathComponent(path);
  return IsAsciiDigit(name[0]) ? parent + ".add_module(\"" + name + "\", " + module + ")"
                               : parent + "." + name + " = " + module;
}

inline std::string PythonNumber(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

inline std::string CommaSeparated(const std::vector<std::string>& parts) { return JoinNames(parts, parts.size()); }

}  // namespace hot
