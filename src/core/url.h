// Addresses that may hold a password, as people and files may see them. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace hot {

// Whether the user part, if any, stands where RFC 3986 puts it: at most one '@', before the first '/', '?' or '#'. Else
// a program that connects takes a piece of a password for a host or a port, and tells the world.
bool HasPlainUserPart(std::string_view url);

// The address without ":PASSWORD" and without parameters whose name ends in "password"; only "scheme://..." where it is
// not HasPlainUserPart(). Text without "://", such as the name of a file, stays as it is.
std::string WithoutPassword(std::string_view url);

}  // namespace hot
