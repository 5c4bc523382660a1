// The entries of a zip file as PyTorch writes it: stored, not compressed. Used by the reader of PyTorch state files.
// Pure function; bytes of any origin are safe.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace hot {

// Name -> bytes, views into `bytes`. Zip64 is understood. Throws Error(kDataLoss) at `where` when the directory or an
// entry lies outside the file, kInvalidArgument for a compressed entry.
std::map<std::string, std::string_view> ReadZip(std::string_view bytes, const std::string& where);

}  // namespace hot
